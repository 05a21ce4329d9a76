"""A history to compare with: a plain dict."""

from __future__ import annotations

import numpy as np

from devices.telemetry import history
from devices.telemetry.batch import Batch

SECOND = 1_000_000
DAY = 86_400 * SECOND
START = 1_767_225_600 * SECOND  # 2026-01-01

Row = tuple[int, float, int, bool]


class Plain:
    """Keeps readings one by one: (sensor, time) → (value, quality, late)."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, int], tuple[float, int, bool]] = {}
        self.newest: dict[int, int] = {}

    def admit(self, readings: list[tuple[int, int, float, int]]) -> list[tuple[int, int, float, int, bool]]:
        """Keeps what is not a duplicate; gives it with its lateness."""
        admitted = []
        for sensor, time, value, quality in readings:
            if (sensor, time) in self.kept:
                continue
            late = time <= self.newest.get(sensor, -(1 << 63))
            self.newest[sensor] = max(time, self.newest.get(sensor, time))
            self.kept[sensor, time] = (value, quality, late)
            admitted.append((sensor, time, value, quality, late))
        return admitted

    def read(self, sensor: int, start: int, end: int, *, late: bool = True) -> list[Row]:
        return sorted(
            (time, *row)
            for (s, time), row in self.kept.items()
            if s == sensor and start <= time <= end and (late or not row[2])
        )


def append(readings: list[tuple[int, int, float, int, bool]], shard: int = 0) -> None:
    """Appends rows of sensor, time, value, quality, late."""
    sensors, times, values, qualities, lates = zip(*readings, strict=True)
    batch = Batch(
        np.array(sensors, np.int32),
        np.array(times, np.int64),
        np.array(values, np.float64),
        np.array(qualities, np.uint8),
    )
    history.append(shard, batch, np.array(lates, np.bool_))


def rows(columns: history.Columns) -> list[Row]:
    """Gives columns as rows of time, value, quality, late."""
    return list(
        zip(columns.time.tolist(), columns.value.tolist(), columns.quality.tolist(), columns.late.tolist(), strict=True)
    )


def each_second(sensor: int, count: int, *, start: int = START, value: float = 20.0) -> None:
    """Appends a reading a second, in drains of five."""
    for first in range(0, count, 5):
        append([(sensor, start + n * SECOND, value + n % 7, 0, False) for n in range(first, min(first + 5, count))])
