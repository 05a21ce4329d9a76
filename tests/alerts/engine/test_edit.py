"""A rule that is edited starts anew, and an alarm that stands is not forgotten."""

from __future__ import annotations

from tests.alerts.engine.story import Story, rule

UP, DOWN = "active", "return"


def test_an_edit_stops_running_delays() -> None:
    story = Story(rule("high", limit=80.0, on_delay=10))
    story.readings((0, 90.0))
    story.edit(rule("high", limit=80.0, on_delay=10, version=2))
    assert story.readings((11, 90.0), (20.9, 90.0)) == []
    assert story.readings((21, 90.0)) == [(UP, 21)]


def test_rules_that_were_not_edited_go_on() -> None:
    going = rule("high", id=1, limit=80.0, on_delay=10)
    joined = rule("deviation", id=3, inputs=(1, 2), intervals=(0, 0), limit=5.0, on_delay=3)
    story = Story(going, rule("high", id=2, limit=80.0), joined)
    story.readings((0, 90.0), (0, 90.0, "good", 2), (5, 80.0))
    story.edit(going, joined, rule("low", id=7, limit=0.0))
    # The delay of the first began at 0; of the third, what waited since 5 is judged when sensor 2 reports.
    assert story.readings((9, 90.0, "good", 2), (10, 80.0)) == [(UP, 10), (UP, 8)]
    assert [one.rule for one in story.live.transitions] == [2, 1, 3]


def test_a_standing_alarm_is_cleared_by_the_first_reading_that_does_not_raise() -> None:
    story = Story(rule("high", limit=80.0))
    assert story.readings((0, 90.0)) == [(UP, 0)]
    story.edit(rule("high", limit=95.0, deadband=10.0, version=2))
    # 91 is within the deadband, but a new rule is inactive: it only asks whether to raise.
    assert story.readings((1, 91.0)) == [(DOWN, 1)]
    assert (story.last.reason, story.last.version) == ("rule edited", 2)
    assert story.readings((2, 50.0)) == []


def test_a_standing_alarm_goes_on_where_the_new_rule_raises_too() -> None:
    story = Story(rule("high", limit=80.0))
    assert story.readings((0, 90.0)) == [(UP, 0)]
    story.edit(rule("high", limit=85.0, version=2))
    assert story.readings((1, 90.0)) == [(UP, 1)]
    assert story.readings((2, 50.0)) == [(DOWN, 2)]
    assert story.last.reason == ""


def test_a_standing_alarm_waits_for_the_new_on_delay_and_ends_when_that_stops() -> None:
    story = Story(rule("high", limit=80.0))
    assert story.readings((0, 90.0)) == [(UP, 0)]
    story.edit(rule("high", limit=85.0, on_delay=10, version=2))
    assert story.readings((1, 90.0), (2, 0.0, "bad")) == []
    assert story.readings((3, 84.0)) == [(DOWN, 3)]
    assert story.last.reason == "rule edited"


def test_a_rule_whose_alarm_does_not_stand_clears_nothing() -> None:
    story = Story(rule("high", limit=80.0))
    story.readings((0, 10.0))
    story.edit(rule("high", limit=85.0, version=2))
    assert story.readings((1, 10.0)) == []


def test_stale_starts_from_the_last_stored_reading() -> None:
    story = Story(rule("stale", timeout=100))
    story.readings((0, 1.0))
    story.edit(rule("stale", timeout=10, version=2))
    assert story.clock(12) == [(UP, 10)]
    assert story.last.value == 1.0


def test_a_new_stale_rule_starts_from_the_last_stored_reading() -> None:
    story = Story(rule("high", limit=80.0))
    story.readings((0, 1.0), (1, 2.0, "bad"))
    story.edit(rule("high", limit=80.0), rule("stale", id=2, timeout=10), rule("flatline", id=3, duration=20))
    assert story.clock(12.999999) == []
    assert story.clock(13) == [(UP, 11)]
    assert story.clock(23) == [(UP, 20)]


def test_flatline_starts_from_the_last_good_reading() -> None:
    story = Story(rule("flatline", duration=10, tolerance=1.0))
    story.readings((0, 1.0), (5, 3.0), (6, 9.0, "bad"))
    story.edit(rule("flatline", duration=10, tolerance=1.0, version=2))
    assert story.readings((14, 3.5), (15, 3.5)) == [(UP, 15)]


def test_a_rate_sees_the_readings_before_the_edit() -> None:
    story = Story(rule("rate_high", limit=600.0, window=10))
    story.readings((0, 0.0), (5, 5.0))
    story.edit(rule("rate_high", limit=60.0, window=10, version=2))
    assert story.readings((6, 6.0)) == [(UP, 6)]


def test_an_edited_rule_over_several_sensors_knows_no_values() -> None:
    story = Story(rule("deviation", inputs=(1, 2), intervals=(0, 0), limit=5.0))
    assert story.readings((0, 10.0), (0, 0.0, "good", 2)) == [(UP, 0)]
    story.edit(rule("deviation", inputs=(1, 2), intervals=(0, 0), limit=8.0, version=2))
    assert story.readings((1, 1.0)) == []
    assert story.readings((2, 0.0, "good", 2), (2, 1.0)) == [(DOWN, 2)]
    assert story.last.reason == "rule edited"


def test_an_alarm_that_ended_by_edit_is_not_ended_twice() -> None:
    story = Story(rule("high", limit=80.0))
    story.readings((0, 90.0))
    story.edit(rule("high", limit=95.0, version=2))
    story.live.restart()
    assert story.readings((1, 90.0), (2, 90.0)) == [(DOWN, 1)]
