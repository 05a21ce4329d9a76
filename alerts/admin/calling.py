"""Who is called: teams, rotas, plans, routes, maintenance."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import display

from alerts.calling.directory import Directory, route_of
from alerts.models import (
    CallPlan,
    CallRoute,
    CallStep,
    Holiday,
    MaintenanceWindow,
    Membership,
    Rota,
    RotaLayer,
    RotaOverride,
    RotaTurn,
    Team,
)


class CallingAdmin(SimpleHistoryAdmin, ModelAdmin):
    """A page of what decides who is called."""

    compressed_fields = False
    warn_unsaved_form = True
    list_filter_sheet = False


class MembershipInline(TabularInline):
    """The people of a team."""

    model = Membership
    extra = 1
    autocomplete_fields = ["user"]


@admin.register(Team)
class TeamAdmin(CallingAdmin):
    """People who are called together."""

    list_display = ["name", "code", "people"]
    search_fields = ["name", "code"]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Gives the teams with their members."""
        return super().get_queryset(request).prefetch_related("members")  # type: ignore[no-any-return]

    @display(description=_("members"))
    def people(self, row: Team) -> str:
        """Gives the members' names."""
        return ", ".join(user.get_full_name() or user.get_username() for user in row.members.all())


class LayerInline(StackedInline):
    """The layers of a rota."""

    model = RotaLayer
    extra = 0
    show_change_link = True
    fields = [("order", "name"), ("first", "handover", "until"), ("turns", "hours")]


class OverrideInline(TabularInline):
    """Overrides of a rota."""

    model = RotaOverride
    extra = 0
    fields = ["user", "start", "end", "reason"]
    autocomplete_fields = ["user"]


class HolidayInline(TabularInline):
    """Holidays of a rota."""

    model = Holiday
    extra = 0


@admin.register(Rota)
class RotaAdmin(CallingAdmin):
    """People who take turns at a duty."""

    list_display = ["name", "code", "time_zone"]
    search_fields = ["name", "code"]
    inlines = [LayerInline, OverrideInline, HolidayInline]


class TurnInline(TabularInline):
    """The people of a layer, in their order."""

    model = RotaTurn
    extra = 1
    autocomplete_fields = ["user"]


@admin.register(RotaLayer)
class LayerAdmin(CallingAdmin):
    """One layer of a rota with its people."""

    list_display = ["rota", "order", "name", "first", "handover"]
    list_select_related = ["rota"]
    search_fields = ["name", "rota__name"]
    fields = ["rota", ("order", "name"), ("first", "handover", "until"), ("turns", "hours")]
    inlines = [TurnInline]


@admin.register(Holiday)
class HolidayAdmin(CallingAdmin):
    """Days that count as Sundays."""

    list_display = ["day", "name", "rota"]
    list_select_related = ["rota"]
    search_fields = ["name"]
    date_hierarchy = "day"


class StepForm(ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """One step of a plan."""

    def clean(self) -> dict[str, Any] | None:
        """Says at the field what the database would refuse: a stacked form shows nothing else."""
        cleaned = super().clean()
        named = {name for name in ("person", "rota", "team") if (cleaned or {}).get(name) is not None}
        if cleaned and named != {cleaned.get("whom")} - {CallStep.Whom.EVERYBODY.value}:
            self.add_error("whom", _("Name the person, the rota or the team that the step calls, and only that."))
        return cleaned


class StepInline(StackedInline):
    """The steps of a plan."""

    model = CallStep
    form = StepForm
    extra = 0
    fields = [("place", "wait", "lowest_priority"), ("whom", "person", "rota", "team")]
    autocomplete_fields = ["person", "rota", "team"]


@admin.register(CallPlan)
class PlanAdmin(CallingAdmin):
    """Whom an alarm calls, step after step."""

    list_display = ["name", "code", "repeat", "stops_on_return", "fallback"]
    list_select_related = ["fallback"]
    search_fields = ["name", "code"]
    autocomplete_fields = ["fallback"]
    inlines = [StepInline]


@admin.register(CallRoute)
class RouteAdmin(CallingAdmin):
    """What leads alarms to a plan, in the order in which routes are tried."""

    list_display = ["place", "words", "plan", "hours", "order", "enabled"]
    list_display_links = ["words"]
    list_select_related = ["plan", "asset"]
    autocomplete_fields = ["plan", "asset"]
    search_fields = ["asset__name", "asset__code", "plan__name"]
    list_per_page = 500

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Reads the routes' order once for a request."""
        self._directory = Directory(timezone.now())
        return super().get_queryset(request)  # type: ignore[no-any-return]

    @display(description=_("tried as"))
    def place(self, row: CallRoute) -> str:
        """Gives which of the routes in force it is."""
        order = [route.id for route in self._directory.routes]
        return str(order.index(row.pk) + 1) if row.pk in order else "–"

    @display(description=_("alarms"))
    def words(self, row: CallRoute) -> str:
        """Gives what it takes, in words."""
        return self._directory.words(route_of(row))


@admin.register(MaintenanceWindow)
class WindowAdmin(CallingAdmin):
    """Times in which nobody is told of a machine's alarms."""

    list_display = ["asset", "start", "end", "reason", "made_by"]
    list_select_related = ["asset", "made_by"]
    autocomplete_fields = ["asset"]
    search_fields = ["asset__name", "asset__code", "reason"]

    def save_model(self, request: HttpRequest, obj: MaintenanceWindow, form: Any, change: bool) -> None:
        """Notes who made it."""
        if not change:
            obj.made_by = request.user  # type: ignore[assignment]  # signed in
        super().save_model(request, obj, form, change)
