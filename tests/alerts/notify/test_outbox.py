"""How messages leave: in their order, tried again with patience, and given up in view."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from alerts.models import Delivery
from alerts.notify import outbox
from alerts.notify.channel import Permanent, Transient
from alerts.notify.channels import NOTIFIERS

from .cast import NOW, alarm, machine, person, row, send, subscribe, told, waiting
from .stand_in import Wire
from .wire import MailServer

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


def test_tries_come_ever_later_and_end_in_view(wire: Wire) -> None:
    wire.failure = Transient("452 mailbox full")
    waiting()
    now, waits = NOW, []
    for _ in range(7):
        (found,) = send(now)
        waits.append((found.due - now).total_seconds())
        assert send(found.due - timedelta(microseconds=1))[0].attempts == found.attempts
        now = found.due
    assert waits == [5, 10, 20, 40, 80, 160, 320]
    (dead,) = send(now)
    assert (dead.outcome, dead.attempts) == ("dead", 8)
    assert (dead.reason, dead.answer) == ("given up after 8 tries: 452 mailbox full", "452 mailbox full")
    assert send(now + timedelta(days=1))[0].attempts == 8


@pytest.mark.parametrize(("attempt", "fraction", "seconds"), [(1, 1.0, 5), (1, 0.0, 0), (3, 0.5, 10), (9, 1.0, 900)])
def test_waiting_is_capped_and_spread(attempt: int, fraction: float, seconds: float) -> None:
    assert outbox.backoff(attempt, fraction) == timedelta(seconds=seconds)


def test_a_refusal_is_not_tried_again(wire: Wire) -> None:
    wire.failure = Permanent("no such person")
    waiting()
    (dead,) = send()
    assert (dead.outcome, dead.reason, dead.attempts) == ("dead", "refused: no such person", 1)


def test_what_was_given_up_can_be_sent_again_by_hand(wire: Wire) -> None:
    wire.failure = Permanent("no such person")
    dead = waiting()
    send()
    wire.failure = None
    again = outbox.resend(delivery_id=dead.pk, user=dead.user, now=NOW + SECOND)
    assert (again.outcome, again.attempts, again.answer) == ("due", 0, "sent again by olga")
    assert send(NOW + SECOND)[0].outcome == "sent"


def test_only_what_was_given_up_is_sent_again(wire: Wire) -> None:
    made = waiting()
    send()
    with pytest.raises(outbox.NotDead, match="not given up: Sent"):
        outbox.resend(delivery_id=made.pk, user=made.user, now=NOW)
    assert wire.sent == [made.pk]


def test_a_message_is_not_sent_before_it_is_due(wire: Wire) -> None:
    waiting()
    send(NOW - SECOND)
    assert wire.sent == []


def test_the_most_urgent_goes_first(wire: Wire) -> None:
    low, high, critical = waiting(priority=4), waiting(priority=2), waiting(priority=1)
    send()
    assert wire.sent == [critical.pk, high.pk, low.pk]


def test_what_waits_again_and_again_holds_up_nothing_behind_it(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(outbox.ROUND):
        subscribe(person(f"p{index}"))
    told(row(alarm(None)))
    subscribe(person("later"))
    fresh = told(row(alarm(None)), now=NOW + SECOND)[-1]
    monkeypatch.setattr(
        outbox.Backlog, "holds", lambda _, row: row.due + 2 * SECOND if row.alarm_id != fresh.alarm_id else None
    )
    now = NOW + 2 * SECOND
    for _ in range(3):
        send(now)
        now += 2 * SECOND
    assert fresh.pk in wire.sent


def test_a_full_round_says_that_there_may_be_more(wire: Wire) -> None:
    for index in range(outbox.ROUND + 1):
        subscribe(person(f"p{index}"))
    told(row(alarm(None)))
    assert outbox.send_due(NOW)
    assert len(wire.sent) == outbox.ROUND
    assert not outbox.send_due(NOW)
    assert len(set(wire.sent)) == outbox.ROUND + 1


def test_one_channel_that_is_down_does_not_hold_up_the_other(wire: Wire, settings: Any, tmp_path: Any) -> None:
    from alerts.notify.channel import Down

    settings.OUTBOX_DIR = tmp_path
    wire.failure = Down("no route")
    for index in range(outbox.ROUND + 5):
        subscribe(person(f"p{index}"))
    subscribe(User.objects.get(username="p0"), "sms")
    told(row(alarm(None)))
    send()
    assert Delivery.objects.get(channel="sms").outcome == "sent"
    assert Delivery.objects.filter(channel="email", attempts__gt=0).count() == 1


def test_a_test_message_goes_the_same_way(mail: MailServer) -> None:
    olga = person()
    made = outbox.send_test(user=olga, channel="email", now=NOW)
    assert (made.outcome, made.reason) == ("due", "you asked for a test")
    (sent,) = send()
    assert (sent.outcome, sent.event, sent.alarm) == ("sent", "test", None)
    assert mail.mails[0]["Subject"] == "Andon: test message"
    assert mail.mails[0]["Message-ID"] == made.message_id
    assert mail.mails[0]["References"] is None


def test_a_test_to_nowhere_says_so(wire: Wire) -> None:
    made = outbox.send_test(user=person(phone=""), channel="sms", now=NOW)
    assert (made.outcome, made.reason) == ("withheld", "no mobile number")


def test_the_task_sends_round_after_round(wire: Wire) -> None:
    from alerts.tasks import send_due

    for index in range(outbox.ROUND + 3):
        subscribe(person(f"p{index}"))
    told(row(alarm(None)))
    send_due()
    assert len(wire.sent) == outbox.ROUND + 3


def test_each_message_costs_the_same_queries(wire: Wire, django_assert_max_num_queries: Any) -> None:
    for index in range(10):
        subscribe(person(f"p{index}"))
    told(row(alarm(machine())))
    # Eight for each, and the two words that open and close the transaction in which its outcome is written.
    with django_assert_max_num_queries(len(NOTIFIERS) + 10 * (8 + 2)):
        outbox.send_due(NOW)
    assert len(wire.sent) == 10
