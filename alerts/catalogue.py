"""Changes of alarm classes and operator positions: what rules are ordered by.

Services own their transaction or join `devices.services.change()`; all raise ValidationError to refuse, in words. A
class or position that a rule names stays: that is checked when the change settles.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from alerts.models import AlarmClass, Position
from alerts.staffing import check_week
from devices.changes import change
from devices.checks import MAX_SECONDS, Problem, check_code, check_number, check_text, refuse
from devices.records import because

Entry = TypeVar("Entry", AlarmClass, Position)

CLASSES, POSITIONS = "alarm_classes", "positions"  # in plant.yaml, and as marks of a change


def create_class(*, code: str, name: str, reason: str = "", **fields: Any) -> AlarmClass:
    """Adds a class. Takes: description, shelvable, longest_shelving in seconds."""
    return _create(AlarmClass(code=code, name=name, **fields), CLASSES, reason)


def update_class(*, alarm_class: AlarmClass, reason: str = "", **changes: Any) -> AlarmClass:
    """Changes a class: name, description, shelvable, longest_shelving. Its code stays: rules call it by it."""
    return _update(alarm_class, CLASSES, changes, reason)


def delete_class(*, alarm_class: AlarmClass, reason: str = "") -> None:
    """Takes a class away that no rule names."""
    _delete(alarm_class, CLASSES, reason)


def create_position(*, code: str, name: str, reason: str = "", **fields: Any) -> Position:
    """Adds an operator position. Takes: scope, an asset; staffed, a week as `Position.staffed` holds it."""
    return _create(Position(code=code, name=name, **fields), POSITIONS, reason)


def update_position(*, position: Position, reason: str = "", **changes: Any) -> Position:
    """Changes a position: name, scope, staffed. Its code stays: rules and figures call it by it."""
    return _update(position, POSITIONS, changes, reason)


def delete_position(*, position: Position, reason: str = "") -> None:
    """Takes a position away that no rule names."""
    _delete(position, POSITIONS, reason)


def check_class(values: Mapping[str, Any], code: str) -> list[Problem]:
    """Gives what is wrong with a class."""
    problems = [
        *check_code("code", code),
        *check_text("name", values["name"], 120, needed=True),
        *check_text("description", values["description"], 10_000),
        *check_number("longest_shelving", values["longest_shelving"], least=60, most=MAX_SECONDS),
    ]
    if not isinstance(values["shelvable"], bool):
        problems.append(Problem("shelvable", f"shelvable is true or false, not {values['shelvable']!r}."))
    return problems


def check_position(values: Mapping[str, Any], code: str) -> list[Problem]:
    """Gives what is wrong with a position, but for its scope."""
    problems = [*check_code("code", code), *check_text("name", values["name"], 120, needed=True)]
    if words := check_week(values["staffed"]):
        problems.append(Problem("staffed", words))
    return problems


def known() -> dict[str, set[str]]:
    """Gives the codes that rules may name, by the rule's field. Cost: 2 queries."""
    return {
        "alarm_class": set(AlarmClass.objects.values_list("code", flat=True)),
        "position": set(Position.objects.values_list("code", flat=True)),
    }


def _check(row: AlarmClass | Position) -> list[Problem]:
    if isinstance(row, AlarmClass):
        names = ("name", "description", "shelvable", "longest_shelving")
        return check_class({name: getattr(row, name) for name in names}, row.code)
    return check_position({"name": row.name, "staffed": row.staffed}, row.code)


def _create(row: Entry, mark: str, reason: str) -> Entry:
    with change() as pending, because(reason):
        refuse(_check(row))
        if type(row)._default_manager.filter(code=row.code).exists():
            refuse([Problem("code", f"there is {_a(row)} {row.code} already.")])
        row.save()
        pending.mark(mark, [row.pk])
        pending.revisions.add("rules")
    return row


def _update(row: Entry, mark: str, changes: Mapping[str, Any], reason: str) -> Entry:
    with change() as pending, because(reason):
        touched = {field for field, value in changes.items() if getattr(row, field) != value}
        if "code" in touched:
            refuse([Problem("code", "the code stays: rules call it by it.")])
        for field in touched:
            setattr(row, field, changes[field])
        if touched:
            refuse(_check(row))
            row.save()
            pending.mark(mark, [row.pk])
            pending.revisions.add("rules")
    return row


def _delete(row: Any, mark: str, reason: str) -> None:
    with change() as pending, because(reason):
        pending.mark(mark, [row.pk])
        pending.revisions.add("rules")
        row.delete()


def _a(row: AlarmClass | Position) -> str:
    return f"an {row._meta.verbose_name}"
