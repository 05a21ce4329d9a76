"""Before a message leaves it is looked at once more: what is over, withheld or was never told of by then."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from alerts.calling import digests
from alerts.models import Delivery
from alerts.notify.channel import Permanent, Transient

from .cast import NOW, alarm, person, row, send, subscribe, told, waiting
from .stand_in import Wire

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


def test_what_somebody_has_acknowledged_meanwhile_pages_nobody(wire: Wire) -> None:
    made = waiting()
    assert made.alarm is not None
    made.alarm.state, made.alarm.acked, made.alarm.acked_by = "C", NOW, person("emil", last_name="Engineer")
    made.alarm.save()
    (found,) = send()
    assert (found.outcome, found.reason) == ("withheld", "already acknowledged by Emil Engineer")
    assert wire.sent == []


def test_an_alarm_that_asks_again_after_an_acknowledgement_is_told(wire: Wire) -> None:
    waiting(acked=NOW, acked_by=person("emil"))
    assert send()[0].outcome == "sent"


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"state": "D", "active": False}, "sent"),
        ({"state": "A", "active": False, "closed": NOW, "frozen": {"ack_required": False}}, "sent"),
    ],
)
def test_a_short_alarm_of_the_moment_is_told_though_it_is_over(wire: Wire, fields: Any, outcome: str) -> None:
    waiting(**fields)
    assert send()[0].outcome == outcome


def test_what_was_shelved_meanwhile_is_withheld(wire: Wire) -> None:
    made = waiting()
    assert made.alarm is not None
    made.alarm.suppressed = ["shelved"]
    made.alarm.save()
    assert [(d.outcome, d.reason) for d in send()] == [("withheld", "shelved")]


def test_somebody_who_left_meanwhile_is_not_written_to(wire: Wire) -> None:
    User.objects.filter(pk__in=[waiting().user_id]).update(is_active=False)
    assert [(d.outcome, d.reason) for d in send()] == [("withheld", "your account is switched off")]


def test_the_return_to_normal_follows_the_alarm(wire: Wire) -> None:
    subscribe(person(), also_clear=True)
    made = alarm(None)
    wire.failure = Transient("busy")
    told(row(made))
    send()
    told(row(made, "clear", "B", "D"))
    wire.failure = None
    first, second = send()
    assert (first.outcome, second.outcome, second.due, second.attempts) == ("due", "due", first.due + SECOND, 0)
    assert [d.outcome for d in send(first.due)] == ["sent", "due"]
    assert [d.outcome for d in send(first.due + SECOND)] == ["sent", "sent"]
    assert wire.sent == [first.pk, second.pk]


def test_nobody_hears_of_the_end_of_what_they_were_not_told(wire: Wire) -> None:
    subscribe(person(), also_clear=True)
    made = alarm(None)
    wire.failure = Permanent("no")
    told(row(made), row(made, "clear", "B", "D"))
    found = send()
    assert [(d.outcome, d.reason) for d in found] == [
        ("dead", "refused: no"),
        ("withheld", "you were not told of the alarm"),
    ]


@pytest.mark.parametrize("followers", [1, 2])
def test_who_was_told_in_a_digest_hears_of_the_end_too(wire: Wire, followers: int) -> None:
    minute = timedelta(minutes=1)
    subscribe(person(), also_clear=True)
    made = [alarm(None, priority=2, group="line/trip", first_out=not number) for number in range(followers + 1)]
    told(*map(row, made))
    digests.send_held(NOW + minute)
    # One follower is told by itself, two are told together.
    assert Delivery.objects.filter(event="digest").count() == (followers == 2)
    told(row(made[-1], "clear", "B", "D"), now=NOW + minute)
    wire.failure = Transient("busy")
    send(NOW + minute)
    ended = Delivery.objects.get(event="clear")
    assert (ended.outcome, ended.answer) == ("due", "waits for the message of the alarm itself")
    wire.failure = None
    send(NOW + 2 * minute)
    send(NOW + 3 * minute)
    assert [row.outcome for row in Delivery.objects.filter(event="clear")] == ["sent"]


def test_who_missed_the_digest_does_not_hear_of_the_end(wire: Wire) -> None:
    minute = timedelta(minutes=1)
    subscribe(person(), also_clear=True)
    made = [alarm(None, priority=2, group="line/trip", first_out=not number) for number in range(3)]
    told(*map(row, made))
    send()
    digests.send_held(NOW + minute)
    wire.failure = Permanent("no")
    send(NOW + minute)
    told(row(made[-1], "clear", "B", "D"), now=NOW + 2 * minute)
    send(NOW + 2 * minute)
    ended = Delivery.objects.get(event="clear")
    assert (ended.outcome, ended.reason) == ("withheld", "you were not told of the alarm")
