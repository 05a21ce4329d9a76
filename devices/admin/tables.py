"""Assets, sensors and sources as CSV or XLSX: services write every row, so the preview shows what they say."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import CharWidget, ForeignKeyWidget, JSONWidget, Widget

from devices import services
from devices.admin.base import Verbs
from devices.checks import LOCATION, MEASUREMENT
from devices.models import Asset, AssetType, Sensor, Source

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Text(CharWidget):
    """A text; one that a spreadsheet would run as a formula has an apostrophe before it, which goes on the way in."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Gives the cell."""
        text = "" if value is None else str(value)
        return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        """Gives the text."""
        text = "" if value is None else str(value)
        return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text


class ByCode(ForeignKeyWidget):
    """A row of another table by its code; a missing one is said in words."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """Gives the row. Raises: ValueError."""
        try:
            return super().clean(Text().clean(value) if isinstance(value, str) else value, row, **kwargs)
        except self.model.DoesNotExist:
            words = _("there is no %(kind)s %(name)s.") % {"kind": self.model._meta.verbose_name, "name": repr(value)}
            raise ValueError(words) from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Gives the code as a cell."""
        return Text().render(super().render(value, obj, **kwargs))


class Words(JSONWidget):
    """Pairs as JSON; nothing is no pairs."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """Gives the pairs."""
        return super().clean(value, row, **kwargs) or {}

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Gives their text."""
        return super().render(value, obj, **kwargs) if value else ""


class ServiceTable(Verbs, ModelResource):
    """A table whose rows are written by services."""

    @classmethod
    def widget_from_django_field(cls, f: Any, default: Any = Widget) -> Any:
        """Gives how the cells of a field are read and written."""
        if isinstance(f, models.CharField | models.TextField):
            return Text
        return super().widget_from_django_field(f, default)

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        """Writes a row."""
        values = {field.attribute: getattr(instance, field.attribute) for field in self.get_import_fields()}
        if is_create:
            made = self.create(values)
            instance.pk = made.pk
        else:
            self.update(type(instance)._default_manager.get(pk=instance.pk), values)

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """Skips rows that change nothing, so that they leave no history."""
        if import_validation_errors or original.pk is None:
            return False
        return all(
            getattr(instance, field.attribute) == getattr(original, field.attribute)
            for field in self.get_import_fields()
        )

    def delete_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Refuses: a table adds and changes."""
        raise ValidationError(_("A table adds and changes; delete on the page, or with plant.yaml and --prune."))


class AssetTable(ServiceTable):
    """Assets; a parent stands in the file before its children, or in the plant already."""

    parent = Field("parent", "parent", ByCode(Asset, "code"))
    type = Field("type", "type", ByCode(AssetType, "code"))
    attributes = Field("attributes", "attributes", Words())

    class Meta:
        model = Asset
        fields = (
            "code", "name", "level", "parent", "type", "description", "manufacturer", "serial", "installed",
            "attributes", "position", *LOCATION,
        )  # fmt: skip
        import_id_fields = ("code",)
        store_instance = True

    def create(self, values: dict[str, Any]) -> Any:
        """Puts an asset into the tree."""
        return services.create_asset(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        services.update_asset(asset=row, **values)

    def get_queryset(self) -> Any:
        """Gives parents before children."""
        return Asset.objects.with_tree_fields().select_related("type", "parent")


class SensorTable(ServiceTable):
    """Sensors of assets; one that comes with the type is overridden where it differs."""

    asset = Field("asset", "asset", ByCode(Asset, "code"))
    labels = Field("labels", "labels", Words())

    class Meta:
        model = Sensor
        fields = ("asset", "key", *MEASUREMENT)
        import_id_fields = ("asset", "key")
        store_instance = True

    def create(self, values: dict[str, Any]) -> Any:
        """Gives an asset a sensor."""
        return services.create_sensor(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        values.pop("asset")
        services.update_sensor(sensor=row, **values)

    def get_queryset(self) -> Any:
        """Gives them by asset."""
        return Sensor.objects.select_related("asset").order_by("asset__code", "id")


class SourceTable(ServiceTable):
    """Sources, without their tokens: a new one has none until it is given one on its page."""

    scope = Field("scope", "scope", ByCode(Asset, "code"))

    class Meta:
        model = Source
        fields = ("name", "scope", "enabled", "silent_after", "priority")
        import_id_fields = ("name",)
        store_instance = True

    def create(self, values: dict[str, Any]) -> Any:
        """Admits a source; its first token is thrown away unseen."""
        return services.create_source(**values)[0]

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        services.update_source(source=row, **values)
