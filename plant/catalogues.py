"""The message files: what the sources ask to translate, what is translated, and what Andon reads.

`manage.py words` brings them up to date with this; it needs Babel (requirements-dev.txt) and no program beside Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT: Path = settings.BASE_DIR
# By domain, as Django names them: Python and templates, and what scripts read in the browser.
PYTHON = ("alerts", "devices", "plant")
TEMPLATES = ("templates",)
SCRIPTS = ("static/js",)
DOMAINS = ("django", "djangojs")

# By function, which of its arguments are texts; c is the context.
_ASKING: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_TEXT = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
# What Django makes of a template: calls between blanked-out text.
_CALL = re.compile(rf"(?<![\w.])(n?p?gettext|_)\(\s*{_TEXT}(?:\s*,\s*{_TEXT})?(?:\s*,\s*{_TEXT})?", re.DOTALL)

# A file, a text or its singular and plural, and its context.
Asked = tuple[str, str | tuple[str, str], str | None]


def asked(domain: str) -> Iterator[Asked]:
    """Gives every text that the sources ask to translate, by file."""
    if domain == "djangojs":
        for path in _files(SCRIPTS, ".js"):
            yield from _in_code(path, "javascript")
        return
    for path in _files(PYTHON, ".py"):
        yield from _in_code(path, "python")
    for path in _files(TEMPLATES, ".html", ".txt"):
        yield from _in_template(path)


def collected(domain: str) -> Catalog:
    """Gives an empty catalogue of every text, sorted, with the files that hold it."""
    made = Catalog(domain=domain)
    for file, text, context in asked(domain):
        made.add(text, locations=[(file, 1)], context=context)
    return made


def stored(language: str, domain: str) -> Catalog:
    """Gives a language's message file; an empty catalogue where there is none."""
    path = file_of(language, domain)
    if not path.exists():
        return Catalog(locale=language, domain=domain)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain, abort_invalid=True)


def renewed(language: str, domain: str) -> Catalog:
    """Gives a language's catalogue as the sources are now: what is gone is left out, what is new is empty.

    A text that was changed is a new text: a translation that only resembles it is not taken over.
    """
    old = stored(language, domain)
    made = Catalog(locale=language, domain=domain, project="Andon", version="1", header_comment="# Andon.", fuzzy=False)
    for message in collected(domain):
        if message.id:
            known = old.get(message.id, message.context)
            string = known.string if known is not None else None
            made.add(message.id, string, locations=message.locations, context=message.context)
    return made


def write(language: str, domain: str, catalogue: Catalog) -> None:
    """Writes the message file, and beside it what Django reads."""
    path = file_of(language, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, sort_output=True, include_lineno=False, omit_header=False)
    # The moments of writing would differ each time, and who reads them?
    kept = [line for line in path.read_text().splitlines(True) if not _MOMENT.match(line)]
    path.write_text("".join(kept))
    path.with_suffix(".mo").write_bytes(compiled(language, domain))


_MOMENT = re.compile(r'"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Language-Team|Report-Msgid)')


def compiled(language: str, domain: str) -> bytes:
    """Gives what Django reads of a stored message file."""
    bare = _Bare(locale=language, domain=domain, fuzzy=False)
    for message in stored(language, domain):
        if message.id:
            bare.add(message.id, message.string, context=message.context)
    file = BytesIO()
    write_mo(file, bare)
    return file.getvalue()


class _Bare(Catalog):
    """A catalogue whose head says nothing of when and by whom it was made."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """Gives what a reader of the compiled file needs."""
        return [("Content-Type", "text/plain; charset=utf-8"), ("Plural-Forms", self.plural_forms)]


def file_of(language: str, domain: str) -> Path:
    """Gives where a language's message file lies."""
    return ROOT / "locale" / language / "LC_MESSAGES" / f"{domain}.po"


def _files(folders: tuple[str, ...], *kinds: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in kinds)


def _in_code(path: Path, method: str) -> Iterator[Asked]:
    with path.open("rb") as file:
        for _line, text, _comments, context in extract(method, file, _ASKING):
            yield str(path.relative_to(ROOT)), text if isinstance(text, str) else (text[0], text[1]), context


def _in_template(path: Path) -> Iterator[Asked]:
    name = str(path.relative_to(ROOT))
    for call, *quoted in _CALL.findall(templatize(path.read_text(), origin=name)):
        texts = [ast.literal_eval(text) for text in quoted if text]
        context = texts.pop(0) if "p" in call else None
        yield name, (texts[0], texts[1]) if "n" in call.removesuffix("gettext") else texts[0], context
