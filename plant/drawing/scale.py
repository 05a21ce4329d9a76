"""The scale of a moving analog indicator: where it begins and ends, where its band and limits stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from alerts.models import Kind, Rule
from devices.models import Measurement

_MARGIN = 0.2  # of the limits' span, outside the outermost


class Limit(NamedTuple):
    """A limit drawn as a tick; an outer one (low-low, high-high) is thick."""

    value: float
    side: str  # low or high
    priority: int
    outer: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of one sensor."""

    low: float
    high: float
    normal: tuple[float, float] | None = None
    limits: tuple[Limit, ...] = ()

    def at(self, value: float) -> float:
        """Gives where a value stands, 0 to 100 from left to right; beyond the ends it rests there."""
        return round(max(0.0, min(100.0, (value - self.low) / (self.high - self.low) * 100)), 2)

    def edge(self, side: str) -> float | None:
        """Gives the limit of a side that comes first on the way out."""
        values = [limit.value for limit in self.limits if limit.side == side]
        if not values:
            return None
        return min(values) if side == "high" else max(values)

    def beyond(self, value: float) -> float | None:
        """Gives the first limit that a value is past, or None."""
        high, low = self.edge("high"), self.edge("low")
        if high is not None and value >= high:
            return high
        if low is not None and value <= low:
            return low
        return None

    def off(self, value: float) -> str:
        """Gives under or over when a value lies outside the scale, else nothing."""
        if value < self.low:
            return "under"
        return "over" if value > self.high else ""


def limits_of(rules: Iterable[Rule]) -> tuple[Limit, ...]:
    """Gives the limits that a sensor's rules in force draw, inner ones first on each side."""
    highs: list[tuple[float, int]] = []
    lows: list[tuple[float, int]] = []
    for rule in rules:
        if not rule.enabled:
            continue
        if rule.kind == Kind.HIGH and rule.limit is not None:
            highs.append((rule.limit, rule.priority))
        elif rule.kind == Kind.LOW and rule.limit is not None:
            lows.append((rule.limit, rule.priority))
        elif rule.kind == Kind.OUTSIDE and rule.low is not None and rule.high is not None:
            highs.append((rule.high, rule.priority))
            lows.append((rule.low, rule.priority))
    found = [Limit(value, "low", priority, place > 0) for place, (value, priority) in enumerate(sorted(lows)[::-1])]
    found += [Limit(value, "high", priority, place > 0) for place, (value, priority) in enumerate(sorted(highs))]
    return tuple(found)


def scale_of(sensor: Measurement, rules: Iterable[Rule] = ()) -> Scale | None:
    """Gives a sensor's scale, or None when nothing tells where it would begin and end.

    It begins and ends a little outside the outermost limits, inside the sensor's range, and not at zero by habit.
    """
    limits = limits_of(rules)
    normal = None
    if sensor.normal_low is not None and sensor.normal_high is not None and sensor.normal_low < sensor.normal_high:
        normal = (sensor.normal_low, sensor.normal_high)
    marks = [limit.value for limit in limits] + list(normal or ())
    low, high = sensor.range_low, sensor.range_high
    if marks and max(marks) > min(marks):
        margin = _MARGIN * (max(marks) - min(marks))
        if any(limit.side == "low" for limit in limits) or normal:
            low = min(marks) - margin if low is None else max(low, min(marks) - margin)
        if any(limit.side == "high" for limit in limits) or normal:
            high = max(marks) + margin if high is None else min(high, max(marks) + margin)
    if low is None or high is None or low >= high:
        return None
    return Scale(low, high, normal, limits)
