"""Rules on the pages of assets and types, and a page of all rules: the master alarm list."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.forms import ConfirmImportForm
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.contrib.import_export.forms import ImportForm
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from alerts import rules
from alerts.changes import while_text
from alerts.checks import EXPLAINED, PARAMETERS
from alerts.master_list import MasterList
from alerts.models import AlarmClass, Kind, Position, Priority, Rule, TypeRule
from devices.admin.assets import AreaFilter, AssetAdmin, AssetTypeAdmin
from devices.admin.base import ServiceForm, ServiceStack, TableAdmin
from devices.admin.forms import PairsField
from devices.checks import number
from devices.records import LONGEST_REASON

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
    "suppress_when",
    ("cause", "consequence", "action", "confirmation"),
    "reason",
)


class WhilesField(forms.CharField):
    """What a rule is suppressed by, one on each line: `alarm: Motor trip` or `state = 0, 4`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Gives the text of a stored value."""
        return "\n".join(while_text(one) for one in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Gives the conditions of a text."""
        return [self._one(line.strip()) for line in str(value or "").splitlines() if line.strip()]

    @staticmethod
    def _one(line: str) -> dict[str, Any]:
        word, colon, name = line.partition(":")
        if colon and word.strip().lower() == "alarm" and name.strip():
            return {"alarm": name.strip()}
        sensor, sign, numbers = line.partition("=")
        try:
            if not sign or not sensor.strip():
                raise ValueError
            return {"sensor": sensor.strip(), "equals": [float(part) for part in numbers.split(",")]}
        except ValueError:
            words = _("%(line)s: write alarm: Motor trip, or state = 0, 4.")
            raise ValidationError(words % {"line": repr(line)}) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compares the conditions, not their text."""
        try:
            return bool((initial or []) != self.to_python(data))
        except ValidationError:
            return True


def _named(model: type[AlarmClass] | type[Position], empty: str) -> list[tuple[str, str]]:
    found = model.objects.values_list("code", "name")
    return [("", empty), *((code, name if name == code else f"{name} ({code})") for code, name in found)]


def class_choices() -> list[tuple[str, str]]:
    """Gives the alarm classes. Cost: one query."""
    return _named(AlarmClass, str(_("none")))


def position_choices() -> list[tuple[str, str]]:
    """Gives the operator positions. Cost: one query."""
    return _named(Position, str(_("the one of its part of the plant")))


class RuleForm(ServiceForm):
    """A rule of an asset or of a type."""

    inputs = PairsField(help_text=_("For an expression, one on each line: f: flow, or f: press-02/flow"))
    suppress_when = WhilesField(
        label=_("Suppressed while"),
        help_text=_("One on each line, any suffices: alarm: Motor trip, or state = 0, 4"),
    )
    alarm_class = forms.ChoiceField(
        label=_("Class"), choices=class_choices, required=False, widget=UnfoldAdminSelectWidget
    )
    position = forms.ChoiceField(
        label=_("Operator position"), choices=position_choices, required=False, widget=UnfoldAdminSelectWidget
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Why: needed where limits, delays, priority, suppression or its being in force change."),
    )

    def clean(self) -> dict[str, Any] | None:
        """Names what the kind needs, and asks why; the services check the rest when sensors are known."""
        cleaned = super().clean()
        altered = set(self.changed_data) & EXPLAINED
        if cleaned and self.instance.pk and altered and not (cleaned.get("reason") or "").strip():
            named = [str(field.label or name).lower() for name, field in self.fields.items() if name in altered]
            words = _("Say why: you change %(fields)s.")
            self.add_error("reason", ValidationError(words % {"fields": ", ".join(named)}))
        if cleaned and not self.errors:
            needed, _taken = PARAMETERS[cleaned["kind"]]
            for name in needed:
                if cleaned.get(name) in (None, "", {}):
                    words = _("A %(kind)s rule needs %(fields)s.")
                    self.add_error(name, words % {"kind": cleaned["kind"], "fields": ", ".join(needed)})
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


class MasterListForm(ImportForm):
    """The file of an import, and why it is imported."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Needed where limits, delays, priority or suppression of a rule change."),
    )


class MasterListConfirmForm(ConfirmImportForm):
    """What the preview hands on."""

    reason = forms.CharField(required=False, max_length=LONGEST_REASON, widget=forms.HiddenInput)


@admin.register(Rule)
class RuleAdmin(RuleVerbs, TableAdmin):
    """All rules."""

    form = RuleForm
    resource_classes = [MasterList]
    import_form_class = MasterListForm
    confirm_form_class = MasterListConfirmForm
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

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        """Hands the reason on to the form below the preview."""
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        if import_form is not None:
            initial["reason"] = import_form.cleaned_data.get("reason", "")
        return initial

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """Gives the table the reason."""
        form = kwargs.pop("form", None)
        given: dict[str, Any] = super().get_import_resource_kwargs(request, **kwargs)
        return {**given, "reason": form.cleaned_data.get("reason", "") if form is not None and form.is_bound else ""}

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
