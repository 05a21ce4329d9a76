"""What acts on every machine of the demo plant: the hour, the weather, chance, and faults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from plant.demo.layout import Bools, Floats

STOPPED, IDLE, RUNNING, FAULT = 0.0, 1.0, 2.0, 3.0

# Start (hour of the day, UTC) and length in hours of the breaks; lines go one after the other.
BREAKS = ((1.0, 0.4), (4.5, 0.2), (9.0, 0.25), (12.0, 0.5), (17.0, 0.25), (20.0, 0.4))
BREAK_STEP = 0.1  # hours between the lines' breaks


def lag(value: Floats, target: Floats | float, dt: float, tau: float) -> Floats:
    """Gives a first-order element's next value; exact for any step."""
    return value + (target - value) * -math.expm1(-dt / tau)


@dataclass
class Wander:
    """Values that drift around zero without haste: a mean-reverting walk within ±2.5 of its deviation."""

    value: Floats
    deviation: float
    tau: float

    @classmethod
    def make(cls, rng: np.random.Generator, n: int, deviation: float, tau: float) -> Wander:
        """Begins anywhere in its range."""
        return cls(rng.normal(0.0, deviation, n).clip(-2 * deviation, 2 * deviation), deviation, tau)

    def step(self, at: Moment) -> Floats:
        """Moves on."""
        keep = math.exp(-at.dt / self.tau)
        push = at.rng.normal(0.0, self.deviation * math.sqrt(1 - keep * keep), len(self.value))
        bound = 2.5 * self.deviation
        self.value = (self.value * keep + push).clip(-bound, bound)
        return self.value


@dataclass
class Faults:
    """How severe each fault is now, 0 to 1, by machine; by type and fault."""

    severity: Mapping[tuple[str, str], Floats] = field(default_factory=dict)

    def of(self, type: str, fault: str, n: int) -> Floats:
        """Gives a fault's severity for the machines of a type."""
        found = self.severity.get((type, fault))
        return np.zeros(n) if found is None else found


@dataclass
class Moment:
    """One step: from `time - dt` to `time` (seconds since the epoch)."""

    time: float
    dt: float
    rng: np.random.Generator
    faults: Faults

    @property
    def hour(self) -> float:
        """Gives the hour of the day, UTC."""
        return self.time / 3600.0 % 24.0

    @property
    def ambient(self) -> float:
        """Gives the air's temperature in °C: coolest at four, warmest at 16."""
        return 19.0 + 4.0 * math.sin(2 * math.pi * (self.hour - 10.0) / 24.0)

    @property
    def shift(self) -> float:
        """Gives how busy the shift is: by day 1, at night 0.8, with half an hour between."""
        hour = self.hour
        day = min(max((hour - 5.75) / 0.5, 0.0), 1.0) * min(max((22.25 - hour) / 0.5, 0.0), 1.0)
        return 0.8 + 0.2 * day

    def in_break(self, lines: Floats) -> Bools:
        """Gives which lines (by their number) rest."""
        hour = (self.hour - BREAK_STEP * lines) % 24.0
        rest = np.zeros(len(lines), bool)
        for start, length in BREAKS:
            rest |= (hour >= start) & (hour < start + length)
        return rest

    def noise(self, n: int, deviation: float) -> Floats:
        """Gives a measurement's noise; never more than three deviations."""
        return self.rng.normal(0.0, deviation, n).clip(-3 * deviation, 3 * deviation)

    def turns(self, n: int, mean_seconds: float | Floats) -> Bools:
        """Gives what happens by chance in this step, once in `mean_seconds` on average."""
        return self.rng.random(n) < -np.expm1(-self.dt / np.asarray(mean_seconds))
