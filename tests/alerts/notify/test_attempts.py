"""Every try leaves its row, and one whose outcome was never learned is counted."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from alerts.models import Attempt, Delivery
from alerts.notify import outbox

from .cast import NOW, alarm, machine, person, row, send, subscribe, told
from .wire import MailServer, Provider

pytestmark = pytest.mark.django_db


def tries() -> list[tuple[int, str, str]]:
    """Gives all tries, the oldest first: number, outcome, answer."""
    return list(Attempt.objects.order_by("pk").values_list("number", "outcome", "answer"))


def test_each_try_keeps_its_own_answer(provider: Provider) -> None:
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    provider.status = 503
    send()
    provider.status = 200
    (sent,) = send(NOW + outbox.backoff(1, 1.0))
    assert [(number, outcome) for number, outcome, _ in tries()] == [(1, "failed"), (2, "sent")]
    assert "error=503" in tries()[0][2] and tries()[1][2] == "accepted by JSON"
    first = Attempt.objects.order_by("pk")[0]
    assert first.began == NOW and first.ended is not None and first.ended > NOW
    assert (sent.attempts, sent.unlearned) == (2, 0)


def test_a_refusal_is_a_try_too(provider: Provider) -> None:
    provider.status = 410
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    (dead,) = send()
    assert [outcome for _, outcome, _ in tries()] == ["refused"]
    assert dead.given_up == NOW


def test_what_is_withheld_at_the_last_look_is_no_try(provider: Provider) -> None:
    user = person()
    subscribe(user, "sms")
    told(row(alarm(machine(), state="C", acked=NOW, acked_by=user)))
    assert send()[0].outcome == "withheld" and tries() == []


def test_a_provider_that_takes_it_and_never_answers_may_have_it_twice(provider: Provider) -> None:
    provider.status = 0
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    send()
    provider.status = 200
    (sent,) = send(NOW + outbox.backoff(1, 1.0))
    assert len(provider.taken) == 2
    assert [outcome for _, outcome, _ in tries()] == ["unknown", "sent"]
    assert (sent.outcome, sent.unlearned) == ("sent", 1)


def test_a_mail_server_that_hangs_up_on_the_mail_may_have_it_twice(mail: MailServer) -> None:
    mail.hangs_up = True
    subscribe(person())
    told(row(alarm(machine())))
    (waiting,) = send()
    assert (waiting.outcome, waiting.unlearned) == ("due", 1)
    mail.hangs_up = False
    (sent,) = send(NOW + outbox.backoff(1, 1.0))
    assert (sent.outcome, sent.unlearned, len(mail.mails)) == ("sent", 1, 2)
    assert mail.mails[0]["Message-ID"] == mail.mails[1]["Message-ID"]


def test_a_provider_out_of_reach_cannot_have_it(provider: Provider) -> None:
    provider.stop()
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    (waiting,) = send()
    assert (waiting.unlearned, [outcome for _, outcome, _ in tries()]) == (0, ["failed"])


def test_a_worker_that_is_lost_while_it_sends_leaves_a_try_without_outcome(provider: Provider) -> None:
    subscribe(person(), "sms")
    (waiting,) = told(row(alarm(machine())))
    # What a killed worker leaves: its claim, and the try that it had begun.
    Delivery.objects.update(outcome="sending", claimed=NOW, attempts=1)
    Attempt.objects.create(delivery=waiting, number=1, began=NOW)
    later = NOW + outbox.CLAIM
    (sent,) = send(later)
    assert (sent.outcome, sent.unlearned) == ("sent", 1)
    assert tries()[0] == (1, "unknown", "its worker was lost")
    assert tries()[1][1] == "sent"


def test_a_worker_that_is_lost_with_the_answer_in_its_hands_leaves_a_doubt(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As kill -9: nothing of the worker goes on."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    subscribe(person(), "sms")
    told(row(alarm(machine())))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(outbox, "_settle", killed)
        send()
    (sent,) = send(NOW + outbox.CLAIM)
    assert len(provider.taken) == 2
    assert (sent.outcome, sent.unlearned) == ("sent", 1)
    assert [outcome for _, outcome, _ in tries()] == ["unknown", "sent"]


def test_a_worker_that_is_lost_before_it_sends_leaves_no_doubt(provider: Provider) -> None:
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    Delivery.objects.update(outcome="sending", claimed=NOW, attempts=1)
    (sent,) = send(NOW + outbox.CLAIM)
    assert (sent.outcome, sent.unlearned, len(tries())) == ("sent", 0, 1)


def test_what_was_given_up_is_let_be_once_and_can_be_sent_again_all_the_same(provider: Provider) -> None:
    provider.status = 410
    user: User = person()
    subscribe(user, "sms")
    told(row(alarm(machine())))
    (dead,) = send()
    assert outbox.dismiss(delivery_id=dead.pk, user=user, now=NOW).dismissed == NOW
    with pytest.raises(outbox.NotDead):
        outbox.dismiss(delivery_id=dead.pk, user=user, now=NOW)
    provider.status = 200
    assert outbox.resend(delivery_id=dead.pk, user=user, now=NOW).dismissed is None
    (sent,) = send()
    assert (sent.outcome, sent.given_up) == ("sent", None)
    assert [(number, outcome) for number, outcome, _ in tries()] == [(1, "refused"), (1, "sent")]


def test_what_was_sent_cannot_be_let_be(provider: Provider) -> None:
    user = person()
    subscribe(user, "sms")
    told(row(alarm(machine())))
    (sent,) = send()
    with pytest.raises(outbox.NotDead, match="Sent"):
        outbox.dismiss(delivery_id=sent.pk, user=user, now=NOW)


def test_a_delivery_belongs_to_a_person_or_a_team(db: Any) -> None:
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(key="nobody", event="raise", channel="email", created=NOW, due=NOW)
