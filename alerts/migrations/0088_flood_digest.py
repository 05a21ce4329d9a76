"""What is held for a flood's digest says so: a digest of critical alarms takes the rest along."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0087_first_due")]

    operations = [migrations.AddField("delivery", "flood", models.BooleanField(default=False))]
