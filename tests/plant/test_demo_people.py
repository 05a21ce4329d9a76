"""Whom the demo calls: a rota without a gap, a plan of two steps, and nobody who could sign in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from alerts.calling.foresight import Facts, foresee
from alerts.calling.lint import lint
from alerts.models import CallPlan, Contact, Rule, Subscription
from devices import configuration, services
from devices.models import Asset, Source
from plant.demo import people
from plant.demo.layout import FILE

pytestmark = pytest.mark.django_db
MONDAY_NIGHT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # before the handover of that week
WAYS = {"email", "sms"}


@pytest.fixture
def works() -> None:
    services.ensure_shards()
    configuration.load(FILE.read_text(encoding="utf-8"), reason="the demo plant")
    people.bring(now=MONDAY_NIGHT)


def heard(rule: Rule, at: datetime) -> dict[str, dict[str, int]]:
    """Gives who is told of an alarm of a rule: the minute, by person and channel."""
    found: dict[str, dict[str, int]] = {}
    for one in foresee(Facts.of_rule(rule), at).told:
        if one.goes_out:
            found.setdefault(one.name, {}).setdefault(one.channel, round((one.at - at) / timedelta(minutes=1)))
    return found


def test_nobody_of_the_demo_can_sign_in_and_no_message_reaches_anybody(works: None) -> None:
    crew = User.objects.filter(username__in=[username for username, *_ in people.CREW])
    assert [user.has_usable_password() for user in crew] == [False, False, False]
    assert not any(user.is_staff or user.is_superuser for user in crew)
    contacts = Contact.objects.all()
    assert {contact.email.partition("@")[2] for contact in contacts} == {"demo.example"}
    assert all(contact.phone.startswith("+447700900") for contact in contacts)


def test_a_critical_alarm_calls_who_is_on_call_and_after_five_minutes_the_crew(works: None) -> None:
    rule = Rule.objects.get(asset__code="cw-tank-1", name="Cooling water supply pressure low")
    found = heard(rule, MONDAY_NIGHT)
    assert found["admin"] == dict.fromkeys(WAYS, 0)
    assert found["Mara Lindqvist"] == dict.fromkeys(WAYS, 0)
    assert found["Tom Okafor"] == dict.fromkeys(WAYS, 5)
    assert heard(rule, MONDAY_NIGHT + timedelta(days=1))["Tom Okafor"] == dict.fromkeys(WAYS, 0)


def test_a_low_alarm_reaches_the_shift_lead_within_the_hour(works: None) -> None:
    rule = Rule.objects.get(asset__code="feeder-03", name="Power factor low")
    found = heard(rule, MONDAY_NIGHT)
    assert found == {"Ines Ferreira": {"email": 60}}


def test_nothing_is_wrong_with_who_is_called(works: None) -> None:
    assert lint(MONDAY_NIGHT) == []


def test_bringing_them_again_makes_none_twice(works: None) -> None:
    before = User.objects.count(), Subscription.objects.count()
    people.bring(now=MONDAY_NIGHT)
    assert (User.objects.count(), Subscription.objects.count()) == before
    assert CallPlan.objects.get().steps.count() == 2
    assert CallPlan.objects.get().routes.count() == 1


def test_an_administrator_with_an_address_is_not_subscribed(works: None) -> None:
    admin = User.objects.get(username="admin")
    Contact.objects.filter(user=admin).update(email="anna@works.example")
    admin.subscriptions.all().delete()
    people.bring(now=MONDAY_NIGHT)
    assert not admin.subscriptions.exists()


def test_who_is_rid_of_the_works_gets_no_message_of_it(works: None) -> None:
    for source in Source.objects.all():
        services.delete_source(source=source)
    services.delete_asset(asset=Asset.objects.get(code=people.SITE))
    assert not Subscription.objects.exists()
    assert not CallPlan.objects.get().routes.exists()
