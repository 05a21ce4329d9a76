"""How fast alarms come: per ten minutes and hour, floods, and the level that EEMUA 191 gives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alerts.figures.events import Bool, Int64
from alerts.flood.counter import ABOVE, BELOW

BUSY_HOUR = 30  # alarms, above which an hour is too busy
DEMANDING = 5  # alarms in ten minutes; EEMUA's grid asks for the time above


@dataclass(frozen=True, slots=True)
class Flood:
    """A flood, from the start of its first interval to the end of its last; `running` reaches the period's end."""

    start: int
    end: int
    count: int
    peak: int  # in ten minutes
    running: bool

    @property
    def minutes(self) -> float:
        """Gives its length."""
        return (self.end - self.start) / 60_000_000


def counted(times: Int64, edges: Int64) -> Int64:
    """Counts times in the intervals between equidistant edges."""
    if not len(times):
        return np.zeros(len(edges) - 1, np.int64)
    place = (times - edges[0]) // (edges[1] - edges[0])
    return np.bincount(place, minlength=len(edges) - 1).astype(np.int64)


def floods(counts: Int64, edges: Int64) -> list[Flood]:
    """Gives the floods among counts per regular ten minutes."""
    found: list[Flood] = []
    first: int | None = None
    for place, count in enumerate([*counts.tolist(), 0]):
        if first is None:
            if count > ABOVE:
                first = place
        elif count < BELOW:
            part = counts[first:place]
            running = place == len(counts)
            found.append(Flood(int(edges[first]), int(edges[place]), int(part.sum()), int(part.max()), running))
            first = None
    return found


def share(flags: Bool) -> float:
    """Gives the part of intervals for which something holds; 0 of none."""
    return float(flags.mean()) if len(flags) else 0.0


# Source: EEMUA 191, 2nd edition: level, most on average in ten minutes, most at once, most of the time above five.
_LEVELS = (
    ("predictive", 1.0, 10, 0.01),
    ("robust", 10.0, 100, 0.05),
    ("stable", 10.0, 1000, 0.25),
    ("reactive", 100.0, 1000, 0.50),
)


def level(average: float, peak: int, demanding: float) -> str:
    """Gives the best EEMUA level whose three figures all hold: predictive, robust, stable, reactive, overloaded."""
    for word, most, most_at_once, most_of_the_time in _LEVELS:
        strict = word == "predictive"
        held = (
            (average < most and peak < most_at_once and demanding < most_of_the_time)
            if strict
            else (average <= most and peak <= most_at_once and demanding <= most_of_the_time)
        )
        if held:
            return word
    return "overloaded"
