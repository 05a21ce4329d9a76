"""An SVG file as a small tree in which every element knows its line. Nothing is fetched and nothing expands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pyexpat import ErrorString, ExpatError, ParserCreate, XMLParserType
from typing import Any, NoReturn

from django.utils.translation import gettext as _

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"

MAX_BYTES = 1024 * 1024
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64

# Attributes of other namespaces that have a name here; all others are left out by the parser already.
_KNOWN = {f"{XLINK} href": "href", f"{XML} space": "xml:space"}


class Unfit(Exception):
    """A file that cannot be a synoptic, with the line and the words for it."""

    def __init__(self, words: str, line: int = 0) -> None:
        self.words, self.line = words, line
        super().__init__(f"line {line}: {words}" if line else words)


@dataclass(slots=True)
class Element:
    """One element: its name without prefix (empty: of another namespace than SVG), and what it holds, in order."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list[Element | str] = field(default_factory=list)

    @property
    def elements(self) -> list[Element]:
        """Gives the elements directly inside."""
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def text(self) -> str:
        """Gives the text directly inside."""
        return "".join(child for child in self.children if isinstance(child, str))

    def walk(self) -> Iterator[Element]:
        """Gives the element and all inside it, in the order of the file."""
        yield self
        for child in self.elements:
            yield from child.walk()


def parse(file: bytes | str) -> Element:
    """Gives the root of a file.

    Takes: bytes in whatever encoding the file declares, or text.
    Raises: Unfit for what is no XML, too large, too deep, or declares entities.
    """
    data = file.encode("utf-8", "surrogatepass") if isinstance(file, str) else file
    if len(data) > MAX_BYTES:
        raise Unfit(_("The file is larger than %(size)s KiB.") % {"size": MAX_BYTES // 1024})
    builder = _Builder(ParserCreate("utf-8" if isinstance(file, str) else None, " "))
    try:
        builder.parser.Parse(data, True)
    except ExpatError as error:
        words = _("This is not an SVG file: %(why)s.") % {"why": ErrorString(error.code)}
        raise Unfit(words, error.lineno) from None
    except (LookupError, ValueError):  # an encoding that nobody knows
        raise Unfit(_("Save the file in UTF-8."), 1) from None
    assert builder.root is not None  # else it was no XML
    if builder.root.name != "svg":
        raise Unfit(_("This is not an SVG file: it does not begin with <svg>."), builder.root.line)
    return builder.root


class _Builder:
    """Builds the tree while the parser reads, and stops it at the first thing too many."""

    def __init__(self, parser: XMLParserType) -> None:
        self.parser = parser
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        # A document type with nothing inside is what editors write. One with declarations could make a text grow
        # without end, fetch what lies elsewhere, or give elements attributes that nobody sees.
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._refuse
        parser.UnparsedEntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._external

    @property
    def _line(self) -> int:
        return self.parser.CurrentLineNumber

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MAX_ELEMENTS:
            raise Unfit(_("The drawing has more than %(most)s elements.") % {"most": MAX_ELEMENTS}, self._line)
        if len(self.open) >= MAX_DEPTH:
            raise Unfit(_("Elements are nested more than %(most)s deep.") % {"most": MAX_DEPTH}, self._line)
        space, _gap, local = name.rpartition(" ")
        kept = {_KNOWN.get(key, key): value for key, value in attributes.items() if " " not in key or key in _KNOWN}
        element = Element(local if space in (SVG, "") else "", kept, self._line)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def _end(self, _name: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        self.open[-1].children.append(text)

    def _doctype(self, _name: str, _system: str | None, _public: str | None, declarations: bool) -> None:
        if declarations:
            self._refuse()

    def _external(self, *_what: Any) -> int:
        self._refuse()

    def _refuse(self, *_what: Any) -> NoReturn:
        words = _("The file declares entities. Save it as plain SVG, without the editor's own data.")
        raise Unfit(words, self._line)
