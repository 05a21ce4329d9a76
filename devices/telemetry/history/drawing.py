"""The history as a line on a screen: few points that keep every extreme, and the gaps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db.models import Sum
from tsdownsample import MinMaxDownsampler

from devices.models import Sensor
from devices.telemetry.batch import Float64, Int64, Quality
from devices.telemetry.codec import Bool, Columns
from devices.telemetry.history.reading import Reading, chunks_of, clamp, neighbours, read, segments

# Up to so many readings are drawn from themselves; beyond, from the chunks' figures. Decoded in about 40 ms.
_MOST_DECODED = 4_000_000
# A chunk is drawn from its figures, four points, where it is at most so many points wide.
_FIGURES_WIDTH = 8
# A sensor counts as silent after so many of its intervals.
SILENT_AFTER = 3
_NO_SPANS: Int64 = np.empty((0, 2), np.int64)
_MINMAX: Any = MinMaxDownsampler()  # type: ignore[no-untyped-call]  # the library has no stubs


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A line: times in µs since the epoch, values, NaN where the line breaks; whether it stands for more readings.

    `bad` has a row of two times for each stretch of bad readings; a line drawn from chunks' figures knows none.
    """

    time: Int64
    value: Float64
    thinned: bool
    bad: Int64 = field(default_factory=lambda: _NO_SPANS)

    def __len__(self) -> int:
        return len(self.time)


@dataclass(slots=True, eq=False)
class _Line:
    """Points before they are thinned: `after_gap` where the line breaks before, `joined` where it never does."""

    time: Int64
    value: Float64
    after_gap: Bool
    joined: Bool
    bad: Int64 = field(default_factory=lambda: _NO_SPANS)


