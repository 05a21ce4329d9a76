from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0070_team_channels"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="calls_also_clear",
            field=models.BooleanField(
                default=False,
                help_text="Of alarms that a plan called for.",
                verbose_name="also tell when it returns to normal",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="single_keys",
            field=models.BooleanField(
                default=True,
                help_text="Off: only keys that type nothing, such as Esc, do something.",
                verbose_name="single keys",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="sound",
            field=models.BooleanField(default=True, verbose_name="alarms sound"),
        ),
    ]
