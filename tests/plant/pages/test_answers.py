"""Links in mails: GET shows, POST acts, once, for one occurrence, and nobody is signed in by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import signing
from django.test import Client
from django.utils import timezone

from alerts import services
from alerts.models import Alarm, Delivery, JournalEntry, Subscription
from alerts.notify import answers, links
from plant.pages import answers as pages
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def stranger() -> Client:
    """Gives a browser that nobody has signed in, which insists on forms' tokens as browsers do."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def operator() -> User:
    return factories.operator()


def alarm(**fields: Any) -> Alarm:
    """Makes an unacknowledged alarm that stands."""
    return Alarm.objects.create(**{
        "rule_name": "Hot", "tag": "", "asset_code": "press-1", "priority": 1, "state": "B", "active": True,
        "raised": timezone.now(), "message": "Temperature high", "frozen": {"ack_required": True}, **fields,
    })  # fmt: skip


def link(of: Alarm, user: User, *, age: timedelta = timedelta()) -> str:
    """Gives the path of the link in a mail about an alarm that was sent a while ago."""
    sent = Delivery(user=user, alarm=of, event="raise", channel="email")
    return links.acknowledge(sent, timezone.now() - age).removeprefix("http://localhost:8000")


def read(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_looking_changes_nothing_and_leaves_no_cookie(stranger: Client, operator: User) -> None:
    made = alarm()
    address = link(made, operator)
    for _ in range(3):  # as scanners do
        answer = stranger.get(address)
    assert answer.status_code == 200 and "press-1 Temperature high" in read(answer)
    assert "You acknowledge it as <b>Olga Operator</b>" in read(answer)
    made.refresh_from_db()
    assert (made.state, JournalEntry.objects.count(), answer.cookies.keys()) == ("B", 0, set())
    assert answer["Cache-Control"].startswith("max-age=0") and answer["Referrer-Policy"] == "no-referrer"


def test_the_button_acknowledges_in_the_persons_name_and_signs_nobody_in(stranger: Client, operator: User) -> None:
    made = alarm()
    answer = stranger.post(link(made, operator))
    assert "Acknowledged." in read(answer) and not answer.cookies
    made.refresh_from_db()
    assert (made.state, made.acked_by) == ("C", operator)
    entry = JournalEntry.objects.get()
    assert (entry.event, entry.actor, entry.reason) == ("ack", "operator", "by mail link")
    assert stranger.get("/alarms/").status_code == 302


def test_a_link_works_once_even_where_the_alarm_has_come_again(stranger: Client, operator: User) -> None:
    made = alarm()
    address = link(made, operator)
    stranger.post(address)
    Alarm.objects.update(state="B")  # announced anew
    answer = stranger.post(address)
    assert answer.status_code == 410 and "has been used" in read(answer)
    assert Alarm.objects.get().state == "B" and JournalEntry.objects.count() == 1


def test_of_two_who_press_at_once_one_uses_the_link(operator: User) -> None:
    found = links.read(link(alarm(), operator).removeprefix("/answer/"))
    assert found is not None
    assert [answers._use_up(found), answers._use_up(found)] == [True, False]


def test_a_link_never_answers_a_newer_occurrence(stranger: Client, operator: User) -> None:
    old = alarm(state="A", active=False, closed=timezone.now())
    address = f"/answer/{signing.dumps([old.pk, operator.pk, 'ack', 2_000_000_000, 'n'], salt=links._LINK)}"
    newer = alarm()
    assert link(old, operator) == ""  # none is sent of what is over
    stranger.post(address)
    newer.refresh_from_db()
    assert newer.state == "B" and JournalEntry.objects.count() == 0


def test_an_alarm_that_was_over_meanwhile_is_told_in_words(stranger: Client, operator: User) -> None:
    made = alarm()
    address = link(made, operator)
    Alarm.objects.update(state="A", active=False, closed=timezone.now())
    answer = stranger.post(address)
    assert answer.status_code == 200 and "This alarm is over since" in read(answer)
    assert JournalEntry.objects.count() == 0


def test_who_was_quicker_is_named_and_nothing_is_written_twice(stranger: Client, operator: User) -> None:
    made = alarm()
    address = link(made, operator)
    services.acknowledge(alarm_id=made.pk, user=factories.engineer(), now=timezone.now())
    answer = stranger.post(address)
    assert "Already acknowledged by Emil Engineer at" in read(answer)
    assert JournalEntry.objects.count() == 1


def test_a_link_is_over_after_a_day(stranger: Client, operator: User) -> None:
    made = alarm()
    answer = stranger.post(link(made, operator, age=timedelta(hours=24, seconds=1)))
    assert answer.status_code == 410 and Alarm.objects.get().state == "B"
    assert stranger.post(link(made, operator, age=timedelta(hours=23, minutes=59))).status_code == 200


def test_a_link_that_claims_more_than_a_day_is_over_too(stranger: Client, operator: User) -> None:
    made = alarm()
    content = [made.pk, operator.pk, "ack", int((timezone.now() + timedelta(days=9)).timestamp()), "n"]
    assert stranger.post(f"/answer/{signing.dumps(content, salt=links._LINK)}").status_code == 410


@pytest.mark.parametrize("damage", [lambda t: t[:-1], lambda t: "x" + t, lambda t: "a" * 5_000, lambda t: "::"])
def test_a_link_that_is_not_ours_does_nothing(stranger: Client, operator: User, damage: Any) -> None:
    made = alarm()
    token = link(made, operator).removeprefix("/answer/")
    assert stranger.post(f"/answer/{damage(token)}").status_code == 404
    assert Alarm.objects.get().state == "B"


def test_a_signature_made_for_something_else_opens_nothing(stranger: Client, operator: User) -> None:
    made = alarm()
    content = [made.pk, operator.pk, "ack", int((timezone.now() + timedelta(hours=1)).timestamp()), "n"]
    assert stranger.post(f"/answer/{signing.dumps(content, salt=links._SUBSCRIPTION)}").status_code == 404


def test_who_may_no_longer_acknowledge_does_not(stranger: Client, operator: User) -> None:
    made = alarm()
    address = link(made, operator)
    operator.user_permissions.clear()
    assert stranger.post(address).status_code == 403
    operator.user_permissions.add(Permission.objects.get(codename="acknowledge_alarm"))
    User.objects.update(is_active=False)
    assert stranger.post(address).status_code == 403
    assert Alarm.objects.get().state == "B"


def test_who_may_only_look_is_sent_no_link(operator: User) -> None:
    assert link(alarm(), factories.viewer()) == ""


def test_many_tries_from_one_place_are_stopped(stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_OF_ONE_ADDRESS", pages.Limit("test", most=2))
    assert [stranger.get("/answer/x").status_code for _ in range(3)] == [404, 404, 429]


# --- Leaving a list ------------------------------------------------------------------------------------------------


def leaving(subscription: Subscription) -> str:
    """Gives the path of the link in the header of a mail."""
    sent = Delivery(user=subscription.user, subscription=subscription, event="raise", channel="email")
    return links.unsubscribe(sent).removeprefix("http://localhost:8000")


@pytest.fixture
def subscriptions(operator: User) -> list[Subscription]:
    """Gives two subscriptions of the operator that are on."""
    return [Subscription.objects.create(user=operator, channel="email", lowest_priority=level) for level in (1, 2)]


def on() -> list[bool]:
    return list(Subscription.objects.order_by("pk").values_list("enabled", flat=True))


def test_a_mail_program_switches_off_that_subscription_only(
    stranger: Client, subscriptions: list[Subscription]
) -> None:
    answer = stranger.post(leaving(subscriptions[0]), {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, on(), answer.cookies.keys()) == (200, [False, True], set())
    assert "Other subscriptions and duties of yours stay" in read(answer)


def test_leaving_twice_is_as_good_as_once(stranger: Client, subscriptions: list[Subscription]) -> None:
    for _ in range(2):
        assert stranger.post(leaving(subscriptions[0])).status_code == 200
    assert on() == [False, True]


def test_a_scanner_leaves_no_list(stranger: Client, subscriptions: list[Subscription]) -> None:
    answer = stranger.get(leaving(subscriptions[0]))
    assert answer.status_code == 200 and on() == [True, True] and "Critical alarms of the whole plant" in read(answer)


def test_a_subscription_that_is_gone_is_no_mistake_and_a_forged_link_is(
    stranger: Client, subscriptions: list[Subscription]
) -> None:
    address = leaving(subscriptions[0])
    subscriptions[0].delete()
    assert stranger.post(address).status_code == 200
    assert stranger.post("/unsubscribe/forged").status_code == 404
    assert on() == [True]


def test_a_duty_is_not_left_by_a_link(operator: User) -> None:
    assert links.unsubscribe(Delivery(user=operator, event="call", channel="email")) == ""
