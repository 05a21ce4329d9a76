"""Shelving and out of service: how long, by whom, in bulk, at once, and what the journal keeps of it."""

import threading
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts import services
from alerts.book import Book
from alerts.lifecycle import Event
from alerts.models import Alarm, AlarmClass, JournalEntry, Priority, Rule, Suppression
from tests import factories

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def press():
    machine = factories.plant()[0]
    factories.sensor(machine)
    return machine


@pytest.fixture
def olga():
    return factories.operator("olga")


@pytest.fixture
def now():
    return timezone.now()


def raised(rule, now):
    """Makes an open alarm of a rule as the evaluation does."""
    with transaction.atomic():
        book = Book(now)
        book.load(rules=[rule.pk])
        known = book.rule(rule.pk)
        book.raised(known, at=now, value=95.0)
        book.write()
    return Alarm.objects.get(rule=rule, closed=None)


def journal():
    """Gives the journal's newest row."""
    return JournalEntry.objects.order_by("-pk")[0]


@pytest.mark.parametrize(
    ("fields", "longest"),
    [
        ({"priority": "critical"}, HOUR),
        ({"priority": "low"}, 24 * HOUR),
        ({"priority": "low", "alarm_class": "safety"}, 2 * HOUR),
        ({"priority": "low", "alarm_class": "safety", "longest_shelving": 5400.0}, 1.5 * HOUR),
    ],
)
def test_longest_shelving_is_the_rule_s_else_its_class_s_else_its_priority_s(press, olga, now, fields, longest):
    AlarmClass.objects.create(code="safety", name="Safety", longest_shelving=7200.0)
    rule = factories.rule(press, **fields)
    with pytest.raises(services.Refused, match="may be shelved for"):
        services.shelve(
            rule_id=rule.pk, user=olga, reason="x", until=now + longest + timedelta(microseconds=1), now=now
        )
    assert journal().reason == "refused: longer than this alarm may be shelved"
    services.shelve(rule_id=rule.pk, user=olga, reason="x", until=now + longest, now=now)
    assert Suppression.objects.get().shelved_until == now + longest


def test_refusal_says_how_long_it_may_be(press, olga, now):
    rule = factories.rule(press, longest_shelving=5400.0)
    with pytest.raises(services.Refused, match=r"^This alarm may be shelved for 1 h 30 min at most\.$"):
        services.shelve(rule_id=rule.pk, user=olga, reason="x", until=now + 2 * HOUR, now=now)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"reason": " "}, "shelving needs a reason"),
        ({"until": None}, "shelving needs an end"),
        ({"until": "past"}, "its end lies in the past"),
        ({"reason": "x" * 301}, "at most 300"),
    ],
)
def test_shelving_without_reason_or_end_is_refused(press, olga, now, terms, words):
    rule = factories.rule(press)
    terms = {"reason": "valve", "until": now + HOUR, **terms}
    if terms["until"] == "past":
        terms["until"] = now
    with pytest.raises(services.Refused, match=words):
        services.shelve(rule_id=rule.pk, user=olga, now=now, **terms)
    assert not Suppression.objects.exclude(switches=[]).exists()


@pytest.mark.parametrize("whose", ["rule", "class"])
def test_alarm_that_may_not_be_shelved_is_not(press, olga, now, whose):
    AlarmClass.objects.create(code="safety", name="Safety", shelvable=False)
    rule = factories.rule(press, **({"shelvable": False} if whose == "rule" else {"alarm_class": "safety"}))
    alarm = raised(rule, now)
    with pytest.raises(services.Refused, match="its rule may not be shelved"):
        services.shelve(alarm_id=alarm.pk, user=olga, reason="x", until=now + HOUR, now=now)


def test_one_shot_without_an_end_has_the_longest(press, olga, now):
    rule = factories.rule(press)
    services.shelve(rule_id=rule.pk, user=olga, reason="x", one_shot=True, now=now)
    row = Suppression.objects.get()
    assert (row.one_shot, row.shelved_until, row.shelved_by, row.shelve_reason) == (True, now + HOUR, olga, "x")


