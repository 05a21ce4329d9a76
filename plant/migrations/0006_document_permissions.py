"""Engineers of an older installation may add and remove documents, too."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

_VERBS = ("view", "add", "change", "delete")


def give(apps: Any, schema_editor: Any) -> None:
    """Gives the group of engineers the new permissions, where there is one already."""
    using = schema_editor.connection.alias
    group = apps.get_model("auth", "Group").objects.using(using).filter(name="engineer").first()
    if group is None:
        return
    app = apps.get_app_config("devices")
    app.models_module = True  # else it counts as an app without models
    create_permissions(app, apps=apps, using=using, verbosity=0)
    app.models_module = None
    known = apps.get_model("auth", "Permission").objects.using(using).filter(content_type__app_label="devices")
    group.permissions.add(*known.filter(codename__in=[f"{verb}_document" for verb in _VERBS]))


class Migration(migrations.Migration):
    dependencies = [
        ("plant", "0005_annotations"),
        ("devices", "0024_document"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
