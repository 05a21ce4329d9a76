"""Where no reading comes, the clock fires; what it has fired is final."""

from __future__ import annotations

from tests.alerts.engine.story import START, Story, rule

UP, DOWN = "active", "return"


def test_fires_when_the_sensors_own_time_has_passed_it_by_grace() -> None:
    story = Story(rule("stale", timeout=10))
    story.readings((0, 1.0), arrival=0.5)
    assert story.clock(12.499999) == []
    assert story.clock(12.5) == [(UP, 10)]
    assert story.clock(100) == []


def test_a_backlog_is_judged_as_it_would_have_been_then() -> None:
    story = Story(rule("stale", timeout=10))
    story.readings((0, 1.0), arrival=3600)
    assert story.clock(3611) == []
    assert story.clock(3612) == [(UP, 10)]


def test_without_any_reading_there_is_no_time() -> None:
    assert Story(rule("stale", timeout=10)).clock(10_000) == []


def test_a_bad_reading_moves_the_sensors_time() -> None:
    story = Story(rule("high", limit=80.0, on_delay=10))
    story.readings((0, 90.0))
    story.readings((5, 0.0, "bad"), arrival=20)
    assert story.clock(26) == []
    assert story.clock(27) == [(UP, 10)]


def test_what_the_clock_fired_leaves_out_readings_up_to_its_due_time() -> None:
    story = Story(rule("high", limit=80.0, on_delay=10))
    story.readings((0, 90.0))
    assert story.clock(12) == [(UP, 10)]
    assert story.last.clock_from == START
    assert story.readings((4, 0.0), (10, 0.0), arrival=13) == []
    assert story.left_out == [4, 10]
    assert story.readings((10.000001, 0.0), arrival=13) == [(DOWN, 10.000001)]
    assert story.last.clock_from is None


def test_what_brought_no_transition_is_open_to_readings_that_were_held_up() -> None:
    story = Story(rule("stale", timeout=10, on_delay=20))
    story.readings((0, 1.0))
    assert story.clock(20) == []  # stale since 10, but not yet for long enough
    assert story.readings((9, 1.0), arrival=21) == []
    assert story.left_out == []
    assert story.clock(31 + 10 + 2) == []
    assert story.clock(21 + 10 + 20 + 2) == [(UP, 39)]


def test_a_left_out_reading_still_moves_the_sensors_time() -> None:
    story = Story(rule("stale", timeout=60, off_delay=10))
    story.readings((0, 1.0))
    assert story.clock(62) == [(UP, 60)]
    story.readings((70, 1.0))
    assert story.clock(82) == [(DOWN, 80)]
    story.readings((75, 1.0), arrival=95)  # 20 s on its way
    assert story.left_out == [75]
    assert story.clock(75 + 20 + 56) == []  # stale at 130: the reading of 75 was not put to this rule
    assert story.clock(75 + 20 + 57) == [(UP, 130)]


def test_grace_counts_from_the_reading_that_arrived_last() -> None:
    story = Story(rule("deviation", inputs=(1, 2), intervals=(0, 0), limit=5.0, on_delay=10))
    story.readings((0, 10.0), (0, 0.0, "good", 2))
    story.readings((1, 10.0, "good", 1), arrival=31)
    # By sensor 2 it has long been time; by sensor 1 it is 30 s earlier than the clock says.
    assert story.clock(41.999999) == []
    assert story.clock(42) == [(UP, 10)]
