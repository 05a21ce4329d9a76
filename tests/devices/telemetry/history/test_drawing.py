"""A line of few points keeps every extreme and every gap."""

from __future__ import annotations

import numpy as np
import pytest

from devices.telemetry import history
from devices.telemetry.batch import Batch
from devices.telemetry.history import drawing
from tests.devices.telemetry.history.keeping import DAY, SECOND, START, append, each_second


def keep(
    sensor: int, values: np.ndarray, *, start: int = START, step: int = SECOND, quality: np.ndarray | None = None
) -> None:
    n = len(values)
    times = start + np.arange(n) * step
    grade = np.zeros(n, np.uint8) if quality is None else quality
    history.append(0, Batch(np.full(n, sensor, np.int32), times, values, grade), np.zeros(n, np.bool_))


def test_short_range_is_drawn_as_it_is(sensors):
    each_second(sensors[0].pk, 20)
    line = history.read_points(sensors[0].pk, START, START + 9 * SECOND, 2000)
    assert not line.thinned
    assert line.time.tolist() == [START + n * SECOND for n in range(10)]
    assert line.value.tolist() == [20.0 + n % 7 for n in range(10)]


def test_spike_and_dip_of_one_reading_stay_when_thinned(sensors):
    values = np.full(50_000, 20.0)
    values[31_000], values[31_001] = 95.0, -5.0
    keep(sensors[0].pk, values)
    history.fold(START + DAY, everything=True)
    line = history.read_points(sensors[0].pk, START, START + DAY, 500)
    assert line.thinned
    assert len(line) <= 510
    assert (line.value.max(), line.value.min()) == (95.0, -5.0)
    assert (np.diff(line.time) > 0).all()


def test_silence_breaks_the_line_at_any_number_of_points(sensors):
    keep(sensors[0].pk, np.arange(10_000.0))
    keep(sensors[0].pk, np.arange(10_000.0), start=START + 15_000 * SECOND)
    for points in (100, 50_000):
        line = history.read_points(sensors[0].pk, START, START + DAY, points)
        gap = np.flatnonzero(np.isnan(line.value))
        assert len(gap) == 1
        assert line.time[gap[0] - 1] == START + 9_999 * SECOND
        assert line.time[gap[0] + 1] == START + 15_000 * SECOND


def test_bad_readings_break_the_line_and_are_not_drawn(sensors):
    quality = np.zeros(10, np.uint8)
    quality[4:6] = 2
    quality[8] = 1
    keep(sensors[0].pk, np.arange(10.0), quality=quality)
    line = history.read_points(sensors[0].pk, START, START + DAY, 100)
    assert [None if value != value else value for value in line.value.tolist()] == [0, 1, 2, 3, None, 6, 7, 8, 9]


def test_sensor_without_interval_holds_its_value_over_any_silence(sensors):
    sensors[0].interval = None
    sensors[0].save()
    append([(sensors[0].pk, START, 1.0, 0, False)])
    append([(sensors[0].pk, START + DAY, 2.0, 0, False)])
    assert history.read_points(sensors[0].pk, START, START + DAY, 100).value.tolist() == [1.0, 2.0]


def test_nothing_is_drawn_where_nothing_is_known(sensors):
    assert len(history.read_points(sensors[0].pk, START, START + DAY, 100)) == 0


@pytest.mark.usefixtures("small_layout")
def test_long_range_is_drawn_from_figures_with_its_extremes_and_gaps(sensors, monkeypatch):
    monkeypatch.setattr(drawing, "_MOST_DECODED", 100)
    one = sensors[0].pk
    values = np.tile(np.arange(40.0), 50)
    values[777] = 500.0
    keep(one, values)
    history.fold(START, everything=True)
    keep(one, np.full(40, 10.0), start=START + 4_000 * SECOND, quality=np.full(40, 2, np.uint8))
    history.fold(START, everything=True)
    keep(one, values, start=START + 5_000 * SECOND)
    history.fold(START, everything=True)
    keep(one, np.array([30.0, -7.0]), start=START + 7_000 * SECOND)  # still in a segment
    line = history.read_points(one, START, START + 8_000 * SECOND, 800)
    assert line.thinned
    assert 200 < len(line) < 900
    drawn = line.value[~np.isnan(line.value)]
    assert (drawn.max(), drawn.min(), line.value[0], line.value[-1]) == (500.0, -7.0, 0.0, -7.0)
    gaps = np.flatnonzero(np.isnan(line.value))
    assert len(gaps) == 1
    assert line.time[gaps[0] - 1] == START + 1_999 * SECOND
    assert line.time[gaps[0] + 1] == START + 5_000 * SECOND
    assert (np.diff(line.time) >= 0).all()


def test_with_edges_the_line_crosses_a_range_between_two_readings(sensors):
    sensors[0].interval = 60.0
    sensors[0].save()
    append([(sensors[0].pk, START + minute * 60 * SECOND, float(minute), 0, False) for minute in range(5)])
    between = (START + 70 * SECOND, START + 100 * SECOND, 100)
    assert len(history.read_points(sensors[0].pk, *between)) == 0
    line = history.read_points(sensors[0].pk, *between, edges=True)
    assert line.value.tolist() == [1.0, 2.0]
    history.fold(START + DAY, everything=True)
    assert history.read_points(sensors[0].pk, *between, edges=True).value.tolist() == [1.0, 2.0]


def test_edges_break_the_line_where_the_sensor_was_silent_or_bad(sensors):
    one = sensors[0].pk
    append([(one, START, 1.0, 0, False), (one, START + 100 * SECOND, 2.0, 0, False)])
    append([(one, START + 101 * SECOND, 9.0, 2, False), (one, START + 103 * SECOND, 3.0, 0, False)])
    silent = history.read_points(one, START + 50 * SECOND, START + 60 * SECOND, 100, edges=True)
    assert [None if value != value else value for value in silent.value.tolist()] == [1.0, None, 2.0]
    bad = history.read_points(one, START + 99 * SECOND, START + 102 * SECOND, 100, edges=True)
    assert [None if value != value else value for value in bad.value.tolist()] == [1.0, None, 2.0, None, 3.0]


def test_bad_readings_are_told_as_stretches_until_the_next_good_one(sensors):
    quality = np.zeros(30, np.uint8)
    quality[4:6] = quality[20] = 2
    keep(sensors[0].pk, np.arange(30.0), quality=quality)
    line = history.read_points(sensors[0].pk, START, START + 29 * SECOND, 100)
    assert ((line.bad - START) // SECOND).tolist() == [[4, 6], [20, 21]]
    coarse = history.read_points(sensors[0].pk, START, START + DAY, 4)
    assert ((coarse.bad - START) // SECOND).tolist() == [[4, 21]]


def test_a_bad_stretch_ends_where_the_sensor_falls_silent(sensors):
    append([(sensors[0].pk, START, 1.0, 0, False), (sensors[0].pk, START + SECOND, 9.0, 2, False)])
    append([(sensors[0].pk, START + 500 * SECOND, 2.0, 0, False)])
    line = history.read_points(sensors[0].pk, START, START + DAY, 100)
    assert ((line.bad - START) // SECOND).tolist() == [[1, 4]]


def test_nothing_lies_beside_the_only_readings(sensors):
    each_second(sensors[0].pk, 10)
    assert history.neighbours(sensors[0].pk, START, START + 9 * SECOND) == (None, None)
    before, after = history.neighbours(sensors[0].pk, START + 5 * SECOND, START + 6 * SECOND)
    assert before is not None and after is not None
    assert (before.time, after.time) == (START + 4 * SECOND, START + 7 * SECOND)
