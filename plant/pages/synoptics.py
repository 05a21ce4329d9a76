"""Synoptics: what does this part of the plant look like, and where in it is trouble?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import redis
import structlog
from django.contrib.staticfiles import finders
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from alerts import queries as alarms
from alerts.instants import to_us
from alerts.models import Alarm
from alerts.silence.queries import Silent, silent_parts
from devices import moment
from devices.models import Sensor
from devices.telemetry import latest
from devices.topology import STATE_QUANTITY
from plant import writing
from plant.drawing import Shown
from plant.machines import Condition, condition, judging
from plant.models import Synoptic
from plant.pages.reading import shown
from plant.pages.tree import Node, SensorRow, Tree, tree_for
from plant.synoptic.bindings import Binding, bindings_of
from plant.synoptic.queries import Found, found

log = structlog.get_logger(__name__)

THEMES = ("dark", "light", "")
# What a preview may do, should somebody open it by itself: be looked at.
PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@dataclass(frozen=True, slots=True)
class Group:
    """One asset of the list below the drawing, with the values that are drawn."""

    node: Node
    state: Condition | None
    values: Sequence[tuple[Sensor, Shown]]


class Mimic:
    """What the page of one synoptic shows; each part is read once."""

    def __init__(self, plant: Tree, row: Synoptic, node: Node, now: datetime) -> None:
        self.plant = plant
        self.row = row
        self.node = node
        self.now = now
        self.bindings: tuple[Binding, ...] = bindings_of(row.drawing)

    @cached_property
    def found(self) -> Found:
        """Gives what of the bindings is in the plant. Cost: three queries."""
        return found(self.bindings)

    @cached_property
    def svg(self) -> SafeString:
        """Gives the drawing as a part of the page; it went through the sanitiser when it was stored."""
        root = format_html('<svg class="sy-draw" role="group" aria-label="{}"', self.row.name)
        return mark_safe(self.row.drawing.replace("<svg", root, 1))  # noqa: S308  # plant.synoptic.cleaning wrote it

    @cached_property
    def assets(self) -> dict[str, Node]:
        """Gives the assets whose state or alarms are drawn, by code."""
        codes = [code for one in self.bindings for code in (one.asset, one.near, one.alarm_of[0]) if code]
        codes += [self.node.code, *(sensor.asset.code for sensor in self.found.sensors.values())]
        return {code: self.plant.by_code[code] for code in dict.fromkeys(codes) if code in self.plant.by_code}

    @property
    def listens(self) -> list[str]:
        """Gives the assets whose values the page hears."""
        codes = dict.fromkeys(code for one in self.bindings for code in one.codes)
        return [code for code in codes if code in self.plant.by_code]

    @cached_property
    def readings(self) -> Mapping[int, latest.Latest]:
        """Gives the newest reading of all that is drawn; none while Redis does not answer. Cost: one round trip."""
        by_shard: dict[int, set[int]] = {}
        for sensor in self.found.sensors.values():
            by_shard.setdefault(sensor.asset.shard, set()).add(sensor.pk)
        for node in self.assets.values():
            for row in self._sensors_of(node):
                by_shard.setdefault(row.shard, set()).add(row.pk)
        try:
            return latest.read_shards({shard: sorted(ids) for shard, ids in by_shard.items()})
        except redis.RedisError as error:
            log.warning("latest values not read", error=str(error))
            return {}

    @cached_property
    def silent(self) -> Mapping[str, Silent]:
        """Gives what is not heard. Cost: one query."""
        return silent_parts()

    @property
    def tally(self) -> alarms.Tally:
        """Gives the open alarms of the part of the plant that it shows. Cost: one query."""
        return alarms.tallies(self.plant.parents).get(self.node.pk) or alarms.Tally()

    @cached_property
    def worst(self) -> Mapping[int, Alarm]:
        """Gives the worst presented alarm of each sensor that is drawn. Cost: one query."""
        ids = [sensor.pk for sensor in self.found.sensors.values()]
        rows = alarms.open_alarms().filter(sensor__in=ids, suppressed=[])
        worst: dict[int, Alarm] = {}
        for alarm in sorted(rows, key=lambda row: (row.state == "D", row.priority)):
            worst.setdefault(alarm.sensor_id or 0, alarm)
        return worst

    def _sensors_of(self, node: Node) -> list[SensorRow]:
        """Gives the sensors of a machine and its parts, by asset as its page does; of a line or an area none."""
        if node.pk not in self.plant.cell_of:
            return []
        found = (row for part in node.walk() for row in self.plant.own_sensors.get(part.pk, ()))
        return sorted(found, key=lambda row: (row.asset, row.pk))

    def _teller(self, node: Node) -> SensorRow | None:
        """Gives the sensor that tells a machine's state."""
        rows = self._sensors_of(node)
        return next((row for row in rows if row.quantity == STATE_QUANTITY and row.words), None)

    def state(self, node: Node) -> Condition | None:
        """Gives the state of a machine; None for what has none."""
        rows = self._sensors_of(node)
        if not rows:
            return None
        teller = self._teller(node)
        reading = self.readings.get(teller.pk) if teller else None
        return condition(
            to_us(self.now),
            max((self.readings[row.pk].time for row in rows if row.pk in self.readings), default=None),
            judging(row.interval for row in rows),
            (reading.time, reading.value) if reading else None,
            teller.words if teller else {},
            silent=node.code in self.silent,
        )

    @cached_property
    def groups(self) -> list[Group]:
        """Gives every drawn value in words, asset by asset, in the order of the drawing."""
        values: dict[str, dict[str, tuple[Sensor, Shown]]] = {}
        for one in self.bindings:
            sensor = self.found.sensors.get(one.sensor)
            if one.asset in self.plant.by_code:
                values.setdefault(one.asset, {})
            if sensor is not None:
                values.setdefault(sensor.asset.code, {})[sensor.tag] = (sensor, self._shown(sensor))
        nodes = {code: self.plant.by_code[code] for code in values if code in self.plant.by_code}
        return [Group(node, self.state(node), tuple(values[code].values())) for code, node in nodes.items()]

    def _shown(self, sensor: Sensor) -> Shown:
        unknown = sensor.asset.code in self.silent or sensor.tag in self.silent
        reading = self.readings.get(sensor.pk)
        return shown(sensor, reading, self.now, alarm=self.worst.get(sensor.pk), unknown=unknown)

    @property
    def facts(self) -> dict[str, Any]:
        """Gives what the page's script needs to draw by itself."""
        return {
            "bindings": [self._binding(one) for one in self.bindings],
            "sensors": {tag: self._sensor(sensor) for tag, sensor in self.found.sensors.items()},
            "assets": {code: self._asset(node) for code, node in self.assets.items()},
            "trends": f"{reverse('trends')}?s=",
        }

    def _binding(self, one: Binding) -> dict[str, Any]:
        code, tag, rule = one.alarm_of
        said: dict[str, Any] = {
            "sensor": one.sensor,
            "asset": one.asset,
            "follows": one.follows if "fill" in one.ways or "visible" in one.ways else "",
            "alarm": {"asset": code, "sensor": tag, "rule": rule} if one.alarm else None,
            "ways": one.ways,
            "when": one.when,
            "format": one.format,
            "range": one.range,
            "angle": one.angle if "rotate" in one.ways else None,
            "pivot": one.pivot,
            "side": one.side if "level" in one.ways else "",
            "corner": one.corner if one.alarm else "",
            "unknown": self.found.problem(one),
        }
        return {key: value for key, value in said.items() if value}

    def _sensor(self, sensor: Sensor) -> dict[str, Any]:
        return {
            "name": f"{sensor.asset.name}, {sensor.name}",
            "unit": writing.unit(sensor.unit),
            "decimals": writing.decimals_for(sensor.range_low, sensor.range_high, sensor.decimals),
            "labels": sensor.labels or None,
            "words": self._words(sensor),
            "interval": sensor.interval,
            "range": None if sensor.range_low is None else [sensor.range_low, sensor.range_high],
        }

    def _words(self, sensor: Sensor) -> Mapping[str, tuple[str, str]] | None:
        """Gives what the values of a state sensor mean."""
        rows = self.plant.own_sensors.get(sensor.asset_id, [])
        return next((row.words for row in rows if row.pk == sensor.pk and row.words), None)

    def _asset(self, node: Node) -> dict[str, Any]:
        rows, teller = self._sensors_of(node), self._teller(node)
        return {
            "name": node.name,
            "url": node.url,
            "parts": [part.code for part in node.walk()],
            "machine": bool(rows),
            "tag": f"{self.plant.nodes[teller.asset].code}/{teller.key}" if teller else None,
            "words": teller.words if teller else None,
            **judging(row.interval for row in rows)._asdict(),
        }


