"""The journal is numbered without gaps or repeats, and nobody rewrites it."""

import threading
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from alerts import journal
from alerts.models import Alarm, JournalEntry, JournalHead

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def alarm() -> Alarm:
    """Makes an unacknowledged alarm of no rule."""
    return Alarm.objects.create(
        rule_name="Temperature high", tag="press-1/temp", asset_code="press-1", priority=1, state="B", raised=NOW,
        message="Temperature high",
    )  # fmt: skip


def rows(about: Alarm | None, count: int) -> list[JournalEntry]:
    """Gives unsaved rows."""
    return [
        JournalEntry(time=NOW, event="comment", from_state="B", to_state="B", alarm=about, reason=f"note {index}")
        for index in range(count)
    ]


@pytest.mark.django_db
def test_rows_are_numbered_on_from_the_head_in_the_order_given() -> None:
    about = alarm()
    with transaction.atomic():
        first = journal.write(rows(about, 2), NOW)
        second = journal.write(rows(about, 3), NOW)
    assert second == [first[-1] + 1, first[-1] + 2, first[-1] + 3]
    stored = JournalEntry.objects.filter(pk__in=second).order_by("pk")
    assert [entry.reason for entry in stored] == ["note 0", "note 1", "note 2"]
    assert all(entry.recorded == NOW for entry in stored)
    assert JournalHead.objects.get().last == second[-1]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [3, 60])
def test_three_rows_and_sixty_cost_three_queries(count: int, django_assert_num_queries: object) -> None:
    about = alarm()
    JournalHead.objects.get_or_create(pk=1)
    with django_assert_num_queries(3):  # type: ignore[operator]
        journal.write(rows(about, count), NOW)


@pytest.mark.django_db
def test_no_rows_cost_nothing(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert journal.write([], NOW) == []


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_starts_at_one() -> None:
    call_command("flush", interactive=False)
    assert not JournalHead.objects.exists()
    with transaction.atomic():
        assert journal.write(rows(alarm(), 2), NOW) == [1, 2]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql", ["UPDATE alerts_journalentry SET reason = 'nothing happened'", "DELETE FROM alerts_journalentry"]
)
def test_the_database_refuses_to_rewrite_the_journal(sql: str) -> None:
    journal.write(rows(alarm(), 1), NOW)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert JournalEntry.objects.get().reason == "note 0"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="TRUNCATE is PostgreSQL's")
def test_the_database_refuses_to_empty_the_journal() -> None:
    with transaction.atomic():
        journal.write(rows(alarm(), 1), NOW)
    with pytest.raises(IntegrityError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("TRUNCATE alerts_journalentry CASCADE")
    assert JournalEntry.objects.get().reason == "note 0"


@pytest.mark.django_db
def test_a_long_reason_is_shortened_visibly() -> None:
    entry = rows(alarm(), 1)[0]
    entry.reason = "x" * 400
    journal.write([entry], NOW)
    assert JournalEntry.objects.get().reason == "x" * 299 + "…"


@pytest.mark.django_db(transaction=True)
def test_rows_are_refused_outside_a_transaction() -> None:
    with pytest.raises(journal.OutsideTransaction):
        journal.write(rows(None, 1), NOW)


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_leave_neither_gap_nor_repeat() -> None:
    about = alarm()
    given: list[list[int]] = []

    def work() -> None:
        try:
            for _ in range(10):
                with transaction.atomic():
                    given.append(journal.write(rows(about, 3), NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [number for batch in given for number in batch]
    assert sorted(numbers) == list(range(1, 91))
    assert all(batch == list(range(batch[0], batch[0] + 3)) for batch in given)
    assert set(JournalEntry.objects.values_list("pk", flat=True)) == set(numbers)
