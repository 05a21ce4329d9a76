"""PostgreSQL empties a table by TRUNCATE, past the triggers on its rows: the journal refuses that too."""

from django.db import migrations

CREATE = """
    CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON alerts_journalentry
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()
"""
DROP = "DROP TRIGGER journal_no_truncate ON alerts_journalentry"


def install(apps, schema_editor):
    """Puts the trigger on the table."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


def remove(apps, schema_editor):
    """Takes it away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0004_presentation")]
    operations = [migrations.RunPython(install, remove)]
