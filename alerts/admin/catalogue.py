"""The pages of alarm classes and operator positions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from alerts import catalogue
from alerts.models import AlarmClass, Position
from alerts.notify.hours import in_words
from alerts.staffing import EXAMPLE, pairs_of, week_of
from devices.admin.base import ServiceAdmin, ServiceForm
from devices.checks import number


@admin.register(AlarmClass)
class AlarmClassAdmin(ServiceAdmin):
    """Kinds of alarms that are looked after in the same way."""

    list_display = ["name", "code", "shelvable", "longest"]
    search_fields = ["code", "name"]
    fields = (("code", "name"), ("shelvable", "longest_shelving"), "description")
    fixed_fields = ("code",)

    @display(description=_("Shelved at most"), ordering="longest_shelving")
    def longest(self, row: Any) -> str:
        """Gives the limit of shelving."""
        return f"{number(row.longest_shelving)} s" if row.longest_shelving else "–"

    def create(self, values: dict[str, Any]) -> Any:
        """Adds one."""
        return catalogue.create_class(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        catalogue.update_class(alarm_class=row, **values)

    def remove(self, row: Any) -> None:
        """Takes one away."""
        catalogue.delete_class(alarm_class=row)


class WeekField(forms.CharField):
    """Staffed hours, one line for each day or run of days; nothing is always."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Gives the text of a stored week."""
        if isinstance(value, list):
            return "\n".join(f"{days}: {text}" for days, text in pairs_of(value).items())
        return value

    def to_python(self, value: Any) -> Any:
        """Gives the week of a text."""
        pairs: dict[str, str] = {}
        for line in filter(str.strip, str(value or "").splitlines()):
            days, colon, text = line.partition(":")
            if not colon:
                words = _("%(line)s: write days, a colon and hours, for example mon-fri: 06:00-22:00.")
                raise ValidationError(words % {"line": repr(line)})
            if days.strip() in pairs:
                raise ValidationError(_("%(days)s stands twice.") % {"days": days.strip()})
            pairs[days.strip()] = text.strip()
        try:
            return week_of(pairs) if pairs else None
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compares the weeks, not their text."""
        try:
            return bool(initial != self.to_python(data))
        except ValidationError:
            return True


class PositionForm(ServiceForm):
    """An operator position."""

    staffed = WeekField(
        label=_("Staffed hours"),
        help_text=_("Days with their hours, one on each line, for example %(example)s. Empty: always.")
        % {"example": EXAMPLE},
    )


@admin.register(Position)
class PositionAdmin(ServiceAdmin):
    """Seats from which parts of the plant are watched."""

    form = PositionForm
    list_display = ["name", "code", "scope", "hours"]
    list_select_related = ["scope"]
    search_fields = ["code", "name"]
    fields = (("code", "name"), "scope", "staffed")
    autocomplete_fields = ["scope"]
    fixed_fields = ("code",)

    @display(description=_("Staffed"))
    def hours(self, row: Any) -> str:
        """Gives the hours in words."""
        return in_words(row.staffed)

    def create(self, values: dict[str, Any]) -> Any:
        """Adds one."""
        return catalogue.create_position(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        catalogue.update_position(position=row, **values)

    def remove(self, row: Any) -> None:
        """Takes one away."""
        catalogue.delete_position(position=row)
