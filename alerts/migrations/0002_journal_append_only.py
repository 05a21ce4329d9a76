"""The database itself refuses to change or delete journal rows.

SQLite forgets a table's triggers when a later migration rebuilds the table; tests/alerts/test_journal.py fails then, and
that migration must install them again.
"""

from django.db import migrations

TABLE = "alerts_journalentry"
WORDS = "The journal is append-only: its rows are neither changed nor deleted."

SQLITE = {
    name: f"CREATE TRIGGER {name} BEFORE {verb} ON {TABLE} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    for name, verb in (("journal_no_update", "UPDATE"), ("journal_no_delete", "DELETE"))
}
POSTGRESQL = f"""
    CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
    CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();
"""


def install(apps, schema_editor):
    """Puts the triggers on the table; other databases go without."""
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        for statement in SQLITE.values():
            schema_editor.execute(statement)
    elif vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
    apps.get_model("alerts", "JournalHead").objects.get_or_create(pk=1)


def remove(apps, schema_editor):
    """Takes them away."""
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        for name in SQLITE:
            schema_editor.execute(f"DROP TRIGGER {name}")
    elif vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER journal_append_only ON {TABLE}; DROP FUNCTION journal_is_append_only()")


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
