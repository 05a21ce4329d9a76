"""Which operator positions are in a flood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value

from alerts.flood.causes import TOP
from alerts.flood.counter import ABOVE, INTERVAL, Load, annunciated, interval_of, passed
from alerts.lifecycle import NOT_PRESENTED, Event
from alerts.models import Alarm, FloodLoad, FloodMark, JournalEntry, Position
from devices.models import Asset

Waits = tuple[datetime, str]  # until when messages are gathered into a digest, and why


@dataclass(frozen=True, slots=True)
class Flood:
    """A position's flood: the code (empty: no position), its name, since when, how many alarms so far."""

    position: str
    name: str
    since: datetime
    total: int


@dataclass(frozen=True, slots=True)
class Present:
    """The interval of ten minutes that runs: since when, what the busiest position got in it, the floods that last."""

    since: datetime
    most: int
    floods: list[Flood]


def names() -> dict[str, str]:
    """Gives the positions' names by code; alarms of no position are the plant's. Cost: two queries."""
    found = dict(Position.objects.order_by().values_list("code", "name"))
    roots = list(Asset.objects.filter(parent=None).order_by("position", "code").values_list("name", flat=True)[:2])
    found[""] = roots[0] if len(roots) == 1 else "Andon"
    return found


def present(now: datetime) -> Present:
    """Gives the interval that runs, as it is counted, and the floods that last. Cost: one query, three in a flood."""
    rows = [(row.position, _at(row, now)) for row in FloodLoad.objects.order_by("position")]
    lasting = [(position, load) for position, load in rows if load.since is not None]
    known = names() if lasting else {}
    return Present(
        since=_start(interval_of(now.timestamp())),
        most=max((load.count for _position, load in rows), default=0),
        floods=[
            Flood(position, known.get(position, position), _start(load.since or 0), load.total)
            for position, load in lasting
        ],
    )


def floods(now: datetime) -> list[Flood]:
    """Gives the floods that last. Cost: one query, three while one does."""
    return present(now).floods


def in_flood(position: str, now: datetime) -> datetime | None:
    """Gives since when a position is in a flood; None where it is not. Cost: one query."""
    row = FloodLoad.objects.filter(position=position).exclude(since=None).first()
    load = _at(row, now) if row is not None else None
    return _start(load.since) if load is not None and load.since is not None else None


def gathered(now: datetime, loads: Mapping[str, Load] | None = None) -> dict[str, Waits]:
    """Gives the positions whose messages are gathered into digests: until when, to the interval's end, and why.

    Takes: the positions' loads, where they are known. Cost: one query, none with loads.
    """
    if loads is None:
        loads = {row.position: load_of(row) for row in FloodLoad.objects.exclude(since=None).order_by("position")}
    end = _start(interval_of(now.timestamp()) + 1)
    return {
        position: (end, f"a flood of alarms since {_start(load.since):%H:%M} UTC: told together every ten minutes")
        for position, load in ((position, passed(load, now.timestamp())) for position, load in loads.items())
        if load.since is not None
    }


@dataclass(frozen=True, slots=True)
class Gatherings:
    """The positions whose messages are gathered: as `gathered` has them, and for critical alarms as `pressing` does."""

    usual: Mapping[str, Waits]
    critical: Mapping[str, Waits]

    def __bool__(self) -> bool:
        return bool(self.usual or self.critical)

    def of(self, alarm: Alarm) -> Waits | None:
        """Gives until when messages of an alarm are gathered, and why; None: they are not."""
        return (self.critical if alarm.priority == TOP else self.usual).get(alarm.position)


def gatherings(now: datetime) -> Gatherings:
    """Gives what is gathered at a moment, for alarms of any priority. Cost: one query."""
    loads, more = _known(now)
    return Gatherings(gathered(now, loads), gathered(now, _with(loads, more, now)))


