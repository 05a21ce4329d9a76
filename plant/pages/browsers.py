"""The browsers in which a person takes messages, and the service worker that shows them."""

from __future__ import annotations

from pathlib import Path

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from alerts.models import PushEndpoint
from alerts.notify import browsers
from plant.pages.deliveries import person


@login_not_required
@never_cache
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Gives the service worker at the root: it may speak for pages no higher than its own address."""
    path = finders.find("js/worker.js")
    if not isinstance(path, str):
        raise Http404
    return HttpResponse(Path(path).read_bytes(), content_type="text/javascript; charset=utf-8")


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Switches messages on in the browser that asks."""
    post, agent = request.POST, request.headers.get("User-Agent", "")
    try:
        made = browsers.add(
            user=person(request),
            endpoint=post.get("endpoint", "")[:600],
            key=post.get("key", "")[:100],
            secret=post.get("secret", "")[:40],
            agent=agent,
            now=timezone.now(),
        )
    except browsers.Refused as refusal:
        return JsonResponse({"error": str(refusal)}, status=422)
    return JsonResponse({"browser": made.browser, "id": made.pk}, status=201)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Switches messages off in one of the person's browsers."""
    found = PushEndpoint.objects.filter(pk=pk, user=person(request)).first()
    if found is None:
        raise Http404(_("You take no messages in browser %(number)s.") % {"number": pk})
    browsers.remove(endpoint=found)
    messages.success(request, _("Messages are off in %(browser)s.") % {"browser": found.browser})
    return redirect("subscriptions")
