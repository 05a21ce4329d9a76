"""Where links in mails lead: acknowledge an alarm, leave a list. Nobody signs in, and nobody is signed in by it.

Scanners of mail follow every link, so GET only shows. The link itself is what authorises: a forged form on another site
cannot know it, so these pages need no cookie, and set none.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from alerts import subscriptions
from alerts.notify import answers
from alerts.notify.limits import Limit

_OF_ONE_ADDRESS = Limit("answer", most=60)

View = Callable[[HttpRequest, str], HttpResponse]


def _door(view: View) -> View:
    """Makes a page for whoever holds a link: open, limited in number, kept by nobody, named to no other site."""

    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        if not _OF_ONE_ADDRESS.allows(request.META.get("REMOTE_ADDR", "")):
            answer = HttpResponse(_("Too many attempts. Try again in a minute."), status=429, content_type="text/plain")
            answer["Retry-After"] = "60"
            return answer
        answer = view(request, token)
        answer["Referrer-Policy"] = "no-referrer"
        answer["X-Robots-Tag"] = "noindex"
        return answer

    return login_not_required(csrf_exempt(never_cache(require_http_methods(["GET", "HEAD", "POST"])(guarded))))


@_door
def acknowledge(request: HttpRequest, token: str) -> HttpResponse:
    """Shows the alarm with a button, and acknowledges it when the button is pressed."""
    now = timezone.now()
    if request.method == "POST":
        found = answers.acknowledge_by_link(token, address=request.META.get("REMOTE_ADDR", ""), now=now)
    else:
        found = answers.look(token, now)
    alarm = found.alarm
    context = {
        "answer": found,
        "alarm": alarm,
        "link": settings.PUBLIC_URL + reverse("alarm", args=[alarm.pk]) if alarm is not None else "",
    }
    return render(request, "plant/answer.html", context, status=found.status)


@_door
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Shows the subscription that a mail came by, and switches it off when the button, or a mail program, posts."""
    posted = request.method == "POST"
    found = answers.unsubscribe(token) if posted else answers.subscription_of(token)
    scope = subscriptions.scope_in_words(found) if found is not None else ""
    context = {"subscription": found, "scope": scope, "done": found is not None and not found.enabled}
    # A subscription that is gone is left already; only what was never one is unknown.
    known = found is not None or answers.is_unsubscription(token)
    return render(request, "plant/unsubscribe.html", context, status=200 if known else 404)
