"""On-delay and off-delay: what starts them, what stops them, and the time that a transition carries."""

from __future__ import annotations

from tests.alerts.engine.story import Row, Story, rule, told

UP, DOWN = "active", "return"


def test_delays_and_deadband_of_a_high_alarm_over_half_a_minute() -> None:
    story = Story(rule("high", limit=80.0, deadband=2.0, on_delay=5, off_delay=10))
    steps: list[tuple[Row, list[tuple[str, float]]]] = [
        ((0, 79.0), []),
        ((1, 81.0), []),  # the on-delay starts
        ((3, 79.5), []),  # and stops
        ((4, 80.0), []),  # equal counts
        ((9, 82.0), [(UP, 9)]),
        ((12, 79.0), []),  # within the deadband
        ((14, 77.9), []),  # the off-delay starts
        ((20, 78.5), []),  # and stops
        ((22, 77.0), []),
    ]
    for row, news in steps:
        assert story.readings(row) == news
    assert story.clock(33.999999) == []
    assert story.clock(34) == [(DOWN, 32)]  # nobody sends; the clock fires, less two seconds of grace
    assert story.last.clock_from is not None


def test_a_reading_fires_the_timer_that_is_due_at_its_time_before_it_is_put() -> None:
    high = rule("high", limit=80.0, on_delay=5)
    assert told(high, [(0, 90.0), (5, 10.0)]) == [(UP, 5), (DOWN, 5)]
    assert told(high, [(0, 90.0), (4.999999, 10.0)]) == []


def test_a_transition_carries_the_time_at_which_it_was_due() -> None:
    assert told(rule("high", limit=80.0, on_delay=5), [(0, 90.0), (3600, 90.0)]) == [(UP, 5)]


def test_a_delay_starts_with_the_first_reading_that_passes_and_not_again() -> None:
    assert told(rule("high", limit=80.0, on_delay=5), [(0, 90.0), (2, 91.0), (4, 92.0), (5, 92.0)]) == [(UP, 5)]


def test_bad_readings_leave_running_delays_running() -> None:
    story = Story(rule("high", limit=80.0, on_delay=5, off_delay=5))
    assert story.readings((0, 90.0), (3, 0.0, "bad"), (6, 0.0, "bad")) == [(UP, 5)]
    assert story.readings((7, 0.0), (9, 90.0, "bad"), (13, 90.0, "bad")) == [(DOWN, 12)]


def test_delays_without_length_act_at_the_time_of_the_reading() -> None:
    assert told(rule("high", limit=80.0), [(0, 90.0), (1, 10.0), (2, 90.0)]) == [(UP, 0), (DOWN, 1), (UP, 2)]


def test_the_end_of_a_backtest_fires_what_is_due_by_then() -> None:
    high = rule("high", limit=80.0, on_delay=5)
    assert told(high, [(0, 90.0)], until=4.999999) == []
    assert told(high, [(0, 90.0)], until=5) == [(UP, 5)]


def test_several_rules_of_one_sensor_go_their_own_ways() -> None:
    story = Story(
        rule("high", id=1, limit=80.0), rule("high", id=2, limit=90.0), rule("low", id=3, limit=0.0, inputs=(2,))
    )
    story.readings((0, 85.0), (1, 95.0), (2, 85.0), (3, 10.0), (4, -1.0, "good", 2))
    assert [(one.rule, one.kind) for one in story.live.transitions] == [(1, UP), (2, UP), (2, DOWN), (1, DOWN), (3, UP)]
