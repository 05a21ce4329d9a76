"""A migrated, empty SQLite database to begin with: made once for the migrations as they are, then copied.

Migrating takes Django a quarter of a minute, most of it to build the models anew between two steps. `./run` migrates
for itself in its tests. `python -m tests.migrated` makes it beforehand.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "var" / "migrated"


def copy_to(place: Path) -> None:
    """Puts such a database at a place where there is none. Cost: a quarter of a minute for the first one."""
    shutil.copyfile(_template(), place)


def _template() -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    found = KEPT / f"{_state()}.sqlite3"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first of several processes makes it, the others wait
        if not found.exists():
            for old in KEPT.glob("*.sqlite3"):
                old.unlink()
            _make(found)
    return found


def _state() -> str:
    """Gives what stands for all migrations, ours and those of the packages, and for what runs after them."""
    state = hashlib.sha256()
    ours = (path for app in ("plant", "devices", "alerts") for path in (ROOT / app).glob("migrations/*.py"))
    for path in sorted([*ours, ROOT / "plant" / "roles.py", ROOT / "requirements.txt"]):
        state.update(path.name.encode() + path.read_bytes())
    return state.hexdigest()[:16]


def _make(found: Path) -> None:
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        outside = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")
        environment = {name: value for name, value in os.environ.items() if name not in outside}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={**environment, "ANDON_VAR": folder},
            check=True,
        )
        whole = Path(folder) / "whole.sqlite3"
        # A copy of the file alone would lack what is still in the log beside it.
        with (
            closing(sqlite3.connect(Path(folder) / "andon.sqlite3")) as made,
            closing(sqlite3.connect(whole)) as copy,
        ):
            made.backup(copy)
        whole.rename(found)


if __name__ == "__main__":
    _template()
