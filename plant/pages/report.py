"""The monthly report: how an operator position fared, on paper. Printed from the browser, or mailed on the first."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from alerts.figures import mailing
from alerts.figures.query import month
from alerts.figures.query import report as figures_of
from alerts.models import Position, ReportSubscription
from plant.pages.deliveries import person
from plant.pages.performance import board
from plant.pages.tree import tree


def _position(code: str) -> Position | None:
    """Gives the position asked for, none for the whole plant."""
    if not code:
        return None
    found = Position.objects.filter(code=code).first()
    if found is None:
        raise Http404(_("There is no operator position %(code)s.") % {"code": code})
    return found


def _address(text: str, position: Position | None) -> str:
    suffix = f"&position={position.code}" if position is not None else ""
    return f"{reverse('report')}?month={text}{suffix}"


@require_GET
def report(request: HttpRequest) -> HttpResponse:
    """Shows a month, ready for print. Cost: the same number of queries for any number of alarms."""
    now = timezone.now()
    position = _position(request.GET.get("position", ""))
    text = request.GET.get("month", "") or mailing.last_month(now)
    try:
        start, end = month(text)
    except ValueError as error:
        raise Http404(str(error)) from error
    if start >= now:
        raise Http404(_("%(month)s has not begun.") % {"month": text})

    def beside(moment: datetime) -> str:
        return _address(timezone.localtime(moment).strftime("%Y-%m"), position)

    return render(
        request,
        "plant/report.html",
        {
            "plant_name": tree().name,
            "position": position,
            "month": date_format(start, "F Y"),
            "text": text,
            "running": end > now,
            "made": now,
            "board": board(figures_of(position=position, start=start, end=end, now=now)),
            "earlier": beside(start - timedelta(days=1)),
            "later": beside(end) if end <= now else "",
            "mailed": ReportSubscription.objects.filter(user=person(request), position=position).exists(),
        },
    )


@require_POST
def mail(request: HttpRequest) -> HttpResponseBase:
    """Begins or ends the mailing of a position's report to the person, on the first of each month."""
    user, position = person(request), _position(request.POST.get("position", ""))
    if request.POST.get("on") == "1":
        mailing.subscribe(user=user, position=position, now=timezone.now())
        messages.success(request, _("The report will be mailed to you on the first of each month."))
    else:
        mailing.unsubscribe(user=user, position=position)
        messages.success(request, _("The report is no longer mailed to you."))
    return redirect(_address(request.POST.get("month", ""), position))
