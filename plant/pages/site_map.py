"""The map: what stands and moves where, and where trouble is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from alerts import queries
from alerts.instants import to_us
from devices import moment
from devices.models import Asset
from devices.telemetry import history
from devices.telemetry.batch import Quality
from devices.telemetry.codec import Columns
from plant.drawing import Cell
from plant.models import MapLayer, SitePlan
from plant.pages.overview import Board
from plant.pages.tree import Node, SensorRow, Tree, tree
from plant.site.geojson import thinned

LATITUDE, LONGITUDE = "latitude", "longitude"  # quantities of the two sensors that say where a machine is
MOST_HEARD = 200  # assets by code in one subscription; beyond, the page hears the whole plant
LISTED = 50  # rows of the list at once

# Tracks.
SPANS = {"1h": 3600, "8h": 8 * 3600}
MOST_TRACKS = 200
TRACK_TOLERANCE = 1e-5  # degrees: a metre
GAP_INTERVALS = 3
GAP_AT_LEAST = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Where:
    """Where an asset stands by its own fields: degrees, or metres of the site plan."""

    location: tuple[float, float] | None
    plan: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Moving:
    """The two sensors that say where a machine is."""

    latitude: SensorRow
    longitude: SensorRow

    @property
    def interval(self) -> float | None:
        """Gives the seconds between two positions."""
        return max(self.latitude.interval or 0, self.longitude.interval or 0) or None


@dataclass(frozen=True, slots=True)
class Spot:
    """An asset on the map, with everything that is shown at its place."""

    node: Node
    where: Where
    moving: Moving | None
    codes: Sequence[str]  # of the assets whose alarms are shown here: those without a place of their own
    tally: queries.Tally
    cell: Cell | None  # of a machine; an area or a line has none


def moving(plant: Tree) -> dict[int, Moving]:
    """Gives the machines that say where they are. Cost: none."""
    found = {}
    for node in plant.cells:
        of = {
            sensor.quantity: sensor for sensor in plant.sensors_of[node.pk] if sensor.quantity in (LATITUDE, LONGITUDE)
        }
        if len(of) == 2:
            found[node.pk] = Moving(of[LATITUDE], of[LONGITUDE])
    return found


def places() -> dict[int, Where]:
    """Gives where assets stand. Cost: one query."""
    rows = Asset.objects.order_by().values_list("pk", "latitude", "longitude", "plan_x", "plan_y")
    return {
        pk: Where(
            None if latitude is None else (latitude, longitude),
            None if x is None else (x, y),
        )
        for pk, latitude, longitude, x, y in rows.exclude(latitude=None, plan_x=None)
    }


class Ground:
    """Everything on the map."""

    def __init__(self, plant: Tree, now: datetime) -> None:
        self.plant = plant
        self.board = Board(plant, now)

    @cached_property
    def spots(self) -> list[Spot]:
        """Gives the assets that have a place, by name. Cost: three queries and one round trip to Redis."""
        standing, movers = places(), moving(self.plant)
        held: dict[int, list[Node]] = {pk: [] for pk in {*standing, *movers}}
        holder: dict[int, int | None] = {}
        for node in self.plant.nodes.values():  # what stands above comes first
            above = holder.get(node.parent.pk) if node.parent else None
            holder[node.pk] = node.pk if node.pk in held else above
            if (at := holder[node.pk]) is not None:
                held[at].append(node)
        nowhere = Where(None, None)
        found = [
            Spot(
                node=self.plant.nodes[pk],
                where=standing.get(pk, nowhere),
                moving=movers.get(pk),
                codes=[node.code for node in nodes],
                tally=self._tally(nodes),
                cell=self.board.cell(self.plant.nodes[pk]) if pk in self.plant.sensors_of else None,
            )
            for pk, nodes in held.items()
            if pk in self.plant.nodes
        ]
        return sorted(found, key=lambda spot: (spot.node.name.casefold(), spot.node.code))

    def _tally(self, nodes: Iterable[Node]) -> queries.Tally:
        """Gives the open alarms of some assets, without those of others below them."""
        return queries.together(self.own_tallies[node.pk] for node in nodes if node.pk in self.own_tallies)

    @cached_property
    def own_tallies(self) -> Mapping[int | None, queries.Tally]:
        """Gives the open alarms of each asset alone. Cost: one query."""
        return queries.tallies({})

    @cached_property
    def layers(self) -> list[MapLayer]:
        """Gives the layers in the order in which they are drawn, without their contents. Cost: one query."""
        return list(MapLayer.objects.defer("content").order_by("id"))

    @cached_property
    def plan(self) -> SitePlan | None:
        """Gives where the plan lies. Cost: one query."""
        return SitePlan.objects.first()

    @property
    def on_earth(self) -> bool:
        """Tells whether anything is given in degrees."""
        return any(spot.where.location or spot.moving for spot in self.spots) or any(
            not layer.metres for layer in self.layers
        )

    @property
    def off(self) -> int:
        """Gives how many assets have metres on a plan of which nobody knows where it lies on the earth."""
        if self.plan is not None or not self.on_earth:
            return 0
        return sum(spot.where.location is None and spot.where.plan is not None for spot in self.spots)

    @property
    def moves(self) -> bool:
        """Tells whether anything on the map moves."""
        return any(spot.moving for spot in self.spots)

    @property
    def empty(self) -> bool:
        """Tells whether there is nothing to show."""
        return not self.spots and not self.layers

    @property
    def heard(self) -> Any:
        """Gives what the page hears of values."""
        codes = [spot.node.code for spot in self.spots if spot.cell]
        return codes if len(codes) <= MOST_HEARD else "all"

    def page(self) -> dict[str, Any]:
        """Gives what the script draws from."""
        plan = self.plan
        anchor: Any = [plan.latitude, plan.longitude, plan.bearing] if plan else None
        if anchor is None and not self.on_earth:
            anchor = [0.0, 0.0, 0.0]  # metres stay metres where nothing says otherwise
        return {
            "plan": anchor,
            "layers": [_layer(layer) for layer in self.layers],
            "spots": [_spot(spot) for spot in self.spots],
            "words": self.board.words,
            "below": self._below(),
        }

    def _below(self) -> dict[str, list[str]]:
        """Gives, for the assets that outlines name, the codes of all below them."""
        named = {code for layer in self.layers for code in layer.facts.get("assets", ())}
        found = (self.plant.by_code.get(code) for code in sorted(named))
        return {node.code: [below.code for below in node.walk()] for node in found if node is not None}


def _layer(layer: MapLayer) -> dict[str, Any]:
    return {
        "kind": layer.kind,
        "name": layer.name,
        "metres": layer.metres,
        "extent": [layer.west, layer.south, layer.east, layer.north],
        "url": reverse("map-layer", args=[layer.pk, layer.digest]),
    }


def _spot(spot: Spot) -> dict[str, Any]:
    node, cell = spot.node, spot.cell
    found: dict[str, Any] = {
        "code": node.code,
        "name": node.name,
        "place": node.place,
        "url": node.url,
    }
    if spot.where.location:
        found["at"] = spot.where.location
    if spot.where.plan:
        found["plan"] = spot.where.plan
    if spot.codes != [node.code]:
        found["codes"] = spot.codes
    if spot.moving:
        tags = [f"{node.code}/{sensor.key}" for sensor in (spot.moving.latitude, spot.moving.longitude)]
        found["moves"] = [*tags, spot.moving.interval]
    if cell:
        found["cell"] = {
            "kind": cell.kind,
            "word": cell.word,
            "newest": None if cell.newest is None else cell.newest // 1000,
            "state": cell.state_tag,
            "words": cell.words,
            "after": {
                "stale": _milliseconds(cell.stale_after),
                "offline": _milliseconds(cell.offline_after),
            },
        }
        if cell.parts:
            found["cell"]["codes"] = [cell.code, *cell.parts]
    return found


def _milliseconds(seconds: float | None) -> float | None:
    """Gives milliseconds, or None for never."""
    return None if seconds is None else seconds * 1000


@require_GET
def site_map(request: HttpRequest) -> HttpResponse:
    """Shows the map, and beside it a list of what is on it."""
    plant = tree()
    ground = Ground(plant, moment.now())
    words = request.GET.get("q", "").strip()
    spots = [spot for spot in ground.spots if _matches(spot, words)]
    shown = {
        "title": _("Map"),
        "crumbs": [(_("Plant"), reverse("overview")), (_("Map"), "")],
        "current_page": "map",
        "ground": ground,
        "words": words,
        "found": len(spots),
        "listed": Paginator(spots, LISTED).get_page(request.GET.get("page")),
        "subscribe": ground.heard,
        "may_change": request.user.has_perm("plant.add_maplayer"),
    }
    return render(request, "plant/map.html", shown)


def _matches(spot: Spot, words: str) -> bool:
    whole = f"{spot.node.code} {spot.node.name} {spot.node.place}".casefold()
    return all(word in whole for word in words.casefold().split())


@require_GET
def layer(request: HttpRequest, pk: int, digest: str) -> HttpResponse:
    """Gives a layer's content; the digest in its address lets the browser keep it."""
    found = MapLayer.objects.filter(pk=pk, digest=digest).first()
    if found is None:
        raise Http404(_("There is no such layer."))
    answer = HttpResponse(bytes(found.content), content_type=found.media_type)
    answer["Cache-Control"] = "private, max-age=31536000, immutable"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


