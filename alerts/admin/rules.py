"""Rules on the pages of assets and types, and a page of all rules."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from alerts import rules
from alerts.checks import CONDITION, PARAMETERS
from alerts.models import Kind, Priority, Rule, TypeRule
from devices.admin.assets import AreaFilter, AssetAdmin, AssetTypeAdmin
from devices.admin.base import ServiceForm, ServiceStack, TableAdmin
from devices.admin.forms import PairsField
from devices.admin.tables import ByCode, ServiceTable, Words
from devices.checks import number
from devices.models import Asset

CONTENT = (
    ("name", "priority", "enabled"),
    ("kind", "sensor_key"),
    ("limit", "deadband", "on_delay", "off_delay"),
    ("low", "high", "value", "reference"),
    ("window", "per"),
    ("timeout", "duration", "tolerance"),
    ("expression", "inputs"),
    ("alarm_class", "position", "severity", "time_to_respond"),
    ("ack_required", "latching", "realarm"),
    ("shelvable", "longest_shelving", "group", "hides"),
    ("cause", "consequence", "action", "confirmation"),
)


class RuleForm(ServiceForm):
    """A rule of an asset or of a type."""

    inputs = PairsField(help_text=_("For an expression, one on each line: f: flow, or f: press-02/flow"))

    def clean(self) -> dict[str, Any] | None:
        """Names what the kind needs; the services check the rest when sensors are known."""
        cleaned = super().clean()
        if cleaned and not self.errors:
            needed, _taken = PARAMETERS[cleaned["kind"]]
            for name in needed:
                if cleaned.get(name) in (None, "", {}):
                    self.add_error(name, ValidationError(f"A {cleaned['kind']} rule needs {' and '.join(needed)}."))
        return cleaned


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Gives a form's values with empty numbers that have a default left out."""
    defaults = {"deadband": 0.0, "tolerance": 0.0, "on_delay": 0.0, "off_delay": 0.0, "per": 60.0}
    return {field: defaults[field] if value is None and field in defaults else value for field, value in values.items()}


class RuleVerbs:
    """Rules of an asset by their services."""

    def create(self, values: dict[str, Any]) -> Any:
        """Makes one."""
        return rules.create_rule(**_filled(values))

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        values.pop("asset", None)
        rules.update_rule(rule=row, **_filled(values))

    def remove(self, row: Any) -> None:
        """Takes one away."""
        rules.delete_rule(rule=row)


class TypeRuleVerbs:
    """Rules of a type by their services."""

    def create(self, values: dict[str, Any]) -> Any:
        """Makes one."""
        return rules.create_type_rule(**_filled(values))

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        values.pop("type", None)
        rules.update_type_rule(rule=row, **_filled(values))

    def remove(self, row: Any) -> None:
        """Takes one away."""
        rules.delete_type_rule(rule=row)


class RuleInline(RuleVerbs, ServiceStack):
    """The rules on an asset's page."""

    model = Rule
    form = RuleForm
    fields = CONTENT
    verbose_name_plural = _("rules")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Reads what the row's title needs with it."""
        return super().get_queryset(request).select_related("asset", "origin")  # type: ignore[no-any-return]


class TypeRuleInline(TypeRuleVerbs, ServiceStack):
    """The rules on a type's page."""

    model = TypeRule
    form = RuleForm
    fields = CONTENT
    show_change_link = False
    verbose_name_plural = _("rules")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Reads what the row's title needs with it."""
        return super().get_queryset(request).select_related("type")  # type: ignore[no-any-return]


AssetAdmin.inlines = [*AssetAdmin.inlines, RuleInline]
AssetTypeAdmin.inlines = [*AssetTypeAdmin.inlines, TypeRuleInline]


class RuleTable(RuleVerbs, ServiceTable):
    """Rules of assets as a table; one that comes with the type is overridden where it differs."""

    asset = Field("asset", "asset", ByCode(Asset, "code"))
    inputs = Field("inputs", "inputs", Words())

    class Meta:
        model = Rule
        fields = ("asset", "name", *CONDITION)
        import_id_fields = ("asset", "name")
        store_instance = True

    def get_queryset(self) -> Any:
        """Gives them by asset."""
        return Rule.objects.select_related("asset").order_by("asset__code", "id")


@admin.register(Rule)
class RuleAdmin(RuleVerbs, TableAdmin):
    """All rules."""

    form = RuleForm
    resource_classes = [RuleTable]
    list_display = ["name", "asset", "sensor_key", "condition", "shown_priority", "enabled", "inherited"]
    list_filter = [
        ("kind", ChoicesDropdownFilter),
        ("priority", ChoicesDropdownFilter),
        ("enabled", admin.BooleanFieldListFilter),
        AreaFilter,
    ]
    list_select_related = ["asset", "origin"]
    search_fields = ["name", "asset__code", "asset__name", "sensor_key"]
    search_help_text = _("Name, asset or sensor")
    ordering = ["asset__code", "id"]
    fields = ("asset", *CONTENT)
    # Only what the chosen kind takes is shown.
    conditional_fields = {
        name: " || ".join(
            f"kind == '{kind.value}'" for kind in Kind if name in (*PARAMETERS[kind][0], *PARAMETERS[kind][1])
        )
        for name in sorted({name for needed, taken in PARAMETERS.values() for name in (*needed, *taken)})
    }
    autocomplete_fields = ["asset"]
    fixed_fields = ("asset",)

    @display(description=_("Condition"))
    def condition(self, rule: Any) -> str:
        """Gives what it looks for, in short."""
        return described(rule)

    @display(
        description=_("Priority"),
        ordering="priority",
        label={Priority.CRITICAL.label: "danger", Priority.HIGH.label: "warning", Priority.MEDIUM.label: "info"},
    )
    def shown_priority(self, rule: Any) -> str:
        """Gives the priority's word."""
        return str(rule.get_priority_display())

    @display(description=_("Comes from"), label={"type": "info", "type, changed": "warning", "asset": ""})
    def inherited(self, rule: Any) -> str:
        """Tells whether it comes with the type, and whether the asset changed it."""
        if rule.origin_id is None:
            return "asset"
        return "type, changed" if rule.overrides else "type"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keeps what comes with a type: it is taken from the type, or put out of force here."""
        return bool(super().has_delete_permission(request, obj)) and (obj is None or obj.origin_id is None)


def described(rule: Any) -> str:
    """Gives a rule's condition in a few words, for example ≥ 90, 5 s."""
    texts = {
        Kind.HIGH: f"≥ {number(rule.limit)}",
        Kind.LOW: f"≤ {number(rule.limit)}",
        Kind.OUTSIDE: f"outside {number(rule.low)} to {number(rule.high)}",
        Kind.EQUALS: f"= {number(rule.value)}",
        Kind.NOT_EQUALS: f"≠ {number(rule.value)}",
        Kind.RATE_HIGH: f"rises ≥ {number(rule.limit)} in {number(rule.per)} s",
        Kind.RATE_LOW: f"falls ≤ {number(rule.limit)} in {number(rule.per)} s",
        Kind.DEVIATION: f"≥ {number(rule.limit)} from {rule.reference}",
        Kind.EXPRESSION: rule.expression,
        Kind.STALE: f"silent {number(rule.timeout)} s",
        Kind.FLATLINE: f"unmoved {number(rule.duration)} s",
    }
    return str(texts[rule.kind]) + (f", for {number(rule.on_delay)} s" if rule.on_delay else "")
