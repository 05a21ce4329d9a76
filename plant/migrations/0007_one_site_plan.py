"""One row says where the site plan lies: two first placements at once had made two."""

from typing import Any

from django.db import migrations, models

ONLY = 1


def keep_one(apps: Any, schema_editor: Any) -> None:
    """Keeps the row that the map has shown, the first, under the one number that there is from now on."""
    using = schema_editor.connection.alias
    plans = apps.get_model("plant", "SitePlan").objects.using(using)
    shown = plans.order_by("id").values_list("pk", flat=True).first()
    if shown is None:
        return
    plans.exclude(pk=shown).delete()
    plans.filter(pk=shown).update(id=ONLY)
    # Its history goes with it.
    apps.get_model("plant", "HistoricalSitePlan").objects.using(using).filter(id=shown).update(id=ONLY)


class Migration(migrations.Migration):
    dependencies = [("plant", "0006_document_permissions")]

    operations = [
        migrations.RunPython(keep_one, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="siteplan",
            constraint=models.CheckConstraint(condition=models.Q(("id", ONLY)), name="one_site_plan"),
        ),
    ]
