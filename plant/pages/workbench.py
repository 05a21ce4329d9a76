"""The workbench of a bad actor: which deadband or delay would have cured it, and at what price?"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from alerts.figures import words
from alerts.models import Rule, RuleInput
from alerts.workbench import drafts as services
from alerts.workbench.proposals import Proposal, Workbench, propose
from alerts.workbench.turn import Busy
from plant import writing
from plant.pages.deliveries import person
from plant.pages.drafts import open_and_recent, setting
from plant.pages.performance import PERIODS, Period, may
from plant.pages.tree import tree


@dataclass(frozen=True, slots=True)
class Option:
    """A proposal as the page offers it."""

    settings: str
    fields: list[tuple[str, str]]
    proposal: Proposal
    delay: str
    stood: str
    reason: str

    @property
    def query(self) -> str:
        """Gives what an editor's address asks for to show it filled in."""
        return urlencode(self.fields)


@require_GET
def workbench(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows proposals for a rule. Cost: a backtest over its history, one at a time."""
    rule = _rule(pk)
    period, now = Period.of(request, usual=30), timezone.now()
    start, end = period.span(now)
    sensor = RuleInput.objects.filter(rule=rule, place=0).select_related("sensor__asset").first()
    unit = sensor.sensor.unit if sensor is not None else ""
    found, busy = None, ""
    try:
        found = propose(rule=rule, start=start, end=end)
    except Busy as error:
        busy = str(error)
    plant = tree()
    crumbs = [(plant.name, reverse("overview")), (_("Alarm performance"), f"{reverse('performance')}?{period.query()}")]
    return render(
        request,
        "plant/workbench.html",
        {
            "title": f"{rule.asset.code}, {rule.name}",
            "crumbs": [*crumbs, (rule.name, "")],
            "current_page": "performance",
            "rule": rule,
            "now_set": [setting(field, getattr(rule, field), unit) for field in ("deadband", "on_delay", "off_delay")],
            "siblings": rule.origin.copies.count() if rule.origin else 0,
            "found": found,
            "options": [_option(proposal, found, unit) for proposal in found.proposals] if found else [],
            "busy": busy,
            "period": period,
            "periods": [(days, name, period.query(days=days)) for days, name in PERIODS],
            "drafts": open_and_recent(request, rule.pk),
            **may(request),
        },
        status=429 if busy else 200,
    )


def _rule(pk: int) -> Rule:
    found = Rule.objects.select_related("asset", "asset__type", "origin__type").filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no rule %(number)s.") % {"number": pk})
    return found


def _option(proposal: Proposal, found: Workbench, unit: str) -> Option:
    price = proposal.price
    settings = ", ".join(setting(field, value, unit) for field, value in proposal.change.items())
    delay = words.seconds(price.delay / 1_000_000) if price.delay else _("none")
    if not found.true:
        delay = _("no true alarm in it")
        late = _("There was no true alarm in this time.")
    elif price.delay:
        late = _("The longest that a true alarm would have come later: %(delay)s.") % {"delay": delay}
    else:
        late = _("No true alarm would have come later.")
    said = {
        "start": writing.day(found.start),
        "end": writing.day(found.end),
        "before": found.alarms,
    }
    counted = ngettext(
        "%(count)s alarm instead of %(before)s", "%(count)s alarms instead of %(before)s", price.alarms
    ) % {"count": price.alarms, **said}
    reason = _("Backtest from %(start)s to %(end)s: %(counted)s. %(late)s") % {**said, "counted": counted, "late": late}
    fields = [(field, repr(value)) for field, value in proposal.change.items()]
    more = proposal.stood
    stood = _("%(time)s less") % {"time": words.seconds(-more)} if more < 0 else f"+{words.seconds(more)}"
    return Option(settings[:1].upper() + settings[1:], fields, proposal, delay, stood, reason)


@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Keeps a proposal as a draft change, of the rule or of its type's."""
    rule = _rule(pk)
    if not request.user.has_perm("alerts.add_draftchange"):
        raise PermissionDenied(_("You may not draft changes of rules; an operator or engineer may."))
    target = rule.origin if request.POST.get("for") == "type" and rule.origin is not None else rule
    changes = {}
    for field in ("deadband", "on_delay", "off_delay"):
        sent = request.POST.get(field, "")
        if sent:
            try:
                changes[field] = float(sent)
            except ValueError:
                messages.warning(request, _("%(field)s: “%(sent)s” is no number.") % {"field": field, "sent": sent})
    try:
        services.draft(
            rule=target,
            changes=changes,
            reason=request.POST.get("reason", ""),
            user=person(request),
            now=timezone.now(),
        )
    except services.Refused as error:
        messages.warning(request, str(error))
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        messages.success(request, _("Drafted. Nothing changes until somebody who may change rules applies it."))
    return redirect(f"{reverse('performance')}#drafts")
