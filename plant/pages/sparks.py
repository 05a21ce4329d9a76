"""Sparklines: the last hour of a sensor as few points, and since when a machine is in its state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from alerts.instants import to_us
from alerts.limits import has_limits, is_lower
from alerts.models import Alarm
from devices.telemetry import history
from devices.telemetry.batch import Quality
from devices.telemetry.codec import Columns
from plant.drawing import Shown

SPAN = timedelta(hours=1)
POINTS = 60
GAP_INTERVALS, GAP_AT_LEAST = 3, 60.0  # s: a reading may come as late as that, and the hour counts as whole

Line = list[float | None]


def read(sensor_ids: Iterable[int], now: datetime) -> dict[int, Columns]:
    """Gives the last hour's readings by sensor. Cost: one query, and one for each 500 sensors; none for no sensors."""
    numbers = list(sensor_ids)
    return history.read_many(numbers, *span(now), late=False) if numbers else {}


def span(now: datetime) -> tuple[int, int]:
    """Gives the hour up to a moment, in µs since the epoch."""
    end = to_us(now)
    return end - int(SPAN.total_seconds() * 1e6), end


def line(columns: Columns, start: int, end: int) -> Line:
    """Gives the newest reading of each slot of a range; None where a slot has none. Bad readings are gaps."""
    good = columns.quality < Quality.BAD
    times, values = columns.time[good], columns.value[good]
    edges = np.linspace(start, end, POINTS + 1)
    places = np.searchsorted(times, edges, side="right")
    found: Line = [float(values[stop - 1]) if stop > begin else None for begin, stop in pairwise(places)]
    first = next((place for place, value in enumerate(found) if value is not None), None)
    return [] if first is None else found[first:]


def lines(columns: Mapping[int, Columns], now: datetime) -> dict[int, Line]:
    """Gives the sparkline of each sensor."""
    start, end = span(now)
    return {sensor: line(found, start, end) for sensor, found in columns.items()}


def began(columns: Columns) -> int | None:
    """Gives when the newest value began to stand, in µs since the epoch; None where it stood before the first."""
    changes = np.flatnonzero(np.diff(columns.value))
    return int(columns.time[changes[-1] + 1]) if len(changes) else None


def stood(columns: Columns, now: datetime, interval: float | None) -> tuple[int | None, bool]:
    """Gives since when the newest value has stood, in µs since the epoch, and whether it may be longer.

    None where it has stood for the whole hour; where readings begin later than that, it is known since the first.
    """
    if (at := began(columns)) is not None or not len(columns):
        return at, False
    first, start = int(columns.time[0]), span(now)[0]
    due = max(GAP_INTERVALS * (interval or 0.0), GAP_AT_LEAST) * 1e6
    return (None, True) if first - start <= due else (first, True)


@dataclass(frozen=True, slots=True)
class Level:
    """The limit that an alarm met, on its sensor's own scale."""

    value: float
    below: bool  # what is under it is past it


def level_of(alarm: Alarm | None) -> Level | None:
    """Gives where a sparkline is past its limit; None where the limit is none of the sensor's scale, a rate's."""
    if alarm is None or alarm.limit is None:
        return None
    kind = alarm.frozen.get("kind", "high")
    return Level(alarm.limit, is_lower(alarm.frozen, alarm.limit)) if has_limits(kind) else None


def drawn(value: Shown, points: Line, alarm: Alarm | None) -> dict[str, Any] | None:
    """Gives what `drawing.spark` takes for a sensor's last hour; None where there is nothing to draw."""
    if not points:
        return None
    level = level_of(alarm)
    return {
        "tag": value.tag,
        "values": points,
        "normal": value.scale.normal if value.scale else None,
        "limit": level.value if level else None,
        "below": level.below if level else False,
        "alarm": value.priority if level else None,
    }
