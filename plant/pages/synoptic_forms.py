"""Uploading a synoptic, changing it, and taking a version back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from devices.models import Asset
from devices.records import LONGEST_REASON
from plant.models import Synoptic
from plant.pages.subscription_form import places
from plant.pages.synoptics import find
from plant.pages.tree import tree_for
from plant.synoptic import services
from plant.synoptic.tree import MAX_BYTES

VERSIONS = 50  # that are shown


def _refused(refusal: ValidationError) -> dict[str, str]:
    """Gives a service's refusal by field."""
    named = refusal.message_dict if hasattr(refusal, "error_dict") else {NON_FIELD_ERRORS: refusal.messages}
    return {field.strip("_"): " ".join(words) for field, words in named.items()}


def _typed(request: HttpRequest) -> dict[str, Any]:
    """Gives what the form says: name, asset, the file's bytes or None, and why."""
    file = request.FILES.get("file")
    return {
        "name": request.POST.get("name", "").strip(),
        "asset": Asset.objects.filter(code=request.POST.get("asset", "")).first(),
        # One byte more than may be: the reader of the file says that it is too large.
        "file": file.read(MAX_BYTES + 1) if file else None,
        "reason": request.POST.get("reason", "").strip()[:LONGEST_REASON],
    }


def _shown(
    request: HttpRequest,
    row: Synoptic | None,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    status: int = 400,
) -> HttpResponse:
    plant = tree_for(request)
    last = (row.name, reverse("synoptic", args=[row.pk])) if row else (_("New synoptic"), "")
    return render(
        request,
        "plant/synoptic_form.html",
        {
            "title": row.name if row else _("New synoptic"),
            "crumbs": [
                (plant.name, reverse("overview")),
                (_("Synoptics"), reverse("synoptics")),
                last,
                *([(_("Drawing and versions"), "")] if row else []),
            ],
            "current_page": "synoptics",
            "synoptic": row,
            "typed": typed,
            "errors": errors,
            "places": places(plant),
            "largest": MAX_BYTES // 1024,
            "versions": _versions(row) if row else [],
        },
        status=status if errors else 200,
    )


def _versions(row: Synoptic) -> list[dict[str, Any]]:
    """Gives the versions, the newest first. Cost: one query."""
    rows = row.history.order_by("-history_id").values(
        "history_id", "history_date", "history_type", "history_change_reason", "history_user__username",
        "history_user__first_name", "history_user__last_name", "name", "original",
    )[:VERSIONS]  # fmt: skip
    return [
        {
            "number": version["history_id"],
            "time": version["history_date"],
            "who": f"{version['history_user__first_name'] or ''} {version['history_user__last_name'] or ''}".strip()
            or version["history_user__username"]
            or "",
            "why": version["history_change_reason"] or "",
            "name": version["name"],
            "original": (version["original"] or "")[:12],
        }
        for version in rows
    ]


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponseBase:
    """Takes a new synoptic."""
    if not request.user.has_perm("plant.add_synoptic"):
        raise PermissionDenied(_("You can look. An engineer can upload drawings."))
    if request.method != "POST":
        return _shown(request, None, {"asset": request.GET.get("asset", "")}, {})
    values = _typed(request)
    try:
        if values["file"] is None:
            raise ValidationError({"file": _("Choose the SVG file.")})
        row = services.create_synoptic(**values)
    except ValidationError as refusal:
        return _shown(request, None, request.POST.dict(), _refused(refusal))
    return _done(request, row, _("The synoptic is there."))


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Takes another drawing, name or place of a synoptic, with the reason."""
    row = find(pk)
    if not request.user.has_perm("plant.change_synoptic"):
        raise PermissionDenied(_("You can look. An engineer can upload drawings."))
    now = {"name": row.name, "asset": row.asset.code, "seen": str(services.newest(row))}
    if request.method != "POST":
        return _shown(request, row, now, {})
    values = _typed(request)
    try:
        if not values["reason"]:
            raise ValidationError({"reason": _("Say why.")})
        seen = request.POST.get("seen", "")
        row = services.update_synoptic(
            synoptic=row, seen=int(seen) if seen.isdecimal() and len(seen) < 19 else 0, **values
        )
    except ValidationError as refusal:
        return _shown(request, find(pk), request.POST.dict(), _refused(refusal))
    except services.Overtaken as theirs:
        words = _("Somebody has changed this synoptic meanwhile; see Versions. Save again to put yours in place of it.")
        return _shown(request, find(pk), {**request.POST.dict(), "seen": str(theirs.seen)}, {"all": words}, status=409)
    return _done(request, row, _("The synoptic is changed. The version before can be taken back."))


@require_POST
def take_back(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """Gives a synoptic one of its versions again."""
    row = find(pk)
    if not request.user.has_perm("plant.change_synoptic"):
        raise PermissionDenied(_("You can look. An engineer can upload drawings."))
    try:
        row = services.take_back(synoptic=row, number=number, reason=request.POST.get("reason", "")[:LONGEST_REASON])
    except ValidationError as refusal:
        messages.warning(request, " ".join(refusal.messages))
        return redirect("synoptic-change", pk)
    return _done(request, row, _("Taken back. The synoptic is as it was then."))


def _done(request: HttpRequest, row: Synoptic, words: str) -> HttpResponseBase:
    """Goes to the drawing; to the remarks about it first, where there are some."""
    messages.success(request, words)
    return redirect("synoptic-change" if row.remarks else "synoptic", row.pk)
