"""Maintenance: of which machines is nobody told for a while, and why?"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from alerts.calling import services
from alerts.calling.directory import zone_of
from alerts.models import MaintenanceWindow
from alerts.subscriptions import Refused
from plant.pages import moments
from plant.pages.deliveries import person
from plant.pages.subscription_form import places
from plant.pages.tree import tree

OVER = 20  # windows of the past on one page


def _shown(
    request: HttpRequest, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> HttpResponse:
    now, plant, zone = timezone.now(), tree(), zone_of(timezone.get_current_timezone_name())
    rows = MaintenanceWindow.objects.select_related("asset", "made_by")
    given = request.GET.get("page", "")
    number = max(1, int(given)) if given.isdecimal() and len(given) < 9 else 1
    over = list(rows.filter(end__lte=now).order_by("-end", "-pk")[(number - 1) * OVER : number * OVER + 1])
    return render(
        request,
        "plant/maintenance.html",
        {
            "title": _("Maintenance"),
            "crumbs": [(plant.name, reverse("overview")), (_("Maintenance"), "")],
            "current_page": "maintenance",
            "under_way": list(rows.filter(start__lte=now, end__gt=now).order_by("end")),
            "to_come": list(rows.filter(start__gt=now).order_by("start")),
            "over": over[:OVER],
            "newer": number - 1,
            "older": number + 1 if len(over) > OVER else 0,
            "places": places(plant),
            "zone": zone.key,
            "may": request.user.has_perm("alerts.add_maintenancewindow"),
            "typed": typed or {"start": moments.write(now, zone), "asset": request.GET.get("asset", "")},
            "errors": errors or {},
        },
        status=400 if errors else 200,
    )


@require_GET
def maintenance(request: HttpRequest) -> HttpResponse:
    """Shows the maintenance windows."""
    return _shown(request)


@require_POST
def add(request: HttpRequest) -> HttpResponseBase:
    """Stores a window."""
    if not request.user.has_perm("alerts.add_maintenancewindow"):
        raise PermissionDenied
    zone = zone_of(timezone.get_current_timezone_name())
    typed = {name: request.POST.get(name, "")[:200] for name in ("asset", "start", "end", "reason")}
    start, end = moments.read(typed["start"], zone), moments.read(typed["end"], zone)
    if start is None or end is None:
        return _shown(request, typed, {"start" if start is None else "end": _("Write a date and a time.")})
    try:
        made = services.plan_maintenance(
            asset=typed["asset"], start=start, end=end, reason=typed["reason"], by=person(request), now=timezone.now()
        )
    except Refused as refusal:
        return _shown(request, typed, refusal.errors)
    messages.success(request, _("Nobody is told of the alarms of %(name)s in that time.") % {"name": made.asset.name})
    return redirect("maintenance")


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Ends a window."""
    if not request.user.has_perm("alerts.delete_maintenancewindow"):
        raise PermissionDenied
    try:
        done = services.end_maintenance(window_id=pk, now=timezone.now())
    except MaintenanceWindow.DoesNotExist:
        raise Http404(_("There is no such maintenance, or it is over.")) from None
    messages.success(request, _("The alarms of %(name)s are told again.") % {"name": done.asset.name})
    return redirect("maintenance")
