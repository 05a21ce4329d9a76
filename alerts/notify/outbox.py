"""The outbox: what is due is claimed, looked at once more, sent, and written down.

A message is sent at least once. Between the claim and the word SENT lies only the sending itself; a worker that dies
there leaves a claim, which is taken again after `CLAIM`. An email then carries the same Message-ID, so that mail
programs fold the two; a text message may come twice, which is better than not at all. Each try has its row before it
begins: one whose end was never learned is counted and shown, since the message may have gone out by it.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from alerts.calling.directory import in_the_words_of, in_words
from alerts.lifecycle import WAITING, Event
from alerts.models import Alarm, Attempt, Channel, Delivery, Priority
from alerts.notify.backlog import Backlog
from alerts.notify.channel import Down, Permanent, Send, Transient, contact_of
from alerts.notify.channels import NOTIFIERS
from alerts.notify.message import notice
from alerts.notify.routing import FRESH, is_from_backlog

log = structlog.get_logger(__name__)

TRIES = 8
BASE_SECONDS = 5.0
CAP_SECONDS = 900.0
CRITICAL_CAP_SECONDS = 60.0  # that a far end may ask to be left alone by critical alarms
CLAIM = timedelta(seconds=settings.OUTBOX_CLAIM)
ROUND = 20
_REASON, _ANSWER = 300, 500  # characters that their columns take

LOOPS = 2
_loops = threading.BoundedSemaphore(LOOPS)
_asked = threading.Event()  # somebody found LOOPS at work, or has not begun

Outcome = Delivery.Outcome


class NotDead(Exception):
    """Only a message that was given up can be sent again or let be; the text says what became of it."""


@dataclass(frozen=True, slots=True)
class Withhold:
    """Not to be sent, with the reason for the person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not to be sent yet."""

    until: datetime
    reason: str
    shard: int | None = None  # whose stream is behind: all that comes from it waits alike


Verdict = Withhold | Wait | None


def backoff(attempt: int, fraction: float) -> timedelta:
    """Gives how long to wait after a failed try (the first is 1): full jitter below base · 2^n, capped.

    Takes: a fraction from 0 to 1, random where several wait at once.
    """
    return timedelta(seconds=fraction * min(CAP_SECONDS, BASE_SECONDS * 2 ** (attempt - 1)))


def send_all(clock: Callable[[], datetime]) -> bool:
    """Sends round after round until nothing is due, by at most LOOPS threads of a process at a time.

    Who finds that many at it leaves: the work process has other work, which must not wait behind a large outbox. One of
    them looks once more for what has come meanwhile.
    Gives: whether it sent.
    """
    sent = False
    _asked.set()
    while _asked.is_set() and _loops.acquire(blocking=False):
        try:
            _asked.clear()
            while send_due(clock()):
                pass
        finally:
            _loops.release()
        sent = True
    return sent


def send_due(now: datetime, *, jitter: Callable[[], float] = random.random) -> bool:
    """Sends a round of what is due by each channel, the most urgent first.

    Any number of workers may do so at once: each message is claimed by a compare-and-set.
    Gives: whether a channel's round was full, so that there may be more.
    Cost: one query a channel, and about eight for each message.
    """
    backlog = Backlog(now)
    rounds = [_round(channel, backlog, now, jitter) for channel in NOTIFIERS]
    return ROUND in rounds


def _round(channel: str, backlog: Backlog, now: datetime, jitter: Callable[[], float]) -> int:
    """Sends up to ROUND messages by one channel; a channel that is down is left alone, and so is a team's own.

    Gives: how many it found, none of a channel that is down. What another worker took of them counts: behind a round
    that two shared there may be as many more.
    Cost: another query for each team that turns out to be down, so that its messages take no other's place.
    """
    down: set[int] = set()
    with NOTIFIERS[channel].open() as send:
        while True:
            known, found = len(down), _due(channel, now, without=down)
            for pk, held, team in found:
                if team in down or not _claim(pk, held, now):
                    continue
                try:
                    if held is not None:
                        _note_lost_worker(pk, now)
                    delivery = _loaded(pk)
                    with in_the_words_of(delivery.user):
                        _deliver(delivery, send, backlog, now, jitter)
                except Down as failure:
                    log.warning("channel down", channel=channel, team=team, answer=str(failure))
                    if team is None:
                        return 0
                    down.add(team)
                except Exception:
                    # One odd message holds up no other: its claim runs out, and it is tried again.
                    log.exception("message not sent", channel=channel, delivery=pk)
            if len(down) == known:
                return len(found)


def wake() -> None:
    """Wakes a worker that sends; without a broker beat does so within seconds."""
    from alerts.tasks import send_due

    with suppress(OperationalError):
        send_due.apply_async(expires=5, retry=False)


def resend(*, delivery_id: int, user: User, now: datetime) -> Delivery:
    """Puts a message that was given up back into the outbox.

    Raises: Delivery.DoesNotExist; NotDead.
    """
    found = Delivery.objects.filter(pk=delivery_id, outcome=Outcome.DEAD).update(
        outcome=Outcome.DUE,
        attempts=0,
        due=now,
        first_due=None,
        claimed=None,
        given_up=None,
        dismissed=None,
        answer=f"sent again by {user.get_username()}",
    )
    delivery = Delivery.objects.get(pk=delivery_id)
    if not found:
        words = _("This message was not given up: %(state)s.")
        raise NotDead(words % {"state": delivery.get_outcome_display()})
    return delivery


def dismiss(*, delivery_id: int, user: User, now: datetime) -> Delivery:
    """Lets a message be that was given up: it stays in the log and is nobody's trouble any more.

    Raises: Delivery.DoesNotExist; NotDead, also where somebody has let it be before.
    """
    found = Delivery.objects.filter(pk=delivery_id, outcome=Outcome.DEAD, dismissed=None).update(dismissed=now)
    delivery = Delivery.objects.get(pk=delivery_id)
    if not found:
        words = _("This message does not wait for anybody: %(state)s.")
        raise NotDead(words % {"state": delivery.get_outcome_display()})
    log.info("message let be", delivery=delivery_id, by=user.get_username())
    return delivery


def send_test(*, user: User, channel: str, now: datetime) -> Delivery:
    """Puts a test message to oneself into the outbox; withheld at once where there is no address."""
    notifier = NOTIFIERS[channel]
    address = notifier.address(user, contact_of(user))
    number = uuid.uuid4().hex
    return Delivery.objects.create(
        key=f"test:{number}",
        user=user,
        event="test",
        channel=Channel(channel),
        address=address,
        outcome=Outcome.DUE if address else Outcome.WITHHELD,
        reason="you asked for a test" if address else notifier.missing,
        message_id=notifier.reference(f"test-{number}", user.pk),
        created=now,
        due=now,
    )


# --- Claiming ------------------------------------------------------------------------------------------------------


def _due(channel: str, now: datetime, *, without: Collection[int]) -> list[tuple[int, datetime | None, int | None]]:
    """Gives the next round's messages, each with its claim and its team: due ones, and those whose worker was lost.

    Of equally urgent ones that goes first which is due the longest: what waits again and again goes behind the others.
    Takes: teams whose messages are left out.
    """
    due = Q(outcome=Outcome.DUE, due__lte=now) | Q(outcome=Outcome.SENDING, claimed__lte=now - CLAIM)
    found = Delivery.objects.filter(due, channel=channel).exclude(team__in=without)
    ordered = found.order_by(F("alarm__priority").asc(nulls_last=True), "due", "pk")
    return list(ordered.values_list("pk", "claimed", "team")[:ROUND])


def _claim(pk: int, held: datetime | None, now: datetime) -> bool:
    """Takes a message for this worker; of several that try, one does."""
    if held is None:
        free = Delivery.objects.filter(pk=pk, outcome=Outcome.DUE, due__lte=now)
    else:
        free = Delivery.objects.filter(pk=pk, outcome=Outcome.SENDING, claimed=held)
    return bool(free.update(outcome=Outcome.SENDING, claimed=now, attempts=F("attempts") + 1))


def _loaded(pk: int) -> Delivery:
    near = ("user", "user__contact", "team", "alarm", "alarm__rule", "alarm__sensor", "alarm__asset", "alarm__acked_by")
    return Delivery.objects.select_related(*near).get(pk=pk)


# --- Sending -------------------------------------------------------------------------------------------------------


def _deliver(delivery: Delivery, send: Send, backlog: Backlog, now: datetime, jitter: Callable[[], float]) -> None:
    """Sends one claimed message, or writes down why not.

    Raises: Down, after writing it down.
    """
    if delivery.attempts > TRIES:
        _bury(delivery, now, "given up: its worker was lost each time")
        return
    verdict = _judge(delivery, backlog, now)
    if isinstance(verdict, Withhold):
        _settle(delivery, outcome=Outcome.WITHHELD, reason=verdict.reason, claimed=None)
        return
    if isinstance(verdict, Wait):
        # Waiting is no try.
        _settle(
            delivery,
            outcome=Outcome.DUE,
            due=verdict.until,
            answer=verdict.reason,
            claimed=None,
            attempts=F("attempts") - 1,
            first_due=None,
        )
        if verdict.shard is not None:
            _put_off(verdict, now)
        return
    said = notice(delivery, now)
    trying = _Try(delivery, now)
    try:
        answer = send(said, delivery)
    except Permanent as refusal:
        with trying.ended(Attempt.Outcome.REFUSED, str(refusal)):
            _bury(delivery, now, f"refused: {refusal}", str(refusal))
    except Transient as failure:
        unlearned = delivery.unlearned
        if failure.perhaps_sent:
            unlearned += 1
        outcome = Attempt.Outcome.UNKNOWN if failure.perhaps_sent else Attempt.Outcome.FAILED
        with trying.ended(outcome, str(failure)):
            if delivery.attempts >= TRIES:
                words = f"given up after {TRIES} tries: {failure}"
                _bury(delivery, now, words, str(failure), unlearned=unlearned)
            else:
                due = now + max(backoff(delivery.attempts, jitter()), _asked_for(failure, _is_critical(delivery)))
                # A channel that is down says nothing of this message: what it is late by is late.
                since = delivery.first_due or delivery.due if isinstance(failure, Down) else None
                fields = {"answer": str(failure), "claimed": None, "unlearned": unlearned, "first_due": since}
                _settle(delivery, outcome=Outcome.DUE, due=due, **fields)
                log.warning("message delayed", delivery=delivery.pk, channel=delivery.channel, tries=delivery.attempts)
        if isinstance(failure, Down):
            if failure.after is not None:
                _leave_alone(delivery, failure, now)
            raise
    else:
        with trying.ended(Attempt.Outcome.SENT, answer):
            _settle(delivery, outcome=Outcome.SENT, sent=now, answer=answer, claimed=None)
        log.info("message sent", delivery=delivery.pk, channel=delivery.channel, tries=delivery.attempts)


def _is_critical(delivery: Delivery) -> bool:
    return delivery.alarm is not None and delivery.alarm.priority == Priority.CRITICAL


def _asked_for(failure: Transient, critical: bool) -> timedelta:
    """Gives how long the far end asked to be left alone, so far as an alarm can wait."""
    return min(failure.after or timedelta(0), timedelta(seconds=CRITICAL_CAP_SECONDS if critical else CAP_SECONDS))


def _leave_alone(delivery: Delivery, failure: Transient, now: datetime) -> None:
    """Has the other messages to the same far end wait as well: a channel's provider, or a team's own.

    They stay late by when they were due first: the auditor looks at that.
    """
    others = Delivery.objects.filter(outcome=Outcome.DUE, channel=delivery.channel, team=delivery.team_id)
    for critical in (True, False):
        until = now + _asked_for(failure, critical)
        urgent = Q(alarm__priority=Priority.CRITICAL)
        mine = others.filter(urgent) if critical else others.filter(~urgent | Q(alarm=None))
        mine.filter(due__lt=until).update(due=until, first_due=Coalesce("first_due", "due"))


def _put_off(wait: Wait, now: datetime) -> None:
    """Has all other messages of a shard's old alarms wait as one does: looked at one by one they would fill the rounds.

    Cost: one query.
    """
    mine = Q(alarm__rule__shard=wait.shard) | Q(alarm__rule=None, alarm__asset__shard=wait.shard)
    late = Delivery.objects.filter(mine, event=Event.RAISE, alarm__raised__lt=F("created") - FRESH)
    waiting = Delivery.objects.filter(outcome=Outcome.DUE, due__lte=now, pk__in=late.order_by().values("pk"))
    waiting.update(due=wait.until, answer=wait.reason, first_due=None)


class _Try:
    """The row of one try: written before it begins, finished when its outcome is known."""

    def __init__(self, delivery: Delivery, now: datetime) -> None:
        self._began, self._started = now, time.perf_counter()
        self._row = Attempt.objects.create(delivery=delivery, number=delivery.attempts, began=now)

    @contextmanager
    def ended(self, outcome: Attempt.Outcome, answer: str) -> Iterator[None]:
        """Writes what became of it, with what then becomes of its message: a worker lost between leaves it open."""
        took = timedelta(seconds=time.perf_counter() - self._started)
        rows = Attempt.objects.filter(pk=self._row.pk)
        with transaction.atomic():
            rows.update(outcome=outcome, answer=answer[:_ANSWER], ended=self._began + took)
            yield


def _note_lost_worker(pk: int, now: datetime) -> None:
    """Closes the try that a lost worker left open; none where it was lost before it began to send."""
    begun = Attempt.objects.filter(delivery=pk, outcome=Attempt.Outcome.OPEN)
    with transaction.atomic():
        lost = begun.update(outcome=Attempt.Outcome.UNKNOWN, ended=now, answer="its worker was lost")
        if lost:
            Delivery.objects.filter(pk=pk).update(unlearned=F("unlearned") + 1)
    if lost:
        log.warning("message perhaps sent", delivery=pk)


def _bury(delivery: Delivery, now: datetime, reason: str, answer: str = "", **fields: object) -> None:
    answer = answer or delivery.answer
    _settle(delivery, outcome=Outcome.DEAD, reason=reason, answer=answer, claimed=None, given_up=now, **fields)
    log.error("message given up", delivery=delivery.pk, channel=delivery.channel, reason=reason)


def _settle(delivery: Delivery, **fields: object) -> None:
    """Writes what became of a claimed message, unless the claim has passed to another worker."""
    for name, length in (("reason", _REASON), ("answer", _ANSWER)):
        if name in fields:
            fields[name] = str(fields[name])[:length]
    Delivery.objects.filter(pk=delivery.pk, outcome=Outcome.SENDING, claimed=delivery.claimed).update(**fields)


# --- The last look -------------------------------------------------------------------------------------------------


def _judge(delivery: Delivery, backlog: Backlog, now: datetime) -> Verdict:
    """Looks once more whether the message still has a point; the first word of a check counts."""
    alarm = delivery.alarm
    if delivery.user is not None and not delivery.user.is_active:
        return Withhold("your account is switched off")
    if alarm is None:
        return None
    if delivery.event == Event.CLEAR:
        return _judge_return(delivery, now)
    return _answered(alarm) or _suppressed(alarm) or _waits(delivery, backlog) or _over(alarm, delivery)


def _answered(alarm: Alarm) -> Verdict:
    """Somebody has acknowledged it, and it did not ask again since."""
    if alarm.acked_by is None or (alarm.state in WAITING and alarm.closed is None):
        return None
    return Withhold(f"already acknowledged by {alarm.acked_by.get_full_name() or alarm.acked_by.get_username()}")


def _suppressed(alarm: Alarm) -> Verdict:
    return Withhold(in_words(alarm.suppressed)) if alarm.suppressed else None


def _waits(delivery: Delivery, backlog: Backlog) -> Verdict:
    until = backlog.holds(delivery)
    if until is None:
        return None
    shard = backlog.behind(delivery)
    return Wait(until, "waits until the readings that came late have been judged", shard)


def _over(alarm: Alarm, delivery: Delivery) -> Verdict:
    """It came late and is over; a latched one still needs a hand."""
    over = alarm.closed is not None or not (alarm.active or alarm.state in "EF")
    late = is_from_backlog(alarm, delivery.event, delivery.created)
    return Withhold("over before it could be sent") if over and late else None


def _judge_return(delivery: Delivery, now: datetime) -> Verdict:
    """A return to normal goes to those who were told of the alarm, after that message, or after the digest with it."""
    told: QuerySet[Delivery] = Delivery.objects.filter(
        alarm=delivery.alarm_id,
        user=delivery.user_id,
        team=delivery.team_id,
        channel=delivery.channel,
        journal_id__lt=delivery.journal_id,
    ).exclude(event=Event.CLEAR)
    rows = told.order_by("due").values_list("outcome", "due", "digest__outcome", "digest__due")
    # What was told in a digest went as far as that; one whose digest is gone was told in it.
    outcomes = {
        whole or (Outcome.SENT if outcome == Outcome.GATHERED else outcome): whole_due or due
        for outcome, due, whole, whole_due in rows
    }
    if Outcome.SENT in outcomes:
        return None
    pending = [due for outcome, due in outcomes.items() if outcome in (Outcome.DUE, Outcome.SENDING)]
    if pending:
        return Wait(max(now, *pending) + timedelta(seconds=1), "waits for the message of the alarm itself")
    return Withhold("you were not told of the alarm")
