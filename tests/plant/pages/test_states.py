"""The state line: without holes, honest about silence, the same in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from devices.telemetry.codec import Columns
from plant.drawing import timeline
from plant.machines import Kind, state_words
from plant.pages.states import Day, Lasting, Stretch, lasting, stretches, words

LABELS = state_words({"0": "stopped", "1": "running", "2": "idle"})
HOUR = 3_600_000_000


def columns(seconds: Any, values: Any, quality: Any = 0) -> Columns:
    return Columns(
        time=(np.asarray(seconds) * 1_000_000).astype(np.int64),
        value=np.asarray(values, dtype=np.float64),
        quality=np.broadcast_to(quality, len(seconds)).astype(np.uint8),
        late=np.zeros(len(seconds), dtype=np.bool_),
    )


def seconds(found: list[Stretch]) -> list[tuple[str, float, float]]:
    return [(str(kind), start / 1e6, end / 1e6) for kind, start, end in found]


def test_states_follow_each_other_without_a_hole() -> None:
    found = stretches(columns([0, 60, 120, 180], [1, 1, 2, 1]), LABELS, 0, 200_000_000, silent=120.0)
    assert seconds(found) == [("running", 0, 120), ("idle", 120, 180), ("running", 180, 200)]


def test_a_silence_is_a_time_without_data_and_no_state() -> None:
    found = stretches(columns([100, 160, 1000], [1, 1, 1]), LABELS, 0, 1_060_000_000, silent=120.0)
    assert seconds(found) == [
        ("offline", 0, 100),
        ("running", 100, 280),
        ("offline", 280, 1000),
        ("running", 1000, 1060),
    ]


def test_a_machine_that_fell_silent_is_without_data_up_to_now() -> None:
    found = stretches(columns([0], [0]), LABELS, 0, HOUR, silent=120.0)
    assert seconds(found) == [("stopped", 0, 120), ("offline", 120, 3600)]


def test_bad_readings_tell_no_state() -> None:
    found = stretches(columns([0, 60, 120], [1, 0, 1], [0, 2, 0]), LABELS, 0, 130_000_000, silent=120.0)
    assert seconds(found) == [("running", 0, 130)]


def test_nothing_known_is_a_day_without_data() -> None:
    assert seconds(stretches(columns([], []), LABELS, 0, HOUR, silent=120.0)) == [("offline", 0, 3600)]


def test_a_value_without_a_word_only_tells_that_the_machine_reports() -> None:
    assert stretches(columns([0], [7]), LABELS, 0, 1_000_000, silent=120.0)[0].kind == Kind.REPORTING


def test_the_words_tell_the_longest_state_first() -> None:
    parts = [Stretch(Kind.IDLE, 0, 93 * 60_000_000), Stretch(Kind.RUNNING, 0, 20 * HOUR), Stretch(Kind.OFFLINE, 0, 1)]
    assert words(parts) == "running 20 h 00, idle 1 h 33, no data under 1 min"
    assert (lasting(2880), lasting(74760)) == ("48 min", "20 h 46")


def test_a_state_has_lasted_since_it_changed_or_longer_than_is_known() -> None:
    def lasts(*stretches: Stretch) -> Lasting | None:
        return Day(stretches, 0, 24 * HOUR, due=120_000_000).lasting(Kind.RUNNING)

    running = Stretch(Kind.RUNNING, 3 * HOUR, 24 * HOUR)
    assert lasts(Stretch(Kind.IDLE, 0, 3 * HOUR), running) == (10_800, False)
    # Before a silence it may have run as well.
    assert lasts(Stretch(Kind.OFFLINE, 0, 3 * HOUR), running) == (10_800, True)
    assert lasts(Stretch(Kind.OFFLINE, 0, 60_000_000), Stretch(Kind.RUNNING, 60_000_000, 24 * HOUR)) == (None, True)
    assert lasts(Stretch(Kind.RUNNING, 0, 24 * HOUR)) == (None, True)
    assert lasts(running, Stretch(Kind.IDLE, 24 * HOUR, 24 * HOUR)) is None
    assert Day([Stretch(Kind.OFFLINE, 0, 24 * HOUR)], 0, 24 * HOUR).lasting(Kind.OFFLINE) is None


def test_the_labels_under_the_line_are_the_plants_clock() -> None:
    end = int(datetime(2026, 3, 17, 18, 36, tzinfo=UTC).timestamp() * 1e6)
    ticks = Day([], end - 24 * HOUR, end).ticks
    assert [ticks[0], ticks[4], ticks[8]] == [(0.0, "18:36"), (50.0, "06:36"), (100.0, "now")]


def test_the_line_says_in_words_what_it_draws_and_marks_the_alarms() -> None:
    drawn = timeline([("running", 0.0, 50.0), ("idle", 50.0, 100.0)], [(25.0, 1)], [(0.0, "06:00")], 0.0, 100.0, "Day")
    assert '<rect class="idle" x="50.000%" y="12" width="50.000%" height="16"/>' in drawn
    assert 'class="p1" x="25.000%"' in drawn
    assert 'role="img" aria-label="Day"' in drawn
