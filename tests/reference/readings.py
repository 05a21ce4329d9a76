"""What goes into the rules and what comes out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GOOD, UNCERTAIN, BAD = 0, 1, 2


@dataclass(frozen=True)
class Reading:
    sensor: int
    time: int
    value: float
    quality: int
    arrival: int


@dataclass(frozen=True)
class Transition:
    rule: int
    version: int
    kind: str  # "active" or "return"
    time: int
    value: float | None
    reason: str = ""
    clock_from: int | None = None

    def without_clock(self) -> tuple[Any, ...]:
        return self.rule, self.version, self.kind, self.time, self.value, self.reason


@dataclass(frozen=True)
class LeftOut:
    rule: int
    version: int
    sensor: int
    time: int
