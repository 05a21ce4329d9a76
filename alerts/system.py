"""Alarms of Andon itself: of no rule and no asset, one for each occasion however many shards meet it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from alerts import events, journal, lifecycle
from alerts.instants import from_us, to_us
from alerts.models import Alarm, Delivery, JournalEntry, Priority, State
from alerts.notify import routing
from devices.models import Asset, Level
from devices.telemetry.failing import LASTING_SECONDS, Failure

# What they are known by; the alarms of a deleted rule keep its name.
OWN = Q(rule=None, rule_name="")

TOGETHER = timedelta(minutes=10)  # what shards find missing within it is one occasion; beat rings each every second
_MOST_NAMED = 8
_MESSAGE_LENGTH = 200  # Alarm.message


class Told(NamedTuple):
    """What there is to tell: journal rows written, messages to be sent."""

    rows: int
    to_send: int


def replaced(*, epoch: str, shard: int, now: datetime) -> list[JournalEntry]:
    """Raises the alarm of streams that were replaced, once for their epoch, in the running transaction.

    Gives: the journal's rows, to be written by the caller; none where another shard raised it. Cost: three queries.
    """
    journal.lock()
    occasion = f"epoch {epoch}"
    if Alarm.objects.filter(OWN, frozen__occasion=occasion).exists():
        return []
    alarm = _new(
        "Stream replaced: readings that were not yet judged may be lost",
        now,
        {"occasion": occasion, "cause": "Redis was replaced, or its file was lost or put back."},
    )
    return [_happened(alarm, f"shard {shard} found other streams than those it had read", now)]


def lost(*, shard: int, since: datetime | None, until: datetime, now: datetime) -> list[JournalEntry]:
    """Says that a shard's readings of a time were let go unjudged, in an alarm of its own or in the one that waits.

    Gives: the journal's rows, to be written by the caller. Cost: four queries.
    """
    alarm = _waiting(_open("lost") & Q(raised__gte=now - TOGETHER))
    reason = f"shard {shard}: what arrived {_span(since, until)} was no longer in its stream"
    if alarm is None:
        shards = [shard]
        alarm = _new(
            _lost_message(shards, since, until),
            now,
            {
                "occasion": "lost",
                "shards": shards,
                "since": _stored(since),
                "until": _stored(until),
                "cause": "The database was put back to before what the streams still hold, or entries were deleted.",
                "consequence": "The history has a gap, and nobody was called for what happened in it.",
                "action": "Have the senders send that time again: what is there already is dropped.",
            },
        )
        return [_happened(alarm, reason, now)]
    shards = sorted({*alarm.frozen["shards"], shard})
    earliest = _earlier(_restored(alarm.frozen["since"]), since)
    latest = max(datetime.fromisoformat(alarm.frozen["until"]), until)
    alarm.frozen.update(shards=shards, since=_stored(earliest), until=_stored(latest))
    return [_told_more(alarm, _lost_message(shards, earliest, latest), reason, now)]


def not_judged(*, failures: Mapping[int, Failure], now: datetime) -> Told:
    """Raises, words anew or ends the alarm that says whose readings are not judged, because their drains fail.

    It is raised by who watches, not by the drain, whose transaction is what fails. Owns its transaction.
    Takes: the shards whose last drain failed.
    Gives: what there is to tell. Cost: one query while all is well.
    """
    lasting = {shard: failure for shard, failure in failures.items() if failure.lasts(to_us(now))}
    if not lasting and not Alarm.objects.filter(_open("not judged"), active=True).exists():
        return Told(0, 0)
    with transaction.atomic():
        entries = _followed(_waiting(_open("not judged")), lasting, now)
        numbers = journal.write(entries, now)
        deliveries = routing.deliveries_for(entries, now)
        Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        events.announce_on_commit(numbers)
    return Told(len(entries), sum(1 for delivery in deliveries if delivery.outcome == Delivery.Outcome.DUE))


def _followed(alarm: Alarm | None, lasting: Mapping[int, Failure], now: datetime) -> list[JournalEntry]:
    """Gives the rows that bring the alarm to what lasts."""
    standing = alarm is not None and alarm.active
    if not lasting:
        return [_ended(alarm, now)] if alarm is not None and standing else []
    words = next(iter(lasting.values())).words
    shards = list(lasting)
    message = f"Readings of {whose(shards)} are not judged: {words}"
    reason = "; ".join(f"shard {shard}: {failure.words}" for shard, failure in lasting.items())
    if alarm is None or not standing:
        return _stands(alarm, message, reason, _due(lasting), now, shards)
    if alarm.frozen["shards"] == shards:
        return []  # its errors may have other words each time
    alarm.frozen["shards"] = shards
    return [_told_more(alarm, message, reason, now)]


def _due(lasting: Mapping[int, Failure]) -> datetime:
    return from_us(min(failure.since for failure in lasting.values())) + timedelta(seconds=LASTING_SECONDS)


def _stands(
    before: Alarm | None, message: str, reason: str, due: datetime, now: datetime, shards: list[int]
) -> list[JournalEntry]:
    """Raises what lasts until it ends; what came before and waits for an acknowledgement is superseded."""
    life = lifecycle.NORMAL
    if before is not None:
        life = _life(before)
        before.closed = now
        before.version += 1
        before.save(update_fields=["closed", "version"])
    step = lifecycle.step(life, lifecycle.Event.RAISE, policy=lifecycle.Policy(), now=now)
    alarm = _new(
        message,
        due,
        {
            "occasion": "not judged",
            "shards": shards,
            "cause": "Each drain of these shards fails with the error named.",
            "consequence": "No alarm of these machines is raised. Their readings wait in the streams.",
            "action": "Look for 'drain failed' in the log of worker-telemetry, and put right what it names.",
        },
        priority=Priority.CRITICAL,
    )
    alarm.state, alarm.active = State(step.life.core), step.life.active
    alarm.save()
    entry = journal.taken(alarm, lifecycle.Event.RAISE, replace(step, reason=reason), actor="", now=now)
    entry.time = due
    return [entry]


def _ended(alarm: Alarm, now: datetime) -> JournalEntry:
    policy = lifecycle.Policy.of(alarm.frozen)
    reason = "the shards are drained again"
    step = lifecycle.step(_life(alarm), lifecycle.Event.CLEAR, policy=policy, now=now, reason=reason)
    alarm.state, alarm.active, alarm.cleared = State(step.life.core), step.life.active, now
    alarm.closed = now if lifecycle.Effect.CLOSE in step.effects else None
    alarm.version += 1
    alarm.save(update_fields=["state", "active", "cleared", "closed", "version"])
    return journal.taken(alarm, lifecycle.Event.CLEAR, step, actor="", now=now)


def _life(alarm: Alarm) -> lifecycle.Life:
    return lifecycle.Life.of(alarm.state, alarm.suppressed, annunciations=alarm.annunciations)


def _open(occasion: str) -> Q:
    """Gives the condition for an occasion's open alarm."""
    return OWN & Q(closed=None, frozen__occasion=occasion)


