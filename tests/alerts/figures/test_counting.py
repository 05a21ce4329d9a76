"""What is counted as an annunciation: the very steps that the table of an alarm's life announces, hidden ones not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest

from alerts.figures.events import SECOND, annunciations
from alerts.figures.targets import TARGETS
from alerts.lifecycle import Effect, Event, IllegalEvent, Life, Policy, step

from .rows import figures, raises, rows

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("events", "count"),
    [
        # Source: TV-1.3 of the domain's reference.
        ([(0, "raise", "AB"), (1, "ack", "BC"), (2, "clear", "CA")], 1),
        ([(0, "raise", "AC"), (1, "clear", "CA")], 1),
        ([(0, "raise", "AB"), (1, "shelve", "BG"), (2, "expire", "GB")], 2),
        ([(0, "raise", "AB"), (1, "shelve", "BG"), (2, "clear", "GG"), (3, "expire", "GA")], 1),
        ([(0, "shelve", "AG"), (1, "raise", "GG"), (2, "out_of_service", "GI"), (3, "unshelve", "II"),
          (4, "return_to_service", "IB")], 1),
        ([(0, "raise", "AB"), (1, "ack", "BC"), (2, "realarm", "CB"), (3, "ack", "BC")], 2),
        # One that asks for no acknowledgement is heard of once, whenever that is.
        ([(0, "raise", "AC"), (1, "shelve", "CG"), (2, "unshelve", "GC")], 1),
        ([(0, "raise", "HH"), (1, "unsuppress", "HC")], 1),
        ([(0, "raise", "HH"), (1, "unsuppress", "HC"), (2, "shelve", "CG"), (3, "unshelve", "GC")], 1),
        # A latch that tripped unseen is announced with its return.
        ([(0, "raise", "GG"), (1, "clear", "GG"), (2, "expire", "GE")], 1),
        ([(0, "raise", "AB"), (1, "clear", "BE"), (2, "raise", "EB")], 2),
        ([(0, "raise", "GG"), (1, "clear", "GG"), (2, "expire", "GA")], 0),
    ],
)  # fmt: skip
def test_every_presentation_counts_once_and_what_is_hidden_does_not(events, count):
    assert int(annunciations(rows(*[(*row, 1, 1) for row in events])).sum()) == count


def test_counted_are_exactly_the_steps_that_the_table_announces():
    """Takes random walks through the table, with every policy."""
    random = Random(7)
    events = [Event.RAISE, Event.RAISE, Event.CLEAR, *Event]
    for walk in range(400):
        policy = Policy(
            ack_required=random.random() < 0.6, latching=random.random() < 0.4, realarm=random.random() < 0.5,
            reset_before_ack=random.random() < 0.5,
        )  # fmt: skip
        life, now, alarm, table, announced = Life(), NOW, 0, [], []
        for place in range(60):
            now += timedelta(seconds=1)
            event = random.choice(events)
            try:
                made = step(
                    life, event, policy=policy, now=now, reason="why", until=now + timedelta(hours=1),
                    one_shot=random.random() < 0.3,
                )  # fmt: skip
            except IllegalEvent:
                continue
            life = made.life
            if Effect.JOURNAL not in made.effects:
                continue
            alarm += Effect.NEW_OCCURRENCE in made.effects
            table.append((place, str(event), made.before + made.after, alarm, 1))
            announced.append(Effect.ANNUNCIATE in made.effects)
            if Effect.CLOSE in made.effects:
                alarm += 1  # what follows is about the rule, not about this occurrence
        found = annunciations(rows(*table))
        assert found.tolist() == announced, (walk, policy, table)


def test_an_alarm_that_was_open_before_the_period_counts_with_what_happened_in_it():
    made = figures(rows((-50, "raise", "AB", 1, 1), (10, "ack", "BC", 1, 1), (20, "realarm", "CB", 1, 1)))
    assert (made.annunciations, made.most_realarms, made.answers.median) == (1, 1, 60.0)


def test_alarms_to_an_empty_seat_are_counted_apart():
    week = [[[6 * 60, 14 * 60]], *[[] for _ in range(6)]]
    events = rows(*raises(5 * 3600, 6 * 3600, 13.99 * 3600, 14 * 3600))
    made = figures(events, days=2, week=week)
    assert (made.annunciations, made.unstaffed, made.staffed_hours, made.per_hour) == (2, 2, 8.0, 0.25)
    assert int(made.staffed.sum()) == 48


def test_a_period_without_alarms_gives_noughts_and_judges_no_shares():
    made = figures(rows())
    assert (made.annunciations, made.per_ten, made.floods, made.standing) == (0, 0.0, [], [])
    assert made.priority_share(1) is None
    assert made.standing_of("high_share") == "unknown"
    assert made.level == "predictive"


def test_a_journal_that_begins_within_the_period_says_what_part_it_covers():
    events = rows(*raises(80_000))
    assert figures(events, recorded_from=int(events.time[0])).recorded_share == pytest.approx(6400 / 86400)
    assert figures(events, recorded_from=None).recorded_share == 0.0
    assert figures(events).recorded_share == 1.0


def test_rows_of_the_journal_out_of_order_in_time_are_followed_by_number():
    events = rows((5, "raise", "AB", 1, 1), (3, "clear", "BD", 1, 1), (9, "ack", "DA", 1, 1))
    assert figures(events).answers.median == 4.0
    assert np.all(np.diff(events.number) > 0)


def test_without_a_journal_nothing_is_met_and_the_level_is_not_known():
    made = figures(rows(), recorded_from=None)
    assert {made.standing_of(key) for key in TARGETS} == {"unknown"}
    assert made.level == "unknown"
    # A journal of a minute, with nothing in it, is written as 0 % and is none either; one of a day is.
    began = made.start + 86_340 * SECOND
    assert figures(rows(), recorded_from=began).standing_of("per_ten") == "unknown"
    assert figures(rows(), recorded_from=made.start).standing_of("per_ten") == "met"
    # What is in it is judged, however short it is; not what would be an average over the whole period.
    flooded = figures(rows(*raises(*range(86_340, 86_351))), recorded_from=began)
    assert (flooded.standing_of("peak_ten"), flooded.standing_of("standing")) == ("missed", "missed")
    assert (flooded.standing_of("flood_share"), flooded.standing_of("per_ten")) == ("unknown", "unknown")
    assert (flooded.standing_of("stale"), flooded.level) == ("unknown", "unknown")


def test_the_rates_of_a_position_that_was_not_staffed_are_not_met():
    made = figures(rows(*raises(5 * 3600)), week=[[] for _ in range(7)])
    assert (made.staffed_hours, made.unstaffed) == (0.0, 1)
    assert {made.standing_of(key) for key in ("per_day", "per_ten", "peak_ten", "flood_share")} == {"unknown"}
    assert (made.standing_of("stale"), made.level) == ("met", "unknown")
