"""All rules: what is watched, by which version, and which of it wastes attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from alerts.editing import Version, versions
from alerts.figures.nuisance import chatter
from alerts.instants import to_us
from alerts.models import Alarm, Priority, Rule, RuleInput, TypeRule
from alerts.rules import freeze
from alerts.wiring import values_of
from devices.models import TypeSensor
from plant.pages.alarms import condition_words
from plant.pages.tree import Node, Tree, tree_for

ROWS = 50
LATELY = timedelta(days=7)  # in which alarms are counted and may chatter
MOST_ALARMS = 20_000  # that are looked at, the newest
SHOWN = (
    ("all", gettext_lazy("In force")),
    ("chattering", gettext_lazy("Chattering")),
    ("off", gettext_lazy("Not in force")),
    ("types", gettext_lazy("Of types")),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One rule of the list."""

    rule: Rule | TypeRule
    node: Node | None
    owner: str
    condition: str
    version: Version | None
    lately: int
    chatters: bool
    assets: int  # of a type's rule

    @property
    def url(self) -> str:
        """Gives the rule's page."""
        return reverse("rule" if isinstance(self.rule, Rule) else "type-rule", args=[self.rule.pk])

    @property
    def edit(self) -> str:
        """Gives the rule's editor."""
        return reverse("rule-edit" if isinstance(self.rule, Rule) else "type-rule-edit", args=[self.rule.pk])


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; it stands in the address."""

    show: str
    area: str
    priority: str
    words: str
    page: int

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """Reads them from the address; what makes no sense is left out."""
        get = request.GET
        show, priority, page = get.get("show", ""), get.get("priority", ""), get.get("page", "")
        return cls(
            show if show in dict(SHOWN) else "all",
            get.get("area", ""),
            priority if priority in map(str, Priority.values) else "",
            get.get("q", "").strip()[:100],
            max(1, int(page)) if page.isdecimal() and len(page) < 6 else 1,
        )

    def address(self, **changes: Any) -> str:
        """Gives the list's address with some of the filters changed."""
        values = {"show": self.show, "area": self.area, "priority": self.priority, "q": self.words, **changes}
        given = {key: value for key, value in values.items() if value and (key, value) != ("show", "all")}
        return f"{reverse('rules')}?{urlencode(given)}" if given else reverse("rules")


@require_GET
def rules(request: HttpRequest) -> HttpResponse:
    """Lists rules. Cost: the same number of queries for any number of rules."""
    plant, filters, now = tree_for(request), Filters.of(request), timezone.now()
    found, lately = _found(filters, plant, now)
    start = (filters.page - 1) * ROWS
    rows = list(found[start : start + ROWS + 1])
    shown = rows[:ROWS]
    of_types = filters.show == "types"
    if lately is None and not of_types:
        lately = _lately(now, [row.pk for row in shown])
    counts, chattering = lately or (Counter(), set())
    return render(
        request,
        "plant/rules/list.html",
        {
            "title": _("Rules"),
            "crumbs": [(plant.name, reverse("overview")), (_("Rules"), "")],
            "current_page": "rules",
            "filters": filters,
            "count": found.count(),
            "lines": _lines(shown, plant, counts, chattering),
            "shown": [(key, word, filters.address(show=key)) for key, word in SHOWN],
            "areas": [(panel.node.code, panel.node.name) for panel in plant.panels],
            "priorities": [(str(one.value), str(one.label)) for one in Priority],
            "newer": filters.address(page=filters.page - 1) if filters.page > 1 else "",
            "older": filters.address(page=filters.page + 1) if len(rows) > ROWS else "",
            "may_add": request.user.has_perm("alerts.add_rule"),
        },
    )


Lately = tuple[Counter[int], set[int]]  # alarms by rule, and the rules that chatter


def _found(filters: Filters, plant: Tree, now: datetime) -> tuple[Any, Lately | None]:
    """Gives the query of the rules that the filters leave, and what was looked at of their alarms for it."""
    lately = None
    if filters.show == "types":
        found: Any = (
            TypeRule.objects.select_related("type").annotate(assets=Count("copies")).order_by("type__name", "name")
        )
        words = Q()
        for word in filters.words.split():
            words &= Q(name__icontains=word) | Q(type__name__icontains=word) | Q(sensor_key__icontains=word)
    else:
        found = Rule.objects.select_related("asset", "origin").order_by("priority", "asset__code", "name", "pk")
        found = found.filter(enabled=filters.show != "off")
        words = Q()
        for word in filters.words.split():
            words &= (
                Q(name__icontains=word)
                | Q(asset__code__icontains=word)
                | Q(asset__name__icontains=word)
                | Q(sensor_key__icontains=word)
            )
        if filters.area:
            node = plant.by_code.get(filters.area)
            found = found.filter(asset_id__in=[below.pk for below in node.walk()] if node else [])
        if filters.show == "chattering":
            lately = _lately(now)
            found = found.filter(pk__in=lately[1])
    if filters.priority:
        found = found.filter(priority=int(filters.priority))
    return found.filter(words), lately


def _lately(now: datetime, rules: Collection[int] | None = None) -> Lately:
    """Gives how many alarms rules raised lately, and which chatter. Takes: None for all of them. Cost: one query."""
    found = Alarm.objects.filter(raised__gte=now - LATELY, rule__isnull=False)
    if rules is not None:
        found = found.filter(rule__in=rules)
    rows = list(found.order_by("-raised").values_list("rule_id", "raised")[:MOST_ALARMS])
    sources = np.array([rule for rule, _raised in rows], np.int64)
    times = np.array([to_us(raised) for _rule, raised in rows], np.int64)
    repeats, _member = chatter(times, sources)
    return Counter(sources.tolist()), {one.source for one in repeats if one.chatters}


def _lines(rows: Collection[Any], plant: Tree, counts: Counter[int], chattering: set[int]) -> list[Line]:
    """Gives rules as the list shows them. Cost: 2 queries."""
    if not rows:
        return []
    model = type(next(iter(rows)))
    known = versions(model, [row.pk for row in rows])
    scales: dict[Any, tuple[str, Mapping[str, Any]]] = {}  # unit, and what values are called
    if model is Rule:
        first = RuleInput.objects.filter(rule__in=[row.pk for row in rows], place=0).order_by()
        found = first.values_list("rule_id", "sensor__unit", "sensor__labels")
        scales = {rule: (unit, labels) for rule, unit, labels in found}
    else:
        own = TypeSensor.objects.filter(type__in={row.type_id for row in rows}).order_by()
        columns = own.values_list("type_id", "key", "unit", "labels")
        scales = {(kind, key): (unit, labels) for kind, key, unit, labels in columns}
    lines = []
    for row in rows:
        own_rule = isinstance(row, Rule)
        values = freeze(row) if own_rule else values_of(row)
        scale = scales.get(row.pk if own_rule else (row.type_id, row.sensor_key), ("", {}))
        lines.append(
            Line(
                rule=row,
                node=plant.nodes.get(row.asset_id) if own_rule else None,
                owner=row.asset.name if own_rule else row.type.name,
                condition=condition_words(values, *scale),
                version=known.get(row.pk),
                lately=counts[row.pk] if own_rule else 0,
                chatters=own_rule and row.pk in chattering,
                assets=0 if own_rule else row.assets,
            )
        )
    return lines