def _waiting(which: Q) -> Alarm | None:
    """Gives the newest such alarm under lock, and keeps other workers from raising another to the commit."""
    journal.lock()
    return Alarm.objects.filter(which).order_by("-pk").select_for_update().first()


def _new(message: str, raised: datetime, frozen: dict[str, Any], *, priority: Priority = Priority.HIGH) -> Alarm:
    """Gives an unsaved alarm. It carries what a rule would: why, what follows, what to do."""
    return Alarm(
        rule_name="", tag="", asset_code="", priority=priority, raised=raised, message=_fitting(message),
        frozen={"ack_required": True, **frozen},
    )  # fmt: skip


def _happened(alarm: Alarm, reason: str, now: datetime) -> JournalEntry:
    """Raises what happened at one moment: it waits for somebody to read it, then it is over."""
    step = lifecycle.step(lifecycle.NORMAL, lifecycle.Event.RAISE, policy=lifecycle.Policy(), now=now)
    alarm.state, alarm.active, alarm.cleared = State.RETURNED, False, now
    alarm.save()
    step = replace(step, after=lifecycle.Letter.RETURNED, reason=reason)
    return journal.taken(alarm, lifecycle.Event.RAISE, step, actor="", now=now)


def _told_more(alarm: Alarm, message: str, reason: str, now: datetime) -> JournalEntry:
    """Gives an open alarm other words, and the journal the reason."""
    alarm.message = _fitting(message)
    alarm.version += 1
    alarm.save(update_fields=["message", "frozen", "version"])
    policy = lifecycle.Policy.of(alarm.frozen)
    step = lifecycle.step(_life(alarm), lifecycle.Event.COMMENT, policy=policy, now=now, reason=reason)
    return journal.taken(alarm, lifecycle.Event.COMMENT, step, actor="", now=now)


def _lost_message(shards: list[int], since: datetime | None, until: datetime) -> str:
    return f"Readings lost {_span(since, until)}: {whose(shards)}"


def whose(shards: Iterable[int]) -> str:
    """Gives whose readings shards carry, in words: "12 machines (shards 3, 5)". Cost: one query."""
    numbers = sorted(shards)
    machines = Asset.objects.filter(level=Level.MACHINE, shard__in=numbers).count()
    named = ", ".join(map(str, numbers)) if len(numbers) <= _MOST_NAMED else f"{len(numbers)} of them"
    words = f"shard{'s' * (len(numbers) != 1)} {named}"
    return f"{machines} machine{'s' * (machines != 1)} ({words})" if machines else words


def _span(since: datetime | None, until: datetime) -> str:
    return f"from {_moment(since)} to {_moment(until)}" if since else f"before {_moment(until)}"


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else None


def _stored(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _restored(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _fitting(message: str) -> str:
    return message if len(message) <= _MESSAGE_LENGTH else message[: _MESSAGE_LENGTH - 1] + "…"