def pressing(now: datetime, coming: tuple[str, datetime] | None = None) -> dict[str, Waits]:
    """Gives what is gathered for critical alarms, which count as they come.

    A trip brings many within the second in which nobody has counted them yet: what the journal has by now counts too.
    Takes: the position of an alarm that is not journaled yet and shall count, and when it would be.
    Cost: one query, two with an alarm that is to come.
    """
    loads, more = _known(now)
    if coming is not None and FloodMark.objects.exists():
        position, at = coming
        loads[position] = annunciated(loads.get(position, _empty(at)), at.timestamp())
    return gathered(now, _with(loads, more, now))


def _with(loads: Mapping[str, Load], more: Mapping[str, int], now: datetime) -> dict[str, Load]:
    """Gives loads with what came in the present interval besides."""
    found = dict(loads)
    for position, count in sorted(more.items()):
        load = passed(loads.get(position, _empty(now)), now.timestamp())
        begins = not load.in_flood and load.count + count > ABOVE
        found[position] = replace(load, count=load.count + count, since=load.interval if begins else load.since)
    return found


def _empty(at: datetime) -> Load:
    return Load(interval_of(at.timestamp()))


_UNCOUNTED = -1  # in place of an interval


def _known(now: datetime) -> tuple[dict[str, Load], dict[str, int]]:
    """Gives the positions' loads as counted, and how many alarms of the present interval are not. Cost: one query."""
    seen, since = FloodMark.objects.order_by().values("seen")[:1], _start(interval_of(now.timestamp()))
    rows = presented(JournalEntry.objects.filter(pk__gt=Subquery(seen), recorded__gte=since)).order_by()
    none = Value(None, output_field=BigIntegerField())
    more = rows.values(place=F("alarm__position")).annotate(
        of=Value(_UNCOUNTED, output_field=BigIntegerField()), number=Count("pk"), begun=none, earlier=Value(0)
    )
    counted = FloodLoad.objects.order_by().values_list("position", "interval", "count", "since", "before")
    loads: dict[str, Load] = {}
    uncounted: dict[str, int] = {}
    for position, interval, count, begun, before in counted.union(
        more.values_list("place", "of", "number", "begun", "earlier"), all=True
    ):
        if interval == _UNCOUNTED:
            uncounted[position or ""] = count
        else:
            loads[position] = Load(interval, count, begun, before)
    return loads, uncounted


def presented(rows: QuerySet[JournalEntry]) -> QuerySet[JournalEntry]:
    """Gives the rows that presented an alarm: a raise into B or C, a re-alarm, a return from being hidden.

    What comes back into B is always announced; into C or E only if nobody had heard of this occurrence before.
    """
    raised = Q(event=Event.RAISE, to_state__in=("B", "C")) | Q(event=Event.REALARM, to_state="B")
    back = Q(from_state__in=sorted(NOT_PRESENTED)) & ~Q(event=Event.RAISE)
    sure = raised | (back & Q(to_state="B"))
    earlier = JournalEntry.objects.filter(sure, alarm=OuterRef("alarm"), pk__lt=OuterRef("pk"))
    unheard = back & Q(to_state__in=("C", "E")) & ~Exists(earlier)
    return rows.filter(sure | unheard, alarm__isnull=False)


def waits(alarm: Alarm, held: datetime, now: datetime, floods: Mapping[str, Waits]) -> datetime | None:
    """Gives until when what was held back for another reason waits for the digest of a flood; None: it does not.

    Takes: when it was held: what was in an earlier interval goes; the floods, as `gathered` gives them.
    """
    if alarm.priority == TOP or alarm.position not in floods:
        return None
    return floods[alarm.position][0] if interval_of(held.timestamp()) == interval_of(now.timestamp()) else None


def load_of(row: FloodLoad) -> Load:
    """Gives a position's load as it was counted last."""
    return Load(row.interval, row.count, row.since, row.before)


def _at(row: FloodLoad, now: datetime) -> Load:
    return passed(load_of(row), now.timestamp())


def _start(interval: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=interval * INTERVAL)
