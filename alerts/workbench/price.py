"""What a change of a rule would have saved, and what it would have cost true alarms. Times in µs.

A true alarm is one that stood for five minutes or longer, returns of less than a minute not counted where it held for
half of the time; or one that somebody acknowledged while it stood, and that stood for a minute or longer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

SECOND = 1_000_000
TRUE_AFTER = 300 * SECOND
ACTED_UPON_AFTER = 60 * SECOND
SAME_WITHIN = 60 * SECOND


class Turn(Protocol):
    """A rule became active or returned."""

    @property
    def time(self) -> int:
        """When, in µs since the epoch."""

    @property
    def active(self) -> bool:
        """Which of the two."""


class Stand(NamedTuple):
    """From a raise to its return."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Price:
    """What became of a rule's alarms under other settings."""

    alarms: int
    delay: int  # the longest by which a true alarm would have come later
    missed: int  # true alarms that would not have come at all
    standing: int  # how long they stood in all


def stands(turns: Iterable[Turn], end: int) -> list[Stand]:
    """Gives the spans between raises and returns, in order; one that never returned ends with the history."""
    found: list[Stand] = []
    since: int | None = None
    for turn in turns:
        if turn.active and since is None:
            since = turn.time
        elif not turn.active and since is not None:
            found.append(Stand(since, turn.time))
            since = None
    if since is not None:
        found.append(Stand(since, max(since, end)))
    return found


def true_alarms(alarms: Sequence[Stand], acknowledged: Iterable[int]) -> list[Stand]:
    """Gives the true ones among a rule's alarms. Takes: when somebody acknowledged one that stood."""
    found = []
    run: list[Stand] = []
    for alarm in [*alarms, None]:
        if run and (alarm is None or alarm.start - run[-1].end >= SAME_WITHIN):
            whole = Stand(run[0].start, run[-1].end)
            held = sum(part.end - part.start for part in run)
            if whole.end - whole.start >= TRUE_AFTER and 2 * held >= whole.end - whole.start:
                found.append(whole)
            else:
                found += [part for part in run if part.end - part.start >= TRUE_AFTER]
            run = []
        if alarm is not None:
            run.append(alarm)
    starts = [alarm.start for alarm in alarms]
    for moment in acknowledged:
        place = bisect_left(starts, moment + 1) - 1
        if place >= 0 and moment <= alarms[place].end:
            alarm = alarms[place]
            if alarm.end - alarm.start >= ACTED_UPON_AFTER:
                found.append(alarm)
    return sorted(set(found))


def price(true: Sequence[Stand], alarms: Sequence[Stand]) -> Price:
    """Gives what it costs that these alarms would have come instead."""
    ends = [alarm.end for alarm in alarms]
    delay = missed = 0
    for one in true:
        place = bisect_left(ends, one.start + 1)  # the first that stands after its beginning
        if place == len(alarms) or alarms[place].start > one.end:
            missed += 1
        else:
            delay = max(delay, alarms[place].start - one.start)
    return Price(len(alarms), delay, missed, sum(alarm.end - alarm.start for alarm in alarms))
