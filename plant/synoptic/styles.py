"""Style attributes and style sheets of a drawing as plain attributes: the screen's policy forbids styles in a page.

What an editor writes is understood: declarations, rules by class, element or id, `light-dark()`, `var()` with a
fallback. Rules of any other form are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import tinycss2
from tinycss2.color3 import RGBA, parse_color

from plant.synoptic import greys
from plant.synoptic.tree import Element

MAX_STYLE = 4_000  # characters of one style attribute
MAX_SHEET = 200_000  # of all sheets of a drawing
MAX_RULES = 2_000

Declarations = Mapping[str, str]

_SELECTOR = re.compile(r"(?:([A-Za-z]+)|\*)?((?:[.#][A-Za-z0-9_-]+)*)\Z")
_LEAVES = {"ident", "number", "percentage", "dimension", "hash", "literal", "whitespace", "string"}
_FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "matrix", "translate", "scale", "rotate", "skewx", "skewy"}
_OWN = re.compile(rf"var\(--sy-({'|'.join(greys.NAMES)})\)\Z")
_KEPT = {"none": "none", "currentcolor": "currentColor", "inherit": "inherit", "context-fill": "context-fill",
         "context-stroke": "context-stroke", "transparent": "none"}  # fmt: skip


@lru_cache(maxsize=4096)
def declarations(style: str) -> Declarations:
    """Gives the properties of a style attribute; of one that is declared twice the last."""
    if len(style) > MAX_STYLE:
        return {}
    return _declared(tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True))


def _declared(nodes: Iterable[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in nodes:
        if node.type == "declaration":
            text = text_of(node.value)
            if text is not None:
                found[node.lower_name] = text
    return found


def text_of(tokens: Sequence[Any], depth: int = 0) -> str | None:
    """Gives the text of a value, or None for one that holds anything but words, numbers, colours and own references."""
    parts: list[str] = []
    for token in tokens:
        if token.type in _LEAVES:
            parts.append(token.serialize())
        elif token.type == "url":
            parts.append(f"url({token.value})")
        elif token.type == "function" and depth < 4:
            text = _function(token, depth)
            if text is None:
                return None
            parts.append(text)
        elif token.type != "comment":
            return None
    return "".join(parts).strip()


def _function(token: Any, depth: int) -> str | None:
    if token.lower_name == "light-dark":
        first, _comma, _rest = _split(token.arguments)
        return text_of(first, depth + 1)
    if token.lower_name == "var":
        first, comma, rest = _split(token.arguments)
        name = text_of(first, depth + 1)
        if _OWN.match(f"var({name})"):
            return f"var({name})"
        return text_of(rest, depth + 1) if comma else None
    if token.lower_name == "url":
        strings = [part.value for part in token.arguments if part.type == "string"]
        return f"url({strings[0]})" if len(strings) == 1 else None
    inner = text_of(token.arguments, depth + 1)
    return None if token.lower_name not in _FUNCTIONS or inner is None else f"{token.name}({inner})"


def _split(tokens: Sequence[Any]) -> tuple[Sequence[Any], bool, Sequence[Any]]:
    """Gives what stands before the first comma, whether there is one, and what stands after it."""
    for place, token in enumerate(tokens):
        if token.type == "literal" and token.value == ",":
            return tokens[:place], True, tokens[place + 1 :]
    return tokens, False, ()


@dataclass(frozen=True, slots=True)
class Paint:
    """What an element is filled or drawn with: a word, a grey or a reference, and how opaque."""

    text: str
    alpha: float = 1.0


@lru_cache(maxsize=4096)
def paint(value: str, *, text: bool = False, literal: bool = False) -> Paint | None:
    """Gives a colour as a grey of the screen, or None for what is no colour.

    Takes: whether it is of a text, which must stay readable; whether it keeps its lightness in every theme.
    """
    if len(value) > 200:
        return None
    tokens = [
        token
        for token in tinycss2.parse_component_value_list(value, skip_comments=True)
        if token.type not in ("whitespace", "comment")
    ]
    if not tokens:
        return None
    first = tokens[0]
    if first.type == "url" or (first.type == "function" and first.lower_name == "url"):
        return Paint(text_of([first]) or "none")
    if first.type == "function" and first.lower_name in ("light-dark", "var"):
        inner = text_of([first])
        if inner is not None and _OWN.match(inner):
            return Paint(inner)
        return paint(inner, text=text, literal=literal) if inner and inner != value else None
    if first.type == "ident" and first.lower_value in _KEPT:
        return Paint(_KEPT[first.lower_value])
    colour = parse_color(first)
    if not isinstance(colour, RGBA):
        return None
    alpha = min(max(float(colour.alpha), 0.0), 1.0)
    if alpha == 0:
        return Paint("none")
    shown = greys.literal(colour) if literal else f"var(--sy-{greys.grey(colour, text=text)})"
    return Paint(shown, alpha)


@dataclass(slots=True)
class Sheet:
    """The rules of a drawing's style sheets, found by what their selector ends on."""

    rules: dict[str, list[tuple[tuple[int, int], str, frozenset[str], Declarations]]] = field(default_factory=dict)
    count: int = 0
    left_out: bool = False  # a rule was too involved

    def of(self, element: Element) -> Declarations:
        """Gives what the rules say of an element, the more specific and the later ones over the others."""
        marks = {f".{name}" for name in element.attributes.get("class", "").split()}
        marks.add(f"#{element.attributes.get('id', '')}")
        keys = [*marks, element.name, "*"]
        found = [
            (order, said)
            for key in keys
            for order, name, needed, said in self.rules.get(key, ())
            if name in ("", element.name) and needed <= marks
        ]
        merged: dict[str, str] = {}
        for _order, said in sorted(found, key=lambda pair: pair[0]):
            merged |= said
        return merged

    def add(self, css: str) -> None:
        """Takes the rules of one sheet."""
        for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
            if rule.type != "qualified-rule" or self.count >= MAX_RULES:
                self.left_out = True
                continue
            said = _declared(tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True))
            for name, marks in self._selectors(rule.prelude):
                self.count += 1
                weight = 10_000 * sum(mark[0] == "#" for mark in marks) + 100 * len(marks) + bool(name)
                key = marks[0] if marks else name or "*"
                self.rules.setdefault(key, []).append(((weight, self.count), name, frozenset(marks), said))

    def _selectors(self, prelude: Sequence[Any]) -> Iterator[tuple[str, list[str]]]:
        text = "".join(token.serialize() for token in prelude if token.type in _LEAVES and token.type != "string")
        for one in text.split(","):
            found = _SELECTOR.match(one.strip())
            if found is None or any(token.type not in _LEAVES for token in prelude):
                self.left_out = True
                continue
            yield found[1] or "", re.findall(r"[.#][A-Za-z0-9_-]+", found[2])


def sheet_of(root: Element) -> Sheet:
    """Gives the rules of all style sheets inside a drawing."""
    sheet, size = Sheet(), 0
    for element in root.walk():
        if element.name == "style":
            size += len(element.text)
            if size <= MAX_SHEET:
                sheet.add(element.text)
            else:
                sheet.left_out = True
    return sheet
