"""The demo's feed and `replay` against a real intake: everything they send is taken, and nothing twice."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.stack import ROOT, Stack

pytestmark = pytest.mark.chaos

# How many readings of each source's first machine wait in the streams, the newest one's age, and the feed's own note.
LOOK = """
import json, time
from devices.models import Checkpoint, Sensor
from devices.telemetry import codec, stream
import numpy as np
client = stream.connect()
tags = {sensor.pk: sensor.tag for sensor in Sensor.objects.select_related("asset")}
found = {}
for shard in Checkpoint.objects.values_list("shard", flat=True):
    for _, fields in client.xrange(stream.stream_key(shard)):
        if b"c" in fields:
            continue
        batch = codec.unpack(fields[b"b"])
        for sensor, at in zip(batch.sensor.tolist(), batch.time.tolist()):
            found.setdefault(tags[sensor], []).append(at)
print(json.dumps({
    "sensors": len(found),
    "all": len(tags),
    "twice": [tag for tag, times in found.items() if len(set(times)) < len(times)],
    "ahead": max(max(times) for times in found.values()) / 1e6 - time.time(),
    "vibration": found.get("tr-pump-04/vibration", []),
    "recorded": len(found.get("recorded-machine/temperature", [])),
    "oil": sorted(found.get("press-a1/oil-temp", [])),
}))
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Gives an intake with the demo plant behind it and no worker: what is sent stays in the streams."""
    with Stack(tmp_path_factory.mktemp("demo"), intake=True, env={"TELEMETRY_SHARDS": "4"}) as made:
        made.script("from devices.services import ensure_shards; ensure_shards(); from plant import demo; demo.load()")
        made.start("intake")
        yield made


@pytest.fixture(scope="module")
def seen(stack: Stack) -> dict[str, object]:
    """Gives what lies in the streams after the feed ran until its first note, a stop and a second run."""
    for _ in range(2):
        progress = stack.folder / "demo-feed.json"
        before = json.loads(progress.read_text())["sent"] if progress.exists() else 0
        feed = subprocess.Popen(
            [sys.executable, "-m", "plant.demo.feed", "--url", stack.intake_url, "--var", str(stack.folder)],
            cwd=ROOT, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        until = time.monotonic() + 90
        while time.monotonic() < until and feed.poll() is None:
            if progress.exists() and json.loads(progress.read_text())["sent"] > before:
                break
            time.sleep(0.1)
        feed.terminate()
        words, _ = feed.communicate(timeout=20)
        assert feed.returncode == 0, words
        assert "refused" not in words and "not taken" not in words, words
    return dict(json.loads(stack.script(LOOK)))


def test_every_sensor_reports_and_nothing_twice(seen: dict[str, object]) -> None:
    assert seen["sensors"] == seen["all"] == 1549
    assert seen["twice"] == []


def test_the_feed_is_never_ahead_of_the_clock(seen: dict[str, float]) -> None:
    assert seen["ahead"] <= 0


def test_half_an_hour_is_filled_in_and_goes_over_into_live_readings(seen: dict[str, list[int]]) -> None:
    times = sorted(seen["vibration"])
    steps = [(after - before) // 1_000_000 for before, after in pairwise(times)]
    assert times[-1] - times[0] > 1790 * 1_000_000
    assert steps.count(10) > 170
    assert set(steps[-3:]) <= {2, 4, 6, 8, 10}
    assert max(steps) <= 20


def test_the_recording_brings_one_reading_a_second(seen: dict[str, int]) -> None:
    assert seen["recorded"] > 1790


def test_nobody_else_reads_the_tokens(stack: Stack) -> None:
    tokens = stack.folder / "demo-tokens.json"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    assert len(json.loads(tokens.read_text())) == 5


def test_the_demo_knows_that_it_is_loaded(stack: Stack) -> None:
    assert stack.script("from plant import demo; print(demo.is_loaded())").strip() == "True"


def test_replay_makes_a_source_for_itself_and_takes_it_away_again(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "recording.csv"
    file.write_text("time,value,quality\n2024-01-01T00:00:00Z,51.5,good\n2024-01-01T00:00:01.000001Z,52,uncertain\n")
    said = stack.run("manage.py", "replay", str(file), "--sensor", "press-a1/oil-temp", "--url", stack.intake_url)
    assert said.strip() == "2 of 2 readings accepted."
    left = stack.script("from devices.models import Source; print(Source.objects.count())")
    assert int(left) == 5
    first = 1_704_067_200_000_000
    assert json.loads(stack.script(LOOK))["oil"][:2] == [first, first + 1_000_001]
