"""How messages leave: claimed once, tried again with patience, given up in view, and looked at once more before."""

import os
import signal
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from alerts.calling import digests
from alerts.models import Delivery
from alerts.notify import outbox
from alerts.notify.channel import Permanent, Transient
from alerts.notify.channels import NOTIFIERS

from .cast import NOW, alarm, machine, outbox_rows, person, row, send, subscribe, told
from .wire import MailServer

CLAIM = outbox.CLAIM
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


class Wire:
    """A channel whose far end does as it is told."""

    missing = "no wire"

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.failure: BaseException | None = None

    def address(self, user: Any, contact: Any) -> str:
        return "somewhere"

    def reference(self, stem: str, user_id: int) -> str:
        return stem

    def open(self) -> Any:
        from contextlib import nullcontext

        return nullcontext(self.take)

    def take(self, notice: Any, delivery: Delivery) -> str:
        if self.failure is not None:
            raise self.failure
        self.sent.append(delivery.pk)
        return "taken"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    made = Wire()
    monkeypatch.setitem(NOTIFIERS, "email", made)
    yield made


def waiting(**fields: Any) -> Delivery:
    """Makes one message that is due."""
    olga = User.objects.filter(username="olga").first() or person()
    subscribe(olga)
    return told(row(alarm(None, **fields)))[0]


# --- Trying again --------------------------------------------------------------------------------------------------


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


# --- Workers that die, workers that meet ---------------------------------------------------------------------------


def test_a_lost_workers_message_is_taken_over_after_five_minutes_under_the_same_name(wire: Wire) -> None:
    made = waiting()
    wire.failure = KeyboardInterrupt()  # as a worker ends between the claim and the answer
    with pytest.raises(KeyboardInterrupt):
        send()
    wire.failure = None
    assert outbox_rows()[0].outcome == "sending"
    assert send(NOW + CLAIM - SECOND)[0].outcome == "sending"
    (sent,) = send(NOW + CLAIM)
    assert (sent.outcome, sent.attempts, sent.message_id) == ("sent", 2, made.message_id)
    assert wire.sent == [made.pk]


def test_a_message_that_kills_every_worker_is_given_up(wire: Wire) -> None:
    waiting()
    wire.failure = KeyboardInterrupt()
    for number in range(8):
        with pytest.raises(KeyboardInterrupt):
            send(NOW + number * CLAIM)
    (dead,) = send(NOW + 8 * CLAIM)
    assert (dead.outcome, dead.reason) == ("dead", "given up: its worker was lost each time")


def test_who_comes_back_late_does_not_overwrite_the_one_who_took_over(wire: Wire) -> None:
    made = waiting()

    def take(notice: Any, delivery: Delivery) -> str:
        # Meanwhile, and for this worker unseen, the claim has passed on.
        Delivery.objects.filter(pk=delivery.pk).update(claimed=NOW + CLAIM)
        raise Permanent("the late one's answer")

    wire.take = take  # type: ignore[method-assign]
    (found,) = send()
    assert (found.pk, found.outcome, found.answer) == (made.pk, "sending", "")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_message_once(mail: MailServer) -> None:
    for index in range(12):
        subscribe(person(f"p{index}"))
    with transaction.atomic():
        told(row(alarm(None)))
    start = threading.Barrier(2)

    def work() -> None:
        try:
            start.wait()
            outbox.send_due(NOW)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(m["To"] for m in mail.mails) == sorted(f"p{index}@works.example" for index in range(12))
    assert {(d.outcome, d.attempts) for d in outbox_rows()} == {("sent", 1)}


def test_a_round_that_two_workers_shared_is_no_sign_that_nothing_is_left(wire: Wire) -> None:
    for index in range(2 * outbox.ROUND):
        subscribe(person(f"p{index}"))
    told(row(alarm(None)))

    def take(notice: Any, delivery: Delivery) -> str:
        # The other worker takes the next one.
        following = Delivery.objects.filter(outcome="due").order_by("pk").first()
        if following is not None:
            Delivery.objects.filter(pk=following.pk).update(outcome="sent")
        return "taken"

    wire.take = take  # type: ignore[method-assign]
    assert outbox.send_due(NOW)
    assert outbox.send_due(NOW)
    assert not outbox.send_due(NOW)
    assert {found.outcome for found in outbox_rows()} == {"sent"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_sends_loses_no_message(mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction.atomic():
        made = waiting()
    connection.close()  # SQLite's are not for sharing with a child
    child = os.fork()
    if child == 0:
        killed = Wire()
        killed.take = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign,assignment]
        monkeypatch.setitem(NOTIFIERS, "email", killed)
        outbox.send_due(NOW)
        os._exit(1)  # never reached
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert [(d.outcome, d.attempts) for d in send(NOW + CLAIM - SECOND)] == [("sending", 1)]
    assert [(d.outcome, d.attempts) for d in send(NOW + CLAIM)] == [("sent", 2)]
    assert [m["Message-ID"] for m in mail.mails] == [made.message_id]


# --- The last look -------------------------------------------------------------------------------------------------


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


# --- A test message ------------------------------------------------------------------------------------------------


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


def test_two_threads_of_a_process_send_and_what_comes_meanwhile_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on, rounds = threading.Semaphore(0), threading.Event(), []

    def send_due(now: datetime) -> bool:
        rounds.append(threading.current_thread().name)
        inside.release()
        assert go_on.wait(20)
        return False

    monkeypatch.setattr(outbox, "send_due", send_due)
    sent: dict[str, bool] = {}

    def work() -> None:
        sent[threading.current_thread().name] = outbox.send_all(lambda: NOW)

    busy = [threading.Thread(target=work, name=name) for name in ("one", "two")]
    for thread in busy:
        thread.start()
        assert inside.acquire(timeout=20)
    # The process's other threads are free at once.
    for _ in range(3):
        assert not outbox.send_all(lambda: NOW)
    assert sorted(rounds) == ["one", "two"]
    go_on.set()
    for thread in busy:
        thread.join(20)
    assert sent == {"one": True, "two": True}
    assert len(rounds) == 3  # one of them looked once more
    assert outbox.send_all(lambda: NOW) and len(rounds) == 4


def test_a_sender_that_fails_leaves_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def send_due(now: datetime) -> bool:
        raise OSError("no database")

    monkeypatch.setattr(outbox, "send_due", send_due)
    for _ in range(outbox.LOOPS + 1):
        with pytest.raises(OSError, match="no database"):
            outbox.send_all(lambda: NOW)
    monkeypatch.setattr(outbox, "send_due", lambda now: False)
    assert outbox.send_all(lambda: NOW)


def test_each_message_costs_the_same_queries(wire: Wire, django_assert_max_num_queries: Any) -> None:
    for index in range(10):
        subscribe(person(f"p{index}"))
    told(row(alarm(machine())))
    # Eight for each, and the two words that open and close the transaction in which its outcome is written.
    with django_assert_max_num_queries(len(NOTIFIERS) + 10 * (8 + 2)):
        outbox.send_due(NOW)
    assert len(wire.sent) == 10
