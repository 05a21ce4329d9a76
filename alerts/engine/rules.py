"""A rule as the engine takes it: numbers, and sensors by id."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What a rule looks for."""

    HIGH = 0
    LOW = 1
    OUTSIDE = 2
    EQUALS = 3
    NOT_EQUALS = 4
    DEVIATION = 5
    RATE_HIGH = 6
    RATE_LOW = 7
    STALE = 8
    FLATLINE = 9
    EXPRESSION = 10

    @classmethod
    def of(cls, word: str) -> Kind:
        """Gives the kind of its word in configuration files, such as `rate_high`."""
        return cls[word.upper()]

    @property
    def word(self) -> str:
        """The kind's word in configuration files."""
        return self.name.lower()


def seconds(duration: float) -> int:
    """Gives a duration in seconds as whole microseconds, rounded."""
    return round(duration * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    """One version of one rule. What its kind does not use keeps its default.

    Takes: durations in µs. `inputs` are sensor ids, the alarm's own first, the reference of a deviation from another
    sensor second; `names` are an expression's words for its inputs and `intervals` their expected intervals in µs
    (0 where none is expected: never stale), both in the order of `inputs`.
    """

    id: int
    version: int
    kind: Kind
    inputs: tuple[int, ...]
    names: tuple[str, ...] = ()
    intervals: tuple[int, ...] = ()
    limit: float = math.nan
    deadband: float = 0.0
    low: float = math.nan
    high: float = math.nan
    value: float = math.nan
    reference: float = math.nan
    tolerance: float = 0.0
    window: int = 0
    per: int = 60_000_000
    timeout: int = 0
    duration: int = 0
    on_delay: int = 0
    off_delay: int = 0
    expression: str = ""

    @property
    def joined(self) -> bool:
        """Whether its inputs are taken together, instant by instant."""
        return self.kind is Kind.EXPRESSION or (self.kind is Kind.DEVIATION and len(self.inputs) > 1)
