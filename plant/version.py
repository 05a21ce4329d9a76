"""Which version of the pages this process serves, so that a tab of an older one can say so."""

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings

_FOLDERS = ("static", "templates")
_KINDS = {".js", ".css", ".html", ".svg"}


@cache
def version() -> str:
    """Gives a digest of all pages, styles and scripts. Cost: reads them once in a process, some milliseconds."""
    root = Path(settings.BASE_DIR)
    files = sorted(path for name in _FOLDERS for path in (root / name).rglob("*") if path.suffix in _KINDS)
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
