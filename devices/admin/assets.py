"""The pages of assets, their types and their sensors."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.views import ChangeList

from devices import queries, services
from devices.admin.base import ServiceAdmin, ServiceStack, TableAdmin
from devices.admin.forms import AssetForm, SensorForm
from devices.admin.tables import AssetTable, SensorTable
from devices.checks import number
from devices.models import Asset, AssetType, Level, Sensor, TypeSensor
from devices.units import display as unit_text

MEASURED = (
    ("key", "name"),
    ("quantity", "unit"),
    ("range_low", "range_high", "normal_low", "normal_high"),
    ("interval", "decimals"),
    "labels",
)


def band(low: float | None, high: float | None, unit: str) -> str:
    """Gives a range in words, for example 0 to 150 °C."""
    if low is None and high is None:
        return unit_text(unit) or "–"
    return f"{number(low)} to {number(high)} {unit_text(unit)}".strip()


class SensorVerbs:
    """Sensors of an asset by their services."""

    def create(self, values: dict[str, Any]) -> Any:
        """Makes one."""
        return services.create_sensor(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        values.pop("asset", None)
        services.update_sensor(sensor=row, **values)

    def remove(self, row: Any) -> None:
        """Takes one away."""
        services.delete_sensor(sensor=row)


class TypeSensorVerbs:
    """Sensors of a type by their services."""

    def create(self, values: dict[str, Any]) -> Any:
        """Makes one."""
        return services.create_type_sensor(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        values.pop("type", None)
        services.update_type_sensor(sensor=row, **values)

    def remove(self, row: Any) -> None:
        """Takes one away."""
        services.delete_type_sensor(sensor=row)


class SensorInline(SensorVerbs, ServiceStack):
    """The sensors on an asset's page."""

    model = Sensor
    form = SensorForm
    fields = MEASURED
    verbose_name_plural = _("sensors")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Reads what the row's title needs with it."""
        return super().get_queryset(request).select_related("asset", "origin")  # type: ignore[no-any-return]


class TypeSensorInline(TypeSensorVerbs, ServiceStack):
    """The sensors on a type's page."""

    model = TypeSensor
    form = SensorForm
    fields = MEASURED
    show_change_link = False
    verbose_name_plural = _("sensors")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Reads what the row's title needs with it."""
        return super().get_queryset(request).select_related("type")  # type: ignore[no-any-return]


class AreaFilter(DropdownFilter):
    """Keeps one area and all below it."""

    title = _("area")
    parameter_name = "area"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Gives the areas."""
        return [(area.code, area.name) for area in Asset.objects.filter(level=Level.AREA)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keeps what lies below."""
        area = Asset.objects.filter(code=self.value()).first() if self.value() else None
        if area is None:
            return queryset
        field = "pk__in" if queryset.model is Asset else "asset__in"
        return queryset.filter(**{field: queries.ids_below([area])})


class TreeList(ChangeList):
    """A list in the order of the tree."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Orders by the tree, whatever the page's columns are."""
        return ["tree_ordering"]


