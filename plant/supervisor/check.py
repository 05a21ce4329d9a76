"""./test after the installation: style, types, the browser's modules, then pytest; arguments go to pytest alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from plant.supervisor.install import ROOT, say

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SHELL = "chromium-headless-shell"  # Chromium without a window: opening a page costs it half


def whole_processes() -> list[str]:
    """Gives the test modules that start whole Andons: those with the marks of that. tests/conftest.py holds to it."""
    marks = ("pytest.mark.browser", "pytest.mark.chaos")
    modules = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(path.relative_to(ROOT)) for path in modules if any(mark in path.read_text("utf-8") for mark in marks)]


def steps(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Gives what is run, in order: name and command line."""
    python = sys.executable
    if arguments:
        return [("pytest", [python, "-m", "pytest", *arguments])]
    # What starts and kills whole Andons comes after the rest: two at a time, since they wait a lot. A module's tests
    # share an Andon and stay together, in the order in which they are collected: not those with most tests first.
    tests = ("pytest", [python, "-m", "pytest", "-q", "-n", "2", "-m", "not chaos and not browser"])
    spread = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    chosen = ["-m", "chaos or browser", *whole_processes()]  # named, since to collect all of them takes ten seconds
    processes = ("pytest, whole processes", [python, "-m", "pytest", "-q", *spread, *chosen])
    found = [
        ("ruff check", [python, "-m", "ruff", "check", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("mypy", [python, "-m", "mypy", "."]),
        tests,
        processes,
    ]
    if modules := sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.test.js")):
        node = shutil.which("node") or str(ROOT / ".venv" / "bin" / "node")
        found.insert(-2, ("node --test", [node, "--test", *modules]))
    return found


def main(arguments: Sequence[str]) -> int:
    """Runs every step, the later ones too where one fails. Gives: 0 only if all passed, else the first's own code."""
    if not any(shutil.which(name) for name in (SHELL, *CHROMIUM)):
        say("no Chromium on this machine: the browser's tests are skipped. On Debian: apt install chromium")
    elif not shutil.which(SHELL):
        say(f"the browser's tests would take half as long with Debian's {SHELL} beside Chromium")
    # Beside mypy, which keeps one processor busy: the workers of pytest would wait for it.
    made = None if arguments else subprocess.Popen([sys.executable, "-m", "tests.migrated"], cwd=ROOT)
    failed: list[tuple[str, int]] = []
    for name, command in steps(arguments):
        say(f"{name} …")
        started = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code:
            failed.append((name, code))
        say(f"{name}: {'passed' if not code else 'FAILED'} in {time.monotonic() - started:.0f} s")
    if made is not None:
        made.wait()  # it has ended long ago; where it failed, the tests have said so
    if failed:
        say(f"failed: {', '.join(name for name, _ in failed)}; the first of them says why above")
        return abs(failed[0][1])
    return 0


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main(sys.argv[1:]))
