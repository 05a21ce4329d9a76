"""Every row of the journal carries a hash over itself and the hash before it; the head keeps the newest.

The append-only triggers are off while the rows that are there already get theirs. Then there are more of them: the
journal is not truncated either, and its head neither goes back nor goes away.
"""

from importlib import import_module

from django.db import migrations, models

from alerts import chain

_append_only = import_module("alerts.migrations.0002_journal_append_only")

HEAD = "alerts_journalhead"
WORDS = "The head of the journal goes forward only."
_BATCH = 2_000

SQLITE = {
    "journal_head_forward": (
        f"CREATE TRIGGER journal_head_forward BEFORE UPDATE ON {HEAD} WHEN NEW.last < OLD.last OR NEW.id <> OLD.id "
        f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    ),
    "journal_head_stays": (
        f"CREATE TRIGGER journal_head_stays BEFORE DELETE ON {HEAD} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    ),
}
POSTGRESQL = f"""
    CREATE FUNCTION journal_head_goes_forward() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
    CREATE TRIGGER journal_head_forward BEFORE UPDATE ON {HEAD}
        FOR EACH ROW WHEN (NEW.last < OLD.last OR NEW.id <> OLD.id) EXECUTE FUNCTION journal_head_goes_forward();
    CREATE TRIGGER journal_head_stays BEFORE DELETE ON {HEAD}
        FOR EACH ROW EXECUTE FUNCTION journal_head_goes_forward();
    CREATE TRIGGER journal_head_no_truncate BEFORE TRUNCATE ON {HEAD}
        FOR EACH STATEMENT EXECUTE FUNCTION journal_head_goes_forward();
"""
POSTGRESQL_REMOVE = f"""
    DROP TRIGGER journal_head_forward ON {HEAD};
    DROP TRIGGER journal_head_stays ON {HEAD};
    DROP TRIGGER journal_head_no_truncate ON {HEAD};
    DROP FUNCTION journal_head_goes_forward();
"""


def open_for_change(apps, schema_editor):
    """Takes the append-only triggers off, to the end of this migration. SQLite would lose them with the old table."""
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        _append_only.remove(apps, schema_editor)
    elif vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {_append_only.TABLE} DISABLE TRIGGER USER")


def close_again(apps, schema_editor):
    """Puts them on."""
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        _append_only.install(apps, schema_editor)
    elif vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {_append_only.TABLE} ENABLE TRIGGER USER")


def fill(apps, schema_editor):
    """Chains the rows that are there, in the order of their numbers. Cost: memory for one batch."""
    entries, heads = apps.get_model("alerts", "JournalEntry"), apps.get_model("alerts", "JournalHead")
    last, before = None, chain.GENESIS
    while True:
        rows = entries.objects.order_by("id")
        batch = list((rows if last is None else rows.filter(id__gt=last))[:_BATCH])
        if not batch:
            break
        hashes = []
        for row in batch:
            before = chain.link(before, row)
            hashes.append((before, row.id))
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {_append_only.TABLE} SET hash = %s WHERE id = %s", hashes)  # noqa: S608
        last = batch[-1].id
    # What the head counted before stays: rows that were lost at the end are found by it.
    heads.objects.get_or_create(pk=1, defaults={"last": last or 0})
    heads.objects.filter(pk=1).update(hash=before)


def protect(apps, schema_editor):
    """Puts the new triggers on."""
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        for statement in SQLITE.values():
            schema_editor.execute(statement)
    elif vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)


def unprotect(apps, schema_editor):
    """Takes them off, on the way back."""
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        for name in SQLITE:
            schema_editor.execute(f"DROP TRIGGER {name}")
    elif vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_REMOVE)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0010_suppressors")]
    operations = [
        migrations.RunPython(open_for_change, close_again),
        migrations.AddField(
            "journalentry", "hash", models.CharField(max_length=64, default=""), preserve_default=False
        ),
        migrations.AddField("journalhead", "hash", models.CharField(max_length=64, default=chain.GENESIS)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(close_again, open_for_change),
        migrations.RunPython(protect, unprotect),
    ]
