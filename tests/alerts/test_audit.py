"""Whatever is done to a single row of the journal behind the database's back is found, and named."""

import hashlib
import io
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from alerts import audit, chain, journal
from alerts.models import Alarm, JournalEntry, JournalHead
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 6, 0, 0, 250_000, tzinfo=UTC)
TABLE, HEAD = "alerts_journalentry", "alerts_journalhead"
ROWS = 12


@contextmanager
def unprotected() -> Iterator[Any]:
    """Gives a cursor of somebody who has taken the triggers off."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            yield cursor
            for _, sql in triggers:
                cursor.execute(sql)
        else:
            cursor.execute("SET session_replication_role = replica")
            yield cursor
            cursor.execute("SET session_replication_role = origin")


@pytest.fixture
def written() -> list[int]:
    """Writes a journal in which every column is filled somewhere and empty elsewhere."""
    about = Alarm.objects.create(
        rule_name="Temperature high", tag="press-1/temp", asset_code="press-1", priority=1, state="B", raised=NOW,
        message="Temperature high",
    )  # fmt: skip
    numbers: list[int] = []
    for index in range(ROWS):
        full = index % 2 == 0
        entry = JournalEntry(
            time=NOW - timedelta(microseconds=index), event="raise" if full else "clear",
            from_state="A" if full else "B", to_state="B" if full else "A", alarm=about if full else None,
            rule_id=7 if full else None, rule_name="Temperature high" if full else "", tag="press-1/t" if full else "",
            value=90.1 + index if full else None, reason=f"grün {index}" if full else "", actor="olga" if full else "",
            clock_from=NOW if full else None,
        )  # fmt: skip
        with transaction.atomic():
            numbers += journal.write([entry], NOW)
    return numbers


def finding(**options: Any) -> audit.Finding:
    found = audit.verify(**options).finding
    assert found is not None
    return found


def other(column: str, value: Any) -> list[Any]:
    """Gives further contents that a column could be made to hold."""
    if column == "hash":
        return ["f" * 64, "", value[:-1] + ("0" if value[-1] != "0" else "1"), value.upper()]
    if column in ("time", "recorded", "clock_from"):
        if value is None:
            return ["2026-03-02 06:00:00"]
        return ["2026-03-02 06:00:00.250001", "1999-01-01 00:00:00", *([None] if column == "clock_from" else [])]
    if column == "value":
        return [value + 1e-13 if value is not None else 0.0, None if value is not None else -1.0]
    if column in ("alarm_id", "rule_id"):
        return [4_000_000 if value is None else None, 8]
    return ["C" if len(value) == 1 else f"{value} ", "x"]


@pytest.mark.parametrize("column", [field.column for field in JournalEntry._meta.fields if field.column != "id"])
def test_any_change_of_any_column_of_any_row_is_found(written: list[int], column: str) -> None:
    assert audit.verify().finding is None
    tried = 0
    for number in written:
        held = dict(zip(*columns(number), strict=True))[column]
        for content in other(column, held):
            if content == held:
                continue
            with unprotected() as cursor, transaction.atomic():
                cursor.execute(f"UPDATE {TABLE} SET {column} = %s WHERE id = %s", [content, number])
                assert finding().number == number, (column, held, content)
                transaction.set_rollback(True)
            tried += 1
    assert tried >= ROWS
    assert audit.verify() == audit.Verdict(ROWS, written[-1], None)


def columns(number: int) -> tuple[list[str], list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {TABLE} WHERE id = %s", [number])
        return [column[0] for column in cursor.description], list(cursor.fetchone())


def test_a_changed_row_whose_hash_was_worked_out_anew_is_found_by_the_one_after_it(written: list[int]) -> None:
    row = JournalEntry.objects.get(pk=5)
    row.actor = "nobody"
    before = JournalEntry.objects.get(pk=4).hash
    with unprotected() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET actor = 'nobody', hash = %s WHERE id = 5", [chain.link(before, row)])
    assert finding().number == 6


@pytest.mark.parametrize("number", range(1, ROWS + 1))
def test_a_missing_row_is_named(written: list[int], number: int) -> None:
    with unprotected() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE id = %s", [number])
    assert finding().number == number


def test_two_rows_that_changed_places_are_found(written: list[int]) -> None:
    with unprotected() as cursor:
        for old, new in ((4, 999), (9, 4), (999, 9)):
            cursor.execute(f"UPDATE {TABLE} SET id = %s WHERE id = %s", [new, old])
    assert finding().number == 4


@pytest.mark.parametrize("number", [0, -3, ROWS + 1, ROWS + 40])
def test_an_added_row_is_named(written: list[int], number: int) -> None:
    names, held = columns(6)
    places = ", ".join(["%s"] * len(held))
    with unprotected() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} ({', '.join(names)}) VALUES ({places})", [number, *held[1:]])
    assert finding().number == number


def test_an_end_that_was_cut_off_is_found(written: list[int]) -> None:
    with unprotected() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE id > 8")
    assert finding() == audit.Finding(9, f"rows 9 to {ROWS} are missing at the end.")


def test_a_head_that_was_set_back_is_found(written: list[int]) -> None:
    held = JournalEntry.objects.get(pk=8).hash
    with unprotected() as cursor:
        cursor.execute(f"UPDATE {HEAD} SET last = 8, hash = %s", [held])
    assert finding().number == 9


def test_a_head_with_another_hash_is_found(written: list[int]) -> None:
    with unprotected() as cursor:
        cursor.execute(f"UPDATE {HEAD} SET hash = %s", ["a" * 64])
    assert "the head carries another hash" in finding().words


def test_a_journal_cut_back_together_with_its_head_is_found_by_an_anchor(written: list[int]) -> None:
    kept = audit.anchor()
    held = JournalEntry.objects.get(pk=8).hash
    with unprotected() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE id > 8")
        cursor.execute(f"UPDATE {HEAD} SET last = 8, hash = %s", [held])
    assert audit.verify().finding is None
    assert finding(anchors=[kept]).number == 9


def test_a_chain_that_was_written_anew_is_found_by_an_anchor(written: list[int]) -> None:
    kept = [audit.Anchor(10, JournalEntry.objects.get(pk=10).hash)]
    before = JournalEntry.objects.get(pk=4).hash
    with unprotected() as cursor:
        for row in JournalEntry.objects.filter(pk__gte=5).order_by("pk"):
            row.reason = row.reason if row.pk > 5 else "nothing happened"
            before = chain.link(before, row)
            cursor.execute(f"UPDATE {TABLE} SET reason = %s, hash = %s WHERE id = %s", [row.reason, before, row.pk])
        cursor.execute(f"UPDATE {HEAD} SET hash = %s", [before])
    assert audit.verify().finding is None
    assert finding(anchors=kept).number == 10
    assert finding(anchors=kept, start=11).number == 10


def test_a_check_may_begin_in_the_middle_and_trusts_what_is_before(written: list[int]) -> None:
    kept = audit.Anchor(6, JournalEntry.objects.get(pk=6).hash)
    with unprotected() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET actor = 'nobody' WHERE id = 3")
    assert audit.verify(start=7, anchors=[kept]) == audit.Verdict(6, ROWS, None)
    assert finding().number == 3


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="only SQLite lets a column hold what is not of its type")
@pytest.mark.parametrize(("column", "content"), [("time", "2026-13-40"), ("time", "soon"), ("value", "much")])
def test_a_column_that_holds_what_it_cannot_hold_is_found(written: list[int], column: str, content: str) -> None:
    with unprotected() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET {column} = %s WHERE id = 5", [content])
    assert finding().number == 5


def test_a_check_reads_in_pages_and_finds_what_lies_on_their_edges(
    written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_PAGE", 4)
    assert audit.verify() == audit.Verdict(ROWS, ROWS, None)
    for number in (4, 5, 8):
        with unprotected() as cursor, transaction.atomic():
            cursor.execute(f"UPDATE {TABLE} SET reason = 'other' WHERE id = %s", [number])
            assert finding().number == number
            transaction.set_rollback(True)


def test_an_empty_journal_is_as_it_was_written() -> None:
    assert audit.verify() == audit.Verdict(0, 0, None)
    assert str(audit.anchor()) == f"0:{chain.GENESIS}"


@pytest.mark.parametrize(
    "sql",
    [f"UPDATE {HEAD} SET last = 3", f"UPDATE {HEAD} SET id = 2", f"DELETE FROM {HEAD}"]
    + ([f"TRUNCATE {HEAD}"] if connection.vendor == "postgresql" else []),
)
def test_the_database_refuses_to_set_the_head_back_or_to_empty_it(written: list[int], sql: str) -> None:
    with pytest.raises(IntegrityError, match=r"append-only|forward only"), transaction.atomic():
        connection.cursor().execute(sql)
    assert JournalHead.objects.get().last == ROWS


def test_the_documented_form_is_the_one_that_is_hashed() -> None:
    """Written out by hand from docs/operating.md: who keeps an export can check it without Andon."""
    with transaction.atomic():
        journal.write(
            [
                JournalEntry(
                    time=NOW, event="raise", from_state="A", to_state="B", rule_id=7, rule_name='Grün "hot"',
                    tag="press-1/temp", value=91.5, clock_from=None,
                )
            ],
            NOW,
        )  # fmt: skip
    text = (
        '[1,"2026-03-02T06:00:00.250000Z","2026-03-02T06:00:00.250000Z","raise","A","B",null,7,'
        '"Gr\\u00fcn \\"hot\\"","press-1/temp","4056e00000000000","","",null]'
    )
    assert JournalEntry.objects.get().hash == hashlib.sha256(b"0" * 64 + b"\n" + text.encode("ascii")).hexdigest()


def test_values_that_a_database_changes_are_hashed_as_it_gives_them_back() -> None:
    with transaction.atomic():
        journal.write(
            [
                JournalEntry(time=NOW, event="clear", from_state="B", to_state="A", value=value)
                for value in (-0.0, float("nan"), float("inf"), 5, 1e-310, random.Random(1).random())
            ],
            NOW,
        )
    assert audit.verify().finding is None


def test_the_command_names_the_first_bad_row_and_fails(written: list[int]) -> None:
    out = io.StringIO()
    call_command("journal", "anchor", stdout=out)
    kept = out.getvalue().strip()
    out = io.StringIO()
    call_command("journal", "verify", "--anchor", kept, stdout=out)
    assert out.getvalue() == f"{ROWS} rows, 1 to {ROWS}: as they were written. Anchors kept: 1.\n"
    with unprotected() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET actor = 'nobody' WHERE id = 3")
    with pytest.raises(CommandError, match="First bad row: 3"):
        call_command("journal", "verify")
    with pytest.raises(CommandError, match="no anchor"):
        call_command("journal", "verify", "--anchor", "3")


def test_an_export_of_json_lines_can_be_checked_by_itself(written: list[int]) -> None:
    before = chain.GENESIS
    for line in "".join(audit.export(form="jsonl")).splitlines():
        row = json.loads(line)
        stored = JournalEntry.objects.get(pk=row["id"])
        assert row["hash"] == chain.link(before, stored)
        assert (row["rule_id"], row["reason"], row["value"]) == (stored.rule_id, stored.reason, stored.value)
        before = row["hash"]
    assert before == audit.anchor().hash


def test_the_documented_script_checks_an_export_without_andon(written: list[int], tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    script = text.split("```python\n")[1].split("```")[0]
    for start in (None, NOW):
        lines = "".join(audit.export(form="jsonl", start=start)).splitlines(keepends=True)
        (tmp_path / "whole.jsonl").write_text("".join(lines))
        (tmp_path / "changed.jsonl").write_text("".join([*lines[:7], lines[7].replace('"clear"', '"ack"'), *lines[8:]]))
        for name, wanted in (("whole", ""), ("changed", "row 8 is not as it was written")):
            run = [sys.executable, "-c", script, str(tmp_path / f"{name}.jsonl")]
            done = subprocess.run(run, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr.strip()) == (1 if wanted else 0, wanted)


def test_an_export_keeps_to_its_times_and_a_spreadsheet_runs_nothing_of_it(written: list[int]) -> None:
    later = NOW + timedelta(hours=1)
    with transaction.atomic():
        entry = JournalEntry(time=later, event="comment", from_state="B", to_state="B", reason="=1+1", actor="olga")
        journal.write([entry], later)
    lines = "".join(audit.export(form="csv", start=later)).splitlines()
    assert lines[0] == ",".join(audit.COLUMNS)
    assert len(lines) == 2 and ",'=1+1," in lines[1]
    assert "".join(audit.export(form="csv", end=later)).count("\r\n") == ROWS + 1


@pytest.mark.django_db(transaction=True)
def test_the_api_gives_hashes_the_anchor_and_the_export(written: list[int], client: Client) -> None:
    client.force_login(factories.viewer())
    rows = client.get("/api/v1/events").json()["items"]
    assert [row["hash"] for row in rows] == list(JournalEntry.objects.order_by("pk").values_list("hash", flat=True))
    assert client.get("/api/v1/events/anchor").json() == {"id": ROWS, "hash": rows[-1]["hash"]}
    answer = client.get("/api/v1/events/export", {"format": "jsonl"})
    assert b"".join(answer).decode().count("\n") == ROWS  # type: ignore[arg-type]
    assert client.get("/api/v1/events/export", {"start": "2026-03-01T06:00:00"}).status_code == 422
