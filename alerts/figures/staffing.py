"""When an operator position is staffed, and the plant's clock as edges: days, hours, ten minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np

from alerts.figures.events import SECOND, Bool, Int64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Seven lists, Monday first, of [from, to] in minutes of the plant's day; None: always.
Week = Sequence[Sequence[Sequence[int]]] | None


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _local(us: int, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=us)).astimezone(zone)


def _at(day: datetime, minute: int, zone: tzinfo) -> int:
    """Gives a minute of a local day; on the day of a change of clocks the wall's clock counts."""
    return _us(datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute))


def midnights(start: int, end: int, zone: tzinfo) -> list[int]:
    """Gives the edges of the local days that [start, end) touches."""
    day = _local(start, zone).replace(tzinfo=None)
    edges = [_at(day, 0, zone)]
    while edges[-1] < end:
        day += timedelta(days=1)
        edges.append(_at(day, 0, zone))
    return edges


@dataclass(frozen=True, slots=True, eq=False)
class Staffing:
    """The staffed parts of a period, in order, without overlap: from the one, up to and without the other."""

    starts: Int64
    ends: Int64

    @classmethod
    def of(cls, week: Week, start: int, end: int, zone: tzinfo) -> Staffing:
        """Gives the staffed parts of [start, end)."""
        spans = [(start, end)]
        if week is not None:
            spans = []
            day = _local(start, zone).replace(tzinfo=None) - timedelta(days=1)
            last = _local(end, zone).replace(tzinfo=None)
            while day.date() <= last.date():
                for first, until in week[day.weekday()]:
                    spans.append((max(start, _at(day, first, zone)), min(end, _at(day, until, zone))))
                day += timedelta(days=1)
        merged: list[list[int]] = []
        for first, until in sorted(span for span in spans if span[0] < span[1]):
            if merged and first <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], until)
            else:
                merged.append([first, until])
        table = np.array(merged, np.int64).reshape(-1, 2)
        return cls(table[:, 0], table[:, 1])

    @property
    def seconds(self) -> float:
        """Gives how long the position is staffed."""
        return float((self.ends - self.starts).sum()) / SECOND

    def holds(self, times: Int64) -> Bool:
        """Tells which times are staffed."""
        at = np.searchsorted(self.starts, times, side="right") - 1
        found: Bool = at >= 0
        found[found] = times[found] < self.ends[at[found]]
        return found

    def touches(self, edges: Int64) -> Bool:
        """Tells which of the intervals between edges have a staffed part."""
        first = np.searchsorted(self.ends, edges[:-1], side="right")  # the first span that ends later
        known = first < len(self.starts)
        found: Bool = np.zeros(len(first), np.bool_)
        found[known] = self.starts[first[known]] < edges[1:][known]
        return found


def aligned(start: int, end: int, width: int, zone: tzinfo) -> Int64:
    """Gives the edges of the intervals of the plant's clock that [start, end) touches.

    Takes: a width that divides an hour, or an hour. A clock that is changed by whole hours stays aligned.
    """
    offset = _local(start, zone).utcoffset() or timedelta()
    shift = (offset // timedelta(microseconds=1)) % width
    first = (start + shift) // width * width - shift
    count = max(1, -(-(end - first) // width))
    return first + width * np.arange(count + 1, dtype=np.int64)
