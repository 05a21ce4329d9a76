"""The demo's feed beside a worker: one for a folder, and none where nobody wants it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plant.demo import keeping
from plant.demo.loading import TOKENS

NOBODY = "http://127.0.0.1:9"  # the feed waits until somebody answers there


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Gives a folder with the demo's tokens, and ends what was started on it."""
    (tmp_path / TOKENS).write_text(json.dumps({"gateway-press": "a token"}), encoding="utf-8")
    yield tmp_path
    if keeping._running is not None:
        keeping._running.kill()
        keeping._running.wait()
    keeping._running = None


def test_a_feed_is_started_once_and_ends_when_it_is_wanted_no_more(folder: Path) -> None:
    assert keeping.keep(folder, NOBODY, wanted=True)
    running = keeping._running
    assert running is not None and running.poll() is None
    assert not keeping.keep(folder, NOBODY, wanted=True)
    assert not keeping.keep(folder, NOBODY, wanted=False)
    assert running.wait(timeout=20) is not None
    assert not keeping.keep(folder, NOBODY, wanted=False)
    assert keeping._running is None


def test_no_second_feed_is_started_beside_the_supervisors(folder: Path) -> None:
    hold = "import sys, pathlib\nfrom plant.demo.keeping import hold\nhold(pathlib.Path(sys.argv[1]), wait=True)\n"
    supervised = subprocess.Popen(
        [sys.executable, "-c", f"{hold}print('held', flush=True)\nsys.stdin.read()", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert supervised.stdout is not None and supervised.stdout.readline() == b"held\n"
    assert not keeping.keep(folder, NOBODY, wanted=True)
    supervised.kill()
    supervised.wait()
    assert keeping.keep(folder, NOBODY, wanted=True)
