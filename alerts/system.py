"""Alarms of Andon itself: of no rule and no asset, one for each occasion however many shards meet it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from alerts import journal, lifecycle
from alerts.models import Alarm, JournalEntry, Priority, State
from devices.models import Asset, Level

# What they are known by; the alarms of a deleted rule keep its name.
OWN = Q(rule=None, rule_name="")

TOGETHER = timedelta(minutes=10)  # what shards find missing within it is one occasion; beat rings each every second
_MOST_NAMED = 8
_MESSAGE_LENGTH = 200  # Alarm.message


def replaced(*, epoch: str, shard: int, now: datetime) -> list[JournalEntry]:
    """Raises the alarm of streams that were replaced, once for their epoch, in the running transaction.

    Gives: the journal's rows, to be written by the caller; none where another shard raised it. Cost: four queries.
    """
    journal.hold()
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

    Gives: the journal's rows, to be written by the caller. Cost: six queries.
    """
    alarm = _waiting("lost", now - TOGETHER)
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


def _waiting(occasion: str, since: datetime) -> Alarm | None:
    """Gives an occasion's open alarm under lock, and keeps other workers from raising another to the commit."""
    found = Alarm.objects.filter(OWN, closed=None, frozen__occasion=occasion, raised__gte=since).order_by("-pk")
    # The alarm's lock before the journal's, as everybody takes them; the second look sees who was quicker.
    alarm = found.select_for_update().first()
    journal.hold()
    return alarm or found.select_for_update().first()


def _new(message: str, now: datetime, frozen: dict[str, Any]) -> Alarm:
    """Gives an unsaved alarm. It carries what a rule would: why, what follows, what to do."""
    return Alarm(
        rule_name="", tag="", asset_code="", priority=Priority.HIGH, raised=now, message=_fitting(message),
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
    life = lifecycle.Life.of(alarm.state, alarm.suppressed, annunciations=alarm.annunciations)
    step = lifecycle.step(life, lifecycle.Event.COMMENT, policy=policy, now=now, reason=reason)
    return journal.taken(alarm, lifecycle.Event.COMMENT, step, actor="", now=now)


def _lost_message(shards: list[int], since: datetime | None, until: datetime) -> str:
    return f"Readings lost: {whose(shards)}, what arrived {_span(since, until)} was never judged"


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
