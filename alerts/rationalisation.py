"""Is each alarm thought through: cause, consequence, action, time to respond, and the priority that follows from them?

Source: ISA-18.2 requires the four; the matrix of severity and time to respond is common practice. A class, and a
position that watches it, are asked of every urgent rule too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q

from alerts.models import Position, Priority, Rule, Severity

REQUIRED = ("cause", "consequence", "action", "time_to_respond")
_MINUTE = 60.0
NO_ALARM = 0  # a suggestion: nobody has to act in time, so it is no alarm

_COLUMN = {Severity.MINOR: 0, Severity.MAJOR: 1, Severity.SEVERE: 2}
_LOW, _MEDIUM, _HIGH, _CRITICAL = Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.CRITICAL
# The time to respond is at least so many minutes, or over thirty: minor, major, severe.
_MATRIX: tuple[tuple[float, tuple[int, int, int]], ...] = (
    (10.0, (_LOW, _LOW, _MEDIUM)),
    (3.0, (_LOW, _MEDIUM, _HIGH)),
    (0.0, (_MEDIUM, _HIGH, _CRITICAL)),
)
_RARELY = (NO_ALARM, _LOW, _MEDIUM)


def suggested(severity: str, time_to_respond: float | None) -> int | None:
    """Gives the priority of the matrix, NO_ALARM for minor things with time enough, None where something is missing."""
    if not severity or time_to_respond is None:
        return None
    column, minutes = _COLUMN[Severity(severity)], time_to_respond / _MINUTE
    row = _RARELY if minutes > 30 else next(row for least, row in _MATRIX if minutes >= least)
    return int(row[column])


def word(priority: int | None) -> str | None:
    """Gives a suggestion as machines read it."""
    if priority is None:
        return None
    return "none" if priority == NO_ALARM else Priority(priority).name.lower()


def missing(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Gives the fields that a rule of high or critical priority should have and has not."""
    if values["priority"] > Priority.HIGH:
        return ()
    return tuple(field for field in REQUIRED if values[field] in (None, "") or not str(values[field]).strip())


def unassigned(values: Mapping[str, Any], *, watched: bool) -> tuple[str, ...]:
    """Gives what a rule of high or critical priority has of neither: a class, a position of its own or its asset's.

    Takes: whether a position watches its asset.
    """
    if values["priority"] > Priority.HIGH:
        return ()
    of_class = () if values["alarm_class"] else ("alarm_class",)
    return of_class if values["position"] or watched else (*of_class, "position")


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule in force as the review sees it."""

    id: int
    name: str
    asset: int
    asset_code: str
    priority: int
    missing: tuple[str, ...]
    suggested: int | None
    type_rule: int | None  # the type's rule that it comes with

    @property
    def differs(self) -> bool:
        """Tells whether its priority is not the one that the matrix suggests."""
        return self.suggested is not None and self.suggested != self.priority


@dataclass(slots=True)
class Tally:
    """Of one part of the plant: rules in force, those of high or critical priority, and what is open about them."""

    rules: int = 0
    urgent: int = 0
    incomplete: int = 0
    differing: int = 0

    def count(self, entry: Entry) -> None:
        """Adds a rule."""
        self.rules += 1
        self.urgent += entry.priority <= Priority.HIGH
        self.incomplete += bool(entry.missing)
        self.differing += entry.differs


# Assets above a rule's own that a position may watch it from: one for each level, and some for modules in modules.
_ABOVE = 9


def review(assets: Iterable[int] | None = None) -> Iterator[Entry]:
    """Gives all rules in force, the most urgent first. Takes: ids of assets to keep to. Cost: one query."""
    places = [Q(scope=OuterRef(f"asset{'__parent' * above}_id")) for above in range(_ABOVE + 1)]
    watched = Exists(Position.objects.filter(reduce(or_, places, Q(scope=None))))
    found = Rule.objects.filter(enabled=True)
    if assets is not None:
        found = found.filter(asset__in=list(assets))
    rows = (
        found.annotate(watched=watched)
        .order_by("priority", "asset__code", "name")
        .values(
            "id",
            "name",
            "asset_id",
            "asset__code",
            "priority",
            "severity",
            "origin_id",
            "alarm_class",
            "position",
            "watched",
            *REQUIRED,
        )
    )
    for row in rows.iterator(chunk_size=2_000):
        yield Entry(
            id=row["id"],
            name=row["name"],
            asset=row["asset_id"],
            asset_code=row["asset__code"],
            priority=row["priority"],
            missing=missing(row) + unassigned(row, watched=row["watched"]),
            suggested=suggested(row["severity"], row["time_to_respond"]),
            type_rule=row["origin_id"],
        )
