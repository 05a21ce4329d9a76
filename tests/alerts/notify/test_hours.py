"""Weekly hours: written by people, stored by the day, said in words."""

import pytest

from alerts.notify import hours
from alerts.notify.hours import DAY, WEEK, NoClock, Span

WORKDAYS = (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("text", "minute"), [("6", 360), ("06:00", 360), ("0615", 375), ("6.30", 390), ("00:00", 0), (" 23:59 ", 1439)]
)
def test_a_time_of_day_is_read_in_the_ways_people_write_it(text: str, minute: int) -> None:
    assert hours.minute_of(text) == minute


@pytest.mark.parametrize("text", ["", "24:00", "25", "6:60", "noon", "6:0", "-1", "06:00:00"])
def test_what_is_no_time_of_day_is_refused_in_words(text: str) -> None:
    with pytest.raises(NoClock, match=r"is no time of day\. Write one from 00:00 to 23:59"):
        hours.minute_of(text)


def test_midnight_at_the_end_of_hours_is_the_end_of_the_day() -> None:
    assert hours.minute_of("24:00", ends=True) == hours.minute_of("00:00", ends=True) == DAY


def test_hours_over_midnight_are_stored_on_both_days() -> None:
    week = hours.hours_of([Span((0, 6), 22 * 60, 6 * 60)])
    assert week == [[[0, 360], [1320, 1440]], [[0, 360]], [], [], [], [], [[1320, 1440]]]


def test_hours_that_overlap_or_touch_are_one() -> None:
    assert hours.hours_of([Span((1,), 600, 720), Span((1,), 360, 600), Span((1,), 700, 800)])[1] == [[360, 800]]


@pytest.mark.parametrize(
    "spans",
    [
        [Span(WORKDAYS, 360, 840)],
        [Span(WEEK, 1320, 360)],
        [Span((0,), 0, DAY), Span((4,), 1200, 120)],
        [Span((0, 2), 360, 480), Span((0, 2), 600, 720), Span((5, 6), 0, DAY)],
        [Span((6,), 1320, 60)],
        [Span((0,), 720, DAY), Span((1,), 0, 720)],
        [],
    ],
)
def test_a_week_comes_back_as_it_was_written(spans: list[Span]) -> None:
    stored = hours.hours_of(spans)
    assert hours.hours_of(hours.spans_of(stored)) == stored
    assert sorted(hours.spans_of(stored), key=repr) == sorted(spans, key=repr)


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ([Span(WORKDAYS, 360, 840)], "Mon to Fri 06:00 to 14:00"),
        ([Span(WEEK, 1320, 360)], "every day 22:00 to 06:00"),
        ([Span((5, 6), 0, DAY)], "Sat and Sun all day"),
        ([Span((0, 1, 2, 4), 360, 480)], "Mon to Wed and Fri 06:00 to 08:00"),
        ([Span((0,), 360, 480), Span((0,), 600, DAY), Span((3,), 0, 60)],
         "Mon 06:00 to 08:00, Mon 10:00 to 24:00 and Thu 00:00 to 01:00"),
        ([Span(WEEK, 0, DAY)], "at any time"),
        ([], "never"),
    ],
)  # fmt: skip
def test_a_week_is_said_in_words(spans: list[Span], words: str) -> None:
    assert hours.in_words(hours.hours_of(spans)) == words


def test_the_preset_that_a_week_came_from_is_found_again() -> None:
    assert [hours.preset_of(hours.hours_of(spans)) for spans in hours.PRESETS.values()] == list(hours.PRESETS)
    assert hours.preset_of(None) == "always"
    assert hours.preset_of(hours.hours_of([Span((0,), 360, 480)])) == "own"
