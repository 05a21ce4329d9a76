"""The browsers in which a person takes messages, and the service worker that shows them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from alerts.models import PushEndpoint
from alerts.notify import browsers
from plant.pages.deliveries import person
from plant.pages.words import catalogue_address
from plant.version import version


@login_not_required
@never_cache
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Gives the service worker at the root: it may speak for pages no higher than its own address."""
    path = finders.find("js/worker.js")
    if not isinstance(path, str):
        raise Http404
    said = f"self.andon = {json.dumps(_kept())};\n".encode()
    return HttpResponse(said + Path(path).read_bytes(), content_type="text/javascript; charset=utf-8")


# Of these pages a browser shows the last known state while the server is not reached.
KEPT_PAGES = ("overview", "alarms")
# What they and the page without a server need, a script's imports among it: without one of them no script of the page
# runs. The rest is kept as it is asked for.
_SHELL = (
    "css/*.css", "css/components/*.css", "js/*.js", "js/*/*.js", "js/ui/console/*.js", "img/*.svg",
    "manifest.webmanifest",
)  # fmt: skip
_VENDOR = (
    "vendor/inter/files/inter-latin-wght-normal.woff2", "vendor/uplot/uPlot.esm.js", "vendor/uplot/uPlot.min.css",
)  # fmt: skip


@cache
def _shell() -> list[str]:
    """Gives the files of the shell."""
    folder = settings.BASE_DIR / "static"
    paths = sorted(path for pattern in _SHELL for path in folder.glob(pattern))
    return [*(static(path.relative_to(folder).as_posix()) for path in paths), *map(static, _VENDOR)]


def _kept() -> dict[str, Any]:
    """Gives what the worker keeps, and its version: another one is a new worker to the browser."""
    language = get_language() or settings.LANGUAGE_CODE
    words = [address] if (address := catalogue_address(language)) else []
    return {
        "version": f"{version()}-{language}",
        "root": settings.STATIC_URL,
        "files": [*_shell(), *words],
        "offline": reverse("offline"),
        "pages": [reverse(name) for name in KEPT_PAGES],
        "life": settings.SESSION_COOKIE_AGE,
    }


@login_not_required
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Gives the page that stands in for the server; the worker keeps it."""
    return render(request, "plant/offline.html", {"words": catalogue_address(get_language() or "")})


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