# --- Tracks ----------------------------------------------------------------------------------------------------------


@require_GET
def tracks(request: HttpRequest) -> JsonResponse:
    """Gives the way that each moving machine has come.

    Takes: `span`, one of SPANS; `at`, the end in milliseconds since the epoch, now if left out.
    Gives: by code, lists of `[time in ms, latitude, longitude]`; a new list where positions were missing.
    """
    span = SPANS.get(request.GET.get("span", ""))
    at = request.GET.get("at", "")
    if span is None or (at and not (at.isdecimal() and len(at) <= 15)):
        return JsonResponse({"error": _("A track has a span of %(spans)s.") % {"spans": ", ".join(SPANS)}}, status=400)
    end = int(at) * 1000 if at else to_us(timezone.now())
    plant = tree()
    movers = list(moving(plant).items())[:MOST_TRACKS]
    sensors = [sensor.pk for _, one in movers for sensor in (one.latitude, one.longitude)]
    readings = history.read_many(sensors, end - span * 1_000_000, end) if sensors else {}
    found = {
        plant.nodes[pk].code: track(readings[one.latitude.pk], readings[one.longitude.pk], one.interval)
        for pk, one in movers
    }
    return JsonResponse({"tracks": found}, json_dumps_params={"separators": (",", ":")})


