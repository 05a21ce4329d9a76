"""A rule: what it asks for, why it is there, and everything that was changed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from alerts import changes, rules
from alerts.changes import label_of, text_of
from alerts.models import AlarmClass, Position, Rule, RuleInput, TypeRule
from alerts.rationalisation import NO_ALARM, missing, suggested
from alerts.wiring import values_of
from devices.models import Sensor, TypeSensor
from plant.pages.alarms import condition_words
from plant.pages.tree import tree

# What stands beside the texts, in order.
_FACTS = (
    "severity", "time_to_respond", "alarm_class", "position", "on_delay", "off_delay", "deadband", "ack_required",
    "latching", "realarm", "group", "hides", "suppress_when", "shelvable", "longest_shelving", "enabled",
)  # fmt: skip
_TEXTS = ("cause", "consequence", "action", "confirmation")


def _found(model: type[Rule] | type[TypeRule], pk: int) -> Rule | TypeRule:
    """Gives a rule with its owner. Raises: Http404."""
    owner = ("asset", "origin__type") if model is Rule else ("type",)
    rule: Rule | TypeRule | None = model._default_manager.select_related(*owner).filter(pk=pk).first()
    if rule is None:
        raise Http404(_("There is no rule %(number)s.") % {"number": pk})
    return rule


def _scale(rule: Rule | TypeRule) -> tuple[str, Mapping[str, Any]]:
    """Gives the unit of a rule's limits, and what its sensor's values are called. Cost: one query."""
    sensors: Any
    if isinstance(rule, Rule):
        sensors = Sensor.objects.filter(pk__in=RuleInput.objects.filter(rule=rule, place=0).values("sensor"))
    else:
        sensors = TypeSensor.objects.filter(type=rule.type, key=rule.sensor_key)
    return sensors.values_list("unit", "labels").first() or ("", {})


@require_GET
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows a rule of an asset."""
    return _page(request, _found(Rule, pk))


@require_GET
def type_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows a rule of a type."""
    return _page(request, _found(TypeRule, pk))


def _page(request: HttpRequest, rule: Rule | TypeRule) -> HttpResponse:
    plant, values = tree(), values_of(rule)
    own = isinstance(rule, Rule)
    node = plant.nodes.get(rule.asset_id) if isinstance(rule, Rule) else None
    proposal = suggested(rule.severity, rule.time_to_respond)
    named = {
        "alarm_class": AlarmClass.objects.filter(code=rule.alarm_class).values_list("name", flat=True).first(),
        "position": Position.objects.filter(code=rule.position).values_list("name", flat=True).first(),
    }
    permission = "alerts.change_rule" if own else "alerts.change_typerule"
    found = changes.changes_of(rule)
    return render(
        request,
        "plant/rule.html",
        {
            "title": rule.name,
            "crumbs": [
                (plant.name, reverse("overview")),
                (_("Rules"), reverse("rules")),
                (rule.name, ""),
            ],
            "current_page": "rules",
            "rule": rule,
            "node": node,
            "owner": rule.asset.name if isinstance(rule, Rule) else rule.type.name,
            "origin": rule.origin if isinstance(rule, Rule) else None,
            "condition": condition_words(rules.freeze(rule) if isinstance(rule, Rule) else values, *_scale(rule)),
            "texts": [(label_of(name), values[name], name in missing(values)) for name in _TEXTS],
            "facts": [(label_of(name), named.get(name) or text_of(name, values[name])) for name in _FACTS],
            "lacks": [label_of(name) for name in missing(values)],
            "proposal": proposal,
            "no_alarm": proposal == NO_ALARM,
            "differs": proposal is not None and proposal != rule.priority,
            "changes": [(one, changes.default_reason(one)) for one in found],
            "may_change": request.user.has_perm(permission),
            "edit": reverse("rule-edit" if own else "type-rule-edit", args=[rule.pk]),
            "take_back": "rule-take-back" if own else "type-rule-take-back",
        },
    )


def _taken_back(
    request: HttpRequest, rule: Rule | TypeRule, number: int, page: str, permission: str
) -> HttpResponseBase:
    if not request.user.has_perm(permission):
        raise PermissionDenied(_("You can look. An engineer can change rules."))
    try:
        changes.take_back(rule=rule, number=number, reason=request.POST.get("reason", ""))
    except ValidationError as refusal:
        messages.warning(request, " ".join(refusal.messages))
    else:
        messages.success(request, _("Taken back. The rule is as it was before that change."))
    return redirect(page, rule.pk)


@require_POST
def take_back(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """Takes a change of an asset's rule back."""
    return _taken_back(request, _found(Rule, pk), number, "rule", "alerts.change_rule")


@require_POST
def take_back_of_type(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """Takes a change of a type's rule back, and with it those of its assets."""
    return _taken_back(request, _found(TypeRule, pk), number, "type-rule", "alerts.change_typerule")
