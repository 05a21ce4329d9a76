"""A range in figures: as a plain loop would count, whatever was folded, cut or silent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.telemetry import history
from devices.telemetry.history import summing
from tests.devices.telemetry.history.keeping import DAY, SECOND, START, append, each_second


def rows(sensor: int, *readings: tuple[float, float, int]) -> None:
    """Appends readings of seconds after the start, value, quality."""
    append([(sensor, START + int(at * SECOND), value, quality, False) for at, value, quality in readings])


def figures(sensor: int, first: float, last: float, *, interval: float | None = 1.0, normal=None):
    found = history.summarise(
        sensor, START + int(first * SECOND), START + int(last * SECOND), interval=interval, normal=normal
    )
    assert found is not None
    return found


def plainly(kept: list[tuple[int, float, int]], start: int, end: int, interval: float | None):
    """Gives (known, mean, deviation) second by second, as one would by hand."""
    held: list[tuple[float, float]] = []
    for place, (at, value, quality) in enumerate(kept):
        following: float = kept[place + 1][0] if place + 1 < len(kept) else end
        following = min(following, end)
        if interval is not None and following - at > 3 * interval:
            following = at + interval
        weight = following - max(at, start)
        if quality < 2 and weight > 0:
            held.append((weight, value))
    known = sum(weight for weight, _ in held)
    if not known:
        return 0, None, None
    mean = sum(weight * value for weight, value in held) / known
    return known, mean, math.sqrt(sum(weight * (value - mean) ** 2 for weight, value in held) / known)


def test_the_mean_is_over_time_and_not_over_readings(sensors):
    rows(sensors[0].pk, (0, 10.0, 0), (1, 10.0, 0), (2, 40.0, 0))
    found = figures(sensors[0].pk, 0, 10, interval=None)
    assert found.mean == pytest.approx((2 * 10 + 8 * 40) / 10)
    assert (found.low, found.high, found.readings, found.known) == (10.0, 40.0, 3, 10 * SECOND)
    assert found.deviation == pytest.approx(12.0)


def test_the_reading_before_the_range_holds_into_it(sensors):
    rows(sensors[0].pk, (0, 5.0, 0), (8, 15.0, 0))
    found = figures(sensors[0].pk, 4, 12, interval=None)
    assert (found.mean, found.low, found.readings) == (10.0, 5.0, 1)
    quiet = figures(sensors[0].pk, 4, 6, interval=None)
    assert (quiet.readings, quiet.mean, quiet.deviation) == (0, 5.0, 0.0)
    assert quiet.last is not None and quiet.last.value == 5.0


def test_in_a_silence_a_value_holds_for_one_interval(sensors):
    rows(sensors[0].pk, (0, 10.0, 0), (1, 10.0, 0), (101, 30.0, 0))
    found = figures(sensors[0].pk, 0, 102)
    assert found.known == 3 * SECOND
    assert found.mean == pytest.approx((10 + 10 + 30) / 3)
    assert figures(sensors[0].pk, 50, 60).known == 0
    assert figures(sensors[0].pk, 50, 60).mean is None


def test_bad_readings_count_for_nothing_and_end_what_was_known(sensors):
    rows(sensors[0].pk, (0, 10.0, 0), (1, 999.0, 2), (2, 999.0, 2), (3, 20.0, 0))
    found = figures(sensors[0].pk, 0, 4)
    assert (found.mean, found.high, found.known) == (15.0, 20.0, 2 * SECOND)


def test_time_outside_the_normal_band_is_told_where_there_is_one(sensors):
    rows(sensors[0].pk, *[(second, 80.0 if second >= 7 else 50.0, 0) for second in range(10)])
    assert figures(sensors[0].pk, 0, 10).outside is None
    assert figures(sensors[0].pk, 0, 10, normal=(20.0, 70.0)).outside == 3 * SECOND
    assert figures(sensors[0].pk, 0, 10, normal=(60.0, 90.0)).outside == 7 * SECOND
    assert figures(sensors[0].pk, 0, 10, normal=(None, 70.0)).outside == 3 * SECOND
    assert figures(sensors[0].pk, 0, 10, normal=(60.0, None)).outside == 7 * SECOND


def test_nothing_known_is_no_figure(sensors):
    found = figures(sensors[0].pk, 0, 10)
    assert (found.readings, found.low, found.mean, found.deviation, found.last) == (0, None, None, None, None)


@pytest.mark.usefixtures("small_layout")
def test_folded_and_fresh_readings_are_summed_alike(sensors):
    each_second(sensors[0].pk, 200)
    fresh = figures(sensors[0].pk, 3.5, 150.5, normal=(21.0, 24.0))
    history.fold(START + DAY, everything=True)
    folded = figures(sensors[0].pk, 3.5, 150.5, normal=(21.0, 24.0))
    assert folded.mean == pytest.approx(fresh.mean)
    assert (folded.low, folded.high, folded.known, folded.outside, folded.readings) == (
        fresh.low, fresh.high, fresh.known, fresh.outside, 147,
    )  # fmt: skip


def test_too_many_readings_are_not_summed(sensors, monkeypatch):
    each_second(sensors[0].pk, 300)
    history.fold(START + DAY, everything=True)
    monkeypatch.setattr(summing, "MOST_SUMMED", 100)
    assert history.summarise(sensors[0].pk, START, START + DAY, interval=1.0) is None


READINGS = st.lists(
    st.tuples(st.integers(1, 12), st.floats(-50, 50), st.sampled_from([0, 0, 0, 1, 2])), min_size=1, max_size=25
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=READINGS, first=st.integers(0, 60), length=st.integers(1, 120), interval=st.sampled_from([None, 2.0]))
def test_figures_are_those_of_a_plain_loop(sensors, steps, first, length, interval):
    from devices.models import Segment

    Segment.objects.all().delete()
    at, kept = 0, []
    for step, value, quality in steps:
        at += step
        kept.append((at, value, quality))
    rows(sensors[0].pk, *kept)
    found = figures(sensors[0].pk, first, first + length, interval=interval)
    shown = [row for row in kept if row[0] <= first + length]
    known, mean, deviation = plainly(shown, first, first + length, interval)
    assert found.known == known * SECOND
    if mean is None:
        assert found.known == 0
    else:
        assert found.mean == pytest.approx(mean, abs=1e-9)
        assert found.deviation == pytest.approx(deviation, abs=1e-6)
        assert np.isfinite(found.low)
