"""Sparklines: gaps stay gaps, a limit is drawn only where it is one of the sensor's own scale."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from alerts.models import Alarm
from devices.telemetry.codec import Columns
from plant.drawing import spark
from plant.pages import sparks


def columns(seconds: Any, values: Any, quality: Any = 0) -> Columns:
    return Columns(
        time=(np.asarray(seconds) * 1_000_000).astype(np.int64),
        value=np.asarray(values, dtype=np.float64),
        quality=np.broadcast_to(quality, len(seconds)).astype(np.uint8),
        late=np.zeros(len(seconds), dtype=np.bool_),
    )


def test_a_sparkline_keeps_its_gaps() -> None:
    seconds = np.r_[np.arange(0, 20), np.arange(40, 60)]
    found = columns(seconds, seconds, np.where(seconds == 50, 2, 0))
    drawn = sparks.line(found, 0, 60_000_000)
    assert len(drawn) == 60
    assert drawn[:19] == [float(second) for second in range(1, 20)]
    assert drawn[25] is None  # nothing was sent
    assert drawn[49] is None  # and what is bad is no value
    assert sparks.line(found, 100_000_000, 160_000_000) == []


def test_a_state_began_with_the_first_reading_that_told_of_it() -> None:
    assert sparks.began(columns([1, 2, 3, 4], [0, 2, 2, 2])) == 2_000_000
    assert sparks.began(columns([1, 2], [2, 2])) is None  # it is older than what is looked at
    assert sparks.began(columns([], [])) is None


@pytest.mark.parametrize(
    ("readings", "since"),
    [
        ([(3000, 1), (3300, 2), (3600, 2)], (3300, False)),  # it changed
        ([(1, 2), (3600, 2)], (None, True)),  # it stood for the whole hour
        ([(59, 2), (3600, 2)], (None, True)),
        ([(3480, 2), (3600, 2)], (3480, True)),  # nothing is recorded of the time before
        ([], (None, False)),
    ],
)
def test_a_state_is_said_to_last_no_longer_than_is_recorded(
    readings: list[tuple[int, int]], since: tuple[int | None, bool]
) -> None:
    now = datetime(1970, 1, 1, 1, tzinfo=UTC)
    told = columns([at for at, _ in readings], [value for _, value in readings])
    at, lasts = sparks.stood(told, now, 10.0)
    assert (at and at // 1_000_000, lasts) == since


@pytest.mark.parametrize(
    ("frozen", "level"),
    [
        ({"kind": "high"}, sparks.Level(90.0, below=False)),
        ({"kind": "low"}, sparks.Level(90.0, below=True)),
        ({"kind": "outside", "low": 90.0, "high": 120.0}, sparks.Level(90.0, below=True)),
        ({"kind": "rate_high"}, None),
        ({"kind": "deviation"}, None),
    ],
)
def test_the_limit_of_a_rate_is_no_level(frozen: dict[str, Any], level: sparks.Level | None) -> None:
    assert sparks.level_of(Alarm(limit=90.0, frozen=frozen)) == level


def test_a_sparkline_that_goes_on_carries_its_points() -> None:
    drawn = spark([1.0, None, 3.123456], normal=(0.0, 2.0), limit=3.0, alarm=2, tag="press-1/temp")
    assert 'data-spark="press-1/temp" data-points="[1.0,null,3.1235]" data-normal="0.0 2.0" data-limit="3.0"' in drawn
    assert "data-" not in spark([1.0, 2.0])
