"""What each kind of rule raises on and clears on, at and around its limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alerts.engine.story import Row, Story, rule, told

UP, DOWN = "active", "return"

HIGH: dict[str, Any] = {"kind": "high", "limit": 80.0, "deadband": 2.0}
LOW: dict[str, Any] = {"kind": "low", "limit": 10.0, "deadband": 2.0}
OUTSIDE: dict[str, Any] = {"kind": "outside", "low": 10.0, "high": 20.0, "deadband": 1.0}
EQUALS: dict[str, Any] = {"kind": "equals", "value": 3.0}
NOT_EQUALS: dict[str, Any] = {"kind": "not_equals", "value": 3.0}
DEVIATION: dict[str, Any] = {"kind": "deviation", "reference": 50.0, "limit": 5.0, "deadband": 1.0}
# 60 a minute is one a second.
RATE_HIGH: dict[str, Any] = {"kind": "rate_high", "limit": 60.0, "deadband": 30.0, "window": 10}
RATE_LOW: dict[str, Any] = {"kind": "rate_low", "limit": -60.0, "deadband": 30.0, "window": 10}
STALE: dict[str, Any] = {"kind": "stale", "timeout": 10}
FLATLINE: dict[str, Any] = {"kind": "flatline", "duration": 10, "tolerance": 0.5}
EXPRESSION: dict[str, Any] = {"kind": "expression", "expression": "v > 5", "names": ("v",)}


@pytest.mark.parametrize(
    ("fields", "value", "raised"),
    [
        (HIGH, 79.999, False),
        (HIGH, 80.0, True),
        (HIGH, 81.0, True),
        (LOW, 10.001, False),
        (LOW, 10.0, True),
        (LOW, -3.0, True),
        (OUTSIDE, 10.0, True),
        (OUTSIDE, 10.001, False),
        (OUTSIDE, 19.999, False),
        (OUTSIDE, 20.0, True),
        (EQUALS, 3.0, True),
        (EQUALS, 3.0000001, False),
        (NOT_EQUALS, 3.0, False),
        (NOT_EQUALS, 2.0, True),
        (DEVIATION, 54.999, False),
        (DEVIATION, 55.0, True),
        (DEVIATION, 45.0, True),
        (EXPRESSION, 5.0, False),
        (EXPRESSION, 5.1, True),
    ],
)
def test_raises_at_its_limit_and_beyond(fields: dict[str, Any], value: float, raised: bool) -> None:
    assert told(rule(**fields), [(0, value)]) == ([(UP, 0)] if raised else [])


@pytest.mark.parametrize(
    ("fields", "raising", "value", "cleared"),
    [
        (HIGH, 90.0, 79.0, False),
        (HIGH, 90.0, 78.0, False),
        (HIGH, 90.0, 77.999, True),
        (LOW, 5.0, 11.0, False),
        (LOW, 5.0, 12.0, False),
        (LOW, 5.0, 12.001, True),
        (OUTSIDE, 25.0, 19.5, False),
        (OUTSIDE, 25.0, 19.0, False),
        (OUTSIDE, 25.0, 18.999, True),
        (OUTSIDE, 5.0, 11.0, False),
        (OUTSIDE, 5.0, 11.001, True),
        (OUTSIDE, 5.0, 25.0, False),
        (EQUALS, 3.0, 3.0, False),
        (EQUALS, 3.0, 4.0, True),
        (NOT_EQUALS, 4.0, 5.0, False),
        (NOT_EQUALS, 4.0, 3.0, True),
        (DEVIATION, 60.0, 54.0, False),
        (DEVIATION, 60.0, 53.999, True),
        (DEVIATION, 60.0, 40.0, False),
        (EXPRESSION, 6.0, 5.0, True),
    ],
)
def test_clears_only_beyond_its_deadband(fields: dict[str, Any], raising: float, value: float, cleared: bool) -> None:
    assert told(rule(**fields), [(0, raising), (1, value)]) == [(UP, 0), *([(DOWN, 1)] if cleared else [])]


@pytest.mark.parametrize(
    ("fields", "raising", "clearing"),
    [
        (HIGH, 90.0, 0.0),
        (LOW, 5.0, 50.0),
        (OUTSIDE, 25.0, 15.0),
        (EQUALS, 3.0, 4.0),
        (NOT_EQUALS, 4.0, 3.0),
        (DEVIATION, 60.0, 50.0),
        (EXPRESSION, 6.0, 5.0),
    ],
)
def test_bad_readings_neither_raise_nor_clear_and_uncertain_ones_count(
    fields: dict[str, Any], raising: float, clearing: float
) -> None:
    rows: list[Row] = [
        (0, clearing),
        (1, raising, "bad"),
        (2, raising, "uncertain"),
        (3, clearing, "bad"),
        (4, clearing, "uncertain"),
    ]
    assert told(rule(**fields), rows) == [(UP, 2), (DOWN, 4)]


def test_late_readings_and_repeated_ones_are_not_put() -> None:
    story = Story(rule(**HIGH))
    assert story.readings((5, 0.0), (4, 90.0), (5, 90.0)) == []
    assert story.readings((6, 90.0), (5.5, 0.0)) == [(UP, 6)]


def test_a_bad_reading_makes_older_ones_late() -> None:
    assert told(rule(**HIGH), [(5, 0.0, "bad"), (4, 90.0)]) == []


def test_the_value_of_a_transition_is_the_one_that_was_put_last() -> None:
    story = Story(rule(**HIGH, on_delay=5))
    story.readings((0, 85.0), (3, 86.0), (4, 99.0, "bad"), (9, 85.0))
    assert (story.last.kind, story.last.value) == (UP, 86.0)


class TestRates:
    def test_no_rate_before_half_of_the_window(self) -> None:
        assert told(rule(**RATE_HIGH), [(0, 0.0), (4.999999, 100.0)]) == []
        assert told(rule(**RATE_HIGH), [(0, 0.0), (5, 100.0)]) == [(UP, 5)]

    @pytest.mark.parametrize(("value", "raised"), [(9.99, False), (10.0, True)])
    def test_rises_are_taken_per_minute(self, value: float, raised: bool) -> None:
        assert told(rule(**RATE_HIGH), [(0, 0.0), (10, value)]) == ([(UP, 10)] if raised else [])

    def test_falls_are_negative_rates(self) -> None:
        assert told(rule(**RATE_LOW), [(0, 10.0), (10, 0.0)]) == [(UP, 10)]
        assert told(rule(**RATE_LOW), [(0, 10.0), (10, 0.1)]) == []

    def test_per_gives_the_unit_of_the_limit(self) -> None:
        assert told(rule(**{**RATE_HIGH, "limit": 1.0, "deadband": 0.0}, per=1), [(0, 0.0), (10, 10.0)]) == [(UP, 10)]

    def test_the_oldest_reading_of_the_window_counts_and_none_before_it(self) -> None:
        rows: list[Row] = [(0, 0.0), (1, 50.0), (11, 51.0)]
        assert told(rule(**RATE_HIGH), rows) == []
        # A reading of just a window ago is within it.
        assert told(rule(**RATE_HIGH), [(0, 0.0), (1, 50.0), (10, 51.0)]) == [(UP, 10)]

    def test_bad_readings_are_not_in_the_window(self) -> None:
        assert told(rule(**RATE_HIGH), [(0, 0.0, "bad"), (6, 100.0), (8, 200.0)]) == []

    def test_clears_below_the_limit_less_deadband(self) -> None:
        story = Story(rule(**RATE_HIGH))
        assert story.readings((0, 0.0), (10, 10.0)) == [(UP, 10)]
        assert story.readings((20, 15.0)) == []  # 30 a minute
        assert story.readings((30, 19.0)) == [(DOWN, 30)]

    def test_a_gap_in_the_readings_leaves_the_alarm_as_it_is(self) -> None:
        story = Story(rule(**RATE_HIGH))
        assert story.readings((0, 0.0), (10, 10.0)) == [(UP, 10)]
        assert story.readings((100, 10.0), (104, 10.0)) == []
        assert story.readings((105, 10.0)) == [(DOWN, 105)]


class TestStale:
    def test_holds_from_the_timeout_until_the_next_reading(self) -> None:
        assert told(rule(**STALE), [(0, 1.0), (25, 1.0)]) == [(UP, 10), (DOWN, 25)]

    def test_a_reading_of_any_quality_keeps_it_away(self) -> None:
        assert told(rule(**STALE), [(0, 1.0), (6, 1.0, "bad"), (15.999999, 1.0)]) == []

    def test_a_sensor_that_never_reported_is_not_stale(self) -> None:
        assert told(rule(**STALE), [(0, 1.0, "good", 99)], until=1000) == []

    def test_a_reading_at_the_very_timeout_ends_what_begins_then(self) -> None:
        assert told(rule(**STALE), [(0, 1.0), (10, 1.0)]) == [(UP, 10), (DOWN, 10)]

    def test_the_on_delay_starts_when_it_begins_to_hold(self) -> None:
        assert told(rule(**STALE, on_delay=5), [(0, 1.0), (14.9, 1.0)]) == []
        assert told(rule(**STALE, on_delay=5), [(0, 1.0), (16, 1.0)]) == [(UP, 15), (DOWN, 16)]

    def test_holding_again_stops_the_off_delay(self) -> None:
        stale = rule(**STALE, off_delay=12)
        # The off-delay of 20 would end at 32, but from 30 on it holds again.
        assert told(stale, [(0, 1.0), (20, 1.0), (31, 1.0)], until=40) == [(UP, 10)]
        assert told(stale, [(0, 1.0), (20, 1.0), (29, 1.0)], until=38) == [(UP, 10), (DOWN, 32)]

    def test_of_two_timers_due_at_once_the_delay_fires_first(self) -> None:
        # Returned at 30 by its off-delay, and stale again at 30.
        assert told(rule(**STALE, off_delay=10), [(0, 1.0), (20, 1.0)], until=30) == [(UP, 10), (DOWN, 30), (UP, 30)]


class TestFlatline:
    def test_holds_from_the_duration_after_the_anchor(self) -> None:
        assert told(rule(**FLATLINE), [(0, 1.0), (5, 1.5), (9, 0.5)], until=9.9) == []
        assert told(rule(**FLATLINE), [(0, 1.0), (5, 1.5), (9, 0.5)], until=10) == [(UP, 10)]

    def test_a_reading_beyond_the_tolerance_is_the_new_anchor(self) -> None:
        assert told(rule(**FLATLINE), [(0, 1.0), (5, 1.6), (14, 1.6)], until=14.9) == []
        assert told(rule(**FLATLINE), [(0, 1.0), (5, 1.6)], until=15) == [(UP, 15)]

    def test_clears_when_a_reading_leaves_the_tolerance(self) -> None:
        assert told(rule(**FLATLINE), [(0, 1.0), (12, 1.2), (13, 1.51)]) == [(UP, 10), (DOWN, 13)]

    def test_a_slow_drift_ends_where_it_has_left_the_anchor(self) -> None:
        rows: list[Row] = [(2 * step, 0.25 * step) for step in range(10)]
        assert told(rule(**FLATLINE), rows) == []

    def test_bad_readings_move_nothing(self) -> None:
        assert told(rule(**FLATLINE), [(0, 1.0), (5, 9.0, "bad"), (11, 1.0)]) == [(UP, 10)]
        assert told(rule(**FLATLINE), [(0, 9.0, "bad"), (5, 1.0)], until=12) == []
