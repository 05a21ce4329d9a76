"""Documents of assets: links, and files of a few kinds and sizes that are kept in the database.

Services own their transaction; all raise ValidationError to refuse, in words. What a browser could run as a page of
ours is no kind that is taken, and whatever is taken is only ever given out as a download.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext as _

from devices.checks import Problem, check_text, refuse
from devices.models import Asset, Document, DocumentFile

MOST_BYTES = 8 * 1024 * 1024  # as much as the front server lets through
MOST_OF_AN_ASSET = 100
# By the name's end: how the content begins, where the kind has a mark.
KINDS: dict[str, tuple[bytes, ...]] = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "docx": (b"PK\x03\x04",),
    "xlsx": (b"PK\x03\x04",),
    "odt": (b"PK\x03\x04",),
    "ods": (b"PK\x03\x04",),
    "zip": (b"PK\x03\x04",),
    "dwg": (b"AC10",),
    "dxf": (),
    "csv": (),
    "txt": (),
}
_web_address = URLValidator(schemes=["http", "https"])


def add_link(*, asset: Asset, title: str, url: str) -> Document:
    """Notes where a document of an asset lies."""
    document = Document(asset=asset, title=title.strip(), url=url.strip())
    with transaction.atomic():
        refuse([*_check(document), *_check_url(document.url)])
        document.save()
    return document


def add_file(*, asset: Asset, title: str, name: str, data: bytes) -> Document:
    """Keeps a file of an asset. Takes: its name as the person's computer calls it, whose end names its kind."""
    name = _base(name)
    document = Document(asset=asset, title=title.strip() or name, file_name=name, size=len(data))
    with transaction.atomic():
        refuse([*_check(document), *_check_file(name, data)])
        document.save()
        DocumentFile.objects.create(document=document, data=data)
    return document


def remove(*, document: Document) -> None:
    """Takes a document away, with its file."""
    with transaction.atomic():
        document.delete()


def content(document: Document) -> bytes:
    """Gives a file's content. Raises: DocumentFile.DoesNotExist where it is a link. Cost: one query."""
    return bytes(DocumentFile.objects.get(document=document).data)


def _base(name: str) -> str:
    """Gives a name without the folders that some browsers send with it, and without control characters."""
    found = PurePosixPath(name.replace("\\", "/")).name
    found = "".join(letter for letter in found if letter.isprintable()).strip()
    stem, dot, end = found.rpartition(".")
    return f"{stem[: 119 - len(end)]}{dot}{end}" if len(found) > 120 else found


def _check(document: Document) -> list[Problem]:
    problems = check_text("title", document.title, 160, needed=True)
    if document.asset.documents.count() >= MOST_OF_AN_ASSET:
        words = _("%(asset)s has %(most)s documents, which is the most: remove one first.")
        problems.append(Problem("title", words % {"asset": document.asset.code, "most": MOST_OF_AN_ASSET}))
    return problems


def _check_url(url: str) -> list[Problem]:
    if problems := check_text("url", url, 500, needed=True):
        return problems
    try:
        _web_address(url)
    except ValidationError:
        words = _("%(address)s is no web address: it begins with https:// or http://.")
        return [Problem("url", words % {"address": repr(url[:80])})]
    return []


def _check_file(name: str, data: bytes) -> list[Problem]:
    end = name.rpartition(".")[2].lower()
    if end not in KINDS or not name.rpartition(".")[0]:
        words = _("%(name)s is none of the kinds that are taken: %(kinds)s.")
        return [Problem("file", words % {"name": repr(name), "kinds": ", ".join(KINDS)})]
    if not data:
        return [Problem("file", _("%(name)s is empty.") % {"name": name})]
    if len(data) > MOST_BYTES:
        words = _("%(name)s is larger than %(most)s MiB, which is the most.")
        return [Problem("file", words % {"name": name, "most": MOST_BYTES // 1024**2})]
    begins = KINDS[end]
    if begins and not data.startswith(begins):
        words = _("%(name)s is not what its name says: it does not begin as a %(kind)s file does.")
        return [Problem("file", words % {"name": name, "kind": end})]
    return []
