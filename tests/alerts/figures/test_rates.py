"""Rates, floods and the share of busy time, on the test vectors of the domain's reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerts.figures import rates
from alerts.figures.events import DAY, HOUR, MINUTE, SECOND
from alerts.figures.staffing import Staffing, aligned, midnights

from .rows import START, figures, raises, rows

TEN = 10 * MINUTE


def us(*when: int, zone: tzinfo = UTC) -> int:
    return round(datetime(*when, tzinfo=zone).timestamp()) * SECOND  # type: ignore[misc]  # the parts are positional


def per_ten(*counts: int) -> list[float]:
    """Gives seconds at which so many alarms come in each ten minutes, each of a rule of its own."""
    return [600 * place + 600 * number / count for place, count in enumerate(counts) for number in range(count)]


def test_tv_1_6_a_flood_begins_above_ten_and_ends_below_five():
    made = figures(rows(*raises(*per_ten(3, 11, 9, 6, 5, 4, 12, 2))), seconds=4800)
    assert made.counts.tolist() == [3, 11, 9, 6, 5, 4, 12, 2]
    assert [((flood.start - START) // TEN, flood.minutes, flood.count, flood.peak) for flood in made.floods] == [
        (1, 40.0, 31, 11),
        (6, 10.0, 12, 12),
    ]
    assert made.flood_share == 0.625
    assert [flood.running for flood in made.floods] == [False, False]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([10, 0], []),
        ([11, 5, 5, 5], [(0, 4, True)]),
        ([11, 4], [(0, 1, False)]),
        ([11, 5, 4, 11], [(0, 2, False), (3, 4, True)]),
        ([0, 4, 11], [(2, 3, True)]),
    ],
)
def test_exactly_ten_begins_no_flood_and_exactly_five_ends_none(counts, expected):
    edges = np.arange(len(counts) + 1, dtype=np.int64) * TEN
    found = rates.floods(np.array(counts), edges)
    assert [(flood.start // TEN, flood.end // TEN, flood.running) for flood in found] == expected


def test_tv_1_7_4320_alarms_in_30_days_are_144_a_day_6_an_hour_and_1_in_ten_minutes():
    made = figures(rows(*raises(*(600 * place + 30 for place in range(4320)))), days=30)
    assert (made.annunciations, made.per_day, made.per_hour, made.per_ten) == (4320, 144.0, 6.0, 1.0)
    assert [made.standing_of(key) for key in ("per_day", "per_hour", "per_ten")] == ["met"] * 3
    assert (made.peak_ten, made.peak_hour, made.busy_hours, made.busy_tens) == (1, 6, 0.0, 0.0)


def test_one_alarm_more_is_over_the_target_and_still_manageable():
    made = figures(rows(*raises(*(600 * place + 30 for place in range(4320)), 1.0)), days=30)
    assert made.standing_of("per_day") == "manageable"
    doubled = figures(rows(*raises(*(300 * place + 30 for place in range(8640)), 1.0)), days=30)
    assert doubled.standing_of("per_day") == "missed"


def test_busy_hours_have_more_than_30_and_busy_intervals_more_than_10():
    made = figures(rows(*raises(*per_ten(11, 10, 10, 0, 0, 0, *[5] * 6))), seconds=7200)
    assert (made.peak_hour, made.busy_hours) == (31, 0.5)
    assert made.busy_tens == pytest.approx(1 / 12)
    assert made.demanding == 0.25
    assert (made.peak_ten, made.peak_ten_at) == (11, START)


def test_intervals_are_those_of_the_plants_clock_not_of_the_period():
    start = us(2026, 3, 2, 6, 4)
    edges = aligned(start, start + 20 * MINUTE, TEN, UTC)
    assert [edge // MINUTE % 60 for edge in edges.tolist()] == [0, 10, 20, 30]
    kathmandu = aligned(start, start + 20 * MINUTE, TEN, ZoneInfo("Asia/Kathmandu"))  # 5 h 45 min ahead
    assert all((edge // MINUTE + 345) % 10 == 0 for edge in kathmandu.tolist())
    assert kathmandu[0] <= start < kathmandu[1]


def test_a_flood_over_midnight_is_one():
    events = rows(*raises(*(86_400 - 600 + second for second in range(0, 1200, 50))))
    made = figures(events, days=2)
    assert [(flood.minutes, flood.count) for flood in made.floods] == [(20.0, 24)]


def test_a_flood_ends_with_the_shift():
    week = [[[0, 20]], *[[] for _ in range(6)]]
    made = figures(rows(*raises(*per_ten(12, 12, 12, 12))), seconds=2400, week=week)
    assert [(flood.minutes, flood.count) for flood in made.floods] == [(20.0, 24)]
    assert (made.flood_share, made.unstaffed) == (1.0, 24)


def test_the_day_of_a_change_of_clocks_has_23_staffed_hours_and_a_night_shift_follows_the_wall():
    berlin = ZoneInfo("Europe/Berlin")
    start, end = us(2026, 3, 29, zone=berlin), us(2026, 3, 30, zone=berlin)
    always = [[[0, 1440]]] * 7
    assert Staffing.of(always, start, end, berlin).seconds == 23 * 3600
    nights = [[[0, 360], [1320, 1440]]] * 7
    found = Staffing.of(nights, start, end, berlin)
    assert [(last - first) / HOUR for first, last in zip(found.starts, found.ends, strict=True)] == [5.0, 2.0]
    assert [(b - a) / HOUR for a, b in zip(*[iter(midnights(start, end + 1, berlin))] * 2, strict=False)] == [23.0]


def test_a_moment_is_staffed_from_the_start_of_a_shift_up_to_its_end():
    week = [[[6 * 60, 14 * 60], [14 * 60, 15 * 60]], *[[] for _ in range(6)]]
    staffing = Staffing.of(week, START, START + 2 * DAY, UTC)
    assert len(staffing.starts) == 1
    moments = [START + round(hour * HOUR) for hour in (0, 5.999, 6, 14.999, 15, 30)]
    assert staffing.holds(np.array(moments)).tolist() == [False, False, True, True, False, False]
    assert staffing.touches(np.array([START, START + 6 * HOUR, START + 7 * HOUR, START + 15 * HOUR,
                                      START + 16 * HOUR])).tolist() == [False, True, True, False]  # fmt: skip


@pytest.mark.parametrize(
    ("average", "peak", "demanding", "word"),
    [
        (0.9, 9, 0.005, "predictive"),
        (1.0, 9, 0.005, "robust"),
        (0.9, 10, 0.0, "robust"),
        (5.0, 100, 0.05, "robust"),
        (5.0, 101, 0.05, "stable"),
        (5.0, 50, 0.06, "stable"),
        (10.1, 50, 0.06, "reactive"),
        (5.0, 1001, 0.06, "overloaded"),
        (5.0, 50, 0.51, "overloaded"),
        (101.0, 150, 0.2, "overloaded"),
    ],
)
def test_the_level_is_the_best_of_which_all_three_figures_hold(average, peak, demanding, word):
    assert rates.level(average, peak, demanding) == word


def test_a_long_period_is_counted_to_its_last_interval():
    made = figures(rows(*raises(30 * 86400 - 1)), days=30)
    assert len(made.counts) == 30 * 144
    assert made.counts[-1] == 1
    assert (made.current, made.edges[-1]) == (1, START + 30 * DAY)
    assert timedelta(microseconds=int(made.edges[-1] - made.edges[0])) == timedelta(days=30)
