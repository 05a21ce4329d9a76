"""What the elements of a drawing follow, as their attributes say; docs/synoptics.md explains them to who draws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from plant.synoptic.allowed import TEXTS
from plant.synoptic.tree import Element, parse

SENSOR, ALARM, ASSET = "data-sensor", "data-alarm", "data-asset"
BINDING = (SENSOR, ALARM, ASSET)
ATTRIBUTES = (
    *BINDING, "data-bind", "data-format", "data-range", "data-angle", "data-pivot", "data-from", "data-when", "data-at",
)  # fmt: skip
WAYS = ("text", "fill", "level", "rotate", "visible")
SIDES = ("bottom", "top", "left", "right")
CORNERS = ("top-right", "top-left", "bottom-right", "bottom-left", "center")
MAX_ASSETS = 200  # that a page listens to at once
MAX_BOUND = 1_000  # elements of one drawing

_TAG = re.compile(r"[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}\Z")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_NUMBER = r"[-+]?\d{1,15}(?:\.\d{1,15})?"
_PAIR = re.compile(rf"({_NUMBER})(?:\s*\.\.\s*|\s*,\s*|\s+)({_NUMBER})\Z")
_COMPARED = re.compile(rf"(<=|>=|!=|=|<|>)\s*({_NUMBER})\Z")
_BETWEEN = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})\Z")
_ALONE = re.compile(rf"{_NUMBER}\Z")
_WORD = re.compile(r"[^<>=!,\d][^<>=!,]{0,59}\Z")

Test = tuple[str, float | str, float | None]  # how, with what, and up to where


@dataclass(frozen=True, slots=True)
class Binding:
    """One bound element."""

    line: int  # in the file that was read
    element: str
    sensor: str = ""  # a tag
    alarm: str = ""  # a code, a tag, or `code: rule`
    asset: str = ""  # a code
    near: str = ""  # the code of the nearest asset at or above it in the drawing
    ways: tuple[str, ...] = ()
    when: tuple[Test, ...] = ()
    format: str = ""
    range: tuple[float, float] | None = None
    angle: tuple[float, float] = (0.0, 360.0)  # degrees, clockwise
    pivot: tuple[float, float] | None = None
    side: str = SIDES[0]
    corner: str = CORNERS[0]
    problems: tuple[str, ...] = field(default=(), compare=False)

    @property
    def follows(self) -> str:
        """Gives the asset whose state it is filled by, where it follows no sensor."""
        return "" if self.sensor else self.asset or self.near

    @property
    def alarm_of(self) -> tuple[str, str, str]:
        """Gives whose alarms it shows: an asset's code, a sensor's tag, a rule's name; what is not meant is empty."""
        code, colon, rule = self.alarm.partition(":")
        if colon:
            return code.strip(), "", rule.strip()
        return ("", self.alarm, "") if "/" in self.alarm else (self.alarm, "", "")

    @property
    def codes(self) -> Iterator[str]:
        """Gives the assets that it needs to hear."""
        if self.sensor:
            yield self.sensor.partition("/")[0]
        if self.asset:
            yield self.asset
        if self.follows and "fill" in self.ways:
            yield self.follows


@lru_cache(maxsize=64)
def bindings_of(drawing: str) -> tuple[Binding, ...]:
    """Gives the bindings of a drawing that was cleaned, in the order of its bound elements."""
    return read(parse(drawing))


def read(root: Element) -> tuple[Binding, ...]:
    """Gives the bindings of a tree, in the order of its bound elements."""
    return tuple(_walk(root, ""))


def _walk(element: Element, near: str) -> Iterator[Binding]:
    near = element.attributes.get(ASSET, "") or near
    if any(name in element.attributes for name in ATTRIBUTES):
        yield _Reader(element, near).binding()
    for child in element.elements:
        yield from _walk(child, near)


