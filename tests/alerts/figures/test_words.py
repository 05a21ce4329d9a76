"""Figures in sentences: rounded, with unit, target and the difference in the unit."""

from __future__ import annotations

import pytest

from alerts.figures import words
from alerts.figures.summary import Figures

from .rows import figures, raises, rows


def said(made: Figures, key: str) -> tuple[str, str, str]:
    line = words.lines(made, [key])[0]
    return line.value, line.unit, line.said


def test_a_share_is_rounded_and_the_difference_is_in_points():
    table = [row for rule in range(1, 13) for row in raises(*range(0, rule * 1000, 1000), rule=rule)]
    made = figures(rows(*table))  # 75 of 78 are 96.15 %
    assert said(made, "top_ten_share") == ("96", "%", "95 points over target 1 %")
    assert said(figures(rows(*raises(*range(3), priority=2), *raises(*range(5), rule=2))), "high_share") == (
        "37.5", "%", "32.5 points over target 5 %",
    )  # fmt: skip


def test_a_share_that_is_too_small_says_how_far_it_is_under_its_target():
    def split(low: int) -> Figures:
        return figures(rows(*raises(*range(low), priority=4), *raises(*range(1000 - low), rule=2, priority=3)))

    assert said(split(800), "low_share") == ("80.0", "%", "target 80 %")
    assert said(split(794), "low_share") == ("79.4", "%", "0.6 points under target 80 %, manageable")
    assert said(split(500), "low_share") == ("50.0", "%", "30.0 points under target 80 %")


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (4320, ("1.00", "per 10 min", "target 1")),
        (4345, ("1.01", "per 10 min", "0.01 over target 1, manageable")),
        (8700, ("2.01", "per 10 min", "1.01 over target 1")),
    ],
)
def test_an_average_says_how_far_it_is_over_its_target(count, expected):
    step = 30 * 86_400 / count
    assert said(figures(rows(*raises(*(place * step for place in range(count)))), days=30), "per_ten") == expected


def test_a_target_that_is_itself_too_much_says_under():
    assert said(figures(rows()), "stale") == ("0", "", "target under 5")
    assert said(figures(rows()), "critical_share") == ("–", "", "target under 1 %")


def test_what_nobody_recorded_has_no_figure_and_is_not_said_to_be_met():
    made = figures(rows(), recorded_from=None)
    for line in words.lines(made):
        assert (line.value, line.word, line.said) == ("–", "not known", "not known: no journal of this time")
        assert not line.met and not line.judged
    assert words.level(made) == "not known"


def test_the_share_of_the_ten_most_frequent_is_not_met_where_there_are_no_more_than_ten():
    line = words.lines(figures(rows(*raises(0, 1000), *raises(5, rule=2))), ["top_ten_share"])[0]
    assert (line.value, line.unit, line.said) == ("100", "%", "not judged: of ten or fewer it is always 100 %")
    assert not line.met and not line.judged


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0 s"), (59.4, "59 s"), (60, "1 min"), (125, "2 min 05 s"), (11_400, "3 h 10 min"),
     (187_300, "2 d 04 h")],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(value, text):
    assert words.seconds(value) == text
