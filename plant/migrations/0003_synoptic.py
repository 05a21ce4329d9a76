"""Synoptics; engineers of an older installation may draw them, once: see 0002."""

from typing import Any

import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

NEW = {"engineer": {f"{verb}_synoptic" for verb in ("view", "add", "change", "delete")}}


def give(apps: Any, schema_editor: Any) -> None:
    """Adds the permissions to the groups that are there; Django makes them after all migrations, so they are made here."""
    using = schema_editor.connection.alias
    groups = list(apps.get_model("auth", "Group").objects.using(using).filter(name__in=NEW))
    if not groups:
        return
    app = apps.get_app_config("plant")
    app.models_module = True  # else it counts as an app without models
    create_permissions(app, apps=apps, using=using, verbosity=0)
    app.models_module = None
    known = apps.get_model("auth", "Permission").objects.using(using).filter(content_type__app_label="plant")
    for group in groups:
        group.permissions.add(*known.filter(codename__in=NEW[group.name]))


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0020_source_silence"),
        ("plant", "0002_new_permissions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalSynoptic",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        db_index=True,
                        max_length=64,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9_-]+\\Z", "Use letters, digits, - and _ only.", code="code"
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("drawing", models.TextField(editable=False, verbose_name="drawing")),
                ("original", models.CharField(blank=True, editable=False, max_length=64, verbose_name="file")),
                ("remarks", models.JSONField(blank=True, default=list, editable=False)),
                ("history_change_reason", models.CharField(max_length=300, null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "asset",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="The part of the plant.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="devices.asset",
                        verbose_name="shows",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical synoptic",
                "verbose_name_plural": "historical synoptics",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Synoptic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        max_length=64,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9_-]+\\Z", "Use letters, digits, - and _ only.", code="code"
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("drawing", models.TextField(editable=False, verbose_name="drawing")),
                ("original", models.CharField(blank=True, editable=False, max_length=64, verbose_name="file")),
                ("remarks", models.JSONField(blank=True, default=list, editable=False)),
                (
                    "asset",
                    models.ForeignKey(
                        help_text="The part of the plant.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="synoptics",
                        to="devices.asset",
                        verbose_name="shows",
                    ),
                ),
            ],
            options={
                "verbose_name": "synoptic",
                "verbose_name_plural": "synoptics",
                "ordering": ["code"],
            },
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
