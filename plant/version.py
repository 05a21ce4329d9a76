"""Which version of the pages this process serves: an older tab says so, and files have it in their address."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

_FOLDERS = ("static", "templates")
_PINNED = ("requirements.txt", "package-lock.json")  # what others bring: the admin's files, the charts, the font
_LENGTH = 12  # hex digits


def digest_of(root: Path) -> str:
    """Gives a digest of all pages, styles, scripts and pictures below a project's folder. Cost: 10 ms."""
    files = sorted(path for name in _FOLDERS for path in (root / name).rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in (*files, *(root / name for name in _PINNED)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_LENGTH]


@cache
def version() -> str:
    """Gives the digest of what this process serves."""
    return str(settings.STATIC_URL).strip("/").rpartition("/")[2]


def is_immutable(_path: str, _url: str) -> bool:
    """Tells WhiteNoise that a file never changes: another one has another address."""
    return True


def give_files_of_other_versions(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Gives the files of now for an address of another version, and lets nobody keep them under it.

    Asked for by a page that was open when Andon was upgraded, or one of a process that was upgraded before this one.
    """
    mine = str(settings.STATIC_URL)
    above = mine[: -len(f"{version()}/")]

    def middleware(request: HttpRequest) -> HttpResponseBase:
        other, slash, rest = request.path_info.removeprefix(above).partition("/")
        if request.path_info.startswith(mine) or not request.path_info.startswith(above) or not slash:
            return get_response(request)
        if len(other) == _LENGTH and set(other) <= set("0123456789abcdef"):
            request.path_info = mine + rest
        response = get_response(request)
        response["Cache-Control"] = "no-cache"
        return response

    return middleware