def read_points(sensor_id: int, start: int, end: int, points: int, *, edges: bool = False) -> Points:
    """Gives a line of about `points` points for [start, end], of all readings where there are no more.

    The lowest and highest value of every point's width stay. The line breaks at bad readings and where the sensor
    reported nothing for three intervals; where it is thinned, breaks narrower than a point are not shown.

    Takes: µs since the epoch, both included; `edges` to begin and end with the nearest readings outside, so that the
    line crosses the whole range where the sensor reports seldom, and joins its neighbours.
    Cost: four queries, at most four more for the edges; about 30 ms for 2.6 million readings, less for a year.
    """
    start, end = clamp(start, end)
    interval = Sensor.objects.filter(pk=sensor_id).values_list("interval", flat=True).first()
    silent = None if interval is None else int(interval * SILENT_AFTER * 1_000_000)
    held = chunks_of([sensor_id], start, end).aggregate(held=Sum("count"))["held"] or 0
    if held <= _MOST_DECODED:
        line, thinned = _raw(read(sensor_id, start, end), silent), False
    else:
        line, thinned = _figures(sensor_id, start, end, points), True
    if silent is not None and len(line.time):
        line.after_gap[1:] |= (np.diff(line.time) > silent) & ~line.joined[1:]
    drawn = _thin(line, max(points, 4), thinned)
    drawn = Points(drawn.time, drawn.value, drawn.thinned, _together(line.bad, (end - start) // max(points, 4)))
    return _between(drawn, *neighbours(sensor_id, start, end), silent) if edges else drawn


def _raw(columns: Columns, silent: int | None = None) -> _Line:
    bad = columns.quality == Quality.BAD
    after_gap: Bool = np.zeros(len(columns), np.bool_)
    spans = _NO_SPANS
    if bad.any():
        spans = _stretches(columns.time, bad, silent)
        after_gap[1:] = bad[:-1]
        # What lies between two bad ones is gone; the first good one after them breaks the line.
        good = ~bad
        columns, after_gap = columns.take(good), after_gap[good]
    return _Line(columns.time, columns.value, after_gap, np.zeros(len(columns), np.bool_), spans)


def _stretches(time: Int64, bad: Bool, silent: int | None) -> Int64:
    """Gives from when to when readings were bad: to the next that was not, unless the sensor was silent before it."""
    turns = np.flatnonzero(np.diff(np.concatenate(([False], bad, [False]))))
    begins, stops = turns[::2], turns[1::2]
    until = time[np.minimum(stops, len(time) - 1)]
    if silent is not None:
        until = np.minimum(until, time[stops - 1] + silent)
    return np.column_stack((time[begins], until))


def _together(spans: Int64, width: int) -> Int64:
    """Gives the spans, those as one that stand closer than a point is wide."""
    if len(spans) < 2:
        return spans
    apart = spans[1:, 0] - spans[:-1, 1] > width
    return np.column_stack((spans[np.concatenate(([True], apart)), 0], spans[np.concatenate((apart, [True])), 1]))


def _between(line: Points, before: Reading | None, after: Reading | None, silent: int | None) -> Points:
    """Gives a line with its neighbours; it breaks where the sensor was silent or bad between."""
    time, value, bad = line.time, line.value, line.bad
    if before is not None:
        following = int(time[0]) if len(time) else after.time if after is not None else before.time
        if before.quality == Quality.BAD:
            reaches = following if silent is None else min(following, before.time + silent)
            bad = np.concatenate(([(before.time, reaches)], bad)).astype(np.int64)
        else:
            breaks = _break(before.time, following, silent, bad)
            time = np.concatenate(([before.time, *breaks], time)).astype(np.int64)
            value = np.concatenate(([before.value], [np.nan] * len(breaks), value))
    if after is not None and after.quality != Quality.BAD:
        joins = len(time) > 0 and value[-1] == value[-1]
        breaks = _break(int(time[-1]), after.time, silent, bad) if joins else []
        time = np.concatenate((time, [*breaks, after.time])).astype(np.int64)
        value = np.concatenate((value, [np.nan] * len(breaks), [after.value]))
    return Points(time, value, line.thinned, bad)


def _break(one: int, other: int, silent: int | None, bad: Int64) -> list[int]:
    """Gives the middle between two points that no line joins, else nothing."""
    apart = silent is not None and other - one > silent
    if apart or bool(((bad[:, 0] > one) & (bad[:, 0] < other)).any()):
        return [one + (other - one) // 2]
    return []


def _figures(sensor_id: int, start: int, end: int, points: int) -> _Line:
    """Draws a long range from the chunks' figures, and what they do not cover from its readings."""
    widest = (end - start) // points * _FIGURES_WIDTH
    # Segments first: what is folded meanwhile is then seen twice, never missed.
    recent = Columns.merge(
        [reader.columns(sensor_id).between(start, end) for reader in segments([sensor_id], start, end)]
    )
    fields = ("start", "end", "good", "first", "minimum", "maximum", "last")
    chunks: list[Any] = list(chunks_of([sensor_id], start, end).order_by("start").values_list(*fields))
    lines: list[_Line] = []
    rest: list[tuple[int, int]] = []
    reached = start - 1
    for place, (first_at, last_at, good, first, low, high, last) in enumerate(chunks):
        alone = first_at > reached and (place + 1 == len(chunks) or chunks[place + 1][0] > last_at)
        reached = max(reached, last_at)
        if not alone or last_at > end or last_at - first_at > widest:
            begin, stop = max(first_at, start), min(last_at, end)
            if rest and begin <= rest[-1][1] + 1:
                rest[-1] = (rest[-1][0], max(stop, rest[-1][1]))
            else:
                rest.append((begin, stop))
        elif good:
            third = (last_at - first_at) // 3
            inner = (low, high) if last >= first else (high, low)
            times = np.array([first_at, first_at + third, last_at - third, last_at], np.int64)
            joined = np.array([False, True, True, True])
            lines.append(_Line(times, np.array([first, *inner, last]), np.zeros(4, np.bool_), joined))
        else:
            lines.append(_Line(np.array([first_at]), np.array([np.nan]), np.zeros(1, np.bool_), np.zeros(1, np.bool_)))
    lines.append(
        _raw(Columns.merge([part for part in (recent, *(read(sensor_id, *span) for span in rest)) if len(part)]))
    )
    order = np.argsort(np.concatenate([line.time for line in lines]), kind="stable")
    value = np.concatenate([line.value for line in lines])[order]
    after_gap = np.concatenate([line.after_gap for line in lines])[order]
    drawn = ~np.isnan(value)
    after_gap[1:] |= ~drawn[:-1]
    return _Line(
        np.concatenate([line.time for line in lines])[order][drawn],
        value[drawn],
        after_gap[drawn],
        np.concatenate([line.joined for line in lines])[order][drawn],
    )


def _thin(line: _Line, points: int, thinned: bool) -> Points:
    time, value = line.time, line.value
    breaks = np.flatnonzero(line.after_gap[1:]) + 1
    if len(time) > points:
        thinned = True
        width = (int(time[-1]) - int(time[0])) / points
        breaks = breaks[time[breaks] - time[breaks - 1] >= width]
        # Not LTTB: of a spike and a dip side by side it keeps one, and it may be the other that raised the alarm.
        extremes = _MINMAX.downsample(time, np.ascontiguousarray(value), n_out=points // 2 * 2)
        ends = (0, len(time) - 1)
        chosen = np.unique(np.concatenate((extremes.astype(np.intp), breaks, breaks - 1, ends)))
        time, value = time[chosen], value[chosen]
        breaks = np.searchsorted(chosen, breaks)
    if len(breaks):
        middle = time[breaks - 1] + (time[breaks] - time[breaks - 1]) // 2
        time, value = np.insert(time, breaks, middle), np.insert(value, breaks, np.nan)
    return Points(time, value, thinned)
