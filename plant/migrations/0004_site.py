"""The ground that the map is drawn on; engineers of an older installation may change it."""

from typing import Any

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

_VERBS = ("view", "add", "change", "delete")
_MODELS = ("maplayer", "siteplan")


def give(apps: Any, schema_editor: Any) -> None:
    """Gives the group of engineers the new permissions, where there is one already."""
    using = schema_editor.connection.alias
    group = apps.get_model("auth", "Group").objects.using(using).filter(name="engineer").first()
    if group is None:
        return
    app = apps.get_app_config("plant")
    app.models_module = True  # else it counts as an app without models
    create_permissions(app, apps=apps, using=using, verbosity=0)
    app.models_module = None
    known = apps.get_model("auth", "Permission").objects.using(using).filter(content_type__app_label="plant")
    group.permissions.add(*known.filter(codename__in=[f"{verb}_{model}" for model in _MODELS for verb in _VERBS]))


class Migration(migrations.Migration):
    dependencies = [
        ("plant", "0004_saved_filters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SitePlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "latitude",
                    models.FloatField(
                        help_text="Degrees north (WGS 84) of the plan's zero point.", verbose_name="latitude"
                    ),
                ),
                (
                    "longitude",
                    models.FloatField(
                        help_text="Degrees east (WGS 84) of the plan's zero point.", verbose_name="longitude"
                    ),
                ),
                (
                    "bearing",
                    models.FloatField(
                        default=0.0,
                        help_text="Degrees from north, clockwise, in which the plan's upper edge points.",
                        verbose_name="bearing",
                    ),
                ),
            ],
            options={
                "verbose_name": "site plan",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalMapLayer",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("outlines", "Outlines (GeoJSON)"), ("picture", "Picture")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("metres", models.BooleanField(default=False, verbose_name="on the site plan")),
                ("west", models.FloatField(verbose_name="west")),
                ("south", models.FloatField(verbose_name="south")),
                ("east", models.FloatField(verbose_name="east")),
                ("north", models.FloatField(verbose_name="north")),
                ("media_type", models.CharField(max_length=40)),
                ("digest", models.CharField(max_length=64)),
                ("facts", models.JSONField(default=dict)),
                ("uploaded", models.DateTimeField(blank=True, editable=False, verbose_name="uploaded")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical map layer",
                "verbose_name_plural": "historical map layers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSitePlan",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "latitude",
                    models.FloatField(
                        help_text="Degrees north (WGS 84) of the plan's zero point.", verbose_name="latitude"
                    ),
                ),
                (
                    "longitude",
                    models.FloatField(
                        help_text="Degrees east (WGS 84) of the plan's zero point.", verbose_name="longitude"
                    ),
                ),
                (
                    "bearing",
                    models.FloatField(
                        default=0.0,
                        help_text="Degrees from north, clockwise, in which the plan's upper edge points.",
                        verbose_name="bearing",
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
                "verbose_name": "historical site plan",
                "verbose_name_plural": "historical site plans",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="MapLayer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("outlines", "Outlines (GeoJSON)"), ("picture", "Picture")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("metres", models.BooleanField(default=False, verbose_name="on the site plan")),
                ("west", models.FloatField(verbose_name="west")),
                ("south", models.FloatField(verbose_name="south")),
                ("east", models.FloatField(verbose_name="east")),
                ("north", models.FloatField(verbose_name="north")),
                ("content", models.BinaryField()),
                ("media_type", models.CharField(max_length=40)),
                ("digest", models.CharField(max_length=64)),
                ("facts", models.JSONField(default=dict)),
                ("uploaded", models.DateTimeField(auto_now_add=True, verbose_name="uploaded")),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
            ],
            options={
                "verbose_name": "map layer",
                "ordering": ["id"],
            },
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
