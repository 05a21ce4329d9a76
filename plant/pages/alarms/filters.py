"""What a list of alarms is narrowed to. It stands in the address, so that a link brings the same list again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from alerts import queries
from alerts.models import Alarm, Priority, State
from plant.pages.tree import Tree

LONGEST_WORDS = 100
TABS = (
    ("active", _("Active")),
    ("unacked", _("Unacked")),
    ("shelved", _("Shelved")),
    ("suppressed", _("Suppressed")),
    ("out_of_service", _("Out of service")),
    ("history", _("History")),
)
# How an alarm stands, as a person asks for it; the states that each means.
STATES: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "standing": (_("Standing"), (State.UNACKED, State.ACKED)),
    "acked": (_("Acked"), (State.ACKED, State.LATCHED_ACKED)),
    "cleared": (_("Cleared, unacked"), (State.RETURNED,)),
    "latched": (_("Latched"), (State.LATCHED_UNACKED, State.LATCHED_ACKED)),
}
# How long it has stood, in minutes.
AGES = {10: _("10 min"), 60: _("1 h"), 480: _("8 h"), 1440: _("24 h")}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to, and which page of it is shown."""

    show: str = "active"
    priorities: tuple[int, ...] = tuple(Priority.values)
    state: str = ""
    area: str = ""
    alarm_class: str = ""
    position: str = ""
    older: int = 0  # minutes; 0: of any age
    words: str = ""
    flat: bool = False  # every alarm by itself, in a flood too
    before: int | None = None  # of the history: older than this number
    page: int = 1
    cause: int | None = None  # in a flood: whose consequences are shown

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Filters:
        """Reads them from an address; what makes no sense is left out."""
        shown, state, older = given.get("show", ""), given.get("state", ""), given.get("older", "")
        wanted = {int(part) for part in given.get("priority", "").split(",") if part in {"1", "2", "3", "4"}}
        return cls(
            show=shown if shown in dict(TABS) else "active",
            priorities=tuple(sorted(wanted)) or tuple(Priority.values),
            state=state if state in STATES else "",
            area=given.get("area", "")[:64],
            alarm_class=given.get("class", "")[:64],
            position=given.get("position", "")[:64],
            older=int(older) if older.isdecimal() and len(older) < 10 and int(older) in AGES else 0,
            words=given.get("q", "").strip()[:LONGEST_WORDS],
            flat=given.get("flat") == "1",
            before=_number(given.get("before", "")),
            page=_number(given.get("page", "")) or 1,
            cause=_number(given.get("cause", "")),
        )

    @property
    def narrowed(self) -> bool:
        """Tells whether something is left out that the tab would show."""
        return bool(set(self.values()) - {"show", "flat"})

    def _all(self) -> dict[str, str]:
        """Gives every part of the address in its order; what is as usual is empty."""
        return {
            "show": self.show if self.show != "active" else "",
            "priority": ",".join(map(str, self.priorities)) if len(self.priorities) < len(Priority.values) else "",
            "state": self.state,
            "area": self.area,
            "class": self.alarm_class,
            "position": self.position,
            "older": str(self.older) if self.older else "",
            "q": self.words,
            "flat": "1" if self.flat else "",
        }

    def values(self) -> dict[str, str]:
        """Gives what stands in the address, without what is as usual and without the page."""
        return {key: value for key, value in self._all().items() if value}

    def query(self) -> str:
        """Gives the part of the address after the question mark."""
        return urlencode(self.values())

    def address(self, **changes: Any) -> str:
        """Gives the list's address with some of the filters changed; it begins at the first page."""
        given = {key: value for key, value in {**self._all(), **changes}.items() if value}
        if given.get("show") == "active":
            del given["show"]
        return f"{reverse('alarms')}?{urlencode(given)}" if given else reverse("alarms")

    def toggled(self, priority: int) -> str:
        """Gives the address with one priority switched on or off; the last one on stays."""
        left = set(self.priorities) ^ {priority}
        return self.address(priority=",".join(map(str, sorted(left))) if left and len(left) < 4 else "")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None


def found(filters: Filters, plant: Tree, now: datetime) -> QuerySet[Alarm]:
    """Gives the alarms that the filters leave, in the list's order."""
    if filters.show == "history":
        rows = queries.alarms().order_by("-pk")
        if filters.before is not None:
            rows = rows.filter(pk__lt=filters.before)
    else:
        rows = queries.open_alarms().filter(suppressed=[])
        if filters.show == "unacked":
            rows = rows.filter(state__in=queries.UNACKED_STATES)
    if len(filters.priorities) < len(Priority.values):
        rows = rows.filter(priority__in=filters.priorities)
    if filters.state:
        rows = rows.filter(state__in=STATES[filters.state][1], closed=None)
    if filters.area:
        node = plant.by_code.get(filters.area)
        rows = rows.filter(asset_id__in=[below.pk for below in node.walk()] if node else [])
    if filters.alarm_class:
        rows = rows.filter(alarm_class=filters.alarm_class)
    if filters.position:
        rows = rows.filter(position=filters.position)
    if filters.older:
        rows = rows.filter(raised__lte=now - timedelta(minutes=filters.older))
    for word in filters.words.split():
        rows = rows.filter(Q(message__icontains=word) | Q(tag__icontains=word) | Q(asset_code__icontains=word))
    return rows
