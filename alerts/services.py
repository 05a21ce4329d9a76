"""What a person does to an alarm. Each verb owns its transaction, steps the alarm's life, and writes the journal."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from alerts import events, journal, lifecycle
from alerts.models import Alarm, JournalEntry

LONGEST_COMMENT = 300  # characters; JournalEntry.reason


class Refused(Exception):
    """The alarm's state or the words given do not allow it; the text says why, for the person who asked."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of an acknowledgement: done by this call, or by whom before and when."""

    alarm: Alarm
    done: bool
    by: str  # who acknowledged; empty where the rule asks for nobody
    at: datetime | None
    message: str


def acknowledge(*, alarm_id: int, user: AbstractBaseUser, comment: str = "", now: datetime) -> Acknowledgement:
    """Acknowledges one occurrence; the first person's acknowledgement stands, the second is told of it.

    Takes: a comment, kept also from whoever comes second.
    Raises: Alarm.DoesNotExist; Refused, with a row of the attempt in the journal.
    Cost: seven queries.
    """
    comment = _checked(comment)
    actor = user.get_username()
    refusal = None
    with transaction.atomic():
        alarm = _locked(alarm_id)
        try:
            step = _step(alarm, lifecycle.Event.ACK, comment, now)
        except lifecycle.IllegalEvent as illegal:
            # The attempt's row must outlive the refusal, so it is raised after the commit.
            refusal = Refused(_why_not(alarm, illegal))
            _write([journal.refused(alarm, illegal, actor=actor, now=now)], now)
        else:
            done = step is not None and lifecycle.Effect.JOURNAL in step.effects
            if done and step is not None:
                _settle(alarm, step, user, now)
                _write([journal.taken(alarm, lifecycle.Event.ACK, step, actor=actor, now=now)], now)
            elif comment:
                _remark(alarm, comment, actor, now)
    if refusal is not None:
        raise refusal
    who = alarm.acked_by
    by = "" if who is None else who.get_full_name() or who.get_username()
    return Acknowledgement(alarm, done, by, alarm.acked, _said(alarm, done, by))


def comment(*, alarm_id: int, user: AbstractBaseUser, text: str, now: datetime) -> JournalEntry:
    """Writes a comment into an occurrence's journal, open or closed.

    Raises: Alarm.DoesNotExist; Refused where the text is empty or too long.
    Cost: six queries.
    """
    text = _checked(text)
    if not text:
        raise Refused("The comment is empty. Write what the next shift should know.")
    with transaction.atomic():
        return _remark(_locked(alarm_id), text, user.get_username(), now)


def _locked(alarm_id: int) -> Alarm:
    """Gives the alarm under the lock that evaluation takes too (on SQLite the transaction holds the only one)."""
    return Alarm.objects.select_for_update(of=("self",)).select_related("acked_by").get(pk=alarm_id)


def _life(alarm: Alarm) -> lifecycle.Life:
    return lifecycle.Life.of(alarm.state, alarm.suppressed, annunciations=alarm.annunciations)


def _step(alarm: Alarm, event: lifecycle.Event, words: str, now: datetime) -> lifecycle.Step | None:
    """Puts an event to the alarm; none where a closed occurrence has been acknowledged already."""
    if event is lifecycle.Event.ACK and alarm.closed is not None:
        if alarm.acked is not None:
            return None
        # A superseded occurrence keeps its letter D; nobody can answer it any more.
        raise lifecycle.IllegalEvent(lifecycle.Letter(alarm.state), event, "the occurrence is over")
    return lifecycle.step(_life(alarm), event, policy=lifecycle.Policy.of(alarm.frozen), now=now, reason=words)


def _settle(alarm: Alarm, step: lifecycle.Step, user: AbstractBaseUser, now: datetime) -> None:
    """Stores an acknowledgement, if the row is still as it was read."""
    before = alarm.version
    alarm.state = step.life.core.value
    alarm.active = step.life.active
    alarm.acked, alarm.acked_by = now, user  # type: ignore[assignment]  # AUTH_USER_MODEL is auth.User here
    alarm.version = before + 1
    if lifecycle.Effect.CLOSE in step.effects:
        alarm.closed = now
    stored = Alarm.objects.filter(pk=alarm.pk, version=before).update(
        state=alarm.state,
        active=alarm.active,
        acked=alarm.acked,
        acked_by=user,
        closed=alarm.closed,
        version=alarm.version,
    )
    if not stored:
        raise RuntimeError(f"Alarm {alarm.pk} was changed under its lock.")


def _remark(alarm: Alarm, text: str, actor: str, now: datetime) -> JournalEntry:
    step = _step(alarm, lifecycle.Event.COMMENT, text, now)
    assert step is not None
    entry = journal.taken(alarm, lifecycle.Event.COMMENT, step, actor=actor, now=now)
    _write([entry], now)
    return entry


def _write(entries: list[JournalEntry], now: datetime) -> None:
    events.announce_on_commit(journal.write(entries, now))


def _checked(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_COMMENT:
        raise Refused(f"The comment has {len(text)} characters; at most {LONGEST_COMMENT} fit. Shorten it.")
    return text


def _why_not(alarm: Alarm, illegal: lifecycle.IllegalEvent) -> str:
    if alarm.closed is not None:
        since = _clock(alarm.closed)
        return f"This alarm is over since {since}: nothing is left to acknowledge. A newer one has its own number."
    if alarm.suppressed:
        return f"This alarm is {_switched(alarm)}: it cannot be acknowledged until it is presented again."
    return f"This alarm cannot be acknowledged: {illegal.reason}."


def _switched(alarm: Alarm) -> str:
    return " and ".join(
        switch.replace("by_design", "suppressed by design").replace("_", " ") for switch in alarm.suppressed
    )


def _said(alarm: Alarm, done: bool, by: str) -> str:
    if done:
        return "Acknowledged."
    if alarm.acked is None:
        return "This alarm asks for no acknowledgement."
    return f"Already acknowledged by {by} at {_clock(alarm.acked)}."


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M:%S}"
