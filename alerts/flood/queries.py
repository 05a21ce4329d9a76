"""Which operator positions are in a flood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alerts.flood.causes import TOP
from alerts.flood.counter import INTERVAL, Load, interval_of, passed
from alerts.models import Alarm, FloodLoad, Position
from devices.models import Asset


@dataclass(frozen=True, slots=True)
class Flood:
    """A position's flood: the code (empty: no position), its name, since when, how many alarms so far."""

    position: str
    name: str
    since: datetime
    total: int


def names() -> dict[str, str]:
    """Gives the positions' names by code; alarms of no position are the plant's. Cost: two queries."""
    found = dict(Position.objects.order_by().values_list("code", "name"))
    roots = list(Asset.objects.filter(parent=None).order_by("position", "code").values_list("name", flat=True)[:2])
    found[""] = roots[0] if len(roots) == 1 else "Andon"
    return found


def floods(now: datetime) -> list[Flood]:
    """Gives the floods that last. Cost: one query, three while one does."""
    rows = [(row.position, _at(row, now)) for row in FloodLoad.objects.exclude(since=None).order_by("position")]
    lasting = [(position, load) for position, load in rows if load.since is not None]
    if not lasting:
        return []
    known = names()
    return [
        Flood(position, known.get(position, position), _start(load.since or 0), load.total)
        for position, load in lasting
    ]


def in_flood(position: str, now: datetime) -> datetime | None:
    """Gives since when a position is in a flood; None where it is not. Cost: one query."""
    row = FloodLoad.objects.filter(position=position).exclude(since=None).first()
    load = _at(row, now) if row is not None else None
    return _start(load.since) if load is not None and load.since is not None else None


def gathered(now: datetime) -> dict[str, tuple[datetime, str]]:
    """Gives the positions whose messages are gathered into digests: until when, to the interval's end, and why.

    Cost: one query.
    """
    end = _start(interval_of(now.timestamp()) + 1)
    return {
        row.position: (end, f"a flood of alarms since {_start(load.since):%H:%M} UTC: told together every ten minutes")
        for row in FloodLoad.objects.exclude(since=None).order_by("position")
        if (load := _at(row, now)).since is not None
    }


def waits(alarm: Alarm, held: datetime, now: datetime, floods: Mapping[str, tuple[datetime, str]]) -> datetime | None:
    """Gives until when what was held back for another reason waits for the digest of a flood; None: it does not.

    Takes: when it was held: what was in an earlier interval goes; the floods, as `gathered` gives them.
    """
    if alarm.priority == TOP or alarm.position not in floods:
        return None
    return floods[alarm.position][0] if interval_of(held.timestamp()) == interval_of(now.timestamp()) else None


def _at(row: FloodLoad, now: datetime) -> Load:
    return passed(Load(row.interval, row.count, row.since, row.before), now.timestamp())


def _start(interval: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=interval * INTERVAL)
