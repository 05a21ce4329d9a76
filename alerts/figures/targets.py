"""What is asked of the figures, by whom, and whether it is met."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ISA = "ISA-18.2"
IEC = "IEC 62682"
EEMUA = "EEMUA 191"


class Standing(StrEnum):
    """How a figure stands against its target."""

    MET = "met"
    MANAGEABLE = "manageable"  # over the target, within what is still manageable
    MISSED = "missed"
    UNKNOWN = "unknown"  # there is nothing to judge


@dataclass(frozen=True, slots=True)
class Target:
    """A target. The stricter standard's number judges; `words` name both where they differ.

    Takes: shares as parts of 1. `below` says that the target itself is too much, `least` that less than it is.
    """

    key: str
    most: float
    words: str
    by: str
    manageable: float | None = None
    below: bool = False
    least: bool = False

    def standing(self, value: float | None) -> Standing:
        """Tells how a figure stands."""
        if value is None:
            return Standing.UNKNOWN
        value = round(value, 9)  # 0.1 + 0.2 is not more than 0.3
        if self.least:
            if value >= self.most:
                return Standing.MET
            return Standing.MANAGEABLE if self.manageable is not None and value >= self.manageable else Standing.MISSED
        if value < self.most or (value == self.most and not self.below):
            return Standing.MET
        return Standing.MANAGEABLE if self.manageable is not None and value <= self.manageable else Standing.MISSED


_BOTH = f"{ISA} / {IEC}"
TARGETS = {
    target.key: target
    for target in (
        Target("per_day", 144, f"at most 144 ({IEC}), 150 ({ISA}); manageable to 288, 300", _BOTH, manageable=288),
        Target("per_hour", 6, "at most 6; manageable to 12", _BOTH, manageable=12),
        Target("per_ten", 1, "at most 1; manageable to 2", _BOTH, manageable=2),
        Target("peak_ten", 10, "at most 10", _BOTH),
        Target("busy_hours", 0.01, "under 1 %", _BOTH, below=True),
        Target("busy_tens", 0.01, "under 1 %", _BOTH, below=True),
        Target("flood_share", 0.01, "under 1 %", _BOTH, below=True),
        Target("top_ten_share", 0.01, "1 %, at most 5 % with a plan for each", _BOTH, manageable=0.05),
        Target("chattering", 0, "none", _BOTH),
        Target("fleeting", 0, "none", _BOTH),
        Target("stale", 5, "under 5 on any day", _BOTH, below=True),
        Target("standing", 10, "under 10", EEMUA, below=True),
        Target("shelved", 30, "under 30", EEMUA, below=True),
        Target("critical_share", 0.01, "under 1 %", "common practice for four levels", below=True),
        Target("high_share", 0.05, "about 5 %", _BOTH),
        Target("medium_share", 0.15, "about 15 %", _BOTH),
        # The others at their targets, and the highest level's part, leave 79 %.
        Target("low_share", 0.80, "about 80 % or more", _BOTH, manageable=0.79, least=True),
        Target("late_share", 0, "none", "the rule's time to respond"),
    )
}
# Source: ISA-18.2 / IEC 62682: 80 % low, 15 % medium, 5 % high; four levels add under 1 % of the highest. By priority.
PRIORITY_SPLIT = {1: 0.01, 2: 0.05, 3: 0.15, 4: 0.80}
