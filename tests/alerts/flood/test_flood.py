"""The flood of an operator position: counted from the journal, kept in the database, over by itself."""

from __future__ import annotations

import pytest
from django.db import transaction

from alerts import journal, services
from alerts.book import Book
from alerts.flood import queries
from alerts.flood.services import follow
from alerts.models import Alarm, FloodLoad, JournalEntry
from tests import factories

from .cast import START, at, messages, raised

pytestmark = pytest.mark.django_db


def test_eleven_alarms_in_a_regular_interval_put_their_position_into_a_flood(rules):
    raised(rules[0][:10], at(1))
    follow(now=at(2))
    assert queries.floods(at(2)) == []
    raised(rules[0][10:11], at(9))
    follow(now=at(9))
    assert [(flood.position, flood.name, flood.since, flood.total) for flood in queries.floods(at(9))] == [
        ("desk-1", "Desk 1", START, 11)
    ]
    assert queries.in_flood("desk-1", at(9)) == START
    assert queries.in_flood("desk-2", at(9)) is None


def test_eleven_alarms_over_the_clocks_edge_make_none(rules):
    raised(rules[0][:8], at(9))
    raised(rules[0][8:], at(11))
    follow(now=at(12))
    assert queries.floods(at(12)) == []


def test_alarms_of_two_positions_are_not_added_up(rules):
    raised(rules[0][:8] + rules[1][:8], at(1))
    follow(now=at(2))
    assert queries.floods(at(2)) == []


def test_what_is_not_presented_is_not_counted(rules):
    raised(rules[0], at(1), hidden=True)
    follow(now=at(2))
    assert queries.floods(at(2)) == []
    assert not FloodLoad.objects.filter(count__gt=0).exists()


def test_what_comes_back_from_suppression_is_counted(rules):
    raised(rules[0], at(1), hidden=True)
    with transaction.atomic():
        book = Book(at(2))
        book.load(rules=[rule.pk for rule in rules[0]])
        for rule in rules[0]:
            book.designed(rule.pk, (), at=at(2))
        book.write()
    follow(now=at(3))
    assert queries.floods(at(3))[0].total == 15


def test_flood_is_journaled_once_and_leaves_by_itself(rules):
    raised(rules[0], at(1))
    for minute in (1, 5, 9, 11, 15, 19.9):
        follow(now=at(minute))
        assert queries.in_flood("desk-1", at(minute)) == START
    follow(now=at(20))
    follow(now=at(21))
    assert queries.floods(at(20)) == []
    rows = JournalEntry.objects.filter(event__startswith="flood").order_by("pk")
    assert [(row.event, row.reason) for row in rows] == [
        ("flood_begins", "Desk 1: more than ten alarms in ten minutes"),
        ("flood_ends", "Desk 1: fewer than five alarms in ten minutes; 15 since it began"),
    ]


def test_flood_goes_on_after_a_restart_and_nothing_is_counted_twice(rules):
    raised(rules[0], at(1))
    follow(now=at(2))
    for _ in range(3):
        follow(now=at(3))
    assert queries.floods(at(3))[0].total == 15


def test_acknowledgements_and_comments_do_not_count(rules):
    raised(rules[0][:10], at(1))
    user = factories.operator()

    for alarm in Alarm.objects.all():
        services.acknowledge(alarm_id=alarm.pk, user=user, comment="seen", now=at(2))
    follow(now=at(3))
    assert queries.floods(at(3)) == []
    assert FloodLoad.objects.get(position="desk-1").count == 10


def test_eleven_alarms_at_once_are_a_flood_before_anybody_has_counted_them(rules, duty):
    raised(rules[0][:11], at(1))
    assert FloodLoad.objects.count() == 0
    why = "a flood of alarms since 06:00 UTC: told together every ten minutes"
    assert queries.pressing(at(1)) == {"desk-1": (at(10), why)}
    assert messages() == [("due", at(1))] + [("held", at(2))] * 10


def test_what_was_raised_before_the_interval_began_counts_for_none_though_nobody_has_counted_it(rules):
    raised(rules[0][:11], at(9.99))
    assert queries.pressing(at(9.99)) != {}
    assert queries.pressing(at(10)) == {}


def test_idle_tick_costs_three_queries(rules, django_assert_max_num_queries):
    raised(rules[0], at(1))
    follow(now=at(2))
    with django_assert_max_num_queries(3):
        follow(now=at(2.5))


def test_journal_numbers_stay_without_a_gap(rules):
    raised(rules[0], at(1))
    follow(now=at(2))
    with transaction.atomic():
        journal.lock()
    numbers = list(JournalEntry.objects.order_by("pk").values_list("pk", flat=True))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
