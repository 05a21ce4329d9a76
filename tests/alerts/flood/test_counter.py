"""Floods by the clock: more than ten in a regular interval begin one, fewer than five end it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.flood.counter import INTERVAL, Load, annunciated, interval_of, passed

START = 1_000_000 * INTERVAL


def follow(counts: list[int]) -> list[bool]:
    """Gives for each interval whether it belongs to a flood, as is known when it is over."""
    load = Load(interval_of(START))
    floods = [False] * len(counts)
    for place, count in enumerate(counts):
        for number in range(count):
            load = annunciated(load, START + place * INTERVAL + number * (INTERVAL / count))
        after = passed(load, START + (place + 1) * INTERVAL)
        floods[place] = load.in_flood and after.in_flood
        load = after
    return floods


def reference(counts: list[int]) -> list[bool]:
    """Says the same slowly: an interval belongs to a flood if one began with it, or before it and has not ended."""
    floods: list[bool] = []
    for place, count in enumerate(counts):
        began = [at for at in range(place + 1) if counts[at] > 10]
        lasts = any(all(counts[between] >= 5 for between in range(at + 1, place + 1)) for at in began)
        floods.append(lasts and (count > 10 or count >= 5))
    return floods


def test_vector_of_the_standard():
    assert follow([3, 11, 9, 6, 5, 4, 12, 2]) == [False, True, True, True, True, False, True, False]


def test_exactly_ten_begin_none_and_exactly_five_end_none():
    assert follow([10, 10, 10]) == [False, False, False]
    assert follow([11, 5, 5, 4]) == [True, True, True, False]


def test_ten_minutes_across_the_clock_are_no_interval():
    load = Load(interval_of(START))
    for second in [*range(590, 600), *range(600, 610)]:
        load = annunciated(load, START + second)
    assert not load.in_flood


def test_eleventh_alarm_begins_it_at_once_from_the_start_of_its_interval():
    load = Load(interval_of(START))
    for second in range(11):
        assert not load.in_flood
        load = annunciated(load, START + 300 + second)
    assert (load.since, load.total) == (interval_of(START), 11)


def test_flood_ends_by_itself_when_nobody_alarms_any_more():
    load = Load(interval_of(START))
    for second in range(31):
        load = annunciated(load, START + second)
    assert passed(load, START + INTERVAL - 1).in_flood
    assert passed(load, START + INTERVAL).in_flood  # an interval of fewer than five must pass first
    assert passed(load, START + 2 * INTERVAL - 1).in_flood
    assert not passed(load, START + 2 * INTERVAL).in_flood
    assert passed(load, START + 10_000 * INTERVAL) == Load(interval_of(START) + 10_000)


@given(st.lists(st.integers(0, 14), max_size=40))
def test_counter_agrees_with_the_slow_reference(counts: list[int]) -> None:
    assert follow(counts) == reference(counts)


@given(st.lists(st.integers(0, 14), max_size=20), st.data())
def test_how_often_the_clock_is_looked_at_changes_nothing(counts: list[int], data: st.DataObject) -> None:
    often = seldom = Load(interval_of(START))
    for place, count in enumerate(counts):
        for number in range(count):
            at = START + place * INTERVAL + number
            if data.draw(st.booleans()):
                often = passed(often, at)
            often, seldom = annunciated(often, at), annunciated(seldom, at)
    end = START + len(counts) * INTERVAL
    assert passed(often, end) == passed(seldom, end)
