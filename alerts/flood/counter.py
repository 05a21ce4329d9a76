"""When a flood begins and ends, from the moments at which alarms were annunciated. Pure; times are seconds.

Source: ISA-18.2 / IEC 62682. Intervals are regular: ten minutes by the clock, and not the last ten minutes. A flood
begins with the first interval of more than ten, and ends before the first of fewer than five.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

INTERVAL = 600
ABOVE = 10
BELOW = 5


@dataclass(frozen=True, slots=True)
class Load:
    """An operator position at one moment.

    Takes: the number of its present interval and what was annunciated in it so far; the flood's first interval, None
    where there is none, and what was annunciated in it before the present interval.
    """

    interval: int
    count: int = 0
    since: int | None = None
    before: int = 0

    @property
    def in_flood(self) -> bool:
        """Tells whether a flood lasts."""
        return self.since is not None

    @property
    def total(self) -> int:
        """Gives what was annunciated in the flood so far."""
        return self.before + self.count if self.in_flood else 0


def interval_of(at: float) -> int:
    """Gives the number of the interval in which a moment lies; seconds since the epoch."""
    return int(at // INTERVAL)


def passed(load: Load, at: float) -> Load:
    """Gives the load when the clock has come to a moment: intervals that are over decide whether a flood is."""
    while load.interval < interval_of(at):
        if load.in_flood and load.count < BELOW:
            load = Load(load.interval + 1)
        elif load.in_flood:
            load = Load(load.interval + 1, 0, load.since, load.total)
        else:
            # What is empty until then needs no steps.
            load = Load(interval_of(at))
    return load


def annunciated(load: Load, at: float) -> Load:
    """Gives the load after one alarm more; one that is late counts in the present interval."""
    load = passed(load, at)
    load = replace(load, count=load.count + 1)
    # An interval's count only grows: with the eleventh it is known to be one of a flood.
    return replace(load, since=load.interval) if not load.in_flood and load.count > ABOVE else load
