"""Gives groups that an older installation made the permission to annotate, once; see 0002_new_permissions."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

ANNOTATING = ("operator", "maintenance", "engineer")


def give(apps: Any, schema_editor: Any) -> None:
    """Adds it. Django makes permissions after all migrations, so that of annotations is made here where it lacks."""
    using = schema_editor.connection.alias
    # Of a group of that name that may not even acknowledge alarms a person has made something of their own.
    known = apps.get_model("auth", "Group").objects.using(using).filter(name__in=ANNOTATING)
    groups = list(known.filter(permissions__codename="acknowledge_alarm"))
    if not groups:
        return
    app = apps.get_app_config("devices")
    app.models_module = True  # else it counts as an app without models
    create_permissions(app, apps=apps, using=using, verbosity=0)
    app.models_module = None
    permission = apps.get_model("auth", "Permission").objects.using(using)
    wanted = permission.get(content_type__app_label="devices", codename="add_annotation")
    for group in groups:
        group.permissions.add(wanted)


class Migration(migrations.Migration):
    dependencies = [
        ("plant", "0004_site"),
        ("devices", "0021_annotation"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
