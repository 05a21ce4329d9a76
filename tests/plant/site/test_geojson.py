"""Outlines of a site: what is taken, what is refused and in which words, what is thinned."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from django.utils import translation

from plant.site import geojson
from plant.site.geojson import MOST_POINTS, Unusable, read, thinned


def collection(*geometries: dict[str, Any], **properties: Any) -> bytes:
    features = [{"type": "Feature", "properties": properties, "geometry": one} for one in geometries]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def line(*points: list[float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": list(points)}


SQUARE = {"type": "Polygon", "coordinates": [[[10, 53], [10.1, 53], [10.1, 53.1], [10, 53.1], [10, 53]]]}


def test_name_kind_and_asset_are_kept_and_nothing_else() -> None:
    found = read(collection(SQUARE, name="Press hall", kind="building", asset="hall", owner="somebody", stroke="#f00"))
    (feature,) = json.loads(found.text)["features"]
    assert feature["properties"] == {"name": "Press hall", "kind": "building", "asset": "hall"}
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert found.extent == (10.0, 53.0, 10.1, 53.1)
    assert (found.features, found.points, found.assets) == (1, 5, ("hall",))


def test_an_unknown_kind_is_a_plain_outline() -> None:
    (feature,) = json.loads(read(collection(SQUARE, kind="javascript")).text)["features"]
    assert feature["properties"] == {}


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [10, 53]},
        {"type": "MultiPoint", "coordinates": [[10, 53], [11, 53]]},
        line([10, 53], [11, 53, 12.5]),
        {"type": "MultiLineString", "coordinates": [[[10, 53], [11, 53]], [[12, 53], [13, 54]]]},
        SQUARE,
        {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]},
        {"type": "GeometryCollection", "geometries": [SQUARE, line([10, 53], [11, 54])]},
    ],
)
def test_every_geometry_comes_out_as_it_would_go_in_again(geometry: dict[str, Any]) -> None:
    text = read(json.dumps(geometry).encode()).text
    assert read(text.encode()).text == text


def test_a_file_with_a_byte_order_mark_and_one_without_features_of_its_own_are_taken() -> None:
    assert read(b"\xef\xbb\xbf" + collection(SQUARE)).features == 1
    assert read(json.dumps({"type": "Feature", "properties": None, "geometry": SQUARE}).encode()).features == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG", "not text in UTF-8"),
        (b"{", "not JSON"),
        (b'{"type": "FeatureCollection", "features": [NaN]}', "NaN is no number"),
        (b"[" * 100_000, "not JSON"),
        (b'{"type": "Point", "coordinates": [' + b"1" * 5000, "not JSON"),
        (b'{"type": "Feature", "properties": [7]}', "properties are no object"),
        (b"[]", "not GeoJSON"),
        (b'{"type": "FeatureCollection"}', "no list of features"),
        (b'{"type": "FeatureCollection", "features": []}', "no shapes to draw"),
        (b'{"type": "FeatureCollection", "features": [7]}', "feature 1: it is not a Feature"),
        (b'{"type": "Topology", "objects": {}}', "unknown geometry 'Topology'"),
        (b'{"type": "Point", "coordinates": [10]}', "is no point"),
        (b'{"type": "Point", "coordinates": ["10", 53]}', "is no point"),
        (b'{"type": "Point", "coordinates": [true, 53]}', "is no point"),
        (b'{"type": "Point", "coordinates": [1e999, 53]}', "outside"),
        (b'{"type": "Point", "coordinates": [3500000, 5900000]}', "degrees, longitude first"),
        (b'{"type": "LineString", "coordinates": [[10, 53]]}', "at least two points"),
        (b'{"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 2]]]}', "ends where it begins"),
        (b'{"type": "Polygon", "coordinates": 5}', "no list"),
        (b'{"type": "FeatureCollection", "features": [], "crs": {"name": "EPSG::25832"}}', "another coordinate system"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words(data: bytes, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        read(data)

    with translation.override("en"), pytest.raises(Unusable) as english:
        read(data)
    with translation.override("de"), pytest.raises(Unusable) as german:
        read(data)
    assert str(german.value) != str(english.value)


def test_ten_errors_are_told_and_no_more() -> None:
    with pytest.raises(Unusable) as caught:
        read(collection(*[line([200, 53], [10, 53])] * 30))
    assert len(caught.value.words) == 10
    assert caught.value.words[9].startswith("feature 10:")


def test_metres_of_a_plan_are_taken_as_such() -> None:
    plan = {"type": "LineString", "coordinates": [[0, 0], [1200.004, 350]]}
    found = read(json.dumps(plan).encode(), metres=True)
    assert found.extent == (0.0, 0.0, 1200.004, 350.0)
    assert "[1200.0,350.0]" in found.text


def test_a_large_file_is_thinned_until_it_can_be_drawn() -> None:
    coast = [[10 + n / 100_000, 53 + math.sin(n / 700) / 10 + (n % 2) / 1e6] for n in range(60_000)]
    found = read(collection(line(*coast), line([10, 53], [10.6, 53])))
    assert found.points_before == 60_002
    assert 100 < found.points <= MOST_POINTS
    drawn = np.array(json.loads(found.text)["features"][0]["geometry"]["coordinates"][0])
    off = np.interp([x for x, _ in coast], drawn[:, 0], drawn[:, 1]) - [y for _, y in coast]
    assert np.abs(off).max() < 1e-3


def test_too_many_points_or_features_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson, "MOST_POINTS_READ", 100)
    with pytest.raises(Unusable, match="more than 100 points"):
        read(collection(line(*[[10 + n / 1000, 53] for n in range(101)])))
    monkeypatch.setattr(geojson, "MOST_FEATURES", 2)
    with pytest.raises(Unusable, match="more than 2 features"):
        read(collection(SQUARE, SQUARE, SQUARE))
    with pytest.raises(Unusable, match="larger than 8 MiB"):
        read(b" " * (8 * 1024 * 1024 + 1))
    with translation.override("de"), pytest.raises(Unusable, match="größer als 8 MiB"):
        read(b" " * (8 * 1024 * 1024 + 1))
    with translation.override("de"), pytest.raises(Unusable, match="mehr als 2 Objekte"):
        read(collection(SQUARE, SQUARE, SQUARE))


def test_a_corner_stays_and_what_lies_on_the_way_goes() -> None:
    corner = np.array([[0, 0], [1, 0.001], [2, 0], [2, 1], [2, 2], [0, 0.0]])
    assert thinned(corner, 0.01).tolist() == [True, False, True, False, True, True]
    assert thinned(np.array([[0.0, 0.0]]), 0.01).tolist() == [True]