def test_a_rule_without_an_open_alarm_has_rows_of_its_own_in_the_journal(press, olga, now):
    rule = factories.rule(press)
    services.shelve(rule_id=rule.pk, user=olga, reason="valve work", until=now + HOUR, now=now)
    services.comment_rule(rule_id=rule.pk, user=olga, text="until the fitter comes", now=now)
    services.unshelve(rule_id=rule.pk, user=olga, now=now)
    rows = [(row.event, row.from_state, row.to_state, row.alarm, row.rule_id) for row in JournalEntry.objects.all()]
    assert rows == [
        ("shelve", "A", "G", None, rule.pk),
        ("comment", "G", "G", None, rule.pk),
        ("unshelve", "G", "A", None, rule.pk),
    ]
    first = JournalEntry.objects.order_by("pk")[0]
    assert (first.rule_name, first.tag, first.actor, first.reason) == (
        "Temperature high",
        "press-1-1/temp",
        "olga",
        "valve work",
    )


def test_out_of_service_keeps_work_order_and_review_until_it_is_returned(press, now):
    fritz, rule = factories.fitter(), factories.rule(press)
    alarm = raised(rule, now)
    services.take_out_of_service(
        alarm_id=alarm.pk, user=fritz, reason="valve out", work_order="WO-7", review=date(2099, 1, 1), now=now
    )
    row = Suppression.objects.get()
    assert (row.switches, row.out_by, row.out_reason, row.work_order, row.review) == (
        ["out_of_service"],
        fritz,
        "valve out",
        "WO-7",
        date(2099, 1, 1),
    )
    services.return_to_service(alarm_id=alarm.pk, user=fritz, now=now)
    row.refresh_from_db()
    assert (row.switches, row.out_by, row.out_at, row.work_order, row.review) == ([], None, None, "", None)


def test_review_that_lies_in_the_past_is_refused(press, now):
    rule = factories.rule(press)
    with pytest.raises(services.Refused, match="review date 2020-01-01 lies in the past"):
        services.take_out_of_service(
            rule_id=rule.pk, user=factories.fitter(), reason="x", review=date(2020, 1, 1), now=now
        )


def test_out_of_service_without_a_review_date_is_refused(press, now):
    rule = factories.rule(press)
    asked = services.Request(Event.OUT_OF_SERVICE, factories.fitter(), now, "valve out")
    with pytest.raises(services.Refused, match="Name the day on which somebody looks"):
        services.many(asked, rule_ids=[rule.pk])
    assert not Suppression.objects.exists()


def test_an_alarm_of_no_rule_cannot_be_shelved(olga, now):
    alarm = Alarm.objects.create(
        priority=2, state="B", raised=now, message="Stream replaced", frozen={"ack_required": True}
    )
    with pytest.raises(services.Refused, match="it has no rule"):
        services.shelve(alarm_id=alarm.pk, user=olga, reason="x", until=now + HOUR, now=now)


def test_an_alarm_that_is_over_says_to_name_its_rule(press, olga, now):
    alarm = raised(factories.rule(press), now)
    Alarm.objects.update(closed=now, state="A", active=False)
    with pytest.raises(services.Refused, match="name its rule instead"):
        services.shelve(alarm_id=alarm.pk, user=olga, reason="x", until=now + HOUR, now=now)


def test_an_acknowledged_alarm_that_is_unshelved_asks_anew(press, olga, now):
    alarm = raised(factories.rule(press), now)
    services.acknowledge(alarm_id=alarm.pk, user=olga, now=now)
    services.shelve(alarm_id=alarm.pk, user=olga, reason="x", until=now + HOUR, now=now)
    services.unshelve(alarm_id=alarm.pk, user=olga, now=now)
    alarm.refresh_from_db()
    assert (alarm.state, alarm.acked, alarm.acked_by, alarm.annunciations) == ("B", None, None, 2)


