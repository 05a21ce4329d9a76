"""How a person wants their screens: whether alarms sound, and whether single keys do something (WCAG 2.1.4)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from alerts.models import Contact

SETTINGS = ("sound", "single_keys")


@require_POST
def screen(request: HttpRequest) -> HttpResponseBase:
    """Stores what is sent of the two settings, 1 or 0."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    sent = {name: request.POST[name] for name in SETTINGS if name in request.POST}
    if not sent or any(value not in ("0", "1") for value in sent.values()):
        return JsonResponse({"error": _("Send sound or single_keys as 0 or 1.")}, status=400)
    Contact.objects.update_or_create(user=request.user, defaults={name: value == "1" for name, value in sent.items()})
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    messages.success(request, _("Your wishes are saved."))
    return redirect("subscriptions")
