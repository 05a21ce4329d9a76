"""Rules over several sensors: an instant is judged once, with all readings of that instant."""

from __future__ import annotations

import pytest

from alerts.engine.rules import RuleSpec
from tests.alerts.engine.story import START, Row, Story, rule

UP, DOWN = "active", "return"


def against(**fields: object) -> RuleSpec:
    """Sensor 1 must stay within 5 of sensor 2."""
    return rule("deviation", **{"inputs": (1, 2), "intervals": (1, 1), "limit": 5.0, "deadband": 1.0, **fields})


def test_readings_of_one_instant_are_put_together() -> None:
    story = Story(against())
    assert story.readings((0, 10.0), (0, 8.0, "good", 2)) == []
    # One after the other these would differ by 10 for a moment.
    assert story.readings((1, 20.0), (1, 18.0, "good", 2)) == []
    assert story.readings((2, 25.0), (2, 20.0, "good", 2)) == [(UP, 2)]


@pytest.mark.parametrize("swapped", [False, True])
def test_the_order_of_arrival_within_an_instant_does_not_matter(swapped: bool) -> None:
    rows: list[Row] = [(0, 10.0), (0, 8.0, "good", 2), (1, 20.0), (1, 8.0, "good", 2)]
    if swapped:
        rows = [rows[1], rows[0], rows[3], rows[2]]
    story = Story(against())
    assert story.readings(*rows) == [(UP, 1)]
    assert story.last.value == 20.0


def test_an_instant_waits_until_all_inputs_have_reached_it() -> None:
    story = Story(against())
    story.readings((0, 10.0), (0, 10.0, "good", 2))
    assert story.readings((1, 20.0), (2, 20.0)) == []
    assert story.readings((1.5, 10.0, "good", 2)) == [(UP, 1)]  # sample and hold: 10 at second 1
    assert story.readings((2, 18.0, "good", 2)) == [(DOWN, 2)]


def test_a_stale_input_is_not_waited_for_and_nothing_is_put() -> None:
    story = Story(against())
    story.readings((0, 10.0), (0, 10.0, "good", 2))
    assert story.readings((3, 20.0)) == []  # three intervals: not stale yet, so it waits
    assert story.readings((3.000001, 20.0)) == []  # stale; the instant of 3 s waits and this one behind it
    assert story.readings((4, 10.0, "good", 2)) == [(UP, 3)]


def test_what_comes_for_a_judged_instant_is_left_out() -> None:
    story = Story(against())
    story.readings((0, 10.0), (0, 10.0, "good", 2))
    assert story.readings((10, 20.0)) == []
    assert story.readings((10, 10.0, "good", 2)) == []
    assert story.left_out == [10]
    # It was left out, so sensor 2 is still stale for the tests; its next reading ends that.
    assert story.readings((10.5, 20.0)) == []
    assert story.readings((10.75, 10.0, "good", 2), (10.75, 20.0)) == [(UP, 10.75)]


def test_an_input_without_readings_is_waited_for_until_the_clock_passes() -> None:
    story = Story(against())
    story.readings((0, 20.0))
    assert story.clock(1.999999) == []
    assert story.clock(2) == []
    story.readings((0, 0.0, "good", 2), arrival=2.5)
    assert story.left_out == [0]
    assert story.readings((3, 0.0, "good", 2), (3, 20.0)) == [(UP, 3)]


def test_the_clock_judges_what_waits() -> None:
    story = Story(against(intervals=(0, 0)))
    story.readings((0, 10.0), (0, 10.0, "good", 2))
    assert story.readings((5, 20.0)) == []
    assert story.clock(6.999999) == []
    assert story.clock(7) == [(UP, 5)]
    assert story.last.clock_from is None  # a reading brought it about
    story.readings((4, 20.0, "good", 2), arrival=8)
    assert story.left_out == [4]


def test_a_timer_that_the_clock_fired_leaves_out_what_comes_later() -> None:
    story = Story(against(on_delay=10, intervals=(0, 0)))
    story.readings((0, 10.0), (0, 20.0, "good", 2))
    assert story.clock(12) == [(UP, 10)]
    assert story.last.clock_from == START
    story.readings((7, 20.0), (10, 20.0, "good", 2), arrival=13)
    assert story.left_out == [7, 10]
    assert story.readings((11, 20.0), (11, 20.0, "good", 2)) == [(DOWN, 11)]


def test_bad_quality_of_any_input_stops_the_tests_but_not_the_delays() -> None:
    story = Story(against(on_delay=5, off_delay=0))
    story.readings((0, 10.0), (0, 20.0, "good", 2))
    assert story.readings((1, 20.0), (1, 20.0, "bad", 2)) == []
    assert story.readings((6, 20.0), (6, 20.0, "bad", 2)) == [(UP, 5)]
    assert story.readings((7, 20.0), (7, 20.0, "good", 2)) == [(DOWN, 7)]


def test_a_bad_reading_holds_until_a_better_one_comes() -> None:
    story = Story(against(intervals=(0, 0)))
    story.readings((0, 10.0), (0, 20.0, "bad", 2))
    assert story.readings((1, 10.0), (2, 20.0, "good", 2), (2, 10.0)) == [(UP, 2)]


def test_a_sensor_that_is_named_twice_is_one_input() -> None:
    spec = rule("expression", inputs=(1, 2, 1), names=("a", "b", "c"), intervals=(1, 1, 1), expression="a + c > b")
    story = Story(spec)
    assert story.readings((0, 3.0), (0, 5.0, "good", 2)) == [(UP, 0)]
    assert story.readings((1, 2.5), (1, 5.0, "good", 2)) == [(DOWN, 1)]


def test_an_expression_without_verdict_leaves_everything_as_it_is() -> None:
    spec = rule("expression", inputs=(1, 2), names=("a", "b"), expression="a / b > 1", on_delay=5)
    story = Story(spec)
    assert story.readings((0, 3.0), (0, 1.0, "good", 2)) == []
    assert story.readings((2, 3.0), (2, 0.0, "good", 2)) == []
    assert story.readings((6, 3.0), (6, 0.0, "good", 2)) == [(UP, 5)]
    assert story.readings((7, 3.0), (7, 0.0, "good", 2)) == []
    assert story.readings((8, 3.0), (8, 4.0, "good", 2)) == [(DOWN, 8)]
