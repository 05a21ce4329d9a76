"""When a message was due first is called so."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("alerts", "0086_wanted")]

    operations = [migrations.RenameField("delivery", "rested", "first_due")]
