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
    sensor_id: int,
    start: int,
    end: int,
    *,
    interval: float | None,
    normal: tuple[float | None, float | None] | None = None,
) -> Summary | None:
    """Gives the figures of [start, end], or None where that are too many readings.

    Takes: µs since the epoch, both included; the sensor's interval in seconds and its normal band, an open end as None.
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

    def __init__(self, start: int, interval: float | None, normal: tuple[float | None, float | None] | None) -> None:
        self.start = start
        self.interval = None if interval is None else int(interval * 1_000_000)
        self.silent = None if interval is None else int(interval * SILENT_AFTER * 1_000_000)
        low, high = normal or (None, None)
        self.normal = (
            None if normal is None else (-math.inf if low is None else low, math.inf if high is None else high)
        )
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
        self._one(int(time[0]))
        self.readings += len(time)
        good = quality < Quality.BAD
        held = value if good.all() else value[good]
        if len(held):
            self.low, self.high = min(self.low, float(held.min())), max(self.high, float(held.max()))
            newest = int(np.flatnonzero(good)[-1])
            self.last = Reading(int(time[newest]), float(value[newest]), int(quality[newest]))
        if len(time) > 1:
            self._many(np.diff(time), value[:-1], good[:-1])
        self.waiting = Reading(int(time[-1]), float(value[-1]), int(quality[-1]))

    def close(self, end: int) -> Summary:
        """Gives the figures of a range that ends here."""
        self._one(end)
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

    def _one(self, following: int) -> None:
        """Adds the reading that waits, which held until the one that follows; only its part within the range."""
        waiting = self.waiting
        if waiting is None or waiting.quality == Quality.BAD:
            return
        until = following
        if self.silent is not None and self.interval is not None and following - waiting.time > self.silent:
            until = waiting.time + self.interval
        weight = until - max(waiting.time, self.start)
        if weight <= 0:
            return
        if waiting is self.before:
            self.low, self.high = min(self.low, waiting.value), max(self.high, waiting.value)
        self._join(float(weight), waiting.value, 0.0)
        if self.normal is not None and not self.normal[0] <= waiting.value <= self.normal[1]:
            self.outside += weight

    def _many(self, held: Int64, value: Float64, good: Bool) -> None:
        """Adds values with how long each held until the next."""
        if self.silent is not None and self.interval is not None and int(held.max()) > self.silent:
            held[held > self.silent] = self.interval
        weights = held.astype(np.float64)
        if not good.all():
            weights[~good] = 0.0
        total = float(weights.sum())
        if not total:
            return
        # Not np.dot: its threads cost more than they save, and other requests wait for them.
        mean = float((weights * value).sum()) / total
        apart = value - mean
        apart *= apart
        apart *= weights
        self._join(total, mean, float(apart.sum()))
        if self.normal is not None:
            low, high = self.normal
            self.outside += float(weights[(value < low) | (value > high)].sum())

    def _join(self, weight: float, mean: float, squares: float) -> None:
        """Joins the mean and squares of two parts. Source: Chan, Golub, LeVeque 1979."""
        whole = self.weight + weight
        self.squares += squares + (mean - self.mean) ** 2 * self.weight * weight / whole
        self.mean += (mean - self.mean) * weight / whole
        self.weight = whole
