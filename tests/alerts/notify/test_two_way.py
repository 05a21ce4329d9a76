"""The whole way there and back: an alarm goes out by mail and text message, and its answer comes home."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from alerts.book import Book
from alerts.models import Alarm, Contact, JournalEntry, Rule, Subscription
from alerts.notify import outbox
from tests import factories

from .wire import MailServer, Provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Rule:
    """Gives a rule of a machine, and an operator who is told of its alarms by mail and text message."""
    monkeypatch.setattr("devices.topology._current", None)
    machine = factories.plant(machines=1)[0]
    factories.sensor(machine)
    user = factories.operator()
    Contact.objects.create(user=user, phone="+4915112345678")
    for channel in ("email", "sms"):
        Subscription.objects.create(user=user, channel=channel, lowest_priority=4)
    return factories.rule(machine)


def raised(rule: Rule) -> Alarm:
    """Raises the rule's alarm as a drain does, and sends what is due."""
    now = datetime.now(UTC)
    with transaction.atomic():
        book = Book(now)
        book.load(rules=[rule.pk])
        book.raised(rule, at=now, value=97.2)
        book.write()
    outbox.send_due(datetime.now(UTC))
    return Alarm.objects.latest("pk")


def returned(made: Alarm) -> None:
    """Returns an alarm to normal."""
    with transaction.atomic():
        book = Book(datetime.now(UTC))
        book.load(alarms=[made.pk])
        book.cleared(book.alarms[made.pk], at=datetime.now(UTC), value=60.0)
        book.write()


def link_in(server: MailServer) -> str:
    """Gives the path of the acknowledge link in the newest mail."""
    body = server.mails[-1].get_body(("plain",))
    found = re.search(r"https://andon\.works\.example(/answer/\S+)", body.get_content() if body else "")
    assert found is not None
    return found[1]


def test_the_link_in_the_mail_acknowledges_what_the_mail_was_about_and_not_what_came_after(
    rule: Rule,
    mail: MailServer,
    client: Client,
) -> None:
    first = raised(rule)
    old = link_in(mail)
    returned(first)
    second = raised(rule)
    assert second.pk != first.pk
    answer = client.post(old)
    second.refresh_from_db()
    assert second.state == "B" and "over since" in answer.content.decode()
    assert "Acknowledged." in client.post(link_in(mail)).content.decode()
    second.refresh_from_db()
    assert (second.state, second.acked_by.get_username()) == ("C", "operator")
    assert JournalEntry.objects.get(event="ack").reason == "by mail link"
    client.logout()


def test_the_code_in_the_text_message_comes_home(
    rule: Rule,
    provider: Provider,
    client: Client,
    settings: Any,
) -> None:
    settings.SMS_INBOUND_SECRET = "a shared secret of the gateway"
    made = raised(rule)
    code = re.search(r"reply (\w{4})\.", provider.taken[-1][1])
    assert code is not None
    answer = client.post(
        "/api/v1/sms/inbound",
        {"from": "004915112345678", "text": f"Ok {code[1].lower()}"},
        headers={"X-Andon-Secret": settings.SMS_INBOUND_SECRET},
    )
    assert answer.json() == {"answer": "press-1-1 Temperature high: Acknowledged."}
    made.refresh_from_db()
    assert made.state == "C" and JournalEntry.objects.get(event="ack").reason == "by text message"
