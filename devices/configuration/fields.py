"""Fields of plant.yaml: each is read and written by the same line of a table."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from devices.checks import number
from devices.configuration import document
from devices.configuration.document import Error, Node, Scalar
from devices.labels import label_key
from devices.units import code as unit_code


class Wrong(Exception):
    """A value of another form than the field's, said in words."""


@dataclass(frozen=True)
class Field:
    """One key of an entry and the model field that it stands for.

    `read` gives the model's value of a node; `write` gives the text of a model's value.
    """

    key: str
    model: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """Gives the model fields that it stands for."""
        return (self.model or self.key,)

    def read(self, node: Node) -> dict[str, Any]:
        """Gives the model's values. Raises: Wrong."""
        return {self.models[0]: self.value(node)}

    def value(self, node: Node) -> Any:
        """Gives the model's value. Raises: Wrong."""
        if not isinstance(node, Scalar):
            raise Wrong(f"{self.key} is one value, not {_kind(node)}.")
        return self.scalar(node)

    def scalar(self, node: Scalar) -> Any:
        """Gives the model's value of a single value: here its text as it was written."""
        return "" if node.value is None and node.text in ("", "~") else node.text

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives the text after the key."""
        return quote(str(values[self.models[0]]))


@dataclass(frozen=True)
class Unit(Field):
    """A unit: written by its code, also understood as screens show it."""

    def scalar(self, node: Scalar) -> str:
        """Gives the unit's code."""
        return unit_code(str(super().scalar(node)))


@dataclass(frozen=True)
class Number(Field):
    """A number, or nothing."""

    whole: bool = False

    def scalar(self, node: Scalar) -> float | int | None:
        """Gives a float, or an int where a whole number is meant."""
        return figure(self.key, node, whole=self.whole)

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives its shortest text."""
        return _number(values[self.models[0]])


@dataclass(frozen=True)
class Day(Field):
    """A date, or nothing."""

    def scalar(self, node: Scalar) -> date | None:
        """Gives the date."""
        if node.value is None:
            return None
        try:
            return date.fromisoformat(node.text)
        except ValueError:
            raise Wrong(f"{self.key} is a date, for example 2018-05-14, not {node.text!r}.") from None

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives it as ISO 8601 has it."""
        day = values[self.models[0]]
        return "null" if day is None else str(day.isoformat())


@dataclass(frozen=True)
class Flag(Field):
    """True or false."""

    def scalar(self, node: Scalar) -> bool:
        """Gives it."""
        if not isinstance(node.value, bool):
            raise Wrong(f"{self.key} is true or false, not {node.text!r}.")
        return node.value

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives the word."""
        return "true" if values[self.models[0]] else "false"


@dataclass(frozen=True)
class Choice(Field):
    """A word that stands for a value."""

    words: tuple[tuple[str, Any], ...] = ()

    def scalar(self, node: Scalar) -> Any:
        """Gives the word's value."""
        known = dict(self.words)
        if node.text not in known:
            raise Wrong(f"unknown {self.key} {node.text!r}{suggestion(node.text, known)}")
        return known[node.text]

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives the value's word."""
        return next(word for word, value in self.words if value == values[self.models[0]])


