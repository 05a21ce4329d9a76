"""Chattering, fleeting, stale and standing alarms, bad actors and answers, on vectors made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.figures import nuisance
from alerts.figures.events import SECOND

from .rows import figures, raises, rows


def chatter(*seconds: float) -> nuisance.Chatter:
    times = np.array([round(second * SECOND) for second in seconds], np.int64)
    return nuisance.chatter(times, np.ones(len(times), np.int64))[0][0]


@pytest.mark.parametrize(
    ("seconds", "worst", "chatters"),
    [
        ((0, 30, 60), 3, True),
        ((0, 30, 60.001), 2, False),
        ((0, 200, 220, 240, 259, 600), 4, True),
        ((0, 59, 118, 177), 2, False),
        ((0,), 1, False),
    ],
)
def test_three_raises_within_a_minute_chatter(seconds, worst, chatters):
    found = chatter(*seconds)
    assert (found.worst, found.worst >= 3) == (worst, chatters)


@pytest.mark.parametrize(
    ("seconds", "index"),
    [
        ((0, 20, 40, 60), 0.05),  # three runs of 20 s
        ((0, 10, 30), (1 / 10 + 1 / 20) / 2),
        ((0, 100), 0.01),
        ((0, 0.2), 1.0),  # under a second counts as one
        ((0,), 0.0),
    ],
)
def test_the_chatter_index_is_the_mean_of_one_over_the_runs(seconds, index):
    assert chatter(*seconds).index == pytest.approx(index)


def test_two_raises_in_quick_succession_chatter_by_their_index():
    assert chatter(0, 5).chatters
    assert not chatter(0, 25).chatters


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 3)), max_size=40))
def test_bursts_are_found_as_by_looking_at_every_raise(table):
    times = np.array([second * SECOND for second, _ in table], np.int64)
    sources = np.array([source for _, source in table], np.int64)
    found, member = nuisance.chatter(times, sources)
    wanted = set()
    for second, source in table:
        window = [place for place, (other, of) in enumerate(table) if of == source and 0 <= other - second <= 60]
        if len(window) >= 3:
            wanted |= set(window)
    assert set(np.flatnonzero(member).tolist()) == wanted
    for one in found:
        mine = sorted(second for second, source in table if source == one.source)
        assert one.worst == max(sum(0 <= other - second <= 60 for other in mine) for second in mine)


def test_an_alarm_that_returns_within_a_minute_is_fleeting_unless_it_repeats():
    events = rows(
        (0, "raise", "AB", 1, 1), (59, "clear", "BD", 1, 1),
        (500, "raise", "AB", 2, 2), (560, "clear", "BD", 2, 2),
        (1000, "raise", "AB", 3, 3), (1005, "clear", "BD", 3, 3),
        (1010, "raise", "DB", 4, 3), (1015, "clear", "BD", 4, 3),
        (1020, "raise", "DB", 5, 3), (1025, "clear", "BD", 5, 3),
        (2000, "raise", "GG", 6, 4), (2001, "clear", "GA", 6, 4),
        (3000, "raise", "AB", 7, 1), (3010, "clear", "BD", 7, 1),
    )  # fmt: skip
    made = figures(events)
    assert [(one.source, one.count, one.shortest, one.alarm) for one in made.fleeting] == [(1, 2, 10.0, 7)]
    assert [(one.source, one.worst) for one in made.chatter] == [(3, 3)]
    assert made.standing_of("fleeting") == made.standing_of("chattering") == "missed"


def test_stale_is_over_24_hours_counted_on_every_day_that_it_lasts():
    day = 86_400
    events = rows(
        (-day, "raise", "AB", 1, 1), (2.5 * day, "clear", "BD", 1, 1),  # stale from 0 to 2.5
        (0, "raise", "AB", 2, 2), (day, "clear", "BD", 2, 2),  # exactly 24 h
        (0.5 * day, "raise", "AB", 3, 3), (0.6 * day, "ack", "BC", 3, 3),  # stale from 1.5, still stands
        (0, "raise", "AB", 4, 4), (3600, "shelve", "BG", 4, 4),  # hidden
        (3 * day, "raise", "AB", 5, 5),
    )  # fmt: skip
    made = figures(events, days=4)
    assert made.stale_days == [1, 2, 2, 1]
    assert [(one.source, one.open) for one in made.stale] == [(1, False), (3, True)]
    assert [one.source for one in made.standing] == [3, 5]
    assert made.worst_stale == 2
    assert made.longest_active == 3.5 * day


def test_an_alarm_that_left_a_latch_and_tripped_again_stands_from_its_second_raise():
    events = rows((0, "raise", "AB", 1, 1), (10, "clear", "BE", 1, 1), (500, "raise", "EB", 1, 1))
    made = figures(events)
    assert [(one.since - made.start) // SECOND for one in made.standing] == [500]
    assert made.annunciations == 2


def test_the_top_ten_are_ranked_with_their_running_share():
    table = [row for rule in range(1, 13) for row in raises(*range(0, rule * 1000, 1000), rule=rule)]
    made = figures(rows(*table))
    assert [(one.source, one.count) for one in made.top] == [(rule, rule) for rule in range(12, 2, -1)]
    assert made.top[0].share == 12 / 78
    assert made.top_ten_share == 75 / 78
    assert made.standing_of("top_ten_share") == "missed"


def test_the_top_ten_of_ten_sources_are_no_target():
    assert figures(rows(*raises(0, 1000))).standing_of("top_ten_share") == "unknown"


def test_priorities_are_split_by_annunciations():
    table = [*raises(0, priority=1), *raises(*range(1, 6), rule=2, priority=2), *raises(*range(94), rule=4, priority=4)]
    made = figures(rows(*table))
    assert made.priorities == {1: 1, 2: 5, 3: 0, 4: 94}
    assert [made.standing_of(key) for key in ("critical_share", "high_share", "medium_share")] == [
        "missed", "met", "met",
    ]  # fmt: skip


@pytest.mark.parametrize(("low", "standing"), [(80, "met"), (79, "manageable"), (78, "missed")])
def test_too_few_low_alarms_are_seen_though_no_other_share_is_far_over(low: int, standing: str):
    table = [*raises(*range(100 - low), rule=3, priority=3), *raises(*range(low), rule=4, priority=4)]
    made = figures(rows(*table))
    assert made.value("low_share") == low / 100
    assert made.standing_of("low_share") == standing


def test_answers_are_timed_from_the_newest_annunciation_and_held_against_the_time_to_respond():
    events = rows(
        (0, "raise", "AB", 1, 1), (30, "ack", "BC", 1, 1, 3, 60),
        (100, "raise", "AB", 2, 2), (150, "clear", "BD", 2, 2), (400, "ack", "DA", 2, 2, 3, 60),
        (500, "raise", "AB", 3, 3), (600, "realarm", "BB", 3, 3), (610, "ack", "BC", 3, 3),
        (900, "raise", "AB", 4, 4),
    )  # fmt: skip
    made = figures(events, seconds=2000)
    assert (made.answers.count, made.answers.median, made.answers.timed, made.answers.late) == (3, 30.0, 2, 1)
    assert made.answers.late_share == 0.5
    assert made.answers.p95 == pytest.approx(30 + 0.9 * 270)  # of 10, 30 and 300
    assert made.longest_wait == 1100.0


def test_an_answer_at_the_very_end_of_the_time_to_respond_is_in_time():
    events = rows((0, "raise", "AB", 1, 1), (60, "ack", "BC", 1, 1, 3, 60))
    assert figures(events).answers.late_share == 0.0


def test_a_wait_ends_with_an_answer_with_a_new_occurrence_or_with_being_hidden():
    events = rows(
        (0, "raise", "AB", 1, 1), (10, "clear", "BD", 1, 1), (50, "raise", "DB", 2, 1), (70, "ack", "BC", 2, 1),
        (100, "raise", "AB", 3, 2), (140, "shelve", "BG", 3, 2),
    )  # fmt: skip
    assert figures(events, seconds=5000).longest_wait == 50.0


def test_what_was_hidden_is_counted_by_reason():
    events = rows(
        (0, "shelve", "AG", 0, 1), (1, "suppress", "AH", 0, 2), (2, "shelve", "HH", 0, 2),
        (3, "out_of_service", "AI", 0, 3), (4, "unshelve", "GA", 0, 1),
    )  # fmt: skip
    made = figures(events)
    assert (made.times_shelved, made.times_suppressed, made.times_out_of_service) == (2, 1, 1)
    assert made.standing_of("shelved") == "unknown"
