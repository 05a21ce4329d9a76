"""Acknowledging and commenting: one answer counts, everybody learns whose, and the journal keeps every attempt."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from alerts import services
from alerts.models import Alarm, JournalEntry
from tests import factories

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=9)


def alarm(state: str = "B", **fields: Any) -> Alarm:
    """Makes an alarm of no rule."""
    values: dict[str, Any] = {
        "rule_name": "Temperature high", "tag": "press-1/temp", "asset_code": "press-1", "priority": 1,
        "state": state, "active": state in "BC", "raised": NOW, "message": "Temperature high",
        "frozen": {"ack_required": True, "latching": state in "EF"}, **fields,
    }  # fmt: skip
    return Alarm.objects.create(**values)


@pytest.fixture
def olga(db: None) -> User:
    return factories.operator("olga")


@pytest.fixture
def emil(db: None) -> User:
    return factories.engineer("emil")


def journal() -> list[tuple[str, str, str, str, str]]:
    """Gives what the journal says."""
    rows = JournalEntry.objects.order_by("pk")
    return [(row.event, row.from_state, row.to_state, row.reason, row.actor) for row in rows]


@pytest.mark.parametrize(
    ("state", "after", "closes", "reason"),
    [
        ("B", "C", False, "acknowledged"),
        ("D", "A", True, "acknowledged after it returned to normal"),
        ("E", "F", False, "acknowledged, latched until it is reset"),
    ],
)
def test_acknowledgement_moves_the_alarm_and_is_recorded(
    olga: User, state: str, after: str, closes: bool, reason: str
) -> None:
    made = alarm(state)
    done = services.acknowledge(alarm_id=made.pk, user=olga, now=LATER)
    made.refresh_from_db()
    assert done.done and done.message == "Acknowledged."
    assert (made.state, made.acked, made.acked_by, made.version) == (after, LATER, olga, 1)
    assert made.closed == (LATER if closes else None)
    assert journal() == [("ack", state, after, reason, "olga")]


def test_the_comment_stands_with_the_acknowledgement(olga: User) -> None:
    services.acknowledge(alarm_id=alarm().pk, user=olga, comment="  valve opened ", now=LATER)
    assert journal() == [("ack", "B", "C", "valve opened", "olga")]


def test_the_second_operator_is_told_who_was_first(olga: User, emil: User) -> None:
    made = alarm()
    services.acknowledge(alarm_id=made.pk, user=olga, now=LATER)
    second = services.acknowledge(alarm_id=made.pk, user=emil, now=LATER + timedelta(seconds=1))
    made.refresh_from_db()
    assert not second.done
    assert (second.by, second.at) == ("Olga Operator", LATER)
    assert second.message == "Already acknowledged by Olga Operator at 06:00:09."
    assert (made.acked_by, made.acked) == (olga, LATER)
    assert len(journal()) == 1


def test_what_the_second_operator_wrote_is_kept(olga: User, emil: User) -> None:
    made = alarm()
    services.acknowledge(alarm_id=made.pk, user=olga, now=LATER)
    services.acknowledge(alarm_id=made.pk, user=emil, comment="I am at the pump", now=LATER)
    assert journal()[1] == ("comment", "C", "C", "I am at the pump", "emil")


def test_who_was_first_is_told_even_after_the_alarm_is_over(olga: User, emil: User) -> None:
    made = alarm("D")
    services.acknowledge(alarm_id=made.pk, user=olga, now=LATER)
    assert services.acknowledge(alarm_id=made.pk, user=emil, now=LATER).by == "Olga Operator"


def test_a_closed_occurrence_is_refused_in_words_and_the_attempt_is_recorded(olga: User) -> None:
    superseded = alarm("D", closed=NOW)
    with pytest.raises(services.Refused, match=r"over since 06:00:00.*newer one"):
        services.acknowledge(alarm_id=superseded.pk, user=olga, now=LATER)
    superseded.refresh_from_db()
    assert superseded.acked is None
    assert journal() == [("ack", "D", "D", "refused: the occurrence is over", "olga")]


def test_an_acknowledgement_never_reaches_a_newer_occurrence(olga: User) -> None:
    old, new = alarm("D", closed=NOW), alarm("B")
    with pytest.raises(services.Refused):
        services.acknowledge(alarm_id=old.pk, user=olga, now=LATER)
    new.refresh_from_db()
    assert new.state == "B"


@pytest.mark.parametrize(
    ("suppressed", "words", "letter"),
    [
        (["shelved"], "is shelved", "G"),
        (["by_design"], "is suppressed by design", "H"),
        (["out_of_service", "shelved"], "is out of service and shelved", "I"),
    ],
)
def test_a_suppressed_alarm_cannot_be_acknowledged(olga: User, suppressed: list[str], words: str, letter: str) -> None:
    made = alarm(suppressed=suppressed)
    with pytest.raises(services.Refused, match=words):
        services.acknowledge(alarm_id=made.pk, user=olga, now=LATER)
    assert journal() == [("ack", letter, letter, "refused: it is not presented", "olga")]


def test_an_alarm_that_asks_for_nobody_says_so(olga: User) -> None:
    done = services.acknowledge(alarm_id=alarm("C", frozen={"ack_required": False}).pk, user=olga, now=LATER)
    assert (done.done, done.by, done.at) == (False, "", None)
    assert done.message == "This alarm asks for no acknowledgement."
    assert journal() == []


def test_a_re_annunciated_alarm_is_acknowledged_anew(olga: User, emil: User) -> None:
    again = alarm("B", acked=NOW, acked_by=olga, annunciations=2)
    assert services.acknowledge(alarm_id=again.pk, user=emil, now=LATER).done
    again.refresh_from_db()
    assert (again.acked_by, again.acked) == (emil, LATER)


def test_comments_are_taken_in_any_state(olga: User) -> None:
    for state, fields in (("B", {}), ("A", {"closed": NOW}), ("B", {"suppressed": ["shelved"]})):
        services.comment(alarm_id=alarm(state, **fields).pk, user=olga, text="strainer ordered", now=LATER)
    assert [row[:4] for row in journal()] == [
        ("comment", "B", "B", "strainer ordered"),
        ("comment", "A", "A", "strainer ordered"),
        ("comment", "G", "G", "strainer ordered"),
    ]


@pytest.mark.parametrize(("text", "words"), [("  ", "empty"), ("x" * 301, "301 characters; at most 300")])
def test_a_comment_without_words_or_with_too_many_is_refused(olga: User, text: str, words: str) -> None:
    made = alarm()
    with pytest.raises(services.Refused, match=words):
        services.comment(alarm_id=made.pk, user=olga, text=text, now=LATER)
    assert journal() == []


def test_an_unknown_alarm_is_not_found(olga: User) -> None:
    with pytest.raises(Alarm.DoesNotExist):
        services.acknowledge(alarm_id=404, user=olga, now=LATER)


def test_every_row_is_announced_after_the_commit(
    olga: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[int] = []
    monkeypatch.setattr("alerts.events.announce", lambda entries: told.extend(entry.pk for entry in entries))
    made = alarm()
    with django_capture_on_commit_callbacks(execute=True):
        services.acknowledge(alarm_id=made.pk, user=olga, now=LATER)
        services.comment(alarm_id=made.pk, user=olga, text="done", now=LATER)
        assert told == []
    assert told == list(JournalEntry.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_of_two_operators_at_once_exactly_one_acknowledges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.events.announce", lambda entries: None)
    made = alarm()
    people = [factories.operator("first"), factories.operator("second")]
    start = threading.Barrier(2)
    results: list[services.Acknowledgement] = []

    def press(user: User) -> None:
        try:
            start.wait()
            results.append(services.acknowledge(alarm_id=made.pk, user=user, now=LATER))
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = next(result for result in results if result.done)
    loser = next(result for result in results if not result.done)
    made.refresh_from_db()
    assert winner.alarm.acked_by == loser.alarm.acked_by == made.acked_by
    assert len(journal()) == 1
