"""Messages that were held back, as their time comes: each looked at once more, and the rest told in one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from alerts.calling.decision import CRITICAL, Held, digest_waits
from alerts.calling.directory import in_words, ledger, person_of
from alerts.flood import queries as flood
from alerts.lifecycle import WAITING, Letter
from alerts.models import Alarm, Delivery
from alerts.notify import outbox
from alerts.notify.channels import NOTIFIERS

log = structlog.get_logger(__name__)

EVENT = "digest"
Outcome = Delivery.Outcome


def send_held(now: datetime) -> None:
    """Puts what was held back until now into the outbox: one message for each person and channel, or team's channel.

    What is over or answered by then is not sent; one that is left alone goes as itself.
    Cost: one query where nothing is due; else about eight for each person and channel.
    """
    ways = Delivery.objects.filter(outcome=Outcome.HELD, due__lte=now).order_by("user_id", "team_id", "channel")
    for user, team, channel in ways.values_list("user_id", "team_id", "channel").distinct():
        with transaction.atomic():
            _send(user, team, channel, now)


def _send(user_id: int | None, team_id: int | None, channel: str, now: datetime) -> None:
    """Settles what was held for one person and channel, or for one channel of a team."""
    mine = Delivery.objects.filter(user=user_id, team=team_id, channel=channel, outcome=Outcome.HELD)
    # Locked at once and in one order: two workers whose moments differ would else wait for each other.
    locked = list(mine.filter(Q(due__lte=now) | Q(flood=True)).order_by("pk").select_for_update())
    rows = [row for row in locked if row.due <= now]
    alarms = _alarms(rows)
    left = _standing(rows, alarms)
    if any(row.flood and alarms[row.alarm_id or 0].priority == CRITICAL for row in left):
        # What a flood holds besides goes along: it is one message less.
        others = [row for row in locked if row.due > now]
        alarms |= _alarms(others)
        rows += others
        left += _standing(others, alarms)
    else:
        floods, held = flood.gathered(now), left
        left = []
        for row in held:
            until = flood.waits(alarms[row.alarm_id or 0], row.created, now, floods)
            if until is None:
                left.append(row)
            else:
                row.due, row.flood = until, True
    if left:
        address, until = left[0].address, None
        if user_id is not None:
            person = person_of(User.objects.select_related("contact").get(pk=user_id))
            waiting = [Held(alarms[row.alarm_id or 0].priority, row.on_call) for row in left]
            address, until = (
                person.addresses.get(channel, ""),
                digest_waits(person, waiting, now, ledger([user_id], now)),
            )
        if until is not None:
            for row in left:
                row.due = until
        elif len(left) == 1:
            left[0].outcome, left[0].due = Outcome.DUE, now
        else:
            _gather(left, address, now)
    _store(rows)
    if any(row.outcome in (Outcome.DUE, Outcome.GATHERED) for row in rows):
        transaction.on_commit(outbox.wake)


def _alarms(rows: Iterable[Delivery]) -> dict[int, Alarm]:
    """Gives the alarms of some messages. Cost: one query."""
    found = Alarm.objects.filter(pk__in={row.alarm_id for row in rows}).select_related("acked_by")
    return {alarm.pk: alarm for alarm in found}


def _standing(rows: Iterable[Delivery], alarms: Mapping[int, Alarm]) -> list[Delivery]:
    """Gives the messages that still have a point, and says of the others why they have none."""
    left = []
    for row in rows:
        alarm = alarms.get(row.alarm_id or 0)
        over = "its alarm is gone" if alarm is None else why_not_any_more(alarm, flood=row.flood)
        if over:
            row.outcome, row.reason = Outcome.WITHHELD, over
        else:
            left.append(row)
    return left


def _store(rows: Iterable[Delivery]) -> None:
    """Stores what became of rows: one statement for all of which the same did, as of nearly all after a flood."""
    same: dict[tuple[str, str, datetime, int | None, bool], list[int]] = defaultdict(list)
    for row in rows:
        same[row.outcome, row.reason, row.due, row.digest_id, row.flood].append(row.pk)
    for (outcome, reason, due, digest, held), numbers in same.items():
        rows_of = Delivery.objects.filter(pk__in=numbers)
        rows_of.update(outcome=outcome, reason=reason, due=due, digest=digest, flood=held)


def _gather(rows: list[Delivery], address: str, now: datetime) -> None:
    """Makes one message of several to one person or team."""
    first = rows[0]
    notifier = NOTIFIERS[first.channel]
    digest = Delivery.objects.create(
        key=f"digest:{first.pk}",
        user_id=first.user_id,
        team_id=first.team_id,
        event=EVENT,
        channel=first.channel,
        address=address,
        outcome=Outcome.DUE if address else Outcome.WITHHELD,
        reason=f"{len(rows)} messages that were held back: {first.reason}"[:300] if address else notifier.missing,
        message_id=notifier.reference(f"digest-{first.pk}", first.user_id) if first.user_id is not None else "",
        created=now,
        due=now,
    )
    for row in rows:
        row.outcome, row.due, row.digest = Outcome.GATHERED, now, digest
    log.info("digest made", delivery=digest.pk, channel=digest.channel, messages=len(rows))


def why_not_any_more(alarm: Alarm, *, flood: bool = False) -> str:
    """Gives why a message that was held back has no point any more, or nothing.

    Takes: whether a flood held it. Outside one, what is critical is told at once: that its condition returned while it
    waited for the digest says nothing against it, as long as it waits for somebody to acknowledge it.
    """
    if alarm.acked_by is not None and not (alarm.state in WAITING and alarm.closed is None):
        return f"already acknowledged by {alarm.acked_by.get_full_name() or alarm.acked_by.get_username()}"
    if alarm.suppressed:
        return in_words(alarm.suppressed)
    own = alarm.rule_id is None and not alarm.rule_name and alarm.state in WAITING  # it waits for somebody to read it
    urgent = flood and alarm.priority == CRITICAL and alarm.state in WAITING
    standing = alarm.active or own or urgent or alarm.state in (Letter.LATCHED_UNACKED, Letter.LATCHED_ACKED)
    return "" if standing and alarm.closed is None else "over before it was to be told"
