"""Which of a rule's fields are limits on its sensor's own scale: those that a trend draws as lines.

A rate's limit is none, nor is the distance of a deviation, nor a time: they stand on another scale.
"""

from collections.abc import Mapping
from typing import Any

from alerts.models import Kind

_COMPARED = frozenset({Kind.EQUALS, Kind.NOT_EQUALS})
_TIMED = frozenset({Kind.STALE, Kind.FLATLINE})
_FIELDS: dict[str, tuple[str, ...]] = {Kind.HIGH: ("limit",), Kind.LOW: ("limit",), Kind.OUTSIDE: ("low", "high")}


def has_limits(kind: str) -> bool:
    """Tells whether rules of a kind have a limit on their sensor's own scale."""
    return kind in _FIELDS


def is_reading(kind: str) -> bool:
    """Tells whether what an alarm of a kind met is a value that its sensor may have: a limit, or what it equals."""
    return has_limits(kind) or kind in _COMPARED


def is_time(kind: str) -> bool:
    """Tells whether what an alarm of a kind met is a time, in seconds."""
    return kind in _TIMED


def limits_of(rule: Mapping[str, Any]) -> dict[str, float]:
    """Gives a rule's limits on its sensor's own scale, by field. Takes: its fields; those without a value may lack."""
    found = ((name, rule.get(name)) for name in _FIELDS.get(rule.get("kind", ""), ()))
    return {name: value for name, value in found if value is not None}


def is_lower(rule: Mapping[str, Any], limit: float) -> bool:
    """Tells whether what is under a limit of a rule is past it."""
    kind = rule.get("kind", "")
    return bool(kind == Kind.LOW or (kind == Kind.OUTSIDE and limit == rule.get("low")))
