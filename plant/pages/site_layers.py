"""What the map is drawn on: layers are uploaded and taken away, and the site plan is given its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from devices.models import Asset
from plant.models import MapLayer, SitePlan
from plant.pages.deliveries import person
from plant.pages.tree import tree
from plant.site import picture, services
from plant.site.geojson import MOST_BYTES, Unusable

EDGES = ("west", "south", "east", "north")
PLAN = ("latitude", "longitude", "bearing")
CHANGES = 20  # of the history that are shown


def _shown(
    request: HttpRequest, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> HttpResponse:
    plant, plan = tree(), SitePlan.objects.first()
    layers = list(MapLayer.objects.defer("content").select_related("uploaded_by").order_by("id"))
    named = {code for layer in layers for code in layer.facts.get("assets", ())}
    unknown = named - set(Asset.objects.filter(code__in=named).values_list("code", flat=True))
    placed = {name: getattr(plan, name) for name in PLAN} if plan else {}
    return render(
        request,
        "plant/map_layers.html",
        {
            "title": _("Map layers"),
            "crumbs": [(plant.name, reverse("overview")), (_("Map"), reverse("map")), (_("Map layers"), "")],
            "current_page": "map",
            "layers": layers,
            "unknown": sorted(unknown),
            "plan": plan,
            "past": list(MapLayer.history.select_related("history_user").order_by("-history_date")[:CHANGES]),
            "may_add": request.user.has_perm("plant.add_maplayer"),
            "may_delete": request.user.has_perm("plant.delete_maplayer"),
            "may_place": request.user.has_perm("plant.change_siteplan"),
            "most": MOST_BYTES // 1024 // 1024,
            "edges": [
                ("north", _("North edge")),
                ("south", _("South edge")),
                ("west", _("West edge")),
                ("east", _("East edge")),
            ],
            "plan_fields": [
                ("latitude", _("Latitude")),
                ("longitude", _("Longitude")),
                ("bearing", _("Bearing in degrees")),
            ],
            "typed": {**placed, **(typed or {})},
            "errors": errors or {},
        },
        status=400 if errors else 200,
    )


@require_GET
def layers(request: HttpRequest) -> HttpResponse:
    """Shows the layers and where the plan lies. Cost: the same number of queries for any number of layers."""
    return _shown(request)


@require_POST
def add(request: HttpRequest) -> HttpResponseBase:
    """Takes an uploaded file as a layer."""
    if not request.user.has_perm("plant.add_maplayer"):
        raise PermissionDenied
    typed = {name: request.POST.get(name, "")[:100].strip() for name in ("name", "metres", *EDGES)}
    file = request.FILES.get("file")
    if file is None:
        return _shown(request, typed, {"file": _("Choose a file.")})
    most = max(MOST_BYTES, picture.MOST_BYTES)
    if file.size is None or file.size > most:
        return _shown(
            request, typed, {"file": _("The file is larger than %(most)s MiB.") % {"most": most // 1024 // 1024}}
        )
    try:
        made = _take(typed, file, request)
    except Unusable as refusal:
        return _shown(request, typed, {"file": " ".join(refusal.words)})
    except ValidationError as refusal:
        return _shown(request, typed, _by_field(refusal))
    messages.success(request, _("“%(name)s” is on the map.") % {"name": made.name})
    return redirect("map-layers")


def _take(typed: Mapping[str, str], file: UploadedFile[bytes], request: HttpRequest) -> MapLayer:
    """Adds what was sent: a picture by its corners, anything else as GeoJSON."""
    common: dict[str, Any] = {"metres": bool(typed["metres"]), "user": person(request)}
    name = typed["name"] or (file.name or "").rpartition(".")[0][: services.LONGEST_NAME]
    data = file.read()
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return services.add_outlines(name=name, data=data, **common)
    west, south, east, north = (_number(typed, edge) for edge in EDGES)
    return services.add_picture(name=name, data=data, extent=(west, south, east, north), **common)


def _number(typed: Mapping[str, str], name: str) -> float:
    """Gives a field's number; a comma is taken for a decimal sign. Raises: ValidationError."""
    try:
        return float(typed[name].replace(",", "."))
    except ValueError:
        raise ValidationError({name: _("Write a number.")}) from None


def _by_field(refusal: ValidationError) -> dict[str, str]:
    return {field: " ".join(words) for field, words in refusal.message_dict.items()}


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Takes a layer away."""
    if not request.user.has_perm("plant.delete_maplayer"):
        raise PermissionDenied
    layer = MapLayer.objects.filter(pk=pk).first()
    if layer is None:
        raise Http404(_("There is no such layer."))
    services.remove_layer(layer=layer)
    messages.success(request, _("“%(name)s” is no longer on the map.") % {"name": layer.name})
    return redirect("map-layers")


@require_POST
def place_plan(request: HttpRequest) -> HttpResponseBase:
    """Says where the site plan lies."""
    if not request.user.has_perm("plant.change_siteplan"):
        raise PermissionDenied
    typed = {name: request.POST.get(name, "")[:100].strip() for name in PLAN}
    try:
        services.place_plan(**{name: _number(typed, name) for name in PLAN})
    except ValidationError as refusal:
        return _shown(request, typed, _by_field(refusal))
    messages.success(request, _("The site plan has its place."))
    return redirect("map-layers")