def track(latitude: Columns, longitude: Columns, interval: float | None) -> list[list[list[float]]]:
    """Gives the way that two sensors tell of, without the points that lie on it anyhow.

    A latitude goes with the longitude of the same time, or the one before it. Bad readings leave a gap, and so does a
    time without any.
    """
    latitude, longitude = (part.take(part.quality != Quality.BAD) for part in (latitude, longitude))
    if not len(latitude) or not len(longitude):
        return []
    longest = max(GAP_INTERVALS * (interval or 0), GAP_AT_LEAST) * 1_000_000
    place = np.searchsorted(longitude.time, latitude.time, side="right") - 1
    known = place >= 0
    known[known] = latitude.time[known] - longitude.time[place[known]] <= longest
    times = latitude.time[known]
    points = np.column_stack([longitude.value[place[known]], latitude.value[known]])
    sound = (np.abs(points[:, 0]) <= 180) & (np.abs(points[:, 1]) <= 85)
    times, points = times[sound], points[sound]
    if not len(times):
        return []
    across = float(np.cos(np.radians(points[:, 1].mean())))
    found = []
    for part in np.split(np.arange(len(times)), np.flatnonzero(np.diff(times) > longest) + 1):
        kept = part[thinned(points[part], TRACK_TOLERANCE, across)]
        found.append(
            [
                [time // 1000, round(y, 7), round(x, 7)]
                for time, (x, y) in zip(times[kept].tolist(), points[kept].tolist(), strict=True)
            ]
        )
    return found
