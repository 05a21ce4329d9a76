"""The history as a line on a screen: few points that keep every extreme, and the gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Sum
from tsdownsample import MinMaxDownsampler

from devices.models import Sensor
from devices.telemetry.batch import Float64, Int64, Quality
from devices.telemetry.codec import Bool, Columns
from devices.telemetry.history.reading import chunks_of, clamp, read, segments

# Up to so many readings are drawn from themselves; beyond, from the chunks' figures. Decoded in about 40 ms.
_MOST_DECODED = 4_000_000
# A chunk is drawn from its figures, four points, where it is at most so many points wide.
_FIGURES_WIDTH = 8
# A sensor counts as silent after so many of its intervals.
_SILENT_AFTER = 3
_MINMAX: Any = MinMaxDownsampler()  # type: ignore[no-untyped-call]  # the library has no stubs


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A line: times in µs since the epoch, values, NaN where the line breaks; whether it stands for more readings."""

    time: Int64
    value: Float64
    thinned: bool

    def __len__(self) -> int:
        return len(self.time)


@dataclass(slots=True, eq=False)
class _Line:
    """Points before they are thinned: `after_gap` where the line breaks before, `joined` where it never does."""

    time: Int64
    value: Float64
    after_gap: Bool
    joined: Bool


def read_points(sensor_id: int, start: int, end: int, points: int) -> Points:
    """Gives a line of about `points` points for [start, end], of all readings where there are no more.

    The lowest and highest value of every point's width stay. The line breaks at bad readings and where the sensor
    reported nothing for three intervals; where it is thinned, breaks narrower than a point are not shown.

    Takes: µs since the epoch, both included. Cost: four queries; about 30 ms for 2.6 million readings, less for a year.
    """
    start, end = clamp(start, end)
    interval = Sensor.objects.filter(pk=sensor_id).values_list("interval", flat=True).first()
    silent = None if interval is None else int(interval * _SILENT_AFTER * 1_000_000)
    held = chunks_of([sensor_id], start, end).aggregate(held=Sum("count"))["held"] or 0
    if held <= _MOST_DECODED:
        line, thinned = _raw(read(sensor_id, start, end)), False
    else:
        line, thinned = _figures(sensor_id, start, end, points), True
    if silent is not None and len(line.time):
        line.after_gap[1:] |= (np.diff(line.time) > silent) & ~line.joined[1:]
    return _thin(line, max(points, 4), thinned)


def _raw(columns: Columns) -> _Line:
    bad = columns.quality == Quality.BAD
    after_gap: Bool = np.zeros(len(columns), np.bool_)
    if bad.any():
        after_gap[1:] = bad[:-1]
        # What lies between two bad ones is gone; the first good one after them breaks the line.
        good = ~bad
        columns, after_gap = columns.take(good), after_gap[good]
    return _Line(columns.time, columns.value, after_gap, np.zeros(len(columns), np.bool_))


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
