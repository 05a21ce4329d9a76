"""What a drawing may hold: elements, attributes, and the form of each value. Everything else is left out."""

from __future__ import annotations

import re
from collections.abc import Callable

from plant.synoptic.rasters import picture

# Elements and what they become. A link and a switch are groups: where a drawing leads to is said by data-asset.
ELEMENTS = {
    name: name
    for name in (
        "circle", "clipPath", "defs", "desc", "ellipse", "g", "image", "line", "linearGradient", "marker", "mask",
        "path", "pattern", "polygon", "polyline", "radialGradient", "rect", "stop", "svg", "symbol", "text", "textPath",
        "title", "tspan", "use",
    )
} | {"a": "g", "switch": "g"}  # fmt: skip
SHAPES = frozenset({"circle", "ellipse", "line", "path", "polygon", "polyline", "rect"})
BOUND = SHAPES | {"g", "image", "text", "tspan", "use"}  # what may follow a sensor
TEXTS = frozenset({"text", "tspan", "textPath"})
WORDS = frozenset({"title", "desc"})  # text and nothing else
HIDDEN = frozenset(
    {"clipPath", "defs", "marker", "mask", "pattern", "symbol"}
)  # drawn only where something refers to it
# Left out without a word: what editors keep for themselves, and the sheets, whose rules the elements carry afterwards.
QUIET = frozenset({"", "metadata", "style"})

_NUMBERS = re.compile(r"(?:[-+0-9.eE,%\s]|px|pt|pc|mm|cm|in|em|ex|rem){1,2000}\Z")
_WORDS = re.compile(r"[A-Za-z][A-Za-z -]{0,59}\Z")
_EITHER = re.compile(r"[A-Za-z][A-Za-z -]{0,59}\Z|[-+0-9.%]{1,20}\Z")
_PATH = re.compile(r"[MmZzLlHhVvCcSsQqTtAaeE0-9+\-.,\s]*\Z")
_POINTS = re.compile(r"[-+0-9.eE,\s]*\Z")
_TRANSFORM = re.compile(r"\s*(?:(?:matrix|translate|scale|rotate|skewX|skewY)\s*\([-+0-9.eE,\s]*\)[\s,]*){0,40}\Z")
_UNITS = re.compile(r"(?<=[0-9.])(?:px|deg)")
_INNER = re.compile(r"url\(\s*['\"]?#([^'\"\s()\\]{1,200})['\"]?\s*\)\Z")
_ID = re.compile(r"[^\s\"'()\\<>&#\x00-\x1f]{1,200}\Z")

Form = Callable[[str], str | None]


def _as(pattern: re.Pattern[str]) -> Form:
    return lambda text: text if pattern.match(text) else None


def _transform(text: str) -> str | None:
    bare = _UNITS.sub("", text)
    return bare if _TRANSFORM.match(bare) else None


def inner(text: str) -> str | None:
    """Gives a reference to another element of the drawing, or none; None for one that leads out of it."""
    if text == "none":
        return text
    found = _INNER.match(text.strip())
    return f"url(#{own(found[1])})" if found and _ID.match(found[1]) else None


def own(name: str) -> str:
    """Gives an id that no other part of a page has."""
    return name if name.startswith("sy-") else f"sy-{name}"


def _id(text: str) -> str | None:
    return own(text) if _ID.match(text) else None


def link(text: str, element: str) -> str | None:
    """Gives what an element refers to: another one of the drawing, or, for an image, its own data."""
    text = text.strip()
    if element == "image":
        return picture(text)
    return f"#{own(text[1:])}" if text.startswith("#") and _ID.match(text[1:]) else None


def _forms(form: Form, *names: str) -> dict[str, Form]:
    return dict.fromkeys(names, form)


PAINTS = frozenset({"fill", "stroke", "stop-color", "color"})
REFERENCES = frozenset({"clip-path", "mask", "marker-start", "marker-mid", "marker-end"})
# What a style may set as well as an attribute.
PROPERTIES: dict[str, Form] = {
    **_forms(
        _as(_NUMBERS), "stroke-width", "stroke-miterlimit", "stroke-dashoffset", "opacity", "fill-opacity",
        "stroke-opacity", "stop-opacity",
    ),
    **_forms(_as(_EITHER), "font-weight"),
    **_forms(
        lambda text: text if _NUMBERS.match(text) or _WORDS.match(text) else None,
        "font-size", "letter-spacing", "word-spacing", "baseline-shift", "stroke-dasharray",
    ),
    **_forms(
        _as(_WORDS), "stroke-linecap", "stroke-linejoin", "fill-rule", "clip-rule", "text-anchor", "dominant-baseline",
        "alignment-baseline", "font-style", "font-variant", "text-decoration", "visibility", "display", "vector-effect",
        "overflow", "writing-mode", "paint-order", "shape-rendering", "text-rendering", "image-rendering", "mask-type",
        "white-space",
    ),
    **_forms(inner, *REFERENCES),
    **_forms(_transform, "transform"),
}  # fmt: skip
ATTRIBUTES: dict[str, Form] = {
    **PROPERTIES,
    **_forms(
        _as(_NUMBERS), "x", "y", "width", "height", "cx", "cy", "r", "rx", "ry", "x1", "y1", "x2", "y2", "fx", "fy",
        "fr", "dx", "dy", "rotate", "offset", "textLength", "startOffset", "pathLength", "refX", "refY", "markerWidth",
        "markerHeight",
    ),
    **_forms(
        _as(_WORDS), "gradientUnits", "spreadMethod", "patternUnits", "patternContentUnits", "clipPathUnits",
        "maskUnits", "maskContentUnits", "markerUnits", "lengthAdjust", "method", "spacing", "preserveAspectRatio",
    ),
    **_forms(_as(_EITHER), "orient"),
    **_forms(_transform, "gradientTransform", "patternTransform"),
    **_forms(_as(_PATH), "d"),
    **_forms(_as(_POINTS), "points", "viewBox"),
    **_forms(_id, "id"),
    **_forms(lambda text: text if text == "preserve" else None, "xml:space"),
}  # fmt: skip
# What only an outermost element could use, and never for good: its place on the page is the page's.
NOT_OUTERMOST = frozenset({"x", "y", "width", "height", "transform", "overflow", "clip-path", "mask", "display", "id"})
