"""Folding moves readings into fewer, bigger rows, loses none, and gives way to another fold."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from devices.models import Chunk, Segment
from devices.telemetry import history
from devices.telemetry.history import folding, reading
from tests.devices.telemetry.history.keeping import DAY, SECOND, START, append, each_second, rows

NOW = START + 3600 * SECOND


def test_sensor_with_enough_readings_goes_to_a_chunk_with_its_figures(sensors):
    one = sensors[0].pk
    each_second(one, 300)
    append([(one, START + 300 * SECOND, 999.0, 2, False)])
    folded = history.fold(NOW)
    assert (folded.readings, folded.chunks_made) == (301, 1)
    assert not Segment.objects.exists()
    chunk = Chunk.objects.get()
    assert (chunk.start, chunk.end, chunk.count, chunk.good) == (START, START + 300 * SECOND, 301, 300)
    assert (chunk.minimum, chunk.maximum, chunk.first, chunk.last) == (20.0, 26.0, 20.0, 25.0)
    assert chunk.total == pytest.approx(sum(20.0 + n % 7 for n in range(300)))


def test_few_readings_of_each_sensor_stay_in_one_merged_segment(sensors):
    for n in range(40):
        append([(sensor.pk, START + n * SECOND, 1.0, 0, False) for sensor in sensors])
    history.fold(NOW)
    assert not Chunk.objects.exists()
    assert Segment.objects.get().count == 120


def test_silent_sensor_does_not_stay_in_segments(sensors):
    append([(sensors[0].pk, START, 1.0, 0, False)])
    history.fold(START + DAY // 2)
    assert Segment.objects.exists()
    history.fold(START + 2 * DAY)
    assert not Segment.objects.exists()
    assert Chunk.objects.get().count == 1


def test_slow_sensors_stay_behind_when_fast_ones_go(sensors):
    fast, slow = sensors[0].pk, sensors[1].pk
    each_second(fast, 300)
    append([(slow, START, 5.0, 0, False), (slow, START + SECOND, 6.0, 1, False)])
    history.fold(NOW)
    assert list(Chunk.objects.values_list("sensor_id", flat=True)) == [fast]
    assert Segment.objects.get().count == 2
    assert rows(history.read(slow, START, NOW)) == [(START, 5.0, 0, False), (START + SECOND, 6.0, 1, False)]


def test_deleted_sensors_readings_are_not_kept(sensors):
    each_second(sensors[0].pk, 300)
    sensors[0].delete()
    history.fold(NOW)
    assert not Chunk.objects.exists()
    assert not Segment.objects.exists()


@pytest.mark.usefixtures("small_layout")
def test_small_chunks_become_bigger_ones_level_by_level(sensors):
    one = sensors[0].pk
    for n in range(60):
        each_second(one, 5, start=START + n * 5 * SECOND)
        history.fold(START + n * 5 * SECOND)
    levels = list(Chunk.objects.order_by("start").values_list("level", flat=True))
    assert levels == sorted(levels, reverse=True)
    assert levels.count(0) < 3
    assert levels.count(1) < 3
    assert max(Chunk.objects.values_list("count", flat=True)) <= 40
    assert len(history.read(one, START, NOW)) == 300


@pytest.mark.usefixtures("small_layout")
def test_late_readings_are_folded_into_the_chunk_of_their_time(sensors):
    one = sensors[0].pk
    for n in range(0, 20, 2):
        each_second(one, 5, start=START + n * 5 * SECOND)
        history.fold(NOW)
    append([(one, START + (5 + n) * SECOND, -1.0, 0, True) for n in range(5)])
    history.fold(NOW)
    for n in range(20, 60):
        each_second(one, 5, start=START + n * 5 * SECOND)
        history.fold(NOW)
    spans = list(Chunk.objects.order_by("start").values_list("start", "end"))
    assert all(end < start for (_, end), (start, _) in pairwise(spans))
    found = history.read(one, START, NOW)
    assert found.late.sum() == 5
    assert len(found) == 10 * 5 + 5 + 40 * 5


def test_more_sensors_than_one_transaction_takes_are_folded_slice_by_slice(sensors, monkeypatch):
    monkeypatch.setattr(folding, "_SENSORS_A_SLICE", 2)
    for sensor in sensors:
        each_second(sensor.pk, 260)
    history.fold(NOW)
    assert not Segment.objects.exists()
    assert [len(history.read(sensor.pk, START, NOW)) for sensor in sensors] == [260, 260, 260]
    assert Chunk.objects.count() == 3


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.usefixtures("small_layout")
def test_reading_that_is_folded_while_somebody_reads_is_seen_once(sensors, monkeypatch, everything):
    one = sensors[0].pk
    each_second(one, 43)
    expected = rows(history.read(one, START, NOW))
    segments = reading.segments

    def then_fold(*given):
        found = segments(*given)
        history.fold(NOW, everything=everything)
        return found

    monkeypatch.setattr(reading, "segments", then_fold)
    assert rows(history.read(one, START, NOW)) == expected
    assert Chunk.objects.exists()


@pytest.mark.usefixtures("small_layout")
def test_two_folds_at_once_double_nothing_and_lose_nothing(sensors, monkeypatch):
    one = sensors[0].pk
    each_second(one, 43)
    expected = rows(history.read(one, START, NOW))
    open_ = folding._open

    def other_fold_first(keys):
        found = open_(keys)
        monkeypatch.setattr(folding, "_open", open_)
        history.fold(NOW, everything=True)
        return found

    monkeypatch.setattr(folding, "_open", other_fold_first)
    history.fold(NOW, everything=True)
    assert rows(history.read(one, START, NOW)) == expected
    assert sum(Chunk.objects.values_list("count", flat=True)) == 43


@pytest.mark.usefixtures("small_layout")
def test_chunks_that_another_fold_took_are_left_alone(sensors, monkeypatch):
    one = sensors[0].pk
    for n in range(3):
        each_second(one, 5, start=START + n * 5 * SECOND)
        monkeypatch.setattr(folding, "_grow", lambda *_: None)
        history.fold(NOW)
    monkeypatch.undo()
    made = folding.make_chunk

    def other_fold_first(*given):
        monkeypatch.setattr(folding, "make_chunk", made)
        Chunk.objects.order_by("start").first().delete()
        return made(*given)

    monkeypatch.setattr(folding, "make_chunk", other_fold_first)
    monkeypatch.setattr(folding.layout, "FAN", 3)
    folding._grow([one], folding.Folded())
    assert Chunk.objects.count() == 2


def test_readers_take_no_write_lock(sensors):
    each_second(sensors[0].pk, 300)
    history.fold(NOW)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        history.read(sensors[0].pk, START, NOW)
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "SELECT"]
