"""A rota as pure data: people who take turns, and who has the duty at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.calling import wall
from alerts.calling.wall import Hours

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Layer:
    """People who hand over to each other after turns of whole days, at a time of day.

    Turns repeat: (7,) hands over every week, (1,) every day, (2, 2, 3) as the pattern of that name. `hours` narrow the
    layer to weekly hours, a night shift for example; outside them it leaves the duty to the layers after it.
    """

    name: str
    people: tuple[int, ...]
    first: date  # the day on which the first person's first turn begins
    handover: time = time()
    turns: tuple[int, ...] = (7,)
    hours: Hours | None = None
    until: date | None = None  # the first day on which it serves no more


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody who has the duty for a while, whatever the layers say; the later made goes first."""

    start: datetime
    end: datetime
    person: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rota:
    """Who has a duty when. The first layer that covers an instant has it; overrides go before all layers."""

    zone: ZoneInfo
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()  # in the order in which they were made
    holidays: frozenset[date] = frozenset()  # count as Sundays in the layers' weekly hours


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which one person has the duty, or nobody."""

    start: datetime
    end: datetime
    person: int | None
    source: str = ""  # the layer's name, or why it was overridden
    override: bool = False


def on_call(rota: Rota, moment: datetime) -> int | None:
    """Gives who has the duty at an instant."""
    moment = moment.astimezone(UTC)  # a wall's own arithmetic leaves out the change of the clock
    return next(segments(rota, moment, moment + _INSTANT)).person


def segments(rota: Rota, start: datetime, end: datetime) -> Iterator[Segment]:
    """Gives [start, end) cut by who has the duty, in order, without gap or overlap; times in UTC.

    Neighbours differ: a person's turns that touch are one stretch, but for one that overrides the other.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    free = [(start, end)]
    found: list[Segment] = []
    for over in reversed(rota.overrides):
        free = _take(free, [Segment(over.start, over.end, over.person, over.reason, override=True)], found)
    for layer in rota.layers:
        free = _take(free, list(_covered(layer, rota, start, end)), found)
    found += [Segment(begins, ends, None) for begins, ends in free]
    yield from _joined(sorted(found, key=lambda segment: segment.start))


def gaps(rota: Rota, start: datetime, end: datetime) -> list[Segment]:
    """Gives the stretches in which nobody has the duty."""
    return [segment for segment in segments(rota, start, end) if segment.person is None]


def _covered(layer: Layer, rota: Rota, start: datetime, end: datetime) -> Iterator[Segment]:
    """Gives what a layer covers of [start, end)."""
    if not layer.people or not layer.turns:
        return
    if layer.hours is None:
        windows: Sequence[tuple[datetime, datetime]] = [(start, end)]
    else:
        windows = list(wall.spans(layer.hours, rota.zone, start, end, as_sunday=rota.holidays))
    for turn in _turns(layer, rota.zone, start, end):
        for opens, closes in windows:
            begins, ends = max(turn.start, opens, start), min(turn.end, closes, end)
            if begins < ends:
                yield replace(turn, start=begins, end=ends)


def _turns(layer: Layer, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Segment]:
    """Gives the turns that meet [start, end), whole."""
    last = None if layer.until is None else wall.midnight(layer.until, zone)
    cycle = sum(layer.turns)
    # Begins a cycle early: the wall may be a day behind, and a turn may have begun long before.
    passed = max(0, ((wall.day_of(start, zone) - layer.first).days - 1) // cycle)
    day = layer.first + passed * cycle * _DAY
    number = passed * len(layer.turns)
    begins = _handover(day, layer, zone)
    while begins < end:
        day += layer.turns[number % len(layer.turns)] * _DAY
        ends = _handover(day, layer, zone)
        shown = ends if last is None else min(ends, last)
        if shown > max(begins, start):
            yield Segment(begins, shown, layer.people[number % len(layer.people)], layer.name)
        begins, number = ends, number + 1


def _handover(day: date, layer: Layer, zone: ZoneInfo) -> datetime:
    return wall.instant(datetime.combine(day, layer.handover), zone)


def _take(
    free: list[tuple[datetime, datetime]], wanted: Iterable[Segment], found: list[Segment]
) -> list[tuple[datetime, datetime]]:
    """Adds the parts of what is wanted that are still free to what is found, and gives what stays free."""
    for segment in wanted:
        left: list[tuple[datetime, datetime]] = []
        for begins, ends in free:
            first, last = max(begins, segment.start), min(ends, segment.end)
            if first >= last:
                left.append((begins, ends))
                continue
            found.append(replace(segment, start=first.astimezone(UTC), end=last.astimezone(UTC)))
            left += [(begins, first)] * (begins < first) + [(last, ends)] * (last < ends)
        free = left
    return free


def _joined(ordered: Iterable[Segment]) -> Iterator[Segment]:
    """Makes one of neighbours that say the same."""
    held: Segment | None = None
    for segment in ordered:
        if held is not None and (held.end, held.person, held.source, held.override) == (
            segment.start,
            segment.person,
            segment.source,
            segment.override,
        ):
            held = replace(held, end=segment.end)
            continue
        if held is not None:
            yield held
        held = segment
    if held is not None:
        yield held
