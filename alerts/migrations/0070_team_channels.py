import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0060_sending"),
    ]

    operations = [
        migrations.AddField(
            model_name="teamchannel",
            name="lowest_priority",
            field=models.PositiveSmallIntegerField(
                choices=[(1, "Critical"), (2, "High"), (3, "Medium"), (4, "Low")],
                default=4,
                help_text="It is not told of lower alarms.",
                verbose_name="lowest priority",
            ),
        ),
        migrations.AddField(
            model_name="teamchannel",
            name="team",
            field=models.ForeignKey(
                blank=True,
                help_text="It is told whenever a plan calls this team; empty: never.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="channels",
                to="alerts.team",
                verbose_name="team",
            ),
        ),
    ]
