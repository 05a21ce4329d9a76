"""The language and the clock of the pages: what scripts read of it, and where a person chooses."""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import JavaScriptCatalog

from alerts.models import Contact
from plant.readers import CLOCK_COOKIE, PLANT

CLOCKS = (PLANT, "own")
YEAR = 365 * 86_400
_SOURCE = "en"  # the language of the sources: its texts stand for themselves


class _Words(JavaScriptCatalog):
    """Django's catalogue of our own words, without anybody else's and without what formats dates."""

    packages = ["plant"]

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        """Gives a script that leaves the texts, and which of its forms a number asks for, where pages look for them."""
        texts = json.dumps(context["catalog"], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        plural = context["plural"] or "n != 1"
        return HttpResponse(f"globalThis.words = {{ form: (n) => Number({plural}), texts: {texts} }};\n")


@lru_cache(maxsize=8)
def script(language: str) -> bytes:
    """Gives what a page's scripts read of a language."""
    request = HttpRequest()
    request.method = "GET"
    with translation.override(language):
        made = _Words.as_view()(request)
    assert isinstance(made, HttpResponse)
    return made.content


@lru_cache(maxsize=8)
def catalogue_address(language: str) -> str:
    """Gives where a language's words are; the address changes with them, so that browsers may keep them for ever."""
    if language.split("-")[0] == _SOURCE or language not in dict(settings.LANGUAGES):
        return ""
    return reverse("words", args=[language, sha256(script(language)).hexdigest()[:12]])


@login_not_required
@require_safe
def words(request: HttpRequest, language: str, version: str) -> HttpResponse:
    """Gives a language's words to scripts."""
    if language not in dict(settings.LANGUAGES):
        return HttpResponse(status=404)
    answer = HttpResponse(script(language), content_type="text/javascript; charset=utf-8")
    current = catalogue_address(language).endswith(f"{version}.js")
    answer["Cache-Control"] = f"public, max-age={YEAR}, immutable" if current else "no-cache"
    return answer


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponseBase:
    """Stores the person's language; of somebody who is not signed in, the browser's."""
    wanted = request.POST.get("language", "")
    if wanted not in dict(settings.LANGUAGES):
        return JsonResponse({"error": _("There is no such language. Choose from the list.")}, status=400)
    if request.user.is_authenticated:
        Contact.objects.update_or_create(user=request.user, defaults={"language": wanted})
    answer = _back(request)
    # The sign-in page stays in it after signing out.
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        wanted,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return answer


@require_POST
def clock(request: HttpRequest) -> HttpResponseBase:
    """Shows times by the plant's clock or by the person's own, in this browser."""
    wanted = request.POST.get("clock", "")
    if wanted not in CLOCKS:
        return JsonResponse({"error": _("The clock is plant or own.")}, status=400)
    answer = _back(request)
    answer.set_cookie(CLOCK_COOKIE, wanted, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    return answer


def _back(request: HttpRequest) -> HttpResponseRedirect:
    """Leads back to where the person was."""
    here = request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(here, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(here if allowed else reverse("overview"))
