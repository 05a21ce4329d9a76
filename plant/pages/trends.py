"""The trend explorer: what happened, compared with when it was fine?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from alerts.models import Alarm, Rule, RuleInput
from devices import annotating
from devices.models import Sensor
from plant.pages import finding
from plant.pages.tree import Node, Tree, tree_for
from plant.pages.trend import limits_of, mark_of, trend_of
from plant.playback import instant

PENS = 12
RANGES = (
    ("1h", gettext_lazy("1 h"), 3600),
    ("8h", gettext_lazy("8 h"), 28_800),
    ("24h", gettext_lazy("24 h"), 86_400),
    ("7d", gettext_lazy("7 d"), 604_800),
    ("30d", gettext_lazy("30 d"), 2_592_000),
)
MOST_MARKS = 300  # alarms of one range
MOST_FOUND = 60  # sensors that words lead to


@require_GET
def trends(request: HttpRequest) -> HttpResponse:
    """Shows the explorer with the sensors of its address. Cost: the same number of queries for any plant."""
    plant = tree_for(request)
    pens = _pens(_picked(request), plant)
    return render(
        request,
        "plant/trends.html",
        {
            "title": _("Trends"),
            "crumbs": [(_("Plant"), reverse("overview")), (_("Trends"), "")],
            "current_page": "trends",
            "subscribe": sorted({pen["asset"] for pen in pens}),
            "ranges": RANGES,
            "most": PENS,
            "pens": pens,
            "tree": _opened(plant, {pen["asset"] for pen in pens}),
            "may": request.user.has_perm(annotating.ADD),
            "longest": annotating.LONGEST_TEXT,
        },
    )


@require_GET
def sensors(request: HttpRequest) -> JsonResponse:
    """Gives what is needed to draw the named sensors; those that are not there are left out."""
    return JsonResponse({"items": _pens(_picked(request), tree_for(request))})


@require_GET
def branch(request: HttpRequest) -> JsonResponse:
    """Gives what stands right below an asset, or the sensors that words lead to."""
    plant = tree_for(request)
    words = request.GET.get("q", "").casefold().split()
    if words:
        found = finding.sensors(words, plant, MOST_FOUND + 1)
        items = [_leaf(node, sensor.key, sensor.name) for node, sensor in found[:MOST_FOUND]]
        return JsonResponse({"items": items, "more": len(found) > MOST_FOUND})
    node = plant.by_code.get(request.GET.get("under", ""))
    return JsonResponse({"items": [] if node is None else _below(node, plant)})


@require_GET
def marks(request: HttpRequest) -> JsonResponse:
    """Gives the alarms that the named sensors raised in a range, newest first, and what people say of it."""
    start, end = (instant(request.GET.get(name, "")) for name in ("start", "end"))
    if start is None or end is None:
        return JsonResponse({"error": _("start and end are times with an offset, from 2000 to 2199.")}, status=400)
    picked = _sensors(_picked(request))
    ids = [sensor.pk for sensor in picked]
    raised = Alarm.objects.filter(sensor__in=ids, raised__gte=start, raised__lte=end).order_by("-raised", "-pk")
    alarms = list(raised[: MOST_MARKS + 1])
    said = annotating.between(start, end, assets={sensor.asset_id for sensor in picked})
    return JsonResponse(
        {
            "alarms": [{**mark_of(alarm), "tag": alarm.tag} for alarm in alarms[:MOST_MARKS]],
            "more": len(alarms) > MOST_MARKS,
            "notes": [_note(note, request) for note in said[: annotating.MOST_SHOWN]],
        }
    )


def _picked(request: HttpRequest) -> list[str]:
    """Gives the tags of the address, each once, as many as there are pens."""
    return list(dict.fromkeys(request.GET.getlist("s")))[:PENS]


def _sensors(tags: Iterable[str]) -> list[Sensor]:
    """Gives the sensors of some tags that are there, in their order. Cost: one query."""
    wanted = [tag.partition("/") for tag in tags]
    rows = Sensor.objects.filter(
        asset__code__in={code for code, _slash, _key in wanted}, key__in={key for _code, _slash, key in wanted}
    )
    found = {sensor.tag: sensor for sensor in rows.select_related("asset")}
    return [found[tag] for tag in tags if tag in found]


def _pens(tags: list[str], plant: Tree) -> list[dict[str, Any]]:
    """Gives what is drawn for each of the sensors. Cost: three queries."""
    found = _sensors(tags)
    reads: dict[int, list[int]] = {}
    inputs = RuleInput.objects.filter(sensor__in=[sensor.pk for sensor in found], place=0, rule__enabled=True)
    for sensor_id, rule_id in inputs.order_by("rule_id").values_list("sensor_id", "rule_id"):
        reads.setdefault(sensor_id, []).append(rule_id)
    rules = Rule.objects.in_bulk([number for numbers in reads.values() for number in numbers])
    pens = []
    for sensor in found:
        node = plant.nodes[sensor.asset_id]
        limits = limits_of(rules[number] for number in reads.get(sensor.pk, []))
        place = {"asset": node.code, "machine": node.name, "place": node.place, "url": node.url}
        pens.append({**trend_of(sensor, limits), **place, "range": [sensor.range_low, sensor.range_high]})
    return pens


def _note(note: Any, request: HttpRequest) -> dict[str, Any]:
    person = note.person
    return {
        "id": note.pk,
        "asset": note.asset.code,
        "tag": note.sensor.tag if note.sensor else None,
        "from": note.start.timestamp(),
        "to": note.end.timestamp(),
        "text": note.text,
        "person": (person.get_full_name() or person.get_username()) if person else "",
        "own": note.person_id == request.user.pk,
    }


# --- The tree --------------------------------------------------------------------------------------------------------


def _leaf(node: Node, key: str, name: str) -> dict[str, Any]:
    return {"tag": f"{node.code}/{key}", "key": key, "name": name, "machine": node.name}


def _below(node: Node, plant: Tree) -> list[dict[str, Any]]:
    """Gives an asset's own sensors, then the assets right below it. Cost: none."""
    leaves = [_leaf(node, sensor.key, sensor.name) for sensor in plant.own_sensors.get(node.pk, ())]
    return [*leaves, *(_branch(child, plant) for child in node.children)]


def _branch(node: Node, plant: Tree) -> dict[str, Any]:
    opens = bool(node.children) or node.pk in plant.own_sensors
    return {"code": node.code, "name": node.name, "opens": opens}


def _opened(plant: Tree, wanted: set[str]) -> list[dict[str, Any]]:
    """Gives the tree as the page begins: the roots opened, and what stands above the wanted assets."""
    on_the_way = {above.pk for code in wanted if (at := plant.by_code.get(code)) for above in _path(at)}

    def grow(node: Node) -> dict[str, Any]:
        found = _branch(node, plant)
        if node.pk in on_the_way or node.parent is None:
            kept = [row for row in _below(node, plant) if "tag" in row]
            found["items"] = [*kept, *(grow(child) for child in node.children)]
        return found

    return [grow(root) for root in plant.roots]


def _path(node: Node) -> list[Node]:
    """Gives an asset and all above it."""
    steps: list[Node] = []
    at: Node | None = node
    while at is not None:
        steps.append(at)
        at = at.parent
    return steps
