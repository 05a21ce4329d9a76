"""Who would be told? Of any alarm, at any moment: person, channel, minute, why, and why not; and what is amiss."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from alerts.calling.directory import zone_of
from alerts.calling.foresight import Facts, Foresight, Told, foresee
from alerts.calling.lint import Finding, lint
from alerts.models import Alarm, AlarmClass, Channel, Priority, Rota, Rule
from alerts.writing import weekday
from plant.pages import moments
from plant.pages.subscription_form import places
from plant.pages.tree import Tree, tree

TITLES = {
    "nobody": gettext_lazy("Alarms that reach nobody"),
    "gap": gettext_lazy("Rotas with gaps"),
    "address": gettext_lazy("People without a working address"),
    "route": gettext_lazy("Routes that no alarm takes"),
    "plan": gettext_lazy("Plans that call nobody"),
    "team": gettext_lazy("Teams that nobody can reach"),
}
RULES = 30  # of an asset, to choose from


@dataclass(frozen=True, slots=True)
class Line:
    """One message as the page shows it."""

    told: Told
    minutes: int  # from the alarm
    clock: str
    later: str  # when it goes out, where that is not then
    channel: str


@dataclass(slots=True)
class Question:
    """What is asked, as it was typed."""

    asset: str = ""
    priority: str = "1"
    alarm_class: str = ""
    at: str = ""
    about: str = ""  # a rule or an alarm in words
    facts: Facts | None = None
    moment: datetime | None = None
    error: str = ""


def _asked(request: HttpRequest, plant: Tree, now: datetime) -> Question:
    """Reads what is asked from the address."""
    get, zone = request.GET, zone_of(timezone.get_current_timezone_name())
    question = Question(get.get("asset", ""), get.get("priority", "1"), get.get("class", ""), get.get("at", ""))
    question.moment = moments.read(question.at, zone) if question.at else now
    if question.moment is None:
        question.error = _("Write a date and a time.")
        return question
    question.at = moments.write(question.moment, zone)
    for name, model in (("rule", Rule), ("alarm", Alarm)):
        if (number := get.get(name, "")).isdecimal() and len(number) < 19:
            found = model.objects.select_related("asset").filter(pk=number).first()
            if found is None:
                raise Http404(_("There is no such rule or alarm."))
            question.facts = Facts.of_rule(found) if isinstance(found, Rule) else Facts.of_alarm(found)
            question.about = found.name if isinstance(found, Rule) else found.message
            question.asset = found.asset.code if found.asset is not None else ""
            question.priority, question.alarm_class = str(found.priority), found.alarm_class
            return question
    if "asset" not in get:
        return question
    node = plant.by_code.get(question.asset)
    if question.asset and node is None:
        question.error = _("There is no “%(code)s” in the plant. Choose from the list.") % {"code": question.asset}
    elif question.priority not in map(str, Priority.values):
        question.error = _("Choose how important the alarm is.")
    else:
        pk = node.pk if node is not None else None
        question.facts = Facts.of_place(pk, int(question.priority), question.alarm_class)
    return question


def lines(foreseen: Foresight, at: datetime) -> list[Line]:
    """Gives the messages as the page shows them."""
    zone = zone_of(timezone.get_current_timezone_name())
    ways = dict(Channel.choices)
    return [
        Line(
            one,
            round((one.decided - at).total_seconds() / 60),
            f"{one.decided.astimezone(zone):%H:%M}",
            _later(one, zone),
            str(ways.get(one.channel, one.channel)),
        )
        for one in foreseen.told
    ]


def _later(one: Told, zone: ZoneInfo) -> str:
    """Gives when a message goes out that is held back."""
    if not one.goes_out or one.at == one.decided:
        return ""
    local = one.at.astimezone(zone)
    return f"{weekday(local)} {local:%H:%M}"


@require_GET
def told(request: HttpRequest) -> HttpResponse:
    """Shows who would be told."""
    now, plant = timezone.now(), tree()
    question = _asked(request, plant, now)
    context: dict[str, Any] = {
        "title": _("Who would be told?"),
        "crumbs": [(plant.name, reverse("overview")), (_("Who would be told?"), "")],
        "current_page": "told",
        "question": question,
        "places": places(plant),
        "plant_name": plant.name,
        "priorities": [(value, str(label), str(value) == question.priority) for value, label in Priority.choices],
        "classes": list(AlarmClass.objects.values_list("code", "name")),
    }
    if question.asset in plant.by_code:
        rules = Rule.objects.filter(asset=plant.by_code[question.asset].pk, enabled=True).order_by("priority", "name")
        context["rules"] = list(rules.values("pk", "name", "priority")[:RULES])
    if question.facts is not None and question.moment is not None:
        foreseen = foresee(question.facts, question.moment, lately=abs((question.moment - now).total_seconds()) < 60)
        shown = lines(foreseen, question.moment)
        context |= {
            "foreseen": foreseen,
            "sent": [line for line in shown if line.told.goes_out],
            "withheld": [line for line in shown if not line.told.goes_out],
            "people_told": len({line.told.person for line in shown if line.told.goes_out} - {None}),
            "uncovered": list(Rota.objects.filter(pk__in=foreseen.uncovered).values_list("name", "code")),
        }
    return render(request, "plant/told.html", context, status=400 if question.error else 200)


@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """Shows what is wrong with who is called."""
    plant = tree()
    found = lint(timezone.now())
    groups: list[tuple[str, str, list[Finding]]] = [
        (kind, str(title), mine)
        for kind, title in TITLES.items()
        if (mine := [finding for finding in found if finding.kind == kind])
    ]
    return render(
        request,
        "plant/told_check.html",
        {
            "title": _("Check who is called"),
            "crumbs": [
                (plant.name, reverse("overview")),
                (_("Who would be told?"), reverse("told")),
                (_("Check"), ""),
            ],
            "current_page": "told",
            "groups": groups,
            "count": len(found),
        },
    )
