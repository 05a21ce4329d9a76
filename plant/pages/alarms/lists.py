"""The lists of the console: what stands, what waits, what was, and what is not presented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from alerts import queries
from alerts.models import Alarm, AlarmClass, Position, Priority
from alerts.silence.queries import silent_parts
from devices import moment
from plant.models import SavedFilter
from plant.pages.alarms import hidden
from plant.pages.alarms.filters import AGES, STATES, TABS, Filters, found
from plant.pages.alarms.lines import Line, below, by_cause, heading, line_of
from plant.pages.tree import Tree, tree_for

ROWS = 100  # on one page
MOST_IN_A_FLOOD = 2000  # alarms that are looked at for their causes; who has more has other worries
CONSEQUENCES = "consequences"  # the fragment that holds what stands under one cause, and nothing else


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, with the way to the others."""

    lines: Sequence[Line]
    number: int = 1
    total: int = 0  # rows of all pages
    older: str = ""  # of the history: the address of what came before
    cut: int = 0  # in a flood: only so many alarms were looked at

    @property
    def first(self) -> int:
        """Gives the place of its first row."""
        return (self.number - 1) * ROWS + 1

    @property
    def last(self) -> int:
        """Gives the place of its last row."""
        return min(self.number * ROWS, self.total)


@require_GET
def alarms(request: HttpRequest) -> HttpResponse:
    """Shows a list; `?fragment` gives its rows alone. Cost: the same number of queries for any number of alarms."""
    plant, filters, now = tree_for(request), Filters.of(request.GET), moment.now()
    # Before the rows: what comes between the two is newer than the list.
    newest = 0 if "fragment" in request.GET else Alarm.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if filters.show in queries.WHY_NOT_PRESENTED:
        page, rows = _hidden(filters, plant, now)
        context = {"page": page, "rows": rows, "newest": newest}
        return _console(request, filters, plant, "plant/alarms_hidden.html", context)
    page = _history(filters, plant, now) if filters.show == "history" else _open(request, filters, plant, now)
    context = {"page": page, "lines": page.lines, "newest": newest}
    return _console(request, filters, plant, "plant/alarms_rows.html", context)


def _lines(rows: Sequence[Alarm], plant: Tree, now: datetime) -> list[Line]:
    silent = silent_parts()
    return [line_of(alarm, plant, now, silent) for alarm in rows]


def _history(filters: Filters, plant: Tree, now: datetime) -> Page:
    """Gives what was, the newest first."""
    rows = list(found(filters, plant, now)[: ROWS + 1])
    older = filters.address(before=rows[ROWS - 1].pk) if len(rows) > ROWS else ""
    return Page(_lines(rows[:ROWS], plant, now), older=older)


