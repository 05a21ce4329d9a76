"""An index over the calls whose steps are to be proved."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0089_call_proof")]

    operations = [
        migrations.AddIndex(
            "call",
            models.Index(fields=["id"], condition=models.Q(place__gt=models.F("audited")), name="call_unproved"),
        ),
    ]