# --- Finding ---------------------------------------------------------------------------------------------------------


def of(plant: Tree, node: Node) -> list[tuple[str, str]]:
    """Gives the synoptics of an asset, of what stands above it and of what stands below: name and address.

    Cost: one query.
    """
    above: set[int] = set()
    at: Node | None = node
    while at is not None:
        above.add(at.pk)
        at = at.parent
    near = above | {part.pk for part in node.walk()}
    rows = Synoptic.objects.order_by("name", "pk").values_list("pk", "name", "asset_id")
    return [(name, reverse("synoptic", args=[pk])) for pk, name, asset in rows if asset in near]


def find(pk: int) -> Synoptic:
    """Gives a synoptic with its asset. Raises: Http404."""
    row = Synoptic.objects.select_related("asset").filter(pk=pk).first()
    if row is None:
        raise Http404(_("There is no synoptic %(number)s.") % {"number": pk})
    return row


def versioned() -> QuerySet[Synoptic]:
    """Gives the synoptics without their drawings, each with the number of its newest version."""
    newest = Synoptic.history.model.objects.filter(id=OuterRef("pk")).order_by("-history_id").values("history_id")[:1]
    return Synoptic.objects.defer("drawing").annotate(version=Subquery(newest)).order_by("name", "pk")


# --- Pages -----------------------------------------------------------------------------------------------------------


