"""Where assets stand on the map."""

from django.db import migrations, models

_FIELDS = {
    "latitude": ("latitude", "Degrees north (WGS 84), for example 53.5512; south is negative."),
    "longitude": ("longitude", "Degrees east (WGS 84), for example 9.9937; west is negative."),
    "plan_x": ("plan x", "Metres to the right of the site plan's zero point."),
    "plan_y": ("plan y", "Metres up from the site plan's zero point."),
}


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0021_annotation"),
    ]

    operations = [
        migrations.AddField(
            model_name=model,
            name=name,
            field=models.FloatField(blank=True, help_text=words, null=True, verbose_name=verbose),
        )
        for model in ("asset", "historicalasset")
        for name, (verbose, words) in _FIELDS.items()
    ]
