"""Synoptics in plant.yaml: a list beside assets, each with its drawing as it is stored."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.checks import Problem, check_code, check_text
from devices.configuration.document import Error, Scalar
from devices.configuration.fields import Field, Wrong, suggestion
from devices.configuration.plant import Item, Plant, values_of
from plant.models import Synoptic
from plant.synoptic.cleaning import clean
from plant.synoptic.tree import Unfit

_HASH = re.compile(r"([0-9a-f]{64})?\Z")
_INDENT = " " * 6  # of the lines of a block below a key of a list's entry


@dataclass(frozen=True)
class Drawing(Field):
    """A drawing: SVG, cleaned as an upload is; written as a block of its own lines."""

    def scalar(self, node: Scalar) -> str:
        """Gives the drawing as it will be stored."""
        try:
            return clean(node.text).drawing
        except Unfit as unfit:
            # Lines of a block begin below their key; of a text in quotes nobody counts them.
            at = f" (line {unfit.line} of it)" if unfit.line else ""
            raise Wrong(f"{self.key}{at}: {unfit.words}") from None

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives the text as a block."""
        lines = str(values[self.models[0]]).split("\n")
        return "|-\n" + "\n".join(f"{_INDENT}{line}" for line in lines)


class Synoptics:
    """The synoptics."""

    key = "synoptics"
    what = "synoptic"
    model = Synoptic
    fields: Sequence[Field] = (Field("name"), Field("asset"), Field("original"), Drawing("drawing"))
    defaults: Mapping[str, Any] = {"name": "", "asset": "", "original": "", "drawing": ""}
    links: tuple[str, ...] = ("asset",)
    revision = "plant"

    def check(self, plant: Plant) -> list[Error]:
        """Gives what is wrong with the synoptics; a binding that leads to nothing is drawn so, and is no error."""
        errors = []
        for code, item in plant.lists.get(self.key, {}).items():
            what = f"{self.what} {code!r}"
            errors += item.errors(self.fields, self._problems(code, values_of(item, self.defaults)), what)
            errors += self._place(plant, item, what)
        return errors

    def _problems(self, code: str, values: Mapping[str, Any]) -> list[Problem]:
        problems = [*check_code("code", code), *check_text("name", values["name"], 120, needed=True)]
        if not values["drawing"]:
            problems.append(Problem("drawing", "drawing is missing: the SVG, as a block."))
        if not _HASH.match(values["original"]):
            problems.append(Problem("original", "original is the SHA-256 of the file, 64 hexadecimal digits."))
        return problems

    def _place(self, plant: Plant, item: Item, what: str) -> list[Error]:
        code = item.given.get("asset", "")
        if code in plant.assets:
            return []
        line = item.at(self.fields, "asset")
        if not code:
            return [Error(line, f"{what}: asset is missing: the part of the plant that it shows.")]
        return [Error(line, f"{what}: unknown asset {code!r}{suggestion(code, plant.assets)}")]