# --- In bulk -------------------------------------------------------------------------------------------------------


@pytest.fixture
def four(press, now):
    priorities = [Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW]
    made = [factories.rule(press, f"Rule {priority}", priority=priority) for priority in priorities]
    return [raised(rule, now) for rule in made]


def shelving(user, now, **terms):
    return services.Request(Event.SHELVE, user, now, "bad sensor", now + HOUR / 2, **terms)


def test_bulk_shelving_spares_the_highest_priority_unless_it_is_meant(four, olga, now):
    numbers = [alarm.pk for alarm in four]
    found = services.many(shelving(olga, now), alarm_ids=numbers)
    assert [outcome.done for outcome in found] == [False, True, True, True]
    assert "critical" in found[0].message
    assert [row.event for row in JournalEntry.objects.order_by("pk")[4:]] == ["shelve"] * 3
    again = services.many(shelving(olga, now), alarm_ids=numbers[:1], also_critical=True)
    assert again[0].done


def test_bulk_has_a_row_for_each_also_for_those_that_are_refused(four, olga, now):
    services.shelve(alarm_id=four[1].pk, user=olga, reason="x", until=now + HOUR, now=now)
    before = JournalEntry.objects.count()
    asked = services.Request(Event.ACK, olga, now, "seen at the panel")
    found = services.many(asked, alarm_ids=[*(alarm.pk for alarm in four), 4711])
    assert [(outcome.done, outcome.refused) for outcome in found] == [
        (True, False),
        (False, True),
        (True, False),
        (True, False),
        (False, True),
    ]
    rows = JournalEntry.objects.order_by("pk")[before:]
    assert [(row.alarm_id, row.reason) for row in rows] == [
        (four[0].pk, "seen at the panel"),
        (four[1].pk, "refused: it is not presented"),
        (four[2].pk, "seen at the panel"),
        (four[3].pk, "seen at the panel"),
    ]


@pytest.mark.parametrize(("numbers", "words"), [([], "No alarm"), (range(1, 502), "501 alarms .* at most 500")])
def test_bulk_of_none_or_too_many_is_refused(olga, now, numbers, words):
    with pytest.raises(services.Refused, match=words):
        services.many(shelving(olga, now), alarm_ids=numbers)


def test_bulk_costs_the_same_for_three_and_for_thirty(press, olga, now, django_assert_max_num_queries):
    first = factories.rule(press, "Rule 0", priority="low")
    copies = []
    for number in range(1, 34):
        first.pk, first.name = None, f"Rule {number}"
        copies.append(Rule(**{field.attname: getattr(first, field.attname) for field in Rule._meta.concrete_fields}))
    Rule.objects.bulk_create(copies)
    numbers = list(Rule.objects.order_by("pk").values_list("pk", flat=True))
    counts = []
    for part in (numbers[:3], numbers[3:33]):
        with django_assert_max_num_queries(16) as asked:
            services.many(shelving(olga, now), rule_ids=part)
        counts.append(len(asked.captured_queries))
    assert counts[0] == counts[1]


# --- Two at once ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_who_shelve_at_once_one_does_and_the_other_is_told(monkeypatch):
    monkeypatch.setattr("alerts.events.announce", lambda entries: None)
    machine = factories.plant()[0]
    factories.sensor(machine)
    rule = factories.rule(machine)
    people = [factories.operator("first"), factories.operator("second")]
    start = threading.Barrier(2)
    told: list[str] = []
    now = timezone.now()

    def press(user):
        try:
            start.wait()
            told.append(services.shelve(rule_id=rule.pk, user=user, reason="x", until=now + HOUR, now=now).message)
        except services.Refused as refusal:
            told.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["Shelved.", "This alarm cannot be shelved: shelved already."]
    rows = [(row.event, row.from_state, row.to_state) for row in JournalEntry.objects.order_by("pk")]
    assert rows == [("shelve", "A", "G"), ("shelve", "G", "G")]
    assert Suppression.objects.count() == 1
