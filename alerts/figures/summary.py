"""All figures of one operator position and period, from the journal's columns. Source: ISA-18.2 / IEC 62682, EEMUA 191.

Annunciations are counted, of what is presented, in staffed time only; averages are by staffed hour. Intervals of ten
minutes, hours and days are those of the plant's clock, and count where a part of them is staffed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

import numpy as np

from alerts.figures import answers, nuisance, rates
from alerts.figures.events import DAY, HOUR, MINUTE, SECOND, Events, Int64, Kind, annunciations
from alerts.figures.staffing import Staffing, Week, aligned, midnights
from alerts.figures.targets import PRIORITY_SPLIT, TARGETS, Standing
from alerts.flood.counter import ABOVE

TOP = 10
TEN_MINUTES = 10 * MINUTE
RECORDED_LEAST = 0.01  # of a period: what is written as 0 %, and has no alarm in it, is no journal
_SPREAD = ("per_day", "per_hour", "per_ten", "busy_hours", "busy_tens", "flood_share", "stale")  # over the period
_STAFFED = ("per_day", "per_hour", "per_ten", "peak_ten", "busy_hours", "busy_tens", "flood_share")


@dataclass(frozen=True, slots=True)
class Actor:
    """One source among the most frequent; its share of all annunciations, and that of it and all before it."""

    source: int
    alarm: int  # its newest occurrence
    count: int
    share: float
    running: float


@dataclass(frozen=True, slots=True)
class Stood:
    """An alarm that stands, or stood for over a day; `since` its raise, both ends in µs."""

    source: int
    alarm: int
    since: int
    until: int
    open: bool


@dataclass(frozen=True, slots=True)
class Fleeting:
    """A source that came and went before anybody could act, and how often."""

    source: int
    alarm: int
    count: int
    shortest: float  # seconds


@dataclass(frozen=True, slots=True)
class Hidden:
    """How many rules' alarms are not presented at a moment, by reason."""

    shelved: int = 0
    by_design: int = 0
    out_of_service: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What a position's operator had to bear. Times in µs, shares as parts of 1, durations as their names say."""

    start: int
    end: int
    staffed_hours: float
    recorded_share: float  # of the period; before that there is no journal
    annunciations: int
    unstaffed: int  # annunciations to an empty seat, counted nowhere else
    edges: Int64  # of the intervals of ten minutes
    counts: Int64  # annunciations in each
    staffed: Int64  # 1 where it is staffed
    peak_ten: int
    peak_ten_at: int
    peak_hour: int
    busy_hours: float
    busy_tens: float
    demanding: float  # part of the time with over five in ten minutes
    floods: Sequence[rates.Flood]
    top: Sequence[Actor]
    chatter: Sequence[nuisance.Chatter]  # those that do
    newest: dict[int, int]  # each source's newest occurrence
    fleeting: Sequence[Fleeting]
    days: Sequence[int]  # midnights
    stale_days: Sequence[int]  # how many, day by day
    stale: Sequence[Stood]  # the longest first
    standing: Sequence[Stood]
    priorities: dict[int, int]
    times_shelved: int
    times_suppressed: int
    times_out_of_service: int
    hidden: Hidden | None  # at the end; unknown for a period that is over
    answers: answers.Answers
    longest_active: float  # seconds
    longest_wait: float  # seconds
    most_realarms: int
    current: int  # in the ten minutes before the end
    by_source: dict[int, int] = field(default_factory=dict)

    @property
    def per_hour(self) -> float:
        """Gives annunciations per staffed hour."""
        return self.annunciations / self.staffed_hours if self.staffed_hours else 0.0

    @property
    def per_ten(self) -> float:
        """Gives annunciations per ten staffed minutes."""
        return self.per_hour / 6

    @property
    def per_day(self) -> float:
        """Gives annunciations per 24 staffed hours."""
        return self.per_hour * 24

    @property
    def flood_share(self) -> float:
        """Gives the part of the staffed intervals that lies in floods."""
        intervals = sum((flood.end - flood.start) // TEN_MINUTES for flood in self.floods)
        staffed = int(self.staffed.sum())
        return intervals / staffed if staffed else 0.0

    @property
    def top_ten_share(self) -> float | None:
        """Gives the ten most frequent sources' part of all annunciations."""
        return self.top[-1].running if self.top else None

    @property
    def worst_stale(self) -> int:
        """Gives the day with the most stale alarms."""
        return max(self.stale_days, default=0)

    @property
    def recorded(self) -> bool:
        """Tells whether there is a journal of the period worth the name."""
        return self.recorded_share >= RECORDED_LEAST or self.annunciations + self.unstaffed > 0

    @property
    def level(self) -> str:
        """Gives the level of EEMUA 191; unknown without a journal, and at a position that was not staffed."""
        if self.recorded_share < RECORDED_LEAST or not self.staffed_hours:
            return "unknown"
        return rates.level(self.per_ten, self.peak_ten, self.demanding)

    def priority_share(self, priority: int) -> float | None:
        """Gives a priority's part of all annunciations."""
        return self.priorities[priority] / self.annunciations if self.annunciations else None

    def value(self, key: str) -> float | None:
        """Gives the figure that a target is about."""
        split = {"critical_share": 1, "high_share": 2, "medium_share": 3, "low_share": 4}
        if key in split:
            return self.priority_share(split[key])
        if key == "late_share":
            return self.answers.late_share
        if key == "shelved":
            return None if self.hidden is None else self.hidden.shelved
        counts = {
            "stale": self.worst_stale,
            "standing": len(self.standing),
            "chattering": len(self.chatter),
            "fleeting": len(self.fleeting),
        }
        value: float | None = counts[key] if key in counts else getattr(self, key)
        return value

    def standing_of(self, key: str) -> Standing:
        """Tells how a figure stands against its target.

        The top ten's share says nothing where there are no more than ten. What nobody recorded, or counted at a
        position that was not staffed, is not met either, nor by a first moment's journal what is spread over a period.
        """
        if key == "top_ten_share" and len(self.by_source) <= TOP:
            return Standing.UNKNOWN
        if not self.recorded or (key in _STAFFED and not self.staffed_hours):
            return Standing.UNKNOWN
        found = TARGETS[key].standing(self.value(key))
        if found is Standing.MET and key in _SPREAD and self.recorded_share < RECORDED_LEAST:
            return Standing.UNKNOWN
        return found


def compute(
    events: Events,
    *,
    start: int,
    end: int,
    week: Week,
    zone: tzinfo,
    recorded_from: int | None = None,
    hidden: Hidden | None = None,
) -> Figures:
    """Gives the figures of [start, end).

    Takes: the journal's rows as `Events` lays down; the position's staffed week; the plant's time zone; the first
    moment of which there is a journal; what is hidden now, where the period reaches to now.
    """
    staffing = Staffing.of(week, start, end, zone)
    presented = annunciations(events)
    inside = events.time >= start
    shown = presented & inside
    in_time = staffing.holds(events.time)
    told = shown & in_time
    times, source = events.time[told], events.source
    edges, hours = aligned(start, end, TEN_MINUTES, zone), aligned(start, end, HOUR, zone)
    staffed, staffed_hour = staffing.touches(edges), staffing.touches(hours)
    counts, by_hour = rates.counted(times, edges), rates.counted(times, hours)
    peak = int(counts.argmax())
    newest = _newest(events)
    top, by_source = _top(source[told], newest)
    raised = np.flatnonzero(shown & (events.kind == Kind.RAISE))
    repeats, burst = nuisance.chatter(events.time[raised], source[raised])
    stood = nuisance.spans(events, end)
    days = midnights(start, end, zone)
    realarms = shown & (events.kind == Kind.REALARM)
    overlaps = stood.shown & (stood.end >= start)
    switched = {kind: int((inside & (events.kind == kind)).sum()) for kind in Kind}
    return Figures(
        start=start,
        end=end,
        staffed_hours=staffing.seconds / 3600,
        recorded_share=_recorded(start, end, recorded_from),
        annunciations=int(told.sum()),
        unstaffed=int((shown & ~in_time).sum()),
        edges=edges,
        counts=counts,
        staffed=staffed.astype(np.int64),
        peak_ten=int(counts[peak]),
        peak_ten_at=int(edges[peak]),
        peak_hour=int(by_hour.max()),
        busy_hours=rates.share(by_hour[staffed_hour] > rates.BUSY_HOUR),
        busy_tens=rates.share(counts[staffed] > ABOVE),
        demanding=rates.share(counts[staffed] > rates.DEMANDING),
        floods=rates.floods(counts, edges),
        top=top,
        chatter=[one for one in repeats if one.chatters],
        newest=newest,
        fleeting=_fleeting(stood, raised[burst], set(raised.tolist()), newest),
        days=days,
        stale_days=nuisance.stale_by_day(stood, days, start, end),
        stale=_stood(stood, stood.shown & (stood.end >= start) & (stood.end - stood.start > DAY)),
        standing=_stood(stood, stood.shown & stood.open),
        priorities={level: int((events.priority[told] == level).sum()) for level in PRIORITY_SPLIT},
        times_shelved=switched[Kind.SHELVE],
        times_suppressed=switched[Kind.SUPPRESS],
        times_out_of_service=switched[Kind.OUT_OF_SERVICE],
        hidden=hidden,
        answers=answers.answers(events, presented, start),
        longest_active=float((stood.end - stood.start)[overlaps].max(initial=0)) / SECOND,
        longest_wait=answers.longest_wait(events, presented, start, end) / SECOND,
        most_realarms=int(np.unique(events.alarm[realarms], return_counts=True)[1].max(initial=0)),
        current=int((shown & (events.time >= end - TEN_MINUTES)).sum()),
        by_source=by_source,
    )


def _recorded(start: int, end: int, recorded_from: int | None) -> float:
    if recorded_from is None or end <= start:
        return 0.0
    return max(0.0, min(1.0, (end - recorded_from) / (end - start)))


def _newest(events: Events) -> dict[int, int]:
    """Gives each source's newest occurrence."""
    known = events.alarm > 0
    return dict(zip(events.source[known].tolist(), events.alarm[known].tolist(), strict=True))


def _top(sources: Int64, newest: dict[int, int]) -> tuple[list[Actor], dict[int, int]]:
    """Gives the ten most frequent sources, the most frequent first, and how often each source came."""
    names, counts = np.unique(sources, return_counts=True)
    order = np.lexsort((names, -counts))
    total, running, found = len(sources), 0, []
    for place in order[:TOP].tolist():
        name, count = int(names[place]), int(counts[place])
        running += count
        found.append(Actor(name, newest[name], count, count / total, running / total))
    return found, dict(zip(names.tolist(), counts.tolist(), strict=True))


def _fleeting(stood: nuisance.Spans, bursts: Int64, raised: set[int], newest: dict[int, int]) -> list[Fleeting]:
    """Gives sources with presented raises of this period that returned within a minute and are part of no burst."""
    short = stood.shown & ~stood.open & (stood.end - stood.start < nuisance.FLEETING_BELOW)
    short &= ~np.isin(stood.row, bursts) & np.isin(stood.row, np.array(sorted(raised), np.int64))
    names, place, counts = np.unique(stood.source[short], return_inverse=True, return_counts=True)
    shortest = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(shortest, place, (stood.end - stood.start)[short])
    found = [
        Fleeting(int(name), newest[int(name)], int(count), float(least) / SECOND)
        for name, count, least in zip(names, counts, shortest, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.count, one.source))


def _stood(stood: nuisance.Spans, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[Stood]:
    """Gives some spans, the longest first."""
    rows = np.flatnonzero(wanted)
    found = [
        Stood(int(stood.source[row]), int(stood.alarm[row]), int(stood.start[row]), int(stood.end[row]),
              bool(stood.open[row]))
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.since - one.until, one.source))
