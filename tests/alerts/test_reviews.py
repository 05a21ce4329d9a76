"""What is out of service past its review date is an alarm of Andon's own."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import reviews, services
from alerts.flood.queries import in_flood
from alerts.flood.services import follow
from alerts.models import Alarm, JournalEntry, Position, Suppression
from devices import topology
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def press():
    topology.forget()  # PostgreSQL numbers assets anew, the rolled back revision is the same
    machine = factories.plant()[0]
    factories.sensor(machine)
    return machine


@pytest.fixture
def now():
    return timezone.now()


def test_a_review_that_is_overdue_is_an_alarm_once_until_it_is_put_off_or_returned(press, now):
    fritz, rule = factories.fitter(), factories.rule(press)
    terms = {"rule_id": rule.pk, "user": fritz, "work_order": "WO-7"}
    review = timezone.localdate(now) + timedelta(days=7)
    services.take_out_of_service(**terms, reason="valve out", review=review, now=now)

    def alarms() -> list[tuple[str, bool]]:
        return list(Alarm.objects.filter(rule=None).order_by("pk").values_list("message", "active"))

    assert reviews.watch_reviews(now=now + timedelta(days=7)) == 0
    later = now + timedelta(days=8)
    assert [reviews.watch_reviews(now=later + timedelta(minutes=minute)) for minute in range(3)] == [1, 0, 0]
    message = f"Out of service past its review date: {press.code} {rule.name}"
    assert alarms() == [(message, True)]
    made = Alarm.objects.get(rule=None)
    assert (made.priority, made.asset, made.frozen["cause"]) == (3, press, "valve out, WO-7")
    # An earlier day, or the same, puts nothing off.
    with pytest.raises(services.Refused, match="out of service already"):
        services.take_out_of_service(**terms, reason="still out", review=review, now=now)
    services.take_out_of_service(**terms, reason="part is late", review=review + timedelta(days=9), now=later)
    entry = JournalEntry.objects.order_by("-pk")[0]
    assert (entry.event, entry.actor) == ("comment", fritz.username)
    assert entry.reason == f"part is late (→ {review + timedelta(days=9)})"
    row = Suppression.objects.get()
    assert (row.review, row.out_reason, row.switches) == (review + timedelta(days=9), "valve out", ["out_of_service"])
    assert reviews.watch_reviews(now=later) == 1 and alarms() == [(message, False)]
    last = later + timedelta(days=9)
    assert reviews.watch_reviews(now=last) == 1 and alarms() == [(message, False), (message, True)]
    services.return_to_service(rule_id=rule.pk, user=fritz, now=last)
    assert reviews.watch_reviews(now=last) == 1 and alarms() == [(message, False)] * 2


def test_a_line_taken_out_as_a_whole_has_one_alarm_of_its_overdue_reviews_and_makes_no_flood(press, now):
    Position.objects.create(code="desk", name="Desk", scope=press.parent)
    follow(now=now)
    fritz, day = factories.fitter(), timezone.localdate(now) + timedelta(days=7)
    rules = [factories.rule(press, f"Rule {number}", limit=50.0 + number) for number in range(12)]
    terms = {"user": fritz, "work_order": "WO-7", "now": now}
    for rule in rules:
        services.take_out_of_service(**terms, rule_id=rule.pk, reason="line out", review=day)
    later = now + timedelta(days=8)
    assert [reviews.watch_reviews(now=later + timedelta(minutes=minute)) for minute in range(2)] == [1, 0]
    follow(now=later + timedelta(minutes=2))
    assert in_flood("desk", later + timedelta(minutes=2)) is None
    [made] = Alarm.objects.filter(rule=None)
    names = ", ".join(f"{press.code} {rule.name}" for rule in rules)
    assert made.message == f"12 rules out of service past their review date: {names}"[:199] + "…"
    assert (made.asset, made.position, made.active) == (press.parent, "desk", True)
    assert made.frozen["cause"].splitlines() == [f"{press.code} {rule.name}: line out, WO-7" for rule in rules]
    # What is looked at is named no longer; with the last it is over.
    for rule in rules[:11]:
        services.return_to_service(rule_id=rule.pk, user=fritz, now=later)
    assert [reviews.watch_reviews(now=later + timedelta(hours=1)) for _ in range(2)] == [1, 0]
    [made] = Alarm.objects.filter(rule=None)
    assert (made.message, made.active) == (
        f"Out of service past its review date: {press.code} {rules[11].name}",
        True,
    )
    services.return_to_service(rule_id=rules[11].pk, user=fritz, now=later)
    assert reviews.watch_reviews(now=later + timedelta(hours=2)) == 1
    assert [alarm.active for alarm in Alarm.objects.filter(rule=None)] == [False]
