"""The flood of an operator position: counted from the journal, kept in the database, over by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from alerts import journal, services
from alerts.book import Book
from alerts.calling import digests, escalation
from alerts.calling.decision import Fate
from alerts.calling.foresight import Facts, foresee
from alerts.flood import queries
from alerts.flood.services import follow
from alerts.models import Alarm, Contact, Delivery, FloodLoad, JournalEntry, Position, Subscription, Team
from alerts.notify import sms
from alerts.notify.message import notice
from alerts.rules import update_rule
from devices.models import Asset
from tests import factories
from tests.alerts.calling import crew

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)  # an interval begins


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.fixture
def rules():
    """Thirty rules on two lines, each line a position's."""
    machines = factories.plant(lines=2, machines=1)
    for number, machine in enumerate(machines, 1):
        scope = Asset.objects.get(code=f"line-{number}")
        Position.objects.create(code=f"desk-{number}", name=f"Desk {number}", scope=scope)
        factories.sensor(machine)
    follow(now=at(-1))
    return [
        [factories.rule(machine, f"Rule {number}", limit=50.0 + number) for number in range(15)] for machine in machines
    ]


def raised(rules, now: datetime, *, hidden: bool = False) -> None:
    with transaction.atomic():
        book = Book(now)
        book.load(rules=[rule.pk for rule in rules])
        for rule in rules:
            known = book.rule(rule.pk)
            if hidden:
                book.designed(rule.pk, {"the unit is down"}, at=now)
            book.raised(known, at=now, value=99.0)
        book.write()


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
    from alerts.models import Alarm

    for alarm in Alarm.objects.all():
        services.acknowledge(alarm_id=alarm.pk, user=user, comment="seen", now=at(2))
    follow(now=at(3))
    assert queries.floods(at(3)) == []
    assert FloodLoad.objects.get(position="desk-1").count == 10


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


@pytest.fixture
def duty():
    """Somebody who is told of everything."""
    user = User.objects.create_user("duty", "duty@works.example")
    Contact.objects.create(user=user, email="duty@works.example")
    Subscription.objects.create(user=user, lowest_priority=4, channel="email")
    return user


@pytest.fixture
def trip(rules):
    """Fifteen rules of one first-out group, none of the highest priority."""
    return [update_rule(rule=rule, group="line-1/trip", priority=3, reason="one cause") for rule in rules[0]]


def messages():
    return list(Delivery.objects.order_by("pk").values_list("outcome", "due"))


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


# --- What is critical in a flood -----------------------------------------------------------------------------------

PRESSED = "a flood of alarms: what else is critical is told together within a minute"
SECOND = 1 / 60


@pytest.fixture
def flood(rules):
    """Eleven alarms of one position that nobody asked to be told of; gives the rules that are left, all critical."""
    raised(rules[0][:11], at(1))
    follow(now=at(1.1))
    return rules[0][11:]


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


def cleared(alarm: Alarm, now: datetime) -> None:
    with transaction.atomic():
        book = Book(now)
        book.load(alarms=[alarm.pk])
        book.cleared(book.alarms[alarm.pk], at=now)
        book.write()


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


def test_what_is_not_critical_and_returned_before_the_floods_digest_is_over(flood, duty):
    raised([update_rule(rule=flood[0], priority=3, reason="not urgent")], at(2))
    cleared(Alarm.objects.get(rule=flood[0]), at(3))
    digests.send_held(at(10))
    assert set(Delivery.objects.filter(event="raise").values_list("outcome", flat=True)) == {"withheld"}


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
