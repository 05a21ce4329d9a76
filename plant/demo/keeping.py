"""Keeps the demo plant's feed running beside a worker where no supervisor does; one feed for a folder."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

LOCK = "demo-feed.lock"
_CHILD = Path(__file__).resolve().parents[1] / "supervisor" / "child.py"  # ends with the process that began it

_running: subprocess.Popen[bytes] | None = None
_guard = threading.Lock()


def hold(folder: Path, *, wait: bool) -> int | None:
    """Takes the folder's lock to the process's end. Gives: its descriptor; None where another holds it."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def keep(folder: Path, url: str, *, wanted: bool) -> bool:
    """Starts the feed if it is wanted and none runs, and ends our own when it is wanted no more.

    Gives: whether it was started now.
    """
    global _running
    with _guard:
        if _running is not None and _running.poll() is None:
            if not wanted:
                _running.terminate()
            return False
        _running = None
        if not wanted or (lock := hold(folder, wait=False)) is None:
            return False
        os.close(lock)  # the feed takes it itself
        command = [sys.executable, "-P", "-S", str(_CHILD), sys.executable, "-m", "plant.demo.feed"]
        root = str(_CHILD.parents[2])
        _running = subprocess.Popen(  # noqa: S603  # of ours alone
            [*command, "--url", url, "--var", str(folder)],
            stdin=subprocess.DEVNULL,
            cwd=root,
            env={**os.environ, "PYTHONPATH": root},
        )
        return True
