"""A range of the history in figures: lowest, highest, mean over time, spread, how long outside the normal band."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from django.db.models import Sum

from devices.telemetry.batch import Float64, Int64, Quality, UInt8
from devices.telemetry.codec import Bool
from devices.telemetry.history.drawing import SILENT_AFTER
from devices.telemetry.history.reading import Reading, chunks_of, clamp, neighbours, scan

# Beyond so many readings a range is not summed: two years of 1 Hz, about a second and a half.
MOST_SUMMED = 64_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What a sensor did in a range. Each good value holds until the next reading, in a silence for one interval."""

    readings: int
    low: float | None
    high: float | None
    mean: float | None  # over time
    deviation: float | None  # standard deviation over time
    known: int  # µs of the range in which a good value held
    outside: int | None  # µs of those outside the normal band; None without one
    last: Reading | None  # the newest good reading of the range, or the one that holds at its start


def summarise(
    sensor_id: int, start: int, end: int, *, interval: float | None, normal: tuple[float, float] | None = None
) -> Summary | None:
    """Gives the figures of [start, end], or None where that are too many readings.

    Takes: µs since the epoch, both included; the sensor's interval in seconds and its normal band.
    Cost: five queries; about 60 ms for 2.6 million readings.
    """
    start, end = clamp(start, end)
    held = chunks_of([sensor_id], start, end).aggregate(held=Sum("count"))["held"] or 0
    if held > MOST_SUMMED:
        return None
    before, _ = neighbours(sensor_id, start, start)
    running = _Running(start, interval, normal)
    if before is not None:
        running.hold(before)
    for _sensor, columns in scan([sensor_id], start, end, late=True):
        if len(columns):
            running.take(columns.time, columns.value, columns.quality)
    return running.close(end)


class _Running:
    """Sums part by part; the newest reading waits for the time of the next, which tells how long it held."""

    def __init__(self, start: int, interval: float | None, normal: tuple[float, float] | None) -> None:
        self.start = start
        self.interval = None if interval is None else int(interval * 1_000_000)
        self.silent = None if interval is None else int(interval * SILENT_AFTER * 1_000_000)
        self.normal = normal
        self.before: Reading | None = None
        self.waiting: Reading | None = None
        self.last: Reading | None = None
        self.readings = 0
        self.low, self.high = math.inf, -math.inf
        self.weight = self.mean = self.squares = self.outside = 0.0

    def hold(self, reading: Reading) -> None:
        """Takes the reading before the range, whose value holds into it."""
        self.before = self.waiting = reading

    def take(self, time: Int64, value: Float64, quality: UInt8) -> None:
        """Takes readings in order of time, all after those before."""
        self.readings += len(time)
        good = quality < Quality.BAD
        newest = np.flatnonzero(good)
        newest_good = int(newest[-1]) if len(newest) else None
        kept = Reading(int(time[-1]), float(value[-1]), int(quality[-1]))
        held = value if newest_good is None or len(newest) == len(value) else value[good]
        if newest_good is not None:
            self.last = Reading(int(time[newest_good]), float(value[newest_good]), int(quality[newest_good]))
            self.low, self.high = min(self.low, float(held.min())), max(self.high, float(held.max()))
        if self.waiting is not None:
            time = np.concatenate(([self.waiting.time], time))
            value = np.concatenate(([self.waiting.value], value))
            good = np.concatenate(([self.waiting.quality < Quality.BAD], good))
        self._add(time, value, good)
        self.waiting = kept

    def close(self, end: int) -> Summary:
        """Gives the figures of a range that ends here."""
        if self.waiting is not None:
            time = np.array([self.waiting.time, end], np.int64)
            self._add(time, np.array([self.waiting.value]), np.array([self.waiting.quality < Quality.BAD]))
        if self.last is None and self.weight:
            self.last = self.before
        found = math.isfinite(self.low)
        single = self.last.value if self.last is not None and not self.weight else None
        return Summary(
            readings=self.readings,
            low=self.low if found else None,
            high=self.high if found else None,
            mean=self.mean if self.weight else single,
            deviation=math.sqrt(self.squares / self.weight) if self.weight else None if single is None else 0.0,
            known=int(self.weight),
            outside=None if self.normal is None else int(self.outside),
            last=self.last,
        )

    def _add(self, time: Int64, value: Float64, good: Bool) -> None:
        """Adds all but the last time, each value with how long it held; joins means and squares (Chan et al. 1979)."""
        until = time[1:]
        value, good = value[: len(until)], good[: len(until)]
        if self.silent is not None and self.interval is not None:
            until = np.where(until - time[:-1] > self.silent, time[:-1] + self.interval, until)
        weights = np.maximum(until - np.maximum(time[:-1], self.start), 0).astype(np.float64)
        if not good.all():
            weights[~good] = 0.0
        total = float(weights.sum())
        if not total:
            return
        if self.waiting is not None and weights[0] and self.waiting.time < self.start:
            self.low, self.high = min(self.low, self.waiting.value), max(self.high, self.waiting.value)
        mean = float(np.dot(weights, value)) / total
        apart = value - mean
        squares = float(np.dot(weights * apart, apart))
        whole = self.weight + total
        self.squares += squares + (mean - self.mean) ** 2 * self.weight * total / whole
        self.mean += (mean - self.mean) * total / whole
        self.weight = whole
        if self.normal is not None:
            low, high = self.normal
            self.outside += float(weights[(value < low) | (value > high)].sum())
