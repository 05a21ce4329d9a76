"""Gives groups that an older installation made the permissions that this version brought, once.

Only those that are new: what a person has taken from a group before stays taken, and a group of another name, or one that
`plant.roles` did not make then, is nobody's concern.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

_VERBS = ("view", "add", "change", "delete")
_EDITED = (
    "alarmclass", "callplan", "callroute", "callstep", "holiday", "maintenancewindow", "membership", "position", "rota",
    "rotalayer", "rotaoverride", "rotaturn", "team", "teamchannel",
)  # fmt: skip
NEW = {
    "operator": {
        "shelve_alarm", "add_draftchange", "add_rotaoverride", "delete_rotaoverride", "add_maintenancewindow",
        "delete_maintenancewindow",
    },
    "engineer": {
        "shelve_alarm", "service_alarm", "add_draftchange",
        *(f"{verb}_{model}" for model in _EDITED for verb in _VERBS),
    },
}  # fmt: skip


def give(apps: Any, schema_editor: Any) -> None:
    """Adds them. Django makes permissions after all migrations, so those of the alarms are made here where they lack."""
    using = schema_editor.connection.alias
    groups = list(apps.get_model("auth", "Group").objects.using(using).filter(name__in=NEW))
    if not groups:
        return
    app = apps.get_app_config("alerts")
    app.models_module = True  # else it counts as an app without models
    create_permissions(app, apps=apps, using=using, verbosity=0)
    app.models_module = None
    known = apps.get_model("auth", "Permission").objects.using(using).filter(content_type__app_label="alerts")
    for group in groups:
        group.permissions.add(*known.filter(codename__in=NEW[group.name]))


class Migration(migrations.Migration):
    dependencies = [
        ("plant", "0001_initial"),
        ("alerts", "0070_team_channels"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
