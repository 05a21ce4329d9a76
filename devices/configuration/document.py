"""A YAML text as a tree in which every value knows its line.

Only plain data is taken: no tags, no objects. Aliases are followed, within a limit, so that a small text cannot grow
into a large one. Scalars are read as YAML 1.2's core schema has it: `on` and `no` are words.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_BYTES = 64 * 1024 * 1024
MAX_VALUES = 4_000_000
MAX_DEPTH = 12

_NULL = re.compile(r"(~|null|Null|NULL|)\Z")
_TRUE = re.compile(r"(true|True|TRUE)\Z")
_FALSE = re.compile(r"(false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")


@dataclass(frozen=True, slots=True, order=True)
class Error:
    """One thing that is wrong in a file; line 0 where it is not in the file but in the plant as it stands."""

    line: int
    words: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}" if self.line else self.words


class ConfigurationError(Exception):
    """Everything that is wrong with a configuration; nothing was changed."""

    def __init__(self, errors: list[Error]) -> None:
        self.errors = sorted(set(errors))
        super().__init__("\n".join(map(str, self.errors)))


@dataclass(slots=True)
class Scalar:
    """One value: what it is, and how it was written."""

    line: int
    value: str | int | float | bool | None
    text: str


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    items: list[Any]


@dataclass(slots=True)
class Mapping:
    """Keys with values, in the order of the text; `lines` holds each key's line."""

    line: int
    items: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C where PyYAML has it
    """Leaves the meaning of scalars to `_resolve`, which saves half the time."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """Gives no tag."""
        return ""

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        """Does nothing."""

    def ascend_resolver(self) -> None:
        """Does nothing."""


def parse(text: str) -> Mapping:
    """Gives the tree of a text that is one mapping. Raises: ConfigurationError."""
    if len(text) > MAX_BYTES:
        raise ConfigurationError([Error(1, f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB.")])
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigurationError([Error(mark.line + 1 if mark else 1, f"this is not YAML: {words}.")]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, max(error.position, 0)) + 1
        raise ConfigurationError([Error(line, f"this is not YAML: {error.reason}.")]) from None
    if root is None:
        raise ConfigurationError([Error(1, "the file is empty.")])
    builder = _Builder()
    tree = builder.build(root, 0)
    if not isinstance(tree, Mapping):
        builder.errors.append(Error(tree.line, "the file begins with asset_types:, assets: or sources:."))
    if builder.errors or not isinstance(tree, Mapping):
        raise ConfigurationError(builder.errors)
    return tree


class _Builder:
    def __init__(self) -> None:
        self.errors: list[Error] = []
        self.count = 0

    def build(self, node: Any, depth: int) -> Node:
        line = node.start_mark.line + 1
        self.count += 1
        if self.count > MAX_VALUES:
            raise ConfigurationError([Error(line, f"the file holds more than {MAX_VALUES} values with its aliases.")])
        if depth > MAX_DEPTH:
            raise ConfigurationError([Error(line, f"values are nested more than {MAX_DEPTH} deep.")])
        if isinstance(node, yaml.ScalarNode):
            if "\0" in node.value:
                self.errors.append(Error(line, "a text holds a NUL character, which no database keeps."))
            return Scalar(line, node.value if node.style else _resolve(node.value), node.value)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(line, [self.build(item, depth + 1) for item in node.value])
        items: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.errors.append(Error(at, "a key is a word, not a list or a mapping."))
                continue
            key = key_node.value
            if key in items:
                self.errors.append(Error(at, f"{key!r} stands twice here; first in line {lines[key]}."))
                continue
            items[key] = self.build(value_node, depth + 1)
            lines[key] = at
        return Mapping(line, items, lines)


def _resolve(text: str) -> str | int | float | bool | None:
    """Gives what a plain scalar means. Source: YAML 1.2.2, section 10.3.2."""
    first = text[:1]
    if first.isdigit() or first in "+-.":
        if _INT.match(text) and len(text) < 300:
            return int(text)
        if _FLOAT.match(text) or _SPECIAL.match(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return text
    if _NULL.match(text):
        return None
    if _TRUE.match(text):
        return True
    if _FALSE.match(text):
        return False
    return text
