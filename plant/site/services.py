"""Changes of the map's ground: layers come and go, the plan is given its place. Each leaves its history."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from devices.checks import MOST_LATITUDE, check_number, check_text, refuse
from plant.models import MapLayer, SitePlan
from plant.site import geojson, picture
from plant.site.geojson import Extent, Unusable

MOST_LAYERS = 20
LONGEST_NAME = 80


def add_outlines(*, name: str, data: bytes, metres: bool = False, user: User | None = None) -> MapLayer:
    """Adds a GeoJSON file as a layer. Raises: ValidationError, Unusable."""
    refuse(check_text("name", name, LONGEST_NAME, needed=True))
    read = geojson.read(data, metres=metres)
    facts = {
        "shapes": read.features,
        "points": read.points,
        "points_before": read.points_before,
        "assets": list(read.assets),
    }
    return _add(
        MapLayer.Kind.OUTLINES, name, read.text.encode(), "application/geo+json", read.extent, metres, facts, user
    )


def add_picture(*, name: str, data: bytes, extent: Extent, metres: bool = False, user: User | None = None) -> MapLayer:
    """Adds a picture as a layer.

    Takes: its edges as west, south, east, north, in degrees or in metres of the plan.
    Raises: ValidationError, Unusable.
    """
    far_x, far_y = geojson.BOUNDS[metres]
    west, south, east, north = extent
    problems = check_text("name", name, LONGEST_NAME, needed=True)
    for field, value, far in (
        ("west", west, far_x),
        ("east", east, far_x),
        ("south", south, far_y),
        ("north", north, far_y),
    ):
        problems += check_number(field, value, least=-far, most=far)
    refuse(problems)
    refuse([*check_number("east", east, above=west), *check_number("north", north, above=south)])
    read = picture.read(data)
    facts = {"width": read.width, "height": read.height}
    return _add(MapLayer.Kind.PICTURE, name, read.content, picture.MEDIA_TYPE, extent, metres, facts, user)


def _add(
    kind: MapLayer.Kind,
    name: str,
    content: bytes,
    media_type: str,
    extent: Extent,
    metres: bool,
    facts: dict[str, Any],
    user: User | None,
) -> MapLayer:
    west, south, east, north = extent
    with transaction.atomic():
        if MapLayer.objects.count() >= MOST_LAYERS:
            raise Unusable(
                _("The map has %(most)s layers, which is the most; take one away first.") % {"most": MOST_LAYERS}
            )
        return MapLayer.objects.create(
            name=name.strip(), kind=kind, metres=metres, west=west, south=south, east=east, north=north,
            content=content, media_type=media_type, digest=sha256(content).hexdigest(), facts=facts, uploaded_by=user,
        )  # fmt: skip


def remove_layer(*, layer: MapLayer) -> None:
    """Takes a layer away; its history stays."""
    layer.delete()


def place_plan(*, latitude: float, longitude: float, bearing: float) -> SitePlan:
    """Says where the plan's zero point lies and which way its upper edge points. Raises: ValidationError."""
    refuse(
        [
            *check_number("latitude", latitude, least=-MOST_LATITUDE, most=MOST_LATITUDE),
            *check_number("longitude", longitude, least=-180.0, most=180.0),
            *check_number("bearing", bearing, least=-360.0, most=360.0),
        ]
    )
    values = {"latitude": latitude, "longitude": longitude, "bearing": bearing}
    plan, _made = SitePlan.objects.update_or_create(pk=SitePlan.ONLY, defaults=values)
    return plan
