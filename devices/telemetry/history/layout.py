"""How readings lie in chunks: how large they grow, where they are cut, which small ones become a bigger one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from devices.telemetry.codec import Columns

LEVELS = 3
# So many chunks of a level, one after the other, become one of the next.
FAN = 16
# A sensor's readings leave the segments when there are so many; they then fill a level-0 chunk.
ENOUGH = 256
# About a day of 1 Hz; unpacked in a millisecond.
MOST_READINGS = 131_072
# Bounds the search for a range, and how long a reading outlives its retention.
MOST_SPAN = 32 * 86_400_000_000
_GAP = 3_600_000_000


def level_of(count: int) -> int:
    """Gives the level at which a chunk of so many readings is written."""
    return max(level for level in range(LEVELS) if level == 0 or count >= ENOUGH * FAN**level)


def cut(columns: Columns, *, stragglers_apart: bool = False) -> Iterator[Columns]:
    """Cuts a sensor's readings into what goes into one chunk each.

    Takes: `stragglers_apart` to cut also at long gaps beside late readings, so that last week's which came with today's
    do not make a chunk that reaches over all between.
    """
    time, late = columns.time, columns.late
    begins = [0, len(time)]
    if stragglers_apart and late.any():
        begins[1:1] = (np.flatnonzero((np.diff(time) > _GAP) & (late[1:] | late[:-1])) + 1).tolist()
    for first, last in pairwise(begins):
        while first < last:
            # Even parts, none too long in time.
            parts = -(-(last - first) // MOST_READINGS)
            stop = first + -(-(last - first) // parts)
            stop = min(stop, int(np.searchsorted(time, time[first] + MOST_SPAN, side="right")))
            yield columns.take(slice(first, stop))
            first = stop


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk as the plan sees it."""

    key: int
    level: int
    start: int
    end: int
    count: int


@dataclass(slots=True)
class Group:
    """Chunks that become one (or, where they are too much for one, a few) of a level."""

    pieces: list[Piece]
    level: int
    start: int = field(init=False)
    end: int = field(init=False)
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.start = min(piece.start for piece in self.pieces)
        self.end = max(piece.end for piece in self.pieces)
        self.count = sum(piece.count for piece in self.pieces)

    @property
    def changes(self) -> bool:
        """Tells whether there is anything to do."""
        return len(self.pieces) > 1 or self.pieces[0].level != self.level


def _join(groups: list[Group], level: int) -> Group:
    return Group([piece for group in groups for piece in group.pieces], level)


def _fit(groups: list[Group]) -> bool:
    return groups[-1].end - groups[0].start <= MOST_SPAN


def plan(pieces: Iterable[Piece]) -> list[Group]:
    """Gives what one sensor's chunks should become, the groups that change only.

    Overlapping chunks become one; of the rest, from the oldest to the newest, levels never rise again, and no level but
    the last has FAN chunks. So a reading is rewritten about once a level.
    """
    apart: list[Group] = []
    for piece in sorted(pieces, key=lambda piece: (piece.start, piece.end)):
        if apart and piece.start <= apart[-1].end:
            last = apart.pop()
            apart.append(Group([*last.pieces, piece], max(last.level, piece.level)))
        else:
            apart.append(Group([piece], piece.level))
    settled: list[Group] = []
    for group in apart:
        _settle(settled, group)
    return [group for group in settled if group.changes]


def _settle(settled: list[Group], group: Group) -> None:
    """Puts a group behind the others; smaller ones before it join it or their elders, or rise as they are."""
    while settled and settled[-1].level < group.level:
        small = settled.pop()
        if _fit([small, group]) and small.count + group.count <= MOST_READINGS:
            group = _join([small, group], group.level)
            continue
        raised = _join([small], group.level)
        if settled and _fit([settled[-1], small]) and settled[-1].count + small.count <= MOST_READINGS:
            elder = settled.pop()
            raised = _join([elder, small], max(elder.level, group.level))
        _settle(settled, raised)
    settled.append(group)
    level = group.level
    if level < LEVELS - 1 and len(settled) >= FAN and all(other.level == level for other in settled[-FAN:]):
        run = settled[-FAN:]
        del settled[-FAN:]
        together: list[Group] = []
        for member in run:
            if together and not _fit([*together, member]):
                _settle(settled, _join(together, level + 1))
                together = []
            together.append(member)
        _settle(settled, _join(together, level + 1))
