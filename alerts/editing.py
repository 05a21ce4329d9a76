"""A person changes a whole rule at once: nobody overwrites what somebody else has changed meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from alerts import rules
from alerts.changes import Change, changes_of
from alerts.checks import CONDITION
from alerts.models import Rule, TypeRule
from devices.changes import change


class Overtaken(Exception):
    """Somebody has changed the rule since it was read; `changes` are theirs, the newest first."""

    def __init__(self, changes: Sequence[Change], seen: int) -> None:
        super().__init__("The rule was changed meanwhile.")
        self.changes = changes
        self.seen = seen  # the newest row of its history now


@dataclass(frozen=True, slots=True)
class Version:
    """How often a rule was written, and when and by whom last."""

    number: int
    since: datetime
    who: str  # empty: the command line, or Andon itself


def newest(rule: Rule | TypeRule) -> int:
    """Gives the number of the newest row of a rule's history. Cost: one query."""
    return rule.history.order_by("-history_id").values_list("history_id", flat=True).first() or 0


def refuse_overtaken(rule: Rule | TypeRule, seen: int) -> None:
    """Refuses what was written on a rule that somebody has changed since.

    Takes: the newest row of its history as the person saw it. Raises: Overtaken. Cost: one query, two if it has moved.
    """
    now = newest(rule)
    if now != seen:
        theirs = [one for one in changes_of(rule) if one.number > seen and one.fields]
        if theirs:
            raise Overtaken(theirs, now)


def save(
    *, rule: Rule | TypeRule, seen: int, reason: str, name: str, values: Mapping[str, Any]
) -> Rule | TypeRule | None:
    """Changes a rule as a whole.

    Takes: the newest row of its history as the person saw it; why; its name and fields as they are to be.
    Gives: the rule, or None where nothing would change.
    Raises: Overtaken; ValidationError with what is wrong with it.
    Cost: as an update, and two queries.
    """
    with change():
        held = type(rule)._default_manager.select_for_update().get(pk=rule.pk)
        refuse_overtaken(held, seen)
        wanted = {"name": name, **rules.tidy(values)}
        if all(getattr(held, field) == value for field, value in wanted.items()):
            return None
        if isinstance(held, Rule):
            return rules.update_rule(rule=held, reason=reason, **wanted)
        return rules.update_type_rule(rule=held, reason=reason, **wanted)


def versions(model: type[Model], numbers: Collection[int]) -> dict[int, Version]:
    """Gives the versions of some rules, or of types' rules: each row of the history that changed something is one.

    Cost: one query.
    """
    history: Any = model.history  # type: ignore[attr-defined]  # django-simple-history's
    watched = ("name", *CONDITION)
    rows = history.filter(id__in=list(numbers)).order_by("id", "history_date", "history_id").values(
        "id", "history_date", "history_user__first_name", "history_user__last_name", "history_user__username", *watched
    )  # fmt: skip
    found: dict[int, Version] = {}
    before: Mapping[str, Any] | None = None
    for row in rows:
        known = found.get(row["id"])
        if known is None or before is None or any(before[field] != row[field] for field in watched):
            full = f"{row['history_user__first_name'] or ''} {row['history_user__last_name'] or ''}".strip()
            who = full or row["history_user__username"] or ""
            found[row["id"]] = Version((known.number if known else 0) + 1, row["history_date"], who)
        before = row
    return found
