"""Which settings are tried on a rule: few, sensible, never weaker than what it has."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import floor, log10
from typing import Any

# Seconds. Source: starting values of ISA-18.2 practice are 15 s and 60 s; the others lie around them.
ON_DELAYS = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
OFF_DELAYS = (10.0, 30.0, 60.0, 120.0, 300.0)
_WITH_OTHERS_ON = (5.0, 15.0, 30.0)
_WITH_OTHERS_OFF = (15.0, 60.0)
# Parts of the sensor's range. Source: ISA-18.2 / EEMUA 191 start from 1 % for temperatures to 5 % for flows.
_OF_RANGE = (0.005, 0.01, 0.02, 0.03, 0.05)
# Parts of the limit, where it is a rate or a difference.
_OF_LIMIT = (0.05, 0.1, 0.2, 0.5)
_BANDED = ("high", "low", "outside")
_RELATIVE = ("rate_high", "rate_low", "deviation")

Change = dict[str, float]


def deadbands(values: Mapping[str, Any], low: float | None, high: float | None) -> list[float]:
    """Gives deadbands to try, in the rule's unit, none where its kind has none or nothing tells a size."""
    kind = values["kind"]
    if kind == "outside":
        sizes = [part * (values["high"] - values["low"]) for part in _OF_RANGE]
    elif kind in _BANDED and low is not None and high is not None and high > low:
        sizes = [part * (high - low) for part in _OF_RANGE]
    elif kind in (*_BANDED, *_RELATIVE) and values["limit"]:
        sizes = [part * abs(values["limit"]) for part in (_OF_LIMIT if kind in _RELATIVE else _OF_RANGE)]
    else:
        return []
    return sorted({rounded(size) for size in sizes if rounded(size) > values["deadband"]})


def rounded(size: float) -> float:
    """Gives a size with two digits that count."""
    return round(size, 1 - floor(log10(abs(size)))) if size else 0.0


def single(values: Mapping[str, Any], low: float | None, high: float | None) -> dict[str, list[Change]]:
    """Gives the changes of one setting alone, by setting, the least first."""
    return {
        "deadband": [{"deadband": size} for size in deadbands(values, low, high)],
        "on_delay": [{"on_delay": delay} for delay in ON_DELAYS if delay > values["on_delay"]],
        "off_delay": [{"off_delay": delay} for delay in OFF_DELAYS if delay > values["off_delay"]],
    }


def together(values: Mapping[str, Any], low: float | None, high: float | None) -> list[Change]:
    """Gives the changes of two or three settings at once."""
    sizes = deadbands(values, low, high)
    choices = {
        "deadband": [0.0, *sizes[1::2]],
        "on_delay": [0.0, *(delay for delay in _WITH_OTHERS_ON if delay > values["on_delay"])],
        "off_delay": [0.0, *(delay for delay in _WITH_OTHERS_OFF if delay > values["off_delay"])],
    }
    found = []
    for picked in product(*choices.values()):
        change = {field: value for field, value in zip(choices, picked, strict=True) if value}
        if len(change) > 1:
            found.append(change)
    return found
