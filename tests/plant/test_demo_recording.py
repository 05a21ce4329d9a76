"""The recorded machine under its rules: which of the four documented failures they catch, and how early.

The figures stand in docs/demo.md.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from alerts.engine.layout import ACTIVE
from alerts.engine.run import replay
from devices.telemetry.batch import Batch
from plant.demo.recording import DATA, SPEED, TAG, Recording, rows
from tests.plant.demo_judge import rulebook

# Windows and points as the benchmark labels them. Source: NAB's labels for this series (combined_windows.json).
WINDOWS = [
    ("2013-12-10 06:25", "2013-12-11 06:00", "2013-12-12 05:35"),
    ("2013-12-15 17:50", "2013-12-16 17:25", "2013-12-17 17:00"),
    ("2014-01-27 14:20", "2014-01-28 13:55", "2014-01-29 13:30"),
    ("2014-02-07 14:55", "2014-02-08 14:30", "2014-02-09 14:05"),
]
LOW, LOW_LOW, RATE = "Machine temperature low", "Machine temperature low-low", "Machine temperature rate low"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def raised() -> dict[str, list[datetime]]:
    """Gives, by rule, the times of the recording at which it became active in one pass."""
    times = [time for time, _ in rows()]
    recording = Recording(0)
    book = rulebook()
    count = len(times)
    batch = Batch(
        np.full(count, book.sensors[TAG], np.int32),
        np.arange(count, dtype=np.int64) * 1_000_000,
        np.array([recording.at(second) for second in range(count)]),
        np.zeros(count, np.uint8),
    )
    found: dict[str, list[datetime]] = {LOW: [], LOW_LOW: [], RATE: []}
    for row in replay(book.program, [batch]):
        asset, name, _ = book.rules[int(row["rule"])]
        if asset == "recorded-machine" and row["kind"] == ACTIVE:
            found[name].append(times[int(row["time"]) // 1_000_000])
    return found


def leads(times: list[datetime]) -> list[float | None]:
    """Gives, by window, the hours from the first alarm in it to its labelled point; none where it was missed."""
    found: list[float | None] = []
    for start, point, end in WINDOWS:
        inside = [time for time in times if instant(start) <= time <= instant(end)]
        found.append(round((instant(point) - inside[0]).total_seconds() / 3600, 1) if inside else None)
    return found


def outside(times: list[datetime]) -> list[str]:
    """Gives the alarms in no window."""
    return [
        f"{time:%Y-%m-%d %H:%M}"
        for time in times
        if not any(instant(start) <= time <= instant(end) for start, _, end in WINDOWS)
    ]


def test_the_low_limit_catches_all_four_failures_with_three_false_alarms(raised: dict[str, list[datetime]]) -> None:
    assert leads(raised[LOW]) == [21.2, 9.7, -3.4, 18.8]
    assert outside(raised[LOW]) == ["2014-01-29 15:55", "2014-01-30 19:00", "2014-02-03 08:00"]


def test_the_low_low_limit_catches_two_without_a_false_alarm(raised: dict[str, list[datetime]]) -> None:
    assert leads(raised[LOW_LOW]) == [None, 1.0, None, 12.1]
    assert outside(raised[LOW_LOW]) == []


def test_the_rate_catches_the_sudden_one_without_a_false_alarm(raised: dict[str, list[datetime]]) -> None:
    assert leads(raised[RATE]) == [None, 0.7, None, None]
    assert outside(raised[RATE]) == []


def test_in_one_pass_of_eleven_weeks_ten_alarms_are_raised(raised: dict[str, list[datetime]]) -> None:
    assert sum(map(len, raised.values())) == 10


def test_the_limits_follow_from_the_time_before_the_first_failure() -> None:
    values = np.array([value for time, value in rows() if time < instant(WINDOWS[0][0])])
    assert len(values) == 2126
    stays_below = np.lib.stride_tricks.sliding_window_view(values, 25).max(axis=1).min()
    assert round(float(stays_below), 1) == 57.8  # for two hours: the low limit stands 5 % below
    assert (
        round(float((values[24:] - values[:-24]).min()) / 2, 1) == -8.8
    )  # an hour, over two: the rate is 1.7 times it


def test_the_half_hour_that_is_filled_in_ends_before_the_first_failure() -> None:
    times = [time for time, _ in rows()]
    assert times[1800] < instant(WINDOWS[0][0])
    labelled = times.index(instant(WINDOWS[0][1]))
    assert 9 < (labelled - 1800) / 60 < 12  # minutes after a first start


def test_the_recording_begins_anew_after_its_last_reading() -> None:
    recording = Recording(1000)
    count = len(recording.values)
    assert recording.at(1000 + count) == recording.at(1000)
    assert round(count * 300 / SPEED / 3600, 1) == 6.3  # hours


def test_the_licence_lies_beside_the_data() -> None:
    text = (DATA / "NAB_MIT.txt").read_text(encoding="utf-8")
    assert "Numenta" in text
    assert "Permission is hereby granted" in text
