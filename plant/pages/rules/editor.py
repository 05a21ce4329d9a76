"""The rule editor: what would this rule have done to us? Edited, tried on the history, saved with its reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from alerts import editing, rules
from alerts.editing import versions
from alerts.models import DraftChange, Rule, TypeRule
from alerts.workbench import drafts
from devices.models import Asset, AssetType, Sensor
from plant import roles, writing
from plant.pages.deliveries import person
from plant.pages.rules import trial
from plant.pages.rules.form import Form
from plant.pages.rules.result import asked_for, changes_in
from plant.pages.rules.sentence import sentence, words
from plant.pages.rules.target import Target
from plant.pages.subscription_form import places
from plant.pages.tree import tree
from plant.pages.trend import trend_of

EDITED = ["GET", "POST"]


@require_http_methods(EDITED)
def edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Edits a rule of an asset."""
    return _edit(request, Target.rule_of_asset(pk))


@require_http_methods(EDITED)
def edit_of_type(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Edits a rule of a type."""
    return _edit(request, Target.rule_of_type(pk))


@require_http_methods(EDITED)
def new(request: HttpRequest) -> HttpResponseBase:
    """Edits a new rule, once it is said of which asset or type."""
    kind = request.GET.get("type", "")
    if kind:
        found = AssetType.objects.filter(code=kind).first()
        if found is None:
            raise Http404(_("There is no asset type %(code)s.") % {"code": kind})
        return _edit(request, Target(None, type=found))
    code = request.GET.get("asset", "").strip()
    if not code:
        return _choose(request)
    asset = Asset.objects.select_related("type").filter(code=code).first()
    if asset is None:
        return _choose(request, code, _("There is no asset %(code)s.") % {"code": code})
    return _edit(request, Target(None, asset=asset))


def _choose(request: HttpRequest, typed: str = "", wrong: str = "") -> HttpResponse:
    """Asks for which part of the plant a new rule is. Takes: the code that was typed, and what is wrong with it.

    Cost: one query beside the tree.
    """
    plant = tree()
    context = {
        "title": _("New rule"),
        "crumbs": [(plant.name, reverse("overview")), (_("Rules"), reverse("rules")), (_("New rule"), "")],
        "current_page": "rules",
        "places": places(plant),
        "types": list(AssetType.objects.order_by("name").values_list("code", "name")),
        "typed": typed,
        "wrong": wrong,
    }
    return render(request, "plant/rules/choose.html", context, status=400 if wrong else 200)


def _edit(request: HttpRequest, target: Target) -> HttpResponseBase:
    seen = editing.newest(target.rule) if target.rule is not None else 0
    if request.method == "GET":
        form = Form.of(target, seen, sensor=request.GET.get("sensor", ""))
        if target.rule is not None:
            form.set(asked_for(request.GET.dict()))
        return _page(request, target, form)
    if not (target.may_save(request) or target.may_draft(request)):
        # What they see is what is stored; they may try that, and nothing else.
        form = Form.of(target, seen)
        if request.POST.get("do") != "trial":
            raise PermissionDenied(_("You can look. An engineer can change rules."))
        return _try(request, target, form)
    form = Form.sent(target, request.POST)
    match request.POST.get("do", ""):
        case "save":
            return _save(request, target, form)
        case "draft":
            return _draft(request, target, form)
        case "kind":
            return _page(request, target, form)
        case "take":
            form.set(changes_in(request.POST.get("change", "")))
            return _try(request, target, form)
        case _:
            return _try(request, target, form)


def _try(request: HttpRequest, target: Target, form: Form) -> HttpResponseBase:
    """Does a backtest: told bit by bit to a script, on the page itself without one."""
    now = timezone.now()
    fetched = request.headers.get("X-Requested-With") == "fetch"
    values = form.values()
    cast = trial.cast_of(target, form, values, now) if values is not None else None
    if values is None or cast is None:
        if fetched:
            return JsonResponse({"errors": form.errors}, status=422)
        return _page(request, target, form)
    if fetched:
        return trial.in_lines(request, target, form, values, cast, now)
    return _page(request, target, form, trial.at_once(request, target, values, cast, now))


def _save(request: HttpRequest, target: Target, form: Form) -> HttpResponseBase:
    if not target.may_save(request):
        raise PermissionDenied(_("You may not change rules; an engineer may."))
    values = form.values()
    name, reason = form.texts["name"].strip(), form.reason.strip()
    if not name:
        form.errors["name"] = _("Write what the alarm is called.")
    if not reason:
        form.errors["reason"] = _("Write why: it is kept with the old values and your name.")
    if values is None or form.errors:
        return _page(request, target, form)
    try:
        saved = _stored(target, form, name, values, reason)
    except ValidationError as error:
        form.refuse(error)
        return _page(request, target, form)
    except editing.Overtaken as theirs:
        form.seen = theirs.seen
        return _page(request, target, form, overtaken=theirs)
    if saved is None:
        messages.info(request, _("Nothing has changed: the rule is as you wrote it already."))
        return redirect(target.page)
    number = versions(type(saved), [saved.pk])[saved.pk].number
    messages.success(
        request, _("Saved as version %(number)s. It is in force with the next readings.") % {"number": number}
    )
    return redirect("rule" if isinstance(saved, Rule) else "type-rule", saved.pk)


def _stored(target: Target, form: Form, name: str, values: dict[str, Any], reason: str) -> Rule | TypeRule | None:
    """Stores what was written. Raises: ValidationError; editing.Overtaken."""
    if target.rule is not None:
        return editing.save(rule=target.rule, seen=form.seen, reason=reason, name=name, values=values)
    fields = {field: value for field, value in values.items() if field != "kind"}
    if target.asset is not None:
        return rules.create_rule(asset=target.asset, name=name, kind=values["kind"], reason=reason, **fields)
    assert target.type is not None
    return rules.create_type_rule(type=target.type, name=name, kind=values["kind"], reason=reason, **fields)


def _draft(request: HttpRequest, target: Target, form: Form) -> HttpResponseBase:
    """Proposes what was written; nothing changes until somebody who may change rules applies it."""
    if target.rule is None or not target.may_draft(request):
        raise PermissionDenied(_("You may not draft changes of rules; an operator or engineer may."))
    values = form.values()
    if values is None:
        return _page(request, target, form)
    try:
        # Else what they changed would stand in the draft as it was before them.
        editing.refuse_overtaken(target.rule, form.seen)
    except editing.Overtaken as theirs:
        form.seen = theirs.seen
        return _page(request, target, form, overtaken=theirs)
    stored = target.values
    changes = {field: value for field, value in values.items() if value != stored[field]}
    if form.texts["name"].strip() != target.name:
        changes["name"] = form.texts["name"].strip()
    try:
        drafts.draft(rule=target.rule, changes=changes, reason=form.reason, user=person(request), now=timezone.now())
    except drafts.Refused as error:
        form.errors["reason"] = str(error)
        return _page(request, target, form)
    except ValidationError as error:
        form.refuse(error)
        return _page(request, target, form)
    messages.success(request, _("Sent. Nothing changes until somebody who may change rules applies it."))
    return redirect(target.page)


def _page(
    request: HttpRequest,
    target: Target,
    form: Form,
    found: trial.Found | None = None,
    overtaken: editing.Overtaken | None = None,
) -> HttpResponse:
    """Shows the editor. Cost: the same number of queries for any rule and any number of machines."""
    plant = tree()
    may_save, may_draft = target.may_save(request), target.may_draft(request)
    version = versions(type(target.rule), [target.rule.pk]).get(target.rule.pk) if target.rule is not None else None
    title = target.name or _("New rule")
    open_draft = None
    if target.rule is not None:
        owned = {"rule": target.rule} if isinstance(target.rule, Rule) else {"type_rule": target.rule}
        open_draft = DraftChange.objects.filter(state="open", **owned).select_related("drafted_by").first()
    crumbs = [(plant.name, reverse("overview")), (_("Rules"), reverse("rules"))]
    crumbs += [(title, target.page), (_("Edit"), "")] if target.rule is not None else [(title, "")]
    context = {
        "title": title,
        "crumbs": crumbs,
        "current_page": "rules",
        "target": target,
        "node": plant.nodes.get(target.asset.pk) if target.asset is not None else None,
        "form": form,
        "sentence": sentence(form),
        "version": version,
        "next_version": version.number + 1 if version is not None else 1,
        "may_save": may_save,
        "may_draft": may_draft,
        "may_edit": may_save or may_draft,
        "granters": [] if may_save or may_draft else roles.granters(),
        "found": found,
        "result": found.result if found is not None else None,
        "open_draft": open_draft,
        "overtaken": overtaken,
        "data": _data(target),
    }
    return render(request, "plant/rules/editor.html", context, status=409 if overtaken else 400 if form.errors else 200)


def _data(target: Target) -> dict[str, Any]:
    """Gives what the script needs: the sentence's words and the sensors."""
    sensors = {
        one.key: {
            "name": one.name,
            "unit": writing.unit(one.unit),
            "difference": writing.difference(one.unit),
            "labels": one.labels,
            # What is drawn while the rule cannot be tried yet.
            "trend": trend_of(one, []) if isinstance(one, Sensor) else None,
        }
        for one in target.sensors
    }
    return {"words": words(), "sensors": sensors}
