"""What was changed of a rule: by whom, when, why, from what to what; and taking a change back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from alerts import rules
from alerts.checks import CONDITION
from alerts.models import Kind, Priority, Rule, Severity, TypeRule
from alerts.writing import plain
from devices.changes import change
from devices.checks import Problem, number, refuse

_WATCHED = ("name", *CONDITION)
LAID_DOWN = frozenset(_WATCHED) | {"reset_before_ack"}  # what an alarm carries of its rule and of the plant
_SECONDS = frozenset({
    "window", "per", "timeout", "duration", "on_delay", "off_delay", "realarm", "longest_shelving", "time_to_respond",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Altered:
    """One field of a change."""

    field: str
    label: str
    old: Any
    new: Any

    @property
    def old_text(self) -> str:
        """Gives the old value as a person reads it."""
        return text_of(self.field, self.old)

    @property
    def new_text(self) -> str:
        """Gives the new value as a person reads it."""
        return text_of(self.field, self.new)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a rule."""

    number: int
    time: datetime
    who: str  # empty: the command line, or Andon itself
    why: str
    kind: str  # +, ~ or -: made, changed, taken away
    fields: tuple[Altered, ...]
    returnable: bool  # all its fields are still as it left them


def changes_of(rule: Rule | TypeRule) -> list[Change]:
    """Gives a rule's changes, the newest first; rows of the history that changed nothing of it are left out.

    Cost: one query.
    """
    found: list[Change] = []
    before: Mapping[str, Any] | None = None
    rows = rule.history.order_by("history_date", "history_id").values(
        "history_id", "history_date", "history_type", "history_change_reason", "history_user__username",
        "history_user__first_name", "history_user__last_name", *_WATCHED,
    )  # fmt: skip
    for row in rows:
        altered = () if before is None or row["history_type"] != "~" else _between(before, row)
        if altered or row["history_type"] != "~":
            found.append(
                Change(
                    number=row["history_id"],
                    time=row["history_date"],
                    who=f"{row['history_user__first_name'] or ''} {row['history_user__last_name'] or ''}".strip()
                    or row["history_user__username"]
                    or "",
                    why=row["history_change_reason"] or "",
                    kind=row["history_type"],
                    fields=altered,
                    returnable=bool(altered) and all(getattr(rule, one.field) == one.new for one in altered),
                )
            )
        before = row
    return found[::-1]


def _between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Altered, ...]:
    return tuple(
        Altered(field, label_of(field), before[field], after[field])
        for field in _WATCHED
        if before[field] != after[field]
    )


def take_back(*, rule: Rule | TypeRule, number: int, reason: str = "") -> Rule | TypeRule:
    """Gives the fields of one change their old values again: a change of its own, with a reason.

    Takes: the change's number; why, or nothing for words that name the change.
    Raises: ValidationError where there is no such change, or a field of it was changed again since.
    Cost: as an update, and two queries.
    """
    with change():
        rule = type(rule)._default_manager.select_for_update().get(pk=rule.pk)
        found = next((one for one in changes_of(rule) if one.number == number and one.fields), None)
        if found is None:
            refuse([Problem("__all__", _("There is no such change of this rule."))])
        assert found is not None
        again = [one.label for one in found.fields if getattr(rule, one.field) != one.new]
        if again:
            words = _("%(fields)s was changed again since: take that change back first.")
            refuse([Problem("__all__", words % {"fields": ", ".join(again).capitalize()})])
        old = {one.field: one.old for one in found.fields}
        why = reason.strip() or default_reason(found)
        if isinstance(rule, Rule):
            return rules.update_rule(rule=rule, reason=why, **old)
        return rules.update_type_rule(rule=rule, reason=why, **old)


def default_reason(found: Change) -> str:
    """Gives the reason of a change that is taken back without other words."""
    words = f"Takes back the change of {found.time:%Y-%m-%d %H:%M} UTC"
    return f"{words}{f' by {found.who}' if found.who else ''}"


def label_of(field: str) -> str:
    """Gives a field's name as the forms have it."""
    if field == "reset_before_ack":
        return _("reset before acknowledgement")
    return str(Rule._meta.get_field(field).verbose_name)  # type: ignore[union-attr]


def text_of(field: str, value: Any) -> str:
    """Gives a field's value as a person reads it; a dash for none."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if field == "kind":
        return str(Kind(value).label)
    if field == "priority":
        return str(Priority(value).label)
    if field == "severity":
        return str(Severity(value).label)
    if field == "inputs":
        return ", ".join(f"{name}: {sensor}" for name, sensor in value.items())
    if field == "suppress_when":
        return "; ".join(while_text(one) for one in value)
    if isinstance(value, int | float):
        return f"{plain(value)} s" if field in _SECONDS else plain(value)
    return str(value)


def while_text(one: Mapping[str, Any]) -> str:
    """Gives one condition of `suppress_when` as a line: alarm: Motor trip, or state = 0, 4."""
    if "alarm" in one:
        return f"alarm: {one['alarm']}"
    return f"{one.get('sensor', '')} = {', '.join(number(value) for value in one.get('equals', []))}"
