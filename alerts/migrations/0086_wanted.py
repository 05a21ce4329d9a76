"""A message that waits for its channel keeps when it was due first.

Rows that wait now get theirs when their channel is next left alone, from when they are due now.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0085_past")]

    operations = [migrations.AddField("delivery", "rested", models.DateTimeField(null=True))]
