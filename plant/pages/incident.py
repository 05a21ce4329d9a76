"""The incident file: what happened to a part of the plant, as one page that needs nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from alerts.models import Alarm
from plant.incidents import LONGEST, Incident
from plant.pages import moments
from plant.pages.subscription_form import places
from plant.pages.tree import Node, Tree, tree_for
from plant.playback import instant

BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=30)  # of an alarm, or of the moment that was looked at
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SHEETS = ("tokens.css", "components/symbols.css", "components/incident.css")


@require_GET
def incident(request: HttpRequest) -> HttpResponse:
    """Asks for a part of the plant and a time; with both gives the file. Cost: a dozen queries, five for each trend."""
    plant, zone = tree_for(request), timezone.get_current_timezone()
    typed = {name: request.GET.get(name, "")[:80] for name in ("asset", "from", "to")}
    errors: dict[str, str] = {}
    if "file" in request.GET:
        start, end = (instant(typed[name]) or moments.read(typed[name], zone) for name in ("from", "to"))
        node = plant.by_code.get(typed["asset"])
        errors = _errors(node, start, end)
        if not errors and node is not None and start is not None and end is not None:
            return _file(request, plant, node, start, min(end, timezone.now()))
    else:
        start, end = _usual(request)
        typed |= {"from": moments.write(start, zone), "to": moments.write(end, zone)}
    return render(
        request,
        "plant/incident.html",
        {
            "title": _("Incident file"),
            "crumbs": [(plant.name, reverse("overview")), (_("Incident file"), "")],
            "current_page": "incident",
            "places": places(plant),
            "typed": typed,
            "errors": errors,
            "longest": LONGEST.days,
        },
        status=400 if errors else 200,
    )


def _errors(node: Node | None, start: datetime | None, end: datetime | None) -> dict[str, str]:
    """Gives what is wrong, by field."""
    found = {}
    if node is None:
        found["asset"] = _("Choose a part of the plant.")
    if start is None:
        found["from"] = _("Write a date and a time.")
    if end is None:
        found["to"] = _("Write a date and a time.")
    if start is not None and end is not None:
        if end <= start:
            found["to"] = _("The end lies before the beginning.")
        elif end - start > LONGEST:
            found["to"] = _("At most %(days)s days fit into one file.") % {"days": LONGEST.days}
        elif start > timezone.now():
            found["from"] = _("This is still to come.")
    return found


def _usual(request: HttpRequest) -> tuple[datetime, datetime]:
    """Gives the time around an alarm or a moment that the address names; else the last hour."""
    number, now = request.GET.get("alarm", ""), timezone.now()
    alarm = Alarm.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if alarm is not None:
        return alarm.raised - BEFORE, min(now, (alarm.closed or alarm.raised) + AFTER, alarm.raised - BEFORE + LONGEST)
    at = instant(request.GET.get("at", ""))
    return (now - BEFORE - AFTER, now) if at is None else (at - BEFORE, min(now, at + AFTER))


def _file(request: HttpRequest, plant: Tree, node: Node, start: datetime, end: datetime) -> HttpResponse:
    found = Incident([below.pk for below in node.walk()], start, end)
    context = {
        "incident": found,
        "node": node,
        "plant": plant,
        "css": _css(),
        "policy": POLICY,
        "made_at": timezone.now(),
        "made_by": request.user,
        "zone": timezone.get_current_timezone_name(),
        "address": settings.PUBLIC_URL,
    }
    answer = HttpResponse(render_to_string("plant/incident_file.html", context))
    name = f"incident-{node.code}-{timezone.localtime(start):%Y%m%d-%H%M}.html"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    # Read where no header protects it: the file says so itself too.
    answer["Content-Security-Policy"] = f"{POLICY}; sandbox"
    return answer


def _css() -> SafeString:
    """Gives the style of the file, of Andon's own sheets; without the font, which would have to come from elsewhere."""
    folder = Path(settings.BASE_DIR) / "static" / "css"
    text = "\n".join((folder / name).read_text() for name in _SHEETS)
    start = text.find("@font-face")
    while start >= 0:
        text = text[:start] + text[text.index("}", start) + 1 :]
        start = text.find("@font-face")
    return SafeString(text)
