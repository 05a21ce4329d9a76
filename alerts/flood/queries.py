"""Which operator positions are in a flood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from alerts.flood.causes import TOP
from alerts.flood.counter import ABOVE, INTERVAL, Load, annunciated, interval_of, passed
from alerts.lifecycle import Event
from alerts.models import Alarm, FloodLoad, FloodMark, JournalEntry, Position
from devices.models import Asset

_HIDDEN = ("G", "H", "I")


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
    loads = {row.position: _at(row, now) for row in FloodLoad.objects.exclude(since=None).order_by("position")}
    return _gathering(loads, now)


def pressing(now: datetime, coming: tuple[str, datetime] | None = None) -> dict[str, tuple[datetime, str]]:
    """Gives the same for critical alarms, which count as they come.

    A trip brings many within the second in which nobody has counted them yet: what the journal has by now counts too.
    Takes: the position of an alarm that is not journaled yet and shall count, and when it would be.
    Cost: two queries, three with an alarm that is to come.
    """
    loads = {row.position: Load(row.interval, row.count, row.since, row.before) for row in FloodLoad.objects.order_by()}
    if coming is not None and FloodMark.objects.exists():
        loads[coming[0]] = annunciated(loads.get(coming[0], _empty(coming[1])), coming[1].timestamp())
    for position, count in sorted(_uncounted(now).items()):
        load = passed(loads.get(position, _empty(now)), now.timestamp())
        begins = not load.in_flood and load.count + count > ABOVE
        loads[position] = replace(load, count=load.count + count, since=load.interval if begins else load.since)
    return _gathering({position: passed(load, now.timestamp()) for position, load in loads.items()}, now)


def _gathering(loads: Mapping[str, Load], now: datetime) -> dict[str, tuple[datetime, str]]:
    end = _start(interval_of(now.timestamp()) + 1)
    return {
        position: (end, f"a flood of alarms since {_start(load.since):%H:%M} UTC: told together every ten minutes")
        for position, load in loads.items()
        if load.since is not None
    }


def _empty(at: datetime) -> Load:
    return Load(interval_of(at.timestamp()))


def _uncounted(now: datetime) -> dict[str, int]:
    """Gives how many alarms each position got in the present interval that are not counted yet. Cost: one query."""
    seen, since = FloodMark.objects.order_by().values("seen")[:1], _start(interval_of(now.timestamp()))
    rows = presented(JournalEntry.objects.filter(pk__gt=Subquery(seen), recorded__gte=since))
    counts = rows.order_by().values_list("alarm__position").annotate(count=Count("pk"))
    return {position or "": count for position, count in counts}


def presented(rows: QuerySet[JournalEntry]) -> QuerySet[JournalEntry]:
    """Gives the rows that presented an alarm: a raise into B or C, a re-alarm, a return from being hidden.

    What comes back into B is always announced; into C or E only if nobody had heard of this occurrence before.
    """
    raised = Q(event=Event.RAISE, to_state__in=("B", "C")) | Q(event=Event.REALARM, to_state="B")
    back = Q(from_state__in=_HIDDEN) & ~Q(event=Event.RAISE)
    sure = raised | (back & Q(to_state="B"))
    earlier = JournalEntry.objects.filter(sure, alarm=OuterRef("alarm"), pk__lt=OuterRef("pk"))
    unheard = back & Q(to_state__in=("C", "E")) & ~Exists(earlier)
    return rows.filter(sure | unheard, alarm__isnull=False)


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