@admin.register(Asset)
class AssetAdmin(TableAdmin):
    """The tree of assets."""

    resource_classes = [AssetTable]
    list_display = ["in_tree", "code", "shown_level", "type", "sensors_count"]
    list_display_links = ["in_tree"]
    list_filter = [("level", ChoicesDropdownFilter), ("type", RelatedDropdownFilter), AreaFilter]
    search_fields = ["code", "name", "description", "sensors__key", "sensors__name"]
    search_help_text = _("Code, name, description or a sensor")
    sortable_by = ()  # the tree is the order
    list_per_page = 250
    form = AssetForm
    fields = (
        ("code", "name"),
        ("level", "parent"),
        ("type", "position"),
        ("latitude", "longitude"),
        ("plan_x", "plan_y"),
        "description",
        ("manufacturer", "serial", "installed"),
        "attributes",
    )
    autocomplete_fields = ["parent", "type"]
    fixed_fields = ("code",)
    inlines = [SensorInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Gives the assets with their place in the tree."""
        found = Asset.objects.with_tree_fields().select_related("type", "parent")
        return found.annotate(sensor_count=Count("sensors", distinct=True))  # type: ignore[no-any-return]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Gives the list in the order of the tree."""
        return TreeList

    @display(description=_("Asset"), header=False)
    def in_tree(self, asset: Any) -> str:
        """Gives the name, indented by its depth."""
        depth = asset.tree_depth
        return format_html(
            '<span style="padding-left: {}rem">{}{}</span>', depth * 1.5, "└ " if depth else "", asset.name
        )

    @display(description=_("Level"), label=True)
    def shown_level(self, asset: Any) -> str:
        """Gives the level's word."""
        return str(asset.get_level_display())

    @display(description=_("Sensors"))
    def sensors_count(self, asset: Any) -> str:
        """Gives their number, with a way to them."""
        if not asset.sensor_count:
            return "–"
        address = reverse("admin:devices_sensor_changelist")
        return format_html('<a href="{}?asset__id__exact={}">{}</a>', address, asset.pk, asset.sensor_count)

    def lost_with(self, rows: list[Any]) -> tuple[list[str], dict[str, int]]:
        """Gives the assets below, and the number of sensors that go with their readings."""
        ids = queries.ids_below(rows)
        below = Asset.objects.filter(pk__in=ids).exclude(pk__in=[row.pk for row in rows])
        sensors = Sensor.objects.filter(asset__in=ids).count()
        return [str(asset) for asset in below], {
            gettext("assets below"): len(below),
            gettext("sensors with their readings"): sensors,
        }

    def create(self, values: dict[str, Any]) -> Any:
        """Puts an asset into the tree."""
        return services.create_asset(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        services.update_asset(asset=row, **values)

    def remove(self, row: Any) -> None:
        """Takes one away, with all below it."""
        services.delete_asset(asset=row)


@admin.register(AssetType)
class AssetTypeAdmin(ServiceAdmin):
    """Kinds of equipment, with the sensors and rules that come with each."""

    list_display = ["name", "code", "asset_count", "sensor_count", "retention_days"]
    search_fields = ["code", "name"]
    fields = (("code", "name"), "retention_days", "description")
    fixed_fields = ("code",)
    inlines = [TypeSensorInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Counts assets and sensors with the types."""
        counted = {"assets_number": Count("assets", distinct=True), "sensors_number": Count("sensors", distinct=True)}
        return super().get_queryset(request).annotate(**counted)  # type: ignore[no-any-return]

    @display(description=_("Assets"), ordering="assets_number")
    def asset_count(self, kind: Any) -> int:
        """Gives the number of its assets."""
        return int(kind.assets_number)

    @display(description=_("Sensors"), ordering="sensors_number")
    def sensor_count(self, kind: Any) -> int:
        """Gives the number of its sensors."""
        return int(kind.sensors_number)

    def create(self, values: dict[str, Any]) -> Any:
        """Makes a type."""
        return services.create_asset_type(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        services.update_asset_type(type=row, **values)

    def remove(self, row: Any) -> None:
        """Takes one away."""
        services.delete_asset_type(type=row)


@admin.register(Sensor)
class SensorAdmin(SensorVerbs, TableAdmin):
    """All sensors."""

    form = SensorForm
    resource_classes = [SensorTable]
    list_display = ["tag", "name", "quantity", "range_text", "pace", "inherited"]
    list_filter = [("quantity", admin.AllValuesFieldListFilter), AreaFilter, ("asset__type", RelatedDropdownFilter)]
    list_select_related = ["asset", "origin"]
    search_fields = ["key", "name", "asset__code", "asset__name"]
    search_help_text = _("Key, name or asset")
    ordering = ["asset__code", "id"]
    fields = ("asset", *MEASURED)
    autocomplete_fields = ["asset"]
    fixed_fields = ("asset", "key")

    @display(description=_("Range"))
    def range_text(self, sensor: Any) -> str:
        """Gives the range in the sensor's unit."""
        return band(sensor.range_low, sensor.range_high, sensor.unit)

    @display(description=_("Expected"), ordering="interval")
    def pace(self, sensor: Any) -> str:
        """Gives how often it reports."""
        return f"every {number(sensor.interval)} s" if sensor.interval else "–"

    @display(description=_("Comes from"), label={"type": "info", "type, changed": "warning", "asset": ""})
    def inherited(self, sensor: Any) -> str:
        """Tells whether it comes with the type, and whether the asset changed it."""
        if sensor.origin_id is None:
            return "asset"
        return "type, changed" if sensor.overrides else "type"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keeps what comes with a type: it is taken from the type."""
        return bool(super().has_delete_permission(request, obj)) and (obj is None or obj.origin_id is None)


for inline in (SensorInline, TypeSensorInline):
    inline.fixed_fields = ("key",)
