"""The rules as plain sentences: slow, obvious, and written apart from the engine that it holds to account.

It shares nothing with the engine but the description of a rule. Times are whole microseconds.
"""

from __future__ import annotations

from .expressions import worth
from .readings import BAD, GOOD, UNCERTAIN, LeftOut, Reading, Transition
from .stored import over_stored
from .whole import Reference

__all__ = ["BAD", "GOOD", "UNCERTAIN", "LeftOut", "Reading", "Reference", "Transition", "over_stored", "worth"]
