"""The demo's vehicles keep to the ways of its map, and the map knows every asset that it names."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import yaml

from plant.demo.ground import SITE
from plant.demo.layout import FILE, Floats, read
from plant.demo.moving import ERROR, METRES_A_DEGREE, WAYS, way_points
from plant.demo.physics import World
from plant.site import geojson

START = 1_772_344_800.0


@pytest.fixture(scope="module")
def steps() -> list[Floats]:
    """Gives the plant's values every ten seconds for twenty minutes."""
    world = World(START)
    return [world.step(START + 10.0 * step) for step in range(120)]


def off_the_way(points: Floats, latitude: float, longitude: float) -> float:
    """Gives how many metres a position lies beside a line."""
    across = np.array([math.cos(math.radians(latitude)), 1.0]) * METRES_A_DEGREE
    line, at = points * across, np.array([longitude, latitude]) * across
    found = []
    for begin, end in pairwise(line):
        part = np.clip((at - begin) @ (end - begin) / ((end - begin) @ (end - begin)), 0, 1)
        found.append(float(np.hypot(*(at - begin - part * (end - begin)))))
    return min(found)


@pytest.mark.parametrize("code", WAYS)
def test_a_vehicle_keeps_to_its_way_and_rests_at_its_ends(steps: list[Floats], code: str) -> None:
    index = read().index
    latitude, longitude, state, speed = (index[f"{code}/{key}"] for key in ("latitude", "longitude", "state", "speed"))
    points = way_points(WAYS[code].names)
    assert max(off_the_way(points, values[latitude], values[longitude]) for values in steps) < 5 * ERROR
    assert {values[state] for values in steps} <= {1.0, 2.0}
    assert all((values[speed] > 0) == (values[state] == 2.0) for values in steps)


def test_the_map_names_assets_that_there_are() -> None:
    codes = {asset["code"] for asset in yaml.safe_load(FILE.read_text(encoding="utf-8"))["assets"]}
    outlines = geojson.read(SITE.read_bytes())
    assert set(outlines.assets) <= codes
    assert {f"pl-section-{number:02}" for number in range(1, 11)} <= set(outlines.assets)


def test_every_machine_has_a_place_near_the_works() -> None:
    west, south, east, north = geojson.read(SITE.read_bytes()).extent
    for asset in yaml.safe_load(FILE.read_text(encoding="utf-8"))["assets"]:
        if asset["level"] == "machine" and asset["type"] != "vehicle":
            latitude, longitude = asset["location"]
            assert south <= latitude <= north and west <= longitude <= east, asset["code"]


def test_the_map_is_as_it_would_be_kept() -> None:
    kept = json.loads(geojson.read(SITE.read_bytes()).text)["features"]
    assert len(kept) == len(json.loads(SITE.read_text(encoding="utf-8"))["features"])
