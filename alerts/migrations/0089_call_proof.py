"""A call knows which of its steps the auditor has proved, and which of them had nobody to call."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def taken_is_proved(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What was taken before had no auditor."""
    apps.get_model("alerts", "Call").objects.update(audited=models.F("place"))


class Migration(migrations.Migration):
    dependencies = [("alerts", "0088_flood_digest")]

    operations = [
        migrations.AddField("call", "nobody", models.JSONField(default=dict)),
        migrations.AddField("call", "audited", models.PositiveIntegerField(default=0)),
        migrations.RunPython(taken_is_proved, migrations.RunPython.noop),
    ]
