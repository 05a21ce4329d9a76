"""The demo's ground: what the map of the works is drawn on."""

from __future__ import annotations

from pathlib import Path

SITE = Path(__file__).with_name("site.geojson")


def bring() -> None:
    """Puts the works' outlines on the map, unless somebody has drawn one already."""
    from plant.models import MapLayer
    from plant.site.services import add_outlines

    if not MapLayer.objects.exists():
        add_outlines(name="Aldermoor Works", data=SITE.read_bytes())
