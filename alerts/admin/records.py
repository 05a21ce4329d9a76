"""The journal and the deliveries, to look at."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from alerts.models import Delivery, JournalEntry


def column(field: str, words: Any) -> Callable[[Any], Any]:
    """Gives a column of a list in the reader's words; the models' own names are for those who read tables."""

    def value(row: Any) -> Any:
        chosen = getattr(row, f"get_{field}_display", None)
        return chosen() if chosen is not None else getattr(row, field)

    named: Callable[[Any], Any] = display(value, description=words, ordering=field)
    return named


class Record(ModelAdmin):
    """Rows that nobody writes by hand: staff looks, nobody adds, changes or deletes."""

    actions = None
    list_fullwidth = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Shows it to staff."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Shows it to staff."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuses."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuses."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuses."""
        return False


@admin.register(JournalEntry)
class JournalAdmin(Record):
    """The life of alarms, row by row."""

    list_display = [
        "id",
        column("time", _("Time")),
        column("event", _("Event")),
        column("from_state", _("From state")),
        column("to_state", _("To state")),
        column("rule_name", _("Rule")),
        column("tag", _("Sensor")),
        column("value", _("Value")),
        column("actor", _("Person")),
        column("reason", _("Reason")),
    ]
    list_filter = [("event", admin.AllValuesFieldListFilter), ("time", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["rule_name", "tag", "actor", "reason"]
    search_help_text = _("Rule, sensor, person or reason")
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(Delivery)
class DeliveryAdmin(Record):
    """What was sent, to whom, and what became of it."""

    list_display = [
        column("created", _("Created")),
        column("user", _("Person")),
        column("team", _("Team channel")),
        column("channel", _("Channel")),
        column("event", _("Event")),
        column("outcome", _("Outcome")),
        column("attempts", _("Tries")),
        column("unlearned", _("Perhaps sent besides")),
        column("reason", _("Reason")),
        column("answer", _("Answer")),
    ]
    list_filter = [("outcome", ChoicesDropdownFilter), ("channel", ChoicesDropdownFilter)]
    list_select_related = ["user", "team"]
    search_fields = ["user__username", "address", "reason", "answer"]
    ordering = ["-id"]
    show_full_result_count = False
