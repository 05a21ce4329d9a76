"""Any number of workers send what is due, each message once; one that is lost loses none."""

import os
import signal
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from alerts.models import Delivery
from alerts.notify import outbox
from alerts.notify.channel import Permanent
from alerts.notify.channels import NOTIFIERS

from .cast import NOW, alarm, outbox_rows, person, row, send, subscribe, told, waiting
from .stand_in import Wire
from .wire import MailServer

CLAIM = outbox.CLAIM
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


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
