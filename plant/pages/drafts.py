"""Draft changes of rules on the pages: shown, applied, discarded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from alerts.figures import words
from alerts.models import DraftChange
from alerts.workbench import drafts as services
from plant import writing
from plant.pages.deliveries import person

RECENT = 5  # decided ones that are still shown
SETTINGS = {
    "deadband": gettext_lazy("deadband"),
    "on_delay": gettext_lazy("on-delay"),
    "off_delay": gettext_lazy("off-delay"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A draft with what the page says of it."""

    draft: DraftChange
    where: str
    name: str
    changes: str
    may_apply: bool
    may_discard: bool


def amount(field: str, value: float, unit: str = "") -> str:
    """Gives a setting's value in words: 1.5 K, 8 s."""
    if field.endswith("delay"):
        return words.seconds(value)
    written = writing.difference(unit) if field == "deadband" else writing.unit(unit)
    return f"{writing.plain(value)} {written}".strip()


def setting(field: str, value: float, unit: str = "") -> str:
    """Gives a setting in words: deadband 1.5 K, on-delay 8 s."""
    return f"{SETTINGS.get(field, field)} {amount(field, value, unit)}"


def open_and_recent(request: HttpRequest, rule: int | None = None) -> Sequence[Shown]:
    """Gives open drafts, then the newest decided ones; of one rule and its type's, or of all. Cost: 2 queries."""
    found = DraftChange.objects.select_related(
        "rule__asset", "rule__origin", "type_rule__type", "drafted_by", "decided_by"
    )
    if rule is not None:
        found = found.filter(rule=rule) | found.filter(type_rule__copies=rule)
    rows = [*found.filter(state="open"), *found.exclude(state="open").order_by("-decided", "-pk")[:RECENT]]
    return [_shown(request, draft) for draft in rows]


def _shown(request: HttpRequest, draft: DraftChange) -> Shown:
    rule = draft.rule or draft.type_rule
    assert rule is not None
    parts = []
    for field, value in draft.after.items():
        was = draft.before.get(field)
        if isinstance(value, float) and isinstance(was, float):
            said = {"now": setting(field, value), "before": amount(field, was)}
            parts.append(_("%(now)s instead of %(before)s") % said)
        else:
            parts.append(f"{field}: {value}")
    where = draft.rule.asset.code if draft.rule else str(draft.type_rule.type) if draft.type_rule else ""
    opened = draft.state == DraftChange.State.OPEN
    allowed = may_apply(request, draft)
    mine = draft.drafted_by_id == request.user.pk
    return Shown(draft, where, rule.name, ", ".join(parts), opened and allowed, opened and (allowed or mine))


def may_apply(request: HttpRequest, draft: DraftChange) -> bool:
    """Tells whether the person may change the rule that it is about."""
    return request.user.has_perm("alerts.change_rule" if draft.rule_id else "alerts.change_typerule")


def _draft(pk: int) -> DraftChange:
    found = DraftChange.objects.filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no draft %(number)s.") % {"number": pk})
    return found


@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Brings a draft into force."""
    if not may_apply(request, _draft(pk)):
        raise PermissionDenied(_("You may not change rules; an engineer may."))
    return _do(request, services.apply, pk, _("The change is in force."))


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Puts a draft aside."""
    draft = _draft(pk)
    if draft.drafted_by_id != request.user.pk and not may_apply(request, draft):
        raise PermissionDenied(_("This is another’s draft; who made it or an engineer may discard it."))
    return _do(request, services.discard, pk, _("The draft is discarded; the rule stays as it is."))


def _do(request: HttpRequest, verb: Any, pk: int, done: str) -> HttpResponseBase:
    try:
        verb(draft_id=pk, user=person(request), now=timezone.now())
    except services.Refused as error:
        messages.warning(request, str(error))
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        messages.success(request, done)
    return back(request)


def back(request: HttpRequest) -> HttpResponseBase:
    """Goes back to where the person was, if that is ours."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if ours else reverse("performance"))
