"""In a flood, or in a trip, messages are gathered into digests; who would be told says so."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from alerts.book import Book
from alerts.calling import digests, escalation
from alerts.calling.decision import Fate
from alerts.calling.foresight import Facts, foresee
from alerts.flood import queries
from alerts.flood.services import follow
from alerts.models import Alarm, Contact, Delivery, Subscription
from alerts.rules import update_rule
from tests.alerts.calling import crew

from .cast import at, cleared, messages, raised

pytestmark = pytest.mark.django_db


def test_messages_of_a_position_in_a_flood_are_gathered_to_the_intervals_end(rules):
    raised(rules[0], at(1))
    follow(now=at(2))
    why = "a flood of alarms since 06:00 UTC: told together every ten minutes"
    assert queries.gathered(at(4)) == {"desk-1": (at(10), why)}


def test_message_of_a_flood_is_held_for_a_digest_and_a_critical_one_is_not(rules):
    user = User.objects.create_user("duty", "duty@works.example")
    Contact.objects.create(user=user, email="duty@works.example")
    Subscription.objects.create(user=user, lowest_priority=4, channel="email")
    raised(rules[0][:11], at(1))
    follow(now=at(2))
    digests.send_held(at(2))
    before = set(Delivery.objects.values_list("pk", flat=True))
    calm = update_rule(rule=rules[0][11], priority=3, reason="not urgent")
    raised([calm, rules[0][12]], at(3))
    found = Delivery.objects.exclude(pk__in=before).order_by("alarm__priority")
    assert [(row.alarm.priority, row.due) for row in found if row.alarm.priority == 3] == [(3, at(10))]
    assert [row.outcome for row in found if row.alarm.priority == 1] == ["due"]


def test_of_a_trip_the_first_alarm_is_told_at_once_and_the_rest_in_one_message_a_minute_later(trip, duty):
    raised(trip[:1], at(1))
    raised(trip[1:4], at(1.5))
    assert messages() == [("due", at(1))] + [("held", at(2.5))] * 3
    digests.send_held(at(2.4))
    assert Delivery.objects.filter(outcome="held").count() == 3
    digests.send_held(at(2.5))
    (digest,) = Delivery.objects.filter(event="digest")
    assert digest.gathered.count() == 3
    assert digest.reason == "3 messages that were held back: follows in the trip of line-1/trip: told together"


def test_alarm_that_comes_late_and_was_the_first_is_told_at_once_too(trip, duty):
    raised(trip[:1], at(1))
    with transaction.atomic():
        book = Book(at(1.1))
        book.load(rules=[trip[1].pk])
        book.raised(book.rule(trip[1].pk), at=at(0.5), value=99.0)
        book.write()
    assert messages() == [("due", at(1)), ("due", at(1.1))]


def test_highest_priority_is_told_by_itself_in_a_trip(trip, duty):
    raised(trip[:1], at(1))
    raised([update_rule(rule=trip[1], priority=1, reason="a danger")], at(1.1))
    assert messages() == [("due", at(1)), ("due", at(1.1))]


def test_what_was_held_before_the_flood_was_known_goes_with_the_floods_digest(trip, duty):
    raised(trip, at(1))
    follow(now=at(1.1))
    digests.send_held(at(2))
    assert set(messages()[1:]) == {("held", at(10))}
    digests.send_held(at(10))
    assert [row.gathered.count() for row in Delivery.objects.filter(event="digest")] == [14]


def test_who_would_be_told_says_so_of_an_alarm_that_followed_in_a_trip(trip, duty):
    raised(trip[:2], at(1))
    (row,) = Delivery.objects.filter(outcome="held")
    (told,) = foresee(Facts.of_alarm(row.alarm), at(1)).told
    assert (told.fate, told.at, told.reason) == (Fate.HELD, row.due, row.reason)


def test_a_step_of_a_plan_is_gathered_too_and_who_would_be_told_says_so(rules):
    user = User.objects.create_user("duty", "duty@works.example")
    Contact.objects.create(user=user, email="duty@works.example", channels={"3": ["email"]})
    crew.may_acknowledge(user)
    crew.route(crew.plan("Night", (60, user)), highest_priority=3)
    raised(rules[0][:11], at(1))
    follow(now=at(2))
    calm = update_rule(rule=rules[0][11], priority=3, reason="not urgent")
    raised([calm], at(3))
    before = set(Delivery.objects.values_list("pk", flat=True))
    while escalation.take_due_steps(at(4.5)):
        pass
    [row] = Delivery.objects.exclude(pk__in=before).filter(alarm__rule=calm)
    [told] = [one for one in foresee(Facts.of_alarm(row.alarm), at(3)).told if one.channel == "email"]
    assert (row.outcome, row.due, row.reason) == ("held", at(10), told.reason)
    assert (told.fate, told.decided, told.at) == (Fate.HELD, at(4), at(10))


def test_what_is_not_critical_and_returned_before_the_floods_digest_is_over(flood, duty):
    raised([update_rule(rule=flood[0], priority=3, reason="not urgent")], at(2))
    cleared(Alarm.objects.get(rule=flood[0]), at(3))
    digests.send_held(at(10))
    assert set(Delivery.objects.filter(event="raise").values_list("outcome", flat=True)) == {"withheld"}
