"""Where compiled loops are kept: in a folder for just this code, which other code never reads. Needs no Django.

Numba renews what it keeps when the file of a function changes, and not when a constant of another module does, which is
compiled into it: a kind of rule, the layout of a row.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

_MARK = "code"  # names the code of a folder that is not named by it


def sources(root: Path) -> Iterator[Path]:
    """Gives the files that hold compiled loops, or constants which those read."""
    yield from sorted((root / "alerts" / "engine").glob("*.py"))
    for path in sorted((root / "devices" / "telemetry").glob("*.py")):
        if path.name in ("batch.py", "snapshot.py") or "compiled" in path.read_text():
            yield path


def code_of(root: Path) -> str:
    """Gives the name of the code as it is."""
    whole = hashlib.sha256()
    for path in sources(root):
        whole.update(f"{path.relative_to(root)}\n{path.stat().st_size}\n".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def folder_of(base: Path, root: Path) -> Path:
    """Gives the folder below a base in which the code as it is keeps its loops, and removes those of older code."""
    found = base / code_of(root)
    found.mkdir(parents=True, exist_ok=True)
    _empty(base, but=found.name)
    return found


def renew(folder: Path, root: Path) -> bool:
    """Empties a folder that somebody named for Numba, if it holds loops of older code.

    Gives: whether it did. To be called before any process that compiles is started.
    """
    code = code_of(root)
    mark = folder / _MARK
    if folder.name == code or (mark.exists() and mark.read_text() == code):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    _empty(folder, but="")
    mark.write_text(code)
    return True


def _empty(base: Path, *, but: str) -> None:
    """Removes folders of kept code, and nothing else that somebody may have put there."""
    for path in base.iterdir():
        if path.is_dir() and path.name != but and any(path.rglob("*.nbi")):
            shutil.rmtree(path, ignore_errors=True)
