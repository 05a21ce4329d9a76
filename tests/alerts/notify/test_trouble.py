"""What was given up has an alarm of its own, as long as somebody was not reached."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from alerts.models import Alarm, Delivery
from alerts.notify import outbox, trouble

from .cast import NOW, alarm, machine, person, row, send, subscribe, told
from .wire import MailServer, Provider

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=1)


def given_up(provider: Provider, user: User) -> Delivery:
    """Has an SMS to somebody refused for good."""
    provider.status = 410
    told(row(alarm(machine())))
    send()
    provider.status = 200
    return Delivery.objects.get(outcome="dead", user=user)


def own() -> list[Alarm]:
    """Gives the alarms of Andon itself, the oldest first."""
    return list(Alarm.objects.filter(rule_name="").order_by("pk"))


@pytest.fixture
def olga(provider: Provider) -> User:
    user = person()
    subscribe(user, "sms")
    return user


def test_while_nothing_is_given_up_nothing_is_locked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        trouble.settle(NOW)


def test_a_channel_that_gives_up_raises_one_alarm_and_tells_by_the_others(
    provider: Provider, mail: MailServer, olga: User
) -> None:
    subscribe(olga, "email")
    given_up(provider, olga)
    for _ in range(3):
        trouble.settle(NOW)
    (raised,) = own()
    assert (raised.message, raised.priority, raised.state) == ("Messages given up: SMS", 2, "B")
    assert "error=410" in raised.frozen["cause"]
    send()
    assert "Messages given up: SMS" in mail.mails[-1]["Subject"]


def test_it_is_over_when_the_person_is_reached_again(provider: Provider, olga: User) -> None:
    given_up(provider, olga)
    trouble.settle(NOW)
    send(LATER)  # the alarm about it goes out
    trouble.settle(LATER)
    assert [(found.state, found.active) for found in own()] == [("D", False)]


def test_that_others_are_reached_says_nothing_of_a_wrong_number(provider: Provider, olga: User) -> None:
    given_up(provider, olga)
    Delivery.objects.filter(user=olga).exclude(outcome="dead").delete()
    subscribe(person("emil"), "sms")
    olga.subscriptions.all().delete()
    trouble.settle(NOW)
    send(LATER)
    assert Delivery.objects.filter(user__username="emil", outcome="sent").exists()
    trouble.settle(LATER)
    assert [found.state for found in own()] == ["B"]


def test_it_is_over_when_they_are_sent_again(provider: Provider, olga: User) -> None:
    dead = given_up(provider, olga)
    trouble.settle(NOW)
    outbox.resend(delivery_id=dead.pk, user=olga, now=LATER)
    trouble.settle(LATER)
    assert [found.active for found in own()] == [False]


def test_it_is_over_when_they_are_let_be(provider: Provider, olga: User) -> None:
    dead = given_up(provider, olga)
    trouble.settle(NOW)
    outbox.dismiss(delivery_id=dead.pk, user=olga, now=LATER)
    trouble.settle(LATER)
    assert [found.active for found in own()] == [False]


def test_what_is_given_up_anew_raises_it_anew(provider: Provider, olga: User) -> None:
    dead = given_up(provider, olga)
    trouble.settle(NOW)
    outbox.dismiss(delivery_id=dead.pk, user=olga, now=LATER)
    trouble.settle(LATER)
    Delivery.objects.filter(pk=dead.pk).update(dismissed=None)
    trouble.settle(LATER + timedelta(minutes=1))
    assert [found.active for found in own()] == [False, True]
