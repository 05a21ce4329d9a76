"""A message knows for which steps of its alarm's plan it calls."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def taken_is_proved(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What was written before does not say for which steps it is: what was taken by then proves nothing."""
    calls = apps.get_model("alerts", "Call").objects.filter(place__gt=models.F("audited"))
    calls.update(audited=models.F("place"))


class Migration(migrations.Migration):
    dependencies = [("alerts", "0091_calling_history")]

    operations = [
        migrations.AddField("delivery", "steps", models.JSONField(default=list)),
        migrations.RunPython(taken_is_proved, migrations.RunPython.noop),
    ]
