"""Rows from before the chain get their hashes, and the journal is append-only again afterwards."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from alerts import audit, journal
from alerts.models import JournalEntry

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
BEFORE, AFTER = [("alerts", "0010_suppressors")], [("alerts", "0040_journal_chain")]


@pytest.mark.django_db(transaction=True)
def test_rows_from_before_the_chain_are_chained_and_protected_again() -> None:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    executor = MigrationExecutor(connection)
    executor.migrate(BEFORE)
    try:
        old = executor.loader.project_state(BEFORE).apps
        entries = old.get_model("alerts", "JournalEntry")
        rows = [
            entries(id=number, time=NOW, recorded=NOW, event="comment", from_state="B", to_state="B", actor="olga")
            for number in range(1, 4_101)
        ]  # fmt: skip
        entries.objects.bulk_create(rows)
        old.get_model("alerts", "JournalHead").objects.update_or_create(pk=1, defaults={"last": len(rows)})
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            entries.objects.update(reason="")
        MigrationExecutor(connection).migrate(AFTER)
    finally:
        MigrationExecutor(connection).migrate(newest)
    assert audit.verify() == audit.Verdict(4_100, 4_100, None)
    for sql in ("UPDATE alerts_journalentry SET reason = ''", "DELETE FROM alerts_journalentry"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            connection.cursor().execute(sql)
    with transaction.atomic():
        journal.write([JournalEntry(time=NOW, event="comment", from_state="B", to_state="B")], NOW)
    assert audit.verify() == audit.Verdict(4_101, 4_101, None)