class _Reader:
    """Reads one element's attributes; what is wrong with one leaves the others in force."""

    def __init__(self, element: Element, near: str) -> None:
        self.element = element
        self.given = element.attributes
        self.near = near
        self.problems: list[str] = []

    def binding(self) -> Binding:
        """Gives the binding, with what is wrong with it in words."""
        sensor = self._matching(SENSOR, _TAG, _("a tag is asset/key"))
        asset = self._matching(ASSET, _CODE, _("an asset is named by its code"))
        values: dict[str, Any] = {
            "sensor": sensor,
            "asset": asset,
            "alarm": self._alarm(),
            "near": self.near,
            "ways": self._ways(sensor, asset),
            "when": self._when(),
            "format": self.given.get("data-format", ""),
            "range": self._pair("data-range", apart=True),
            "angle": self._pair("data-angle") or (0.0, 360.0),
            "pivot": self._pair("data-pivot"),
            "side": self._word("data-from", SIDES),
            "corner": self._word("data-at", CORNERS),
        }
        found = Binding(self.element.line, self.element.name, **values)
        self._sense(found)
        return Binding(self.element.line, self.element.name, **values, problems=tuple(self.problems))

    def _wrong(self, name: str, hint: str) -> None:
        words = {"name": name, "value": self.given[name], "hint": hint}
        self.problems.append(_("%(name)s=“%(value)s”: %(hint)s.") % words)

    def _matching(self, name: str, pattern: re.Pattern[str], hint: str) -> str:
        text = self.given.get(name, "")
        if text and not pattern.match(text):
            self._wrong(name, hint)
        return text

    def _alarm(self) -> str:
        text = self.given.get(ALARM, "")
        code = text.partition(":")[0].strip()
        if text and not _CODE.match(code) and not _TAG.match(text):
            self._wrong(ALARM, _("an asset’s code, a tag, or a code with a colon and a rule’s name"))
        return text

    def _ways(self, sensor: str, asset: str) -> tuple[str, ...]:
        words = re.split(r"[\s,;|]+", self.given.get("data-bind", "").strip())
        ways = tuple(word for word in words if word in WAYS)
        for word in words:
            if word and word not in WAYS:
                self._wrong("data-bind", _("it is one or more of %(ways)s") % {"ways": ", ".join(WAYS)})
        if not ways and sensor and self.element.name in TEXTS:
            return ("text",)
        return ways

    def _when(self) -> tuple[Test, ...]:
        text = self.given.get("data-when", "")
        tests = [_test(part.strip()) for part in text.split(",")] if text else []
        if None in tests:
            self._wrong("data-when", _("for example “>= 80”, “20..40”, “0, 3” or “running”"))
        return tuple(test for test in tests if test is not None)

    def _pair(self, name: str, *, apart: bool = False) -> tuple[float, float] | None:
        text = self.given.get(name, "")
        found = _PAIR.match(text.strip())
        if text and (found is None or (apart and float(found[1]) == float(found[2]))):
            self._wrong(name, _("two numbers, for example “0..100”"))
            return None
        return (float(found[1]), float(found[2])) if found else None

    def _word(self, name: str, known: tuple[str, ...]) -> str:
        text = self.given.get(name, "")
        if text and text not in known:
            self._wrong(name, _("it is one of %(words)s") % {"words": ", ".join(known)})
        return text if text in known else known[0]

    def _sense(self, found: Binding) -> None:
        """Notes what cannot work together."""
        if found.ways and not found.sensor and not (found.follows and set(found.ways) <= {"fill", "visible"}):
            self.problems.append(_("data-bind without data-sensor: there is nothing to follow."))
        if found.sensor and not found.ways:
            self.problems.append(_("data-sensor without data-bind: say how it follows."))
        if "text" in found.ways and found.element not in TEXTS:
            self.problems.append(_("Only a text shows a value as text."))
        if "visible" in found.ways and not found.when:
            self.problems.append(_("data-bind=“visible” needs data-when."))


def _test(text: str) -> Test | None:
    """Gives one condition: how, with what, and up to where."""
    if found := _COMPARED.match(text):
        return found[1], float(found[2]), None
    if found := _BETWEEN.match(text):
        return "..", float(found[1]), float(found[2])
    if _ALONE.match(text):
        return "=", float(text), None
    return ("is", text, None) if _WORD.match(text) else None
