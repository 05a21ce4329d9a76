"""Rationalisation: is each alarm thought through, and has it the priority that follows?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from alerts.changes import label_of
from alerts.rationalisation import NO_ALARM, Entry, Tally, review
from plant.pages.tree import Node, tree_for

ROWS = 100
SHOWN = (
    ("open", gettext_lazy("To do")),
    ("incomplete", gettext_lazy("Incomplete")),
    ("differing", gettext_lazy("Other priority")),
    ("all", gettext_lazy("All")),
)


@dataclass(slots=True)
class Line:
    """One rule; of a type's rule that is the same on many assets, all of them."""

    entry: Entry
    nodes: list[Node] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Gives what it lacks, in words."""
        return [label_of(name) for name in self.entry.missing]

    @property
    def is_no_alarm(self) -> bool:
        """Tells whether there is time enough for it to be none."""
        return self.entry.suggested == NO_ALARM

    @property
    def url(self) -> str:
        """Gives the rule's page; its type's, where several assets have it from there."""
        if len(self.nodes) > 1 and self.entry.type_rule is not None:
            return reverse("type-rule", args=[self.entry.type_rule])
        return reverse("rule", args=[self.entry.id])


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; it stands in the address."""

    show: str
    area: str
    page: int

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """Reads them from the address; what makes no sense is left out."""
        show, page = request.GET.get("show", ""), request.GET.get("page", "")
        number = int(page) if page.isdecimal() and len(page) < 6 else 1
        return cls(show if show in dict(SHOWN) else "open", request.GET.get("area", ""), max(number, 1))

    def address(self, **changes: Any) -> str:
        """Gives the page's address with some of the filters changed."""
        values = {"show": self.show if self.show != "open" else "", "area": self.area, **changes}
        given = {key: value for key, value in values.items() if value and (key, value) != ("show", "open")}
        return f"{reverse('rationalisation')}?{urlencode(given)}" if given else reverse("rationalisation")

    def keeps(self, entry: Entry) -> bool:
        """Tells whether a rule is among those to show."""
        return (
            self.show == "all"
            or (self.show != "differing" and bool(entry.missing))
            or (self.show != "incomplete" and entry.differs)
        )


@require_GET
def rationalisation(request: HttpRequest) -> HttpResponse:
    """Counts by area, and lists what is to do. Cost: the same number of queries for any number of rules."""
    plant, filters = tree_for(request), Filters.of(request)
    areas: dict[int, tuple[Node, Tally]] = {panel.node.pk: (panel.node, Tally()) for panel in plant.panels}
    whole = Tally()
    lines: dict[tuple[Any, ...], Line] = {}
    for entry in review():
        node = plant.nodes.get(entry.asset)
        if node is None:
            continue  # it came after the tree was read
        head = plant.head_of(node)
        areas.setdefault(head.pk, (head, Tally()))[1].count(entry)
        whole.count(entry)
        if filters.keeps(entry) and filters.area in ("", head.code):
            same = (entry.type_rule, entry.name, entry.priority, entry.missing, entry.suggested)
            lines.setdefault(same if entry.type_rule else (entry.id,), Line(entry)).nodes.append(node)
    found = list(lines.values())
    start = (filters.page - 1) * ROWS
    return render(
        request,
        "plant/rationalisation.html",
        {
            "title": _("Rationalisation"),
            "crumbs": [(plant.name, reverse("overview")), (_("Rationalisation"), "")],
            "current_page": "rationalisation",
            "filters": filters,
            "whole": whole,
            "everywhere": filters.address(area=""),
            "areas": [(node, tally, filters.address(area=node.code)) for node, tally in areas.values() if tally.rules],
            "shown": [(key, word, filters.address(show=key)) for key, word in SHOWN],
            "lines": found[start : start + ROWS],
            "count": len(found),
            "newer": filters.address(page=filters.page - 1) if filters.page > 1 else "",
            "older": filters.address(page=filters.page + 1) if len(found) > start + ROWS else "",
        },
    )