@dataclass(frozen=True)
class Band(Field):
    """Two ends in one list: range: [0, 150]."""

    example: str = "[0, 150]"

    @property
    def models(self) -> tuple[str, ...]:
        """Gives the two fields."""
        return (f"{self.key}_low", f"{self.key}_high")

    def read(self, node: Node) -> dict[str, Any]:
        """Gives both ends."""
        if isinstance(node, Scalar) and node.value is None:
            return dict.fromkeys(self.models)
        if not isinstance(node, document.Sequence) or len(node.items) != 2:
            raise Wrong(f"{self.key} is a list of two numbers, for example {self.example}.")
        return {model: figure(self.key, item) for model, item in zip(self.models, node.items, strict=True)}

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives the list."""
        return f"[{', '.join(_number(values[model]) for model in self.models)}]"


@dataclass(frozen=True)
class Point(Band):
    """A place as two numbers in one list: location: [53.5512, 9.9937]."""

    ends: tuple[str, str] = ("", "")

    @property
    def models(self) -> tuple[str, ...]:
        """Gives the two fields."""
        return self.ends


@dataclass(frozen=True)
class Pairs(Field):
    """Keys with texts: labels: {0: stopped}, inputs: {f: press-01/flow}."""

    numbers: bool = False  # the keys are numbers
    example: str = "f: press-01/flow"

    def value(self, node: Node) -> dict[str, str]:
        """Gives the pairs in their order."""
        if isinstance(node, Scalar) and node.value is None:
            return {}
        if not isinstance(node, document.Mapping):
            raise Wrong(f"{self.key} are pairs, for example {{{'0: stopped' if self.numbers else self.example}}}.")
        pairs = {}
        for key, item in node.items.items():
            if not isinstance(item, Scalar):
                raise Wrong(f"{self.key}: {key} has one value, not {_kind(item)}.")
            pairs[self._key(key)] = item.text
        return pairs

    def _key(self, key: str) -> str:
        if not self.numbers:
            return key
        try:
            return label_key(key)
        except (ValueError, OverflowError):
            raise Wrong(f"{self.key}: {key!r} is not a number.") from None

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives the pairs in braces."""
        pairs = values[self.models[0]].items()
        shown = (f"{key if self.numbers else quote(key, flow=True)}: {quote(word, flow=True)}" for key, word in pairs)
        return "{" + ", ".join(shown) + "}"


def figure(key: str, node: Node, *, whole: bool = False) -> float | int | None:
    """Gives the number of a node. Raises: Wrong."""
    if not isinstance(node, Scalar) or isinstance(node.value, str | bool):
        shown = _kind(node) if not isinstance(node, Scalar) else repr(node.text)
        raise Wrong(f"{key} is a number, not {shown}.")
    if node.value is None:
        return None
    if whole:
        if node.value != node.value or abs(node.value) == float("inf") or int(node.value) != node.value:
            raise Wrong(f"{key} is a whole number, not {node.text}.")
        return int(node.value)
    try:
        return float(node.value)
    except OverflowError:
        raise Wrong(f"{key} is too large a number.") from None


def suggestion(word: str, known: Iterable[str]) -> str:
    """Gives the end of a sentence about an unknown word: the nearest known one, or all of a few."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; it is one of {', '.join(known)}." if 0 < len(known) <= 12 else "."


def read_entry(
    node: document.Mapping, fields: Iterable[Field], others: Iterable[str], errors: list[Error], what: str
) -> tuple[dict[str, Any], set[str]]:
    """Gives the model values that an entry names, and the fields that could not be read; why goes to `errors`.

    Takes: the fields it may have, and other keys that somebody else reads.
    """
    table = {field.key: field for field in fields}
    given: dict[str, Any] = {}
    misread: set[str] = set()
    for key, item in node.items.items():
        field = table.get(key)
        if field is not None:
            try:
                given |= field.read(item)
            except Wrong as wrong:
                errors.append(Error(node.lines[key], f"{what}: {wrong}"))
                misread.update(field.models)
        elif key not in others:
            hint = suggestion(key, [*table, *others])
            errors.append(Error(node.lines[key], f"{what}: unknown key {key!r}{hint}"))
    return given, misread


def _kind(node: Node) -> str:
    return "a list" if isinstance(node, document.Sequence) else "a mapping"


def _number(value: float | int | None) -> str:
    return "null" if value is None else number(value)


# --- Text ----------------------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[^\W\d_][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]*\Z")
# Words that a reader of YAML 1.1 or 1.2 would not take for text.
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
_UNSAFE = re.compile(r": |:\Z| #|\s\Z|\s\s")
_FLOW = re.compile(r"[\[\]{},:]")


def quote(text: str, *, flow: bool = False) -> str:
    """Gives a text as one YAML scalar: plain where nobody could take it for something else, else in double quotes."""
    plain = (
        _PLAIN.match(text)
        and text.lower() not in _WORDS
        and not _UNSAFE.search(text)
        and not (flow and _FLOW.search(text))
    )
    if plain:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", quoted)