@require_GET
def synoptics(request: HttpRequest) -> HttpResponse:
    """Lists the synoptics by area. Cost: the same number of queries for any number of them."""
    plant = tree_for(request)
    areas: dict[int, tuple[Node, list[Synoptic]]] = {}
    places = {pk: place for place, pk in enumerate(plant.nodes)}
    for row in versioned():
        node = plant.nodes.get(row.asset_id)
        if node is not None:
            head = plant.head_of(node)
            areas.setdefault(head.pk, (head, []))[1].append(row)
    ordered = sorted(areas.values(), key=lambda pair: places[pair[0].pk])
    return render(
        request,
        "plant/synoptics.html",
        {
            "title": _("Synoptics"),
            "crumbs": [(plant.name, reverse("overview")), (_("Synoptics"), "")],
            "current_page": "synoptics",
            "areas": [(head, [(row, plant.nodes[row.asset_id]) for row in rows]) for head, rows in ordered],
            "may_add": request.user.has_perm("plant.add_synoptic"),
        },
    )


@require_GET
def synoptic(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows one synoptic. Cost: the same number of queries for any number of bound elements."""
    plant, row = tree_for(request), find(pk)
    node = plant.nodes.get(row.asset_id)
    if node is None:
        raise Http404(_("There is no synoptic %(number)s.") % {"number": pk})
    mimic = Mimic(plant, row, node, moment.now())
    return render(
        request,
        "plant/synoptic.html",
        {
            "mimic": mimic,
            "synoptic": row,
            "node": node,
            "title": row.name,
            "crumbs": [
                (_("Plant"), reverse("overview")),
                (_("Synoptics"), reverse("synoptics")),
                (row.name, ""),
            ],
            "current_page": "synoptics",
            "subscribe": mimic.listens,
            "may_change": request.user.has_perm("plant.change_synoptic"),
        },
    )


@require_GET
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives the drawing as a picture in a theme; values are left out of it.

    The address carries the version, so that a browser asks once for each.
    """
    drawing = Synoptic.objects.filter(pk=pk).values_list("drawing", flat=True).first()
    if drawing is None:
        raise Http404(_("There is no synoptic %(number)s.") % {"number": pk})
    theme = request.GET.get("theme", "")
    root = (
        f'<svg class="sy-draw preview" data-theme="{theme}"' if theme in THEMES[:2] else '<svg class="sy-draw preview"'
    )
    style = f"<style>{_styles()}</style>"
    begun = drawing.index(">") + 1
    text = f"{drawing[:begun].replace('<svg', root, 1)}{style}{drawing[begun:]}"
    answer = HttpResponse(text, content_type="image/svg+xml")
    answer["Content-Security-Policy"] = PREVIEW_POLICY
    answer["Cache-Control"] = "private, max-age=604800"
    return answer


@lru_cache(maxsize=1)
def _styles() -> str:
    """Gives the tokens and what draws with them, for a picture that stands alone."""
    names = ("css/tokens.css", "css/components/drawing.css")
    paths = [finders.find(name) for name in names]
    css = "".join(Path(path).read_text(encoding="utf-8") for path in paths if path)
    return css.replace("&", "&amp;").replace("<", "&lt;")
