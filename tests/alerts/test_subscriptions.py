"""What a person decides about their own messages, and what is refused in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from alerts import subscriptions
from alerts.models import Contact, Delivery, Subscription
from alerts.notify import hours
from alerts.subscriptions import Refused
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 6, 0, 30, tzinfo=UTC)
EARLY = hours.hours_of([hours.Span((0, 1, 2, 3, 4), 360, 840)])


@pytest.fixture
def olga() -> User:
    factories.plant(machines=1)
    return factories.operator()


def wish(**fields: Any) -> dict[str, Any]:
    """Gives high and critical alarms of the hall by SMS, in the early shift, unless `fields` says otherwise."""
    return {
        "asset": "hall", "lowest_priority": 2, "channel": "sms", "hours": EARLY, "also_clear": False, **fields
    }  # fmt: skip


def test_addresses_are_stored_tidily_and_the_theme_stays(olga: User) -> None:
    Contact.objects.create(user=olga, theme="light")
    subscriptions.save_contact(
        user=olga, email=" o@works.example ", phone="+49 (151) 123-45.678", time_zone="Europe/Berlin"
    )
    stored = Contact.objects.get(user=olga)
    assert (stored.email, stored.phone, stored.time_zone, stored.theme) == (
        "o@works.example", "+4915112345678", "Europe/Berlin", "light",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"email": "olga"}, {"email": "“olga” is no email address"}),
        ({"phone": "0151 1234567"}, {"phone": "Write + and the country code first"}),
        ({"phone": "+49"}, {"phone": "no mobile number"}),
        ({"phone": "+49151abc4567"}, {"phone": "no mobile number"}),
        ({"time_zone": "Berlin"}, {"time_zone": "a name such as Europe/Berlin"}),
        ({"time_zone": "../etc/passwd", "email": "a@b"}, {"time_zone": "no time zone", "email": "no email address"}),
    ],
)
def test_a_wrong_address_is_refused_in_words_and_nothing_is_stored(
    olga: User, fields: dict[str, str], words: dict[str, str]
) -> None:
    with pytest.raises(Refused) as refusal:
        subscriptions.save_contact(user=olga, **{"email": "", "phone": "", "time_zone": "", **fields})
    assert refusal.value.errors.keys() == words.keys()
    assert all(words[field] in said for field, said in refusal.value.errors.items())
    assert not Contact.objects.exists()


def test_a_subscription_says_in_a_plain_sentence_what_it_means(olga: User) -> None:
    made = subscriptions.subscribe(user=olga, **wish())
    assert (
        subscriptions.in_plain_words(made)
        == "Critical and high alarms of Hall by SMS, Mon to Fri 06:00 to 14:00."
    )  # fmt: skip
    whole = subscriptions.subscribe(
        user=olga, **wish(asset="", lowest_priority=4, channel="email", hours=None, also_clear=True)
    )
    assert (
        subscriptions.in_plain_words(whole)
        == "All alarms of the whole plant by email, at any time; also when they return to normal."
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"asset": "moon"}, "asset"),
        ({"lowest_priority": 5}, "lowest_priority"),
        ({"lowest_priority": "x"}, "lowest_priority"),
        ({"channel": "pigeon"}, "channel"),
        ({"hours": [[]] * 7}, "hours"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(olga: User, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        subscriptions.subscribe(user=olga, **wish(**fields))
    assert list(refusal.value.errors) == [field]
    assert not Subscription.objects.exists()


def test_a_week_without_a_gap_is_stored_as_always(olga: User) -> None:
    assert subscriptions.subscribe(user=olga, **wish(hours=[[[0, 1440]]] * 7)).hours is None


def test_the_same_subscription_twice_is_refused_but_changing_one_into_itself_is_not(olga: User) -> None:
    made = subscriptions.subscribe(user=olga, **wish())
    with pytest.raises(Refused, match="You have this subscription already"):
        subscriptions.subscribe(user=olga, **wish())
    subscriptions.change_subscription(user=olga, subscription_id=made.pk, **wish())
    subscriptions.subscribe(user=factories.viewer(), **wish())
    assert Subscription.objects.count() == 2


def test_changing_a_subscription_keeps_it_switched_off(olga: User) -> None:
    made = subscriptions.subscribe(user=olga, **wish())
    subscriptions.switch_subscription(user=olga, subscription_id=made.pk, on=False)
    subscriptions.change_subscription(user=olga, subscription_id=made.pk, **wish(lowest_priority=1))
    stored = Subscription.objects.get(pk=made.pk)
    assert (stored.enabled, stored.lowest_priority) == (False, 1)


def test_another_persons_subscription_cannot_be_touched(olga: User) -> None:
    made = subscriptions.subscribe(user=olga, **wish())
    other = factories.viewer()
    with pytest.raises(Subscription.DoesNotExist):
        subscriptions.change_subscription(user=other, subscription_id=made.pk, **wish())
    with pytest.raises(Subscription.DoesNotExist):
        subscriptions.switch_subscription(user=other, subscription_id=made.pk, on=False)
    with pytest.raises(Subscription.DoesNotExist):
        subscriptions.remove_subscription(user=other, subscription_id=made.pk)
    assert Subscription.objects.get(pk=made.pk).enabled


def test_tests_are_few_an_hour(olga: User) -> None:
    subscriptions.save_contact(user=olga, email="", phone="+4915112345678", time_zone="")
    olga.refresh_from_db()
    for _ in range(subscriptions.TESTS):
        subscriptions.send_test(user=olga, channel="sms", now=NOW)
    with pytest.raises(Refused, match="6 tests this way within the hour"):
        subscriptions.send_test(user=olga, channel="sms", now=NOW)
    subscriptions.send_test(user=olga, channel="email", now=NOW)
    subscriptions.send_test(user=olga, channel="sms", now=NOW + timedelta(minutes=61))
    assert Delivery.objects.filter(channel="sms").count() == subscriptions.TESTS + 1
