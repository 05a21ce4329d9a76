"""Forms of the plant model: units by what they measure, words for values as lines."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from devices.admin.base import ServiceForm, add_refusal
from devices.checks import check_measurement, refuse
from devices.models import Sensor, TypeSensor
from devices.services import tidy
from devices.units import UNITS


def unit_choices() -> list[Any]:
    """Gives the known units, grouped by quantity."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for unit in UNITS.values():
        shown = unit.display if unit.display == unit.code else f"{unit.display} ({unit.code})"
        groups.setdefault(unit.quantity.capitalize(), []).append((unit.code, shown))
    return [("", _("none")), *groups.items()]


class PairsField(forms.CharField):
    """Pairs as lines of text, `0: stopped`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Gives the text of a stored value."""
        if isinstance(value, dict):
            return "\n".join(f"{key}: {word}" for key, word in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        """Gives the pairs of a text."""
        pairs = {}
        for line in str(value or "").splitlines():
            if not line.strip():
                continue
            key, colon, word = line.partition(":")
            if not colon or not key.strip() or not word.strip():
                words = _("%(line)s: write one pair on each line, for example 0: stopped.")
                raise ValidationError(words % {"line": repr(line)})
            pairs[key.strip()] = word.strip()
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compares the pairs, not their text."""
        try:
            return bool((initial or {}) != self.to_python(data))
        except ValidationError:
            return True


class AssetForm(ServiceForm):
    """An asset."""

    attributes = PairsField(help_text=gettext_lazy("What else is known of it, one on each line: Rated power: 250 kW"))


class SensorForm(ServiceForm):
    """A sensor of an asset or of a type."""

    unit = forms.ChoiceField(choices=unit_choices, required=False, widget=UnfoldAdminSelectWidget)
    labels = PairsField(help_text=gettext_lazy("Words for a discrete sensor's values, one on each line: 0: stopped"))

    def clean(self) -> dict[str, Any] | None:
        """Checks the fields as the services will."""
        cleaned = super().clean()
        if not self.errors and cleaned is not None:
            row: Sensor | TypeSensor = self.instance
            fields = ("name", "quantity", "unit", "range_low", "range_high", "normal_low", "normal_high", "interval")
            values = {name: cleaned.get(name, getattr(row, name)) for name in (*fields, "decimals", "labels")}
            try:
                refuse(check_measurement(tidy(values)))
            except ValidationError as refusal:
                add_refusal(self, refusal)
        return cleaned
