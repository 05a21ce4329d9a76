"""A file from outside becomes a drawing: what is on the list of allowed things, written anew, and nothing else.

The result is text that an XML parser and an HTML parser read alike: no prefixes, no comments, no CDATA, no character
that one of them might take for markup. Cleaning it again changes nothing.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from plant.synoptic import allowed, bindings, styles
from plant.synoptic.bindings import Binding
from plant.synoptic.tree import MAX_BYTES, SVG, Element, Unfit, parse

MAX_DRAWN = 50_000  # elements, each counted as often as something refers to it
LONGEST_WORD = 300  # characters of a binding's attribute
MAX_REMARKS = 100

# Characters that YAML, HTML or a terminal may take for something else than a space.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]+")
_REFERENCE = re.compile(r"#(sy-[^\"'()\s]+)")
_SIZE = re.compile(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(px|pt|pc|mm|cm|in)?\s*\Z")
_PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a file that its author should know."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A drawing that may be shown, and what was left out of the file."""

    drawing: str
    bindings: tuple[Binding, ...]  # their lines are the file's
    remarks: tuple[Remark, ...]


def clean(file: bytes | str) -> Cleaned:
    """Gives the drawing of a file. Raises: Unfit."""
    root = parse(file)
    cleaner = _Cleaner(root)
    drawn = cleaner.element(root, hidden=False)
    assert drawn is not None  # the root is <svg>
    _count_drawn(drawn)
    found = bindings.read(drawn)
    if len(found) > bindings.MAX_BOUND:
        raise Unfit(_("More than %(most)s elements are bound.") % {"most": bindings.MAX_BOUND})
    if len({code for one in found for code in one.codes}) > bindings.MAX_ASSETS:
        raise Unfit(_("The drawing follows more than %(most)s assets.") % {"most": bindings.MAX_ASSETS})
    text = "".join(_written(drawn)).rstrip("\n")
    if len(text.encode()) > MAX_BYTES:
        raise Unfit(_("The file is larger than %(size)s KiB.") % {"size": MAX_BYTES // 1024})
    return Cleaned(text, found, cleaner.remarks)


class _Cleaner:
    """Copies what is allowed, and notes what is not."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.sheet = styles.sheet_of(root)
        self.ids: set[str] = set()
        self.noted: dict[str, list[int]] = {}  # words → lines
        if self.sheet.left_out:
            self._note(_("A rule of a style sheet that is too involved was left out."), root.line)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """Gives what was noted, in the order of the file; the same thing once, with how often."""
        found = []
        for words, lines in self.noted.items():
            often = _(" (%(count)s times)") % {"count": len(lines)} if len(lines) > 1 else ""
            found.append(Remark(lines[0], f"{words}{often}"))
        return tuple(sorted(found, key=lambda one: one.line)[:MAX_REMARKS])

    def _note(self, words: str, line: int) -> None:
        self.noted.setdefault(words, []).append(line)

    def element(self, source: Element, *, hidden: bool, mask: bool = False) -> Element | None:
        """Gives an element with what is allowed of it, or None.

        Takes: whether it is drawn only where something refers to it; whether it is part of a mask, whose colours mean
        how much is seen.
        """
        name = allowed.ELEMENTS.get(source.name)
        if name is None:
            if source.name not in allowed.QUIET:
                self._note(_("<%(name)s> was left out.") % {"name": source.name[:40]}, source.line)
            return None
        outermost = source is self.root
        mask = mask or name == "mask"
        made = Element(name, self._attributes(source, name, outermost=outermost, hidden=hidden, mask=mask), source.line)
        hidden = hidden or name in allowed.HIDDEN
        for child in source.children:
            if isinstance(child, str):
                if name in allowed.TEXTS or name in allowed.WORDS:
                    made.children.append(_CONTROL.sub(" ", child))
            elif name not in allowed.WORDS and not (outermost and child.name in allowed.WORDS):
                # The name of the whole drawing is the page's to say, once.
                copied = self.element(child, hidden=hidden, mask=mask)
                if copied is not None:
                    made.children.append(copied)
        return made

    def _attributes(self, source: Element, name: str, *, outermost: bool, hidden: bool, mask: bool) -> dict[str, str]:
        said = dict(source.attributes)
        style = {**self.sheet.of(source), **styles.declarations(said.pop("style", ""))}
        said |= {key: value for key, value in style.items() if key in allowed.PROPERTIES or key in allowed.PAINTS}
        if style.get("filter", said.get("filter", "none")) != "none":
            self._note(_("Shadows and blurs are left out."), source.line)
        made: dict[str, str] = {}
        for key, value in said.items():
            if outermost and key in allowed.NOT_OUTERMOST:
                continue
            if key in allowed.PAINTS:
                self._paint(made, key, value, name, source.line, mask=mask)
            elif key == "href":
                self._link(made, value, name, source.line)
            elif key in allowed.ATTRIBUTES:
                self._plain(made, key, value, source.line)
            elif key in bindings.ATTRIBUTES:
                self._bound(made, key, value, name, source.line, hidden=hidden or outermost)
            else:
                self._unknown(key, source.line)
        if outermost:
            made["viewBox"] = _view_box(source, made.get("viewBox", ""))
        return made

    def _paint(self, made: dict[str, str], key: str, value: str, name: str, line: int, *, mask: bool) -> None:
        found = styles.paint(value.strip(), text=name in allowed.TEXTS, literal=mask)
        text = found.text if found else None
        if text is not None and text.startswith("url("):
            text = allowed.inner(text)
            if text is None:
                self._note(_("A reference to another file was left out."), line)
        if found is None or text is None:
            return
        made[key] = text
        opacity = {"fill": "fill-opacity", "stroke": "stroke-opacity", "stop-color": "stop-opacity"}.get(key)
        if found.alpha < 1 and opacity and opacity not in made:
            made[opacity] = f"{found.alpha:.3g}"

    def _link(self, made: dict[str, str], value: str, name: str, line: int) -> None:
        link = allowed.link(value, name)
        if link is not None:
            made["href"] = link
        elif name == "image":
            self._note(_("A picture was left out: only small PNG and JPEG pictures inside the file are shown."), line)
        elif name != "g":
            self._note(_("A reference to another file was left out."), line)

    def _plain(self, made: dict[str, str], key: str, value: str, line: int) -> None:
        text = allowed.ATTRIBUTES[key](_CONTROL.sub(" ", value))
        if text is None:
            if key in allowed.REFERENCES:
                self._note(_("A reference to another file was left out."), line)
            return
        if key == "id":
            if text in self.ids:
                return
            self.ids.add(text)
        made[key] = text

    def _bound(self, made: dict[str, str], key: str, value: str, name: str, line: int, *, hidden: bool) -> None:
        if hidden or name not in allowed.BOUND:
            self._note(_("%(name)s on something that is not drawn itself was left out.") % {"name": key}, line)
            return
        text = _CONTROL.sub(" ", value).strip()[:LONGEST_WORD].strip()
        if text:
            made[key] = text

    def _unknown(self, key: str, line: int) -> None:
        if key.lower().startswith("on"):
            self._note(_("%(name)s was left out: a drawing runs no script.") % {"name": key[:40]}, line)
        elif key.startswith("data-"):
            near = difflib.get_close_matches(key, bindings.ATTRIBUTES, n=1, cutoff=0.8)
            if near:
                words = _("%(name)s was left out; did you mean %(near)s?") % {"name": key[:40], "near": near[0]}
                self._note(words, line)


def _view_box(root: Element, given: str) -> str:
    """Gives the drawing's extent: as it says itself, else by its size. Raises: Unfit."""
    try:
        numbers = [float(part) for part in given.replace(",", " ").split()]
    except ValueError:
        numbers = []
    if not numbers:
        sizes = [_SIZE.match(root.attributes.get(name, "")) for name in ("width", "height")]
        try:
            numbers = [0.0, 0.0, *(float(size[1]) * _PIXELS[size[2] or ""] for size in sizes if size)]
        except ValueError:
            numbers = []
    usable = len(numbers) == 4 and all(map(math.isfinite, numbers)) and all(0 < side < 1e6 for side in numbers[2:])
    if not usable or not 0.02 < numbers[2] / numbers[3] < 50:
        raise Unfit(_("The drawing has no extent: give <svg> a viewBox, for example “0 0 1600 900”."), root.line)
    return " ".join(f"{number:.6g}" for number in numbers)


def _count_drawn(root: Element) -> None:
    """Refuses a drawing whose elements refer to each other so that a small file is a large picture, or in a circle.

    Raises: Unfit.
    """
    by_id = {element.attributes["id"]: element for element in root.walk() if "id" in element.attributes}
    counted: dict[int, float] = {}
    under_way: set[int] = set()

    def count(element: Element) -> float:
        key = id(element)
        if key in counted:
            return counted[key]
        if key in under_way or len(under_way) > 400:
            raise Unfit(_("Elements refer to each other in a circle."), element.line)
        under_way.add(key)
        total = 1.0
        for name, value in element.attributes.items():
            if name == "href" or value.startswith("url("):
                for target in _REFERENCE.findall(value):
                    if target in by_id:
                        total += count(by_id[target])
        total += sum(count(child) for child in element.elements)
        under_way.discard(key)
        counted[key] = total
        return total

    if count(root) > MAX_DRAWN:
        raise Unfit(_("More than %(most)s elements would be drawn.") % {"most": MAX_DRAWN}, root.line)


# --- Text ----------------------------------------------------------------------------------------------------------

_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}


def _written(element: Element, *, inline: bool = False) -> Iterator[str]:
    """Gives an element as text, one to a line; inside a text nothing is added, where a space would be seen."""
    end = "" if inline else "\n"
    space = f' xmlns="{SVG}"' if element.name == "svg" and "viewBox" in element.attributes and not inline else ""
    attributes = "".join(f' {name}="{value.translate(_ESCAPES)}"' for name, value in sorted(element.attributes.items()))
    if not element.children:
        yield f"<{element.name}{space}{attributes}/>{end}"
        return
    inside = inline or element.name in allowed.TEXTS or element.name in allowed.WORDS
    yield f"<{element.name}{space}{attributes}>{'' if inside else end}"
    for child in element.children:
        if isinstance(child, str):
            yield child.translate(_ESCAPES)
        else:
            yield from _written(child, inline=inside)
    yield f"</{element.name}>{end}"
