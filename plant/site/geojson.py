"""Outlines of a site as GeoJSON: checked, cut down to what the map draws, and thinned where there is too much of it.

Knows no database. Source: RFC 7946; coordinates are longitude, latitude (WGS 84), or metres of a site plan.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

MOST_BYTES = 8 * 1024 * 1024
MOST_FEATURES = 5_000
MOST_POINTS_READ = 200_000
MOST_POINTS = 20_000  # that a browser draws and moves without effort
MOST_ERRORS = 10
LONGEST_NAME = 80
LONGEST_CODE = 64

# What a feature's `kind` may say; anything else is drawn as a plain outline.
KINDS = ("area", "building", "cable", "fence", "pipeline", "rail", "road", "water")

# The highest latitude of a Mercator map, and the farthest a site plan reaches.
BOUNDS = {False: (180.0, 85.0), True: (100_000.0, 100_000.0)}
_DECIMALS = {False: 7, True: 2}

Line = list[tuple[float, float]]
Extent = tuple[float, float, float, float]  # west, south, east, north


class Unusable(Exception):
    """What was given cannot be a layer of the map, said in words."""

    def __init__(self, *words: str) -> None:
        super().__init__(" ".join(words))
        self.words = list(words)


@dataclass(frozen=True, slots=True)
class Outlines:
    """A checked file: its text as the map reads it, and what is in it."""

    text: str
    extent: Extent
    features: int
    points: int
    points_before: int  # before it was thinned
    assets: tuple[str, ...]  # codes that its features name


@dataclass(slots=True)
class _Feature:
    """One shape: lines, rings or points, all of one sort."""

    sort: str  # Point, LineString, Polygon
    properties: dict[str, str]
    parts: list[list[Line]]  # each a list of lines: a polygon has one for its outer ring and one for each hole


@dataclass
class _Reader:
    metres: bool
    errors: list[str] = field(default_factory=list)
    features: list[_Feature] = field(default_factory=list)
    points: int = 0

    def wrong(self, where: str, words: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(f"{where}: {words}")


def read(data: bytes, *, metres: bool = False) -> Outlines:
    """Checks a GeoJSON file and gives what the map draws of it.

    Takes: whether its coordinates are metres of the site plan; else they are degrees, longitude first.
    Gives: shapes with their `name`, `kind` and `asset`; all other properties are left out.
    Raises: Unusable with up to ten things that are wrong.
    """
    if len(data) > MOST_BYTES:
        raise Unusable(_("The file is larger than %(most)d MiB.") % {"most": MOST_BYTES // 1024 // 1024})
    document = _parse(data)
    reader = _Reader(metres)
    for number, feature in enumerate(_features(document, reader)):
        if number >= MOST_FEATURES:
            words = _("The file has more than %(most)d features; leave out what the map need not show.")
            raise Unusable(words % {"most": MOST_FEATURES})
        _read_feature(feature, _("feature %(number)d") % {"number": number + 1}, reader)
        if reader.points > MOST_POINTS_READ:
            words = _("The file has more than %(most)d points; simplify it first.")
            raise Unusable(words % {"most": MOST_POINTS_READ})
    if reader.errors:
        raise Unusable(*reader.errors)
    if not reader.features:
        raise Unusable(_("The file has no shapes to draw: points, lines or polygons."))
    extent = _extent(reader.features)
    features = _thinned(reader.features, reader.points, extent, metres=metres)
    return Outlines(
        text=_write(features, _DECIMALS[metres]),
        extent=extent,
        features=len(features),
        points=sum(len(line) for feature in features for part in feature.parts for line in part),
        points_before=reader.points,
        assets=tuple(dict.fromkeys(code for one in features if (code := one.properties.get("asset")))),
    )


def _parse(data: bytes) -> dict[str, Any]:
    def no_constant(name: str) -> float:
        raise Unusable(_("The file is not JSON: %(name)s is no number there.") % {"name": name})

    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=no_constant)
    except UnicodeDecodeError:
        raise Unusable(_("The file is not text in UTF-8.")) from None
    except json.JSONDecodeError as error:
        words = _("The file is not JSON: it ends or goes wrong in line %(line)d, column %(column)d.")
        raise Unusable(words % {"line": error.lineno, "column": error.colno}) from None
    except (ValueError, RecursionError):
        words = _("The file is not JSON that can be read: it is nested too deeply, or a number is too long.")
        raise Unusable(words) from None
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise Unusable(_("The file is not GeoJSON: it has no type, for example FeatureCollection."))
    named = str(document.get("crs", ""))
    # An older GeoJSON may name another system; RFC 7946 knows only degrees.
    if "crs" in document and "CRS84" not in named and "4326" not in named:
        raise Unusable(_("The file names another coordinate system; export it in WGS 84 (EPSG:4326)."))
    return document


def _features(document: dict[str, Any], reader: _Reader) -> Iterator[Any]:
    """Gives the features of a collection, of one feature, or of a bare geometry."""
    if document["type"] == "FeatureCollection":
        found = document.get("features")
        if not isinstance(found, list):
            raise Unusable(_("The collection has no list of features."))
        yield from found
    elif document["type"] == "Feature":
        yield document
    else:
        yield {"type": "Feature", "properties": {}, "geometry": document}


def _read_feature(feature: Any, where: str, reader: _Reader) -> None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        reader.wrong(where, _("it is not a Feature."))
        return
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        reader.wrong(where, _("its properties are no object."))
        return
    kept = {
        "name": str(properties.get("name") or "")[:LONGEST_NAME],
        "kind": kind if (kind := properties.get("kind")) in KINDS else "",
        "asset": str(properties.get("asset") or "")[:LONGEST_CODE],
    }
    if feature.get("geometry") is not None:
        _read_geometry(feature["geometry"], {key: value for key, value in kept.items() if value}, where, reader)


_SORTS = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def _read_geometry(geometry: Any, properties: dict[str, str], where: str, reader: _Reader, nested: int = 0) -> None:
    sort = geometry.get("type") if isinstance(geometry, dict) else None
    if sort == "GeometryCollection" and isinstance(geometry.get("geometries"), list) and nested < 4:
        for part in geometry["geometries"]:
            _read_geometry(part, properties, where, reader, nested + 1)
        return
    if sort not in _SORTS:
        reader.wrong(where, _("unknown geometry %(name)s.") % {"name": repr(str(sort)[:40])})
        return
    held = geometry.get("coordinates")
    # Everything as a list of parts, each a list of lines.
    single = sort.removeprefix("Multi")
    if sort in ("Point", "LineString", "Polygon"):
        held = [held]
    if not isinstance(held, list):
        reader.wrong(where, _("its coordinates are no list."))
        return
    parts: list[Any] = [[[one]] for one in held] if single == "Point" else held
    if single == "LineString":
        parts = [[line] for line in held]
    read = [_read_part(part, single, where, reader) for part in parts]
    if found := [part for part in read if part]:
        reader.features.append(_Feature(single, properties, found))


def _read_part(part: Any, sort: str, where: str, reader: _Reader) -> list[Line]:
    if not isinstance(part, list) or not part:
        reader.wrong(where, _("its coordinates are no list of points."))
        return []
    lines = []
    for held in part:
        if not isinstance(held, list):
            reader.wrong(where, _("its coordinates are no list of points."))
            return []
        line = []
        for value in held:
            point = _read_point(value, where, reader)
            if point is None:
                return []
            line.append(point)
        if sort == "LineString" and len(line) < 2:
            reader.wrong(where, _("a line has at least two points."))
            return []
        if sort == "Polygon" and (len(line) < 4 or line[0] != line[-1]):
            reader.wrong(where, _("a ring has at least four points and ends where it begins."))
            return []
        reader.points += len(line)
        lines.append(line)
    return lines


def _read_point(value: Any, where: str, reader: _Reader) -> tuple[float, float] | None:
    if (
        not isinstance(value, list)
        or not 2 <= len(value) <= 4
        or any(isinstance(one, bool) or not isinstance(one, int | float) for one in value[:2])
    ):
        words = _("%(text)s is no point: two numbers, for example [9.9937, 53.5512].")
        reader.wrong(where, words % {"text": json.dumps(value)[:60]})
        return None
    x, y = value[0], value[1]
    far_x, far_y = BOUNDS[reader.metres]
    if not (abs(x) <= far_x and abs(y) <= far_y):
        words = (
            _("%(text)s lies outside ±%(x)d, ±%(y)d metres.")
            if reader.metres
            else _("%(text)s lies outside ±%(x)d, ±%(y)d degrees, longitude first.")
        )
        reader.wrong(where, words % {"text": json.dumps(value)[:60], "x": far_x, "y": far_y})
        return None
    return float(x), float(y)


def _extent(features: list[_Feature]) -> Extent:
    whole = np.array([point for one in features for part in one.parts for line in part for point in line])
    (west, south), (east, north) = whole.min(axis=0).tolist(), whole.max(axis=0).tolist()
    return west, south, east, north


# --- Thinning --------------------------------------------------------------------------------------------------------


def _thinned(features: list[_Feature], points: int, extent: Extent, *, metres: bool) -> list[_Feature]:
    """Leaves out points that move a line by less than can be seen, more and more, until few enough are left."""
    if points <= MOST_POINTS:
        return features
    west, south, east, north = extent
    # A degree of longitude is shorter than one of latitude.
    across = 1.0 if metres else math.cos(math.radians((south + north) / 2))
    tolerance = max((east - west) * across, north - south) / 50_000 or 1e-9
    while True:
        found = [one for feature in features if (one := _thin_feature(feature, tolerance, across)).parts]
        if sum(len(line) for one in found for part in one.parts for line in part) <= MOST_POINTS or not found:
            break
        tolerance *= 2
    if not found:
        raise Unusable(_("The file has too many shapes to be drawn together; leave out the smallest."))
    return found


def _thin_feature(feature: _Feature, tolerance: float, across: float) -> _Feature:
    if feature.sort == "Point":
        return feature
    least = 4 if feature.sort == "Polygon" else 2
    parts = []
    for part in feature.parts:
        lines = [whole[thinned(whole, tolerance, across)] for whole in map(np.array, part)]
        # An outer ring that is too small to be seen takes its holes with it; a hole goes alone.
        if len(lines[0]) >= least:
            parts.append([[(x, y) for x, y in line.tolist()] for line in lines if len(line) >= least])
    return _Feature(feature.sort, feature.properties, parts)


def thinned(line: npt.NDArray[np.float64], tolerance: float, across: float = 1.0) -> npt.NDArray[np.bool_]:
    """Gives which points of a line to keep: the others lie nearer than `tolerance` to it without them.

    Takes: points as rows; `across`, by how much a step in the first column is shorter than one in the second.
    Source: Douglas and Peucker, 1973.
    """
    scaled = line * np.array([across, 1.0])
    keep = np.zeros(len(line), np.bool_)
    keep[[0, -1]] = True
    pending = [(0, len(line) - 1)]
    while pending:
        first, last = pending.pop()
        if last - first < 2:
            continue
        chord = scaled[last] - scaled[first]
        off = scaled[first + 1 : last] - scaled[first]
        length = float(chord @ chord)
        if length > 0:
            off = off - np.clip(off @ chord / length, 0.0, 1.0)[:, None] * chord
        distance = (off * off).sum(axis=1)
        farthest = int(distance.argmax())
        if distance[farthest] > tolerance * tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            pending += [(first, middle), (middle, last)]
    return keep


def _write(features: list[_Feature], decimals: int) -> str:
    """Gives the shapes as GeoJSON: each a Multi geometry, coordinates rounded, the same text for the same shapes."""

    def rounded(line: Line) -> list[list[float]]:
        return [[round(x, decimals), round(y, decimals)] for x, y in line]

    written = []
    for feature in features:
        parts: list[Any]
        if feature.sort == "Polygon":
            parts = [[rounded(line) for line in part] for part in feature.parts]
        elif feature.sort == "LineString":
            parts = [rounded(part[0]) for part in feature.parts]
        else:
            parts = [rounded(part[0])[0] for part in feature.parts]
        geometry = {"type": f"Multi{feature.sort}", "coordinates": parts}
        written.append({"type": "Feature", "properties": feature.properties, "geometry": geometry})
    return json.dumps({"type": "FeatureCollection", "features": written}, ensure_ascii=False, separators=(",", ":"))
