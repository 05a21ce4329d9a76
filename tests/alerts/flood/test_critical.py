"""What is critical in a flood: the first is told at once, the rest together within a minute."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from alerts import services
from alerts.book import Book
from alerts.calling import digests, escalation
from alerts.calling.decision import Fate
from alerts.calling.foresight import Facts, foresee
from alerts.flood.services import follow
from alerts.models import Alarm, Contact, Delivery, Subscription, Team
from alerts.notify import sms
from alerts.notify.message import notice
from alerts.rules import update_rule
from tests import factories
from tests.alerts.calling import crew

from .cast import at, cleared, messages, raised

pytestmark = pytest.mark.django_db

PRESSED = "a flood of alarms: what else is critical is told together within a minute"
SECOND = 1 / 60


def test_in_a_flood_the_first_critical_alarm_is_told_at_once_and_the_rest_in_one_digest_that_names_each(flood, duty):
    raised(flood[:1], at(2))
    raised(flood[1:3], at(2 + 3 * SECOND))
    raised(flood[3:], at(2 + 57 * SECOND))
    digest_at = at(3 + 3 * SECOND)
    assert messages() == [("due", at(2))] + [("held", digest_at)] * 3
    assert set(Delivery.objects.filter(outcome="held").values_list("reason", flat=True)) == {PRESSED}
    digests.send_held(at(3 + 2 * SECOND))
    assert Delivery.objects.filter(event="digest").count() == 0
    digests.send_held(digest_at)
    (digest,) = Delivery.objects.filter(event="digest")
    said = notice(digest, digest_at)
    assert said.critical == [f"press-1-1 {rule.name}" for rule in flood[1:]]
    # Whoever was told of something critical by a digest waits for the next one as well.
    raised([factories.rule(flood[0].asset, "Late", limit=70.0)], at(3 + 50 * SECOND))
    assert Delivery.objects.order_by("pk").last().due == at(4 + 50 * SECOND)


def test_a_digest_names_every_critical_alarm_however_many_and_the_text_message_too(rules, duty):
    more = [factories.rule(rules[0][0].asset, f"More {number}", limit=70.0 + number) for number in range(15)]
    raised(rules[0] + more, at(1))
    digests.send_held(at(2))
    said = notice(Delivery.objects.get(event="digest"), at(2))
    assert len(said.rows) == 29
    assert all(rule.name in sms.compose(said) for rule in [*rules[0][1:], *more])


def test_a_trips_first_alarm_is_told_at_once_in_a_flood_though_something_critical_was_told_just_before(flood, duty):
    trip = [update_rule(rule=rule, group="line-1/trip", reason="one cause") for rule in flood]
    raised(trip[:1], at(2))
    raised(trip[1:2], at(2 + 2 * SECOND))
    with transaction.atomic():
        book = Book(at(2 + 3 * SECOND))
        book.load(rules=[trip[2].pk])
        book.raised(book.rule(trip[2].pk), at=at(1.9), value=99.0)
        book.write()
    held = at(3 + 2 * SECOND)
    assert messages() == [("due", at(2)), ("held", held), ("due", at(2 + 3 * SECOND))]
    # Of another trip in the same minute the first waits with the rest: three messages a minute are enough.
    raised([update_rule(rule=trip[3], group="line-1/pump", reason="another")], at(2 + 4 * SECOND))
    assert messages()[-1] == ("held", held)


def test_what_a_flood_holds_besides_goes_along_with_the_digest_of_what_is_critical(flood, duty):
    calm = update_rule(rule=flood[2], priority=3, reason="not urgent")
    raised([calm], at(1.5))
    raised(flood[:1], at(2))
    raised(flood[1:2], at(2.5))
    raised([update_rule(rule=flood[3], priority=4, reason="not urgent")], at(2.6))
    assert messages() == [("held", at(10)), ("due", at(2)), ("held", at(3.5)), ("held", at(3.5))]
    digests.send_held(at(3.5))
    assert [row.gathered.count() for row in Delivery.objects.filter(event="digest")] == [3]
    assert not Delivery.objects.filter(outcome="held").exists()


def test_what_is_critical_waits_for_no_digest_later_than_the_intervals_end(flood, duty):
    raised(flood[:1], at(9.5))
    raised(flood[1:2], at(9.9))
    assert messages()[-1] == ("held", at(10))


def test_a_critical_alarm_acknowledged_before_the_digest_sends_nothing_early(flood, duty):
    calm = update_rule(rule=flood[2], priority=3, reason="not urgent")
    raised([calm], at(1.5))
    raised(flood[:1], at(2))
    raised(flood[1:2], at(2.5))
    services.acknowledge(alarm_id=Alarm.objects.order_by("pk").last().pk, user=factories.operator(), now=at(3))
    digests.send_held(at(3.5))
    assert messages() == [("held", at(10)), ("due", at(2)), ("withheld", at(3.5))]


def test_a_critical_alarm_that_returned_within_the_minute_is_named_by_the_digest_while_nobody_has_answered(flood, duty):
    crew.route(crew.plan("Night", (0, duty)))
    raised(flood[:1], at(2))
    raised(flood[1:3], at(2.1))
    gone = Alarm.objects.get(rule=flood[1])
    cleared(gone, at(2.5))
    gone.refresh_from_db()
    assert (gone.state, gone.active) == ("D", False)
    assert [row.outcome for row in Delivery.objects.filter(alarm=gone, event="raise")] == ["held"]
    digests.send_held(at(3.1))
    assert [row.outcome for row in Delivery.objects.filter(alarm=gone, event="raise")] == ["gathered"]
    said = notice(Delivery.objects.get(event="digest"), at(3.1))
    assert said.critical == [f"press-1-1 {rule.name}" for rule in flood[1:3]]


def test_of_criticals_that_a_digest_told_of_each_return_is_no_message_of_its_own(flood, duty):
    Subscription.objects.update(also_clear=True)
    raised(flood, at(2))
    digests.send_held(at(3))
    for alarm in Alarm.objects.filter(rule__in=flood):
        cleared(alarm, at(4))
    returns = Delivery.objects.filter(event="clear").values_list("outcome", "reason")
    why = "a flood of alarms since 06:00 UTC: told together every ten minutes"
    assert list(returns) == [("withheld", why)] * len(flood)


def test_a_step_for_a_critical_alarm_that_returned_within_the_minute_calls_all_the_same(flood):
    user = User.objects.create_user("duty", "duty@works.example")
    crew.route(crew.plan("Night", (60, user)))
    raised(flood[:2], at(2))
    while escalation.take_due_steps(at(3)):
        pass
    last = Alarm.objects.get(rule=flood[1])
    cleared(last, at(3.5))
    digests.send_held(at(4))
    assert [(row.event, row.outcome) for row in Delivery.objects.filter(alarm=last)] == [("call", "due")]


def test_of_steps_that_are_due_at_once_the_first_raised_of_what_is_critical_calls_at_once_and_the_rest_together(rules):
    user = User.objects.create_user("duty", "duty@works.example")
    crew.route(crew.plan("Night", (60, user)))
    raised(rules[0][:11], at(1))
    follow(now=at(2))
    raised([update_rule(rule=rules[0][11], priority=3, reason="not urgent")], at(3))
    while escalation.take_due_steps(at(4.5)):
        pass
    rows = Delivery.objects.order_by("alarm_id").values_list("outcome", "due")
    assert list(rows) == [("due", at(4.5))] + [("held", at(5.5))] * 11


def test_a_step_that_is_due_calls_in_the_digest_of_what_is_critical_and_who_would_be_told_says_so(flood):
    user = User.objects.create_user("duty", "duty@works.example")
    Contact.objects.create(user=user, email="duty@works.example", channels={"1": ["email"]})
    Subscription.objects.create(user=user, asset=flood[0].asset, lowest_priority=1, channel="email", enabled=False)
    crew.channel("room", crew.team("Fitters", user))
    crew.route(crew.plan("Night", (60, user), (0, Team.objects.get())))
    raised(flood[:1], at(2))
    raised(flood[1:2], at(2.2))
    last = Alarm.objects.order_by("pk").last()
    assert messages() == []
    while escalation.take_due_steps(at(3)):
        pass
    assert set(messages()) == {("due", at(3))}
    told = foresee(Facts.of_alarm(last), at(2.2)).told
    assert {(one.fate, one.at, one.reason) for one in told} == {(Fate.HELD, at(4.2), PRESSED)}
    while escalation.take_due_steps(at(3.2)):
        pass
    mine = Delivery.objects.filter(alarm=last)
    assert [(row.channel, row.outcome, row.due, row.reason) for row in mine.order_by("pk")] == [
        ("team", "held", at(4.2), PRESSED),
        ("email", "held", at(4.2), PRESSED),
    ]
    digests.send_held(at(4.2))
    assert set(mine.values_list("outcome", flat=True)) == {"due"}


def test_who_would_be_told_of_the_alarm_that_makes_it_a_flood_says_what_the_outbox_does(rules, duty):
    raised(rules[0][:10], at(1))
    assert {outcome for outcome, _ in messages()} == {"due"}
    facts = Facts(rules[0][10].asset_id, 1, position="desk-1")
    (told,) = [one for one in foresee(facts, at(1.1)).told if one.goes_out]
    raised(rules[0][10:11], at(1.1))
    assert (told.fate, told.at, told.reason) == (Fate.HELD, at(2.1), PRESSED)
    assert messages()[-1] == ("held", at(2.1))
