"""What a rule would have raised in the last thirty days, and what of it wastes attention. Times in µs."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from alerts.by_design import state_spec
from alerts.engine.parts import retold
from alerts.figures.nuisance import FLEETING_BELOW, chatter
from alerts.instants import to_us
from alerts.rules import build_spec
from alerts.workbench.price import Stand, stands, true_alarms
from alerts.workbench.proposals import acknowledged
from alerts.workbench.subjects import Span, Subject

if TYPE_CHECKING:
    from alerts.backtest import Found, Part

DAY = 86_400_000_000
PERIODS = (1, 7, 30)  # days, the last the longest
_AT_ONCE = 25  # assets: those that are done when time runs out are counted


class Kind(StrEnum):
    """What is to be said of an alarm."""

    PLAIN = ""
    CHATTERS = "chatters"  # one of three or more within a minute
    FLEETING = "fleeting"  # over within a minute, and not repeating
    HIDDEN = "hidden"  # not presented from its beginning to its end


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that would have been raised."""

    start: int  # when it was presented first; when it was raised, where it never was
    end: int
    value: float  # at its raise; NaN where no reading raised it
    stands: bool  # it had not returned at the end of the history
    kind: Kind
    true: bool  # it is one, or begins one; see alerts.workbench.price


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the rule on one asset."""

    subject: Subject
    raised: Sequence[Raised]


@dataclass(slots=True)
class Trial:
    """What became of the rule on all its assets."""

    start: datetime
    end: datetime
    outcomes: list[Outcome] = field(default_factory=list)
    of: int = 0  # assets that it is for
    readings: int = 0
    first: int | None = None  # when the first of them was taken, in µs
    seconds: float = 0.0
    cut: bool = False  # time ran out before all were done


@dataclass(slots=True)
class Count:
    """What a period comes to."""

    days: int
    alarms: int = 0  # presented
    chattering: int = 0
    fleeting: int = 0
    true: int = 0
    hidden: int = 0
    stood: int = 0
    longest: int = 0
    worst: Stand | None = None  # the largest burst, from its first raise to its last
    worst_size: int = 0


class TimeIsUp(Exception):
    """Work has come to the moment at which it is to end with what it has."""


def end_after(until: float) -> None:
    """Ends work once a moment of time.monotonic() has passed. Raises: TimeIsUp."""
    if time.monotonic() > until:
        raise TimeIsUp


def in_parts(
    subjects: Sequence[Subject], start: datetime, end: datetime, *, go_on: Callable[[], None], until: float
) -> Generator[float, None, Trial]:
    """Puts a rule to the stored history of all its assets, part by part; after each it gives the share that is done.

    Takes: what is called before and after it says so, and may raise to end it; the moment of time.monotonic() at which
    it is to end with what it has.
    Cost: a few queries for each 25 assets; see alerts.backtest.
    """
    begun = time.monotonic()
    made = Trial(start, end, of=len(subjects))
    answered = acknowledged([one.rule for one in subjects if one.rule is not None], start, end)
    for first in range(0, len(subjects), _AT_ONCE):
        group = subjects[first : first + _AT_ONCE]

        def told(share: float, first: int = first, size: int = len(group)) -> float:
            go_on()
            end_after(until)
            return (first + share * size) / len(subjects)

        try:
            made.outcomes += yield from retold(_together(group, answered, made), told, going_on=go_on)
        except TimeIsUp:
            made.cut = True
            break
    made.seconds = time.monotonic() - begun
    return made


def _together(
    group: Sequence[Subject], answered: dict[int, list[int]], made: Trial
) -> Generator[float, None, list[Outcome]]:
    # The compiled engine is loaded by a process that is asked for a backtest, not by all of them (100 MB).
    from alerts import backtest

    specs = [build_spec(place, 1, one.values, one.inputs) for place, one in enumerate(group, 1)]
    owners: dict[int, int] = {}
    for place, one in enumerate(group, 1):
        for sensor, equals in one.states:
            owners[-len(owners) - 1] = place
            specs.append(state_spec(-len(owners), sensor, equals))
    start, end = to_us(made.start), to_us(made.end)

    def told(part: Part) -> float:
        made.readings += part.readings
        made.first = part.first if made.first is None else min(made.first, part.first)
        return part.share

    found = yield from retold(backtest.in_parts(specs, start, end, as_judged=False), told)
    turns: dict[int, list[Found]] = {}
    for turn in found:
        turns.setdefault(turn.rule, []).append(turn)
    hidden: dict[int, list[Span]] = {place: list(subject.hidden) for place, subject in enumerate(group, 1)}
    for number, place in owners.items():
        hidden[place] += [(one.start, one.end) for one in stands(turns.get(number, ()), end)]
    return [
        outcome(subject, turns.get(place, []), hidden[place], answered.get(subject.rule or 0, ()), end)
        for place, subject in enumerate(group, 1)
    ]


def outcome(
    subject: Subject, turns: Sequence[Found], hidden: Iterable[Span], answered: Iterable[int], end: int
) -> Outcome:
    """Gives what the transitions of a rule come to. Takes: when its alarms were not presented; the end of it all."""
    alarms = stands(turns, end)
    true = {whole.start for whole in true_alarms(alarms, answered)}
    spans = _merged(hidden)
    raises = [one for one in turns if one.active]
    last = turns[-1] if turns else None
    shown: list[tuple[int, int, float, bool, bool, bool]] = []  # as Raised, and whether it was presented
    for alarm, one in zip(alarms, raises, strict=True):
        open_still = last is not None and last.active and one is raises[-1]
        since = _presented(alarm, spans)
        at = alarm.start if since is None else since
        shown.append((at, alarm.end, one.value, open_still, alarm.start in true, since is not None))
    times = np.array([start for start, *_, presented in shown if presented], np.int64)
    _, bursts = chatter(times, np.zeros(len(times), np.int64))
    member = iter(bursts.tolist())
    found = []
    for start, ended, value, open_still, is_true, presented in shown:
        if not presented:
            kind = Kind.HIDDEN
        elif next(member):
            kind = Kind.CHATTERS
        elif ended - start < FLEETING_BELOW and not open_still:
            kind = Kind.FLEETING
        else:
            kind = Kind.PLAIN
        found.append(Raised(start, ended, value, open_still, kind, is_true))
    return Outcome(subject, found)


def _merged(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _presented(alarm: Stand, hidden: Sequence[Span]) -> int | None:
    """Gives when an alarm is presented: at its raise, or when what hides it ends; None where it never is."""
    for start, end in hidden:
        if start <= alarm.start < end:
            return end if end < alarm.end else None
    return alarm.start


def count(outcomes: Iterable[Outcome], days: int, end: datetime) -> Count:
    """Gives what the last days come to."""
    found = Count(days)
    since = to_us(end) - days * DAY
    for one in outcomes:
        mine = [alarm for alarm in one.raised if alarm.start >= since]
        for alarm in mine:
            if alarm.kind == Kind.HIDDEN:
                found.hidden += 1
                continue
            found.alarms += 1
            found.chattering += alarm.kind == Kind.CHATTERS
            found.fleeting += alarm.kind == Kind.FLEETING
            found.true += alarm.true
            found.stood += alarm.end - alarm.start
            found.longest = max(found.longest, alarm.end - alarm.start)
        for burst, size in bursts(mine):
            if size > found.worst_size:
                found.worst, found.worst_size = burst, size
    return found


def bursts(raised: Iterable[Raised]) -> Iterator[tuple[Stand, int]]:
    """Gives the runs of chattering alarms with less than a minute between raises, and how many each has."""
    run: list[int] = []
    for alarm in raised:
        if alarm.kind != Kind.CHATTERS:
            continue
        if run and alarm.start - run[-1] > FLEETING_BELOW:
            yield Stand(run[0], run[-1]), len(run)
            run = []
        run.append(alarm.start)
    if run:
        yield Stand(run[0], run[-1]), len(run)