def _hidden(filters: Filters, plant: Tree, now: datetime) -> tuple[Page, list[hidden.Hidden]]:
    """Gives what is not presented. Cost: three queries, and one where words are looked for in a reason by design."""
    asked = hidden.found(filters, plant)
    total = asked.count()
    number = min(filters.page, max(1, -(-total // ROWS)))  # what stood on the last page may be presented again
    start = (number - 1) * ROWS
    part = list(asked.select_related("rule__asset", "shelved_by", "out_by")[start : start + ROWS])
    return Page((), number, total), hidden.rows(part, filters.show, now)


def _open(request: HttpRequest, filters: Filters, plant: Tree, now: datetime) -> Page:
    """Gives what stands, by cause while there is a flood."""
    rows = found(filters, plant, now)
    if not filters.flat and (collapsed := _collapsed(request, rows, filters, plant, now)) is not None:
        return collapsed
    total = rows.count()
    start = (filters.page - 1) * ROWS
    return Page(_lines(list(rows[start : start + ROWS]), plant, now), filters.page, total)


def _collapsed(request: HttpRequest, rows: Any, filters: Filters, plant: Tree, now: datetime) -> Page | None:
    """Gives the causes, and under one of them what came of it; None where there is no flood.

    Thousands may stand under a cause: they are written only for whoever wants to see them.
    """
    if by_cause((), plant, now) is None:
        return None
    looked_at = list(rows[: MOST_IN_A_FLOOD + 1])
    causes = by_cause(looked_at[:MOST_IN_A_FLOOD], plant, now) or []
    asked = next((cause for cause in causes if cause.first.pk == filters.cause), None)
    if request.GET.get("fragment") == CONSEQUENCES:
        under = _lines(asked.others, plant, now) if asked is not None else []
        return Page([below(line, asked) for line in under] if asked is not None else [])
    start = (filters.page - 1) * ROWS
    shown = causes[start : start + ROWS]
    lines: list[Line] = []
    for line, cause in zip(_lines([cause.first for cause in shown], plant, now), shown, strict=True):
        lines.append(heading(line, cause))
        if cause is asked:
            lines += [below(other, cause) for other in _lines(cause.others, plant, now)]
    cut = MOST_IN_A_FLOOD if len(looked_at) > MOST_IN_A_FLOOD else 0
    return Page(lines, filters.page, len(causes), cut=cut)


def _console(request: HttpRequest, filters: Filters, plant: Tree, rows: str, context: dict[str, Any]) -> HttpResponse:
    """Shows the console around some rows, or the rows alone."""
    context = {**context, "filters": filters, "narrowed": filters.narrowed}
    page = context.get("page")
    if page is not None and page.total > ROWS:
        context["earlier"] = filters.address(page=page.number - 1) if page.number > 1 else ""
        context["later"] = filters.address(page=page.number + 1) if page.last < page.total else ""
    if "fragment" in request.GET:
        return render(request, rows, context)
    counts = hidden.counts()
    selected = request.GET.get("alarm", "")
    assert request.user.is_authenticated  # the middleware lets nobody else in
    saved = SavedFilter.objects.filter(user=request.user).order_by("name")
    return render(
        request,
        "plant/alarms.html",
        {
            **context,
            "title": _("Alarms"),
            "crumbs": [(plant.name, reverse("overview")), (_("Alarms"), "")],
            "current_page": "alarms",
            "suppressions": True,
            "row_template": rows,
            "tabs": [(key, word, filters.address(show=key), counts.get(key)) for key, word in TABS],
            "chips": [(level, level in filters.priorities, filters.toggled(level)) for level in Priority.values],
            "chosen_priorities": filters.values().get("priority", ""),
            "whole": filters.address(**dict.fromkeys(("priority", "state", "area", "class", "position", "older", "q"))),
            "narrowing": filters.values(),
            "choices": _choices(filters),
            "saved": [(one, one.address, one.query == filters.query()) for one in saved],
            "selected": int(selected) if selected.isdecimal() and len(selected) < 19 else None,
        },
    )


def _choices(filters: Filters) -> list[tuple[str, str, str, list[tuple[str, str, bool]], bool]]:
    """Gives what can be chosen beside the area: name, word, the word for all of it, choices, and whether one is chosen.

    Cost: two queries.

    What the plant does not have, classes or positions, is not offered.
    """
    classes = list(AlarmClass.objects.order_by("name").values_list("code", "name"))
    positions = list(Position.objects.order_by("name").values_list("code", "name"))
    offered = [
        ("state", _("State"), _("any"), [(key, str(word)) for key, (word, _states) in STATES.items()], filters.state),
        ("class", _("Class"), _("any"), classes, filters.alarm_class),
        ("position", _("Position"), _("any"), positions, filters.position),
        ("older", _("Older than"), _("any"), [(str(age), str(word)) for age, word in AGES.items()], str(filters.older)),
    ]
    return [
        (name, word, whole, [(value, label, value == chosen) for value, label in values], chosen not in ("", "0"))
        for name, word, whole, values, chosen in offered
        if values
    ]
