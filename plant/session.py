"""How long a session lasts: said to the page that counts down to its end, and put off by whoever is there.

A wall display is a screen that only looks, hangs on the wall, and does not sign itself out in the night: while its
browser shows the wall its session lasts. Whoever may do anything is signed out as always.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

ENDS = "ends"  # in the session: when it ends, in ms since 1970
ON_WALL = "on_wall"  # in the session: it lasts as a wall display's
ON_WALL_FOR = 400 * 86_400  # seconds; renewed while the display shows anything


def begin(request: HttpRequest) -> int:
    """Lets the session last its whole time from now on. Gives: when it ends, in ms since 1970."""
    ends = int((timezone.now().timestamp() + settings.SESSION_COOKIE_AGE) * 1000)
    request.session[ENDS] = ends
    return ends


def looks_only(user: Any) -> bool:
    """Tells whether a person may do nothing but look: no permission, no setup. Cost: two queries, once a request."""
    return isinstance(user, User) and not user.is_staff and not user.get_all_permissions()


def _last(request: HttpRequest) -> None:
    """Makes it a wall display's session."""
    request.session[ON_WALL] = True
    request.session.set_expiry(ON_WALL_FOR)
    begin(request)


def _last_no_longer(request: HttpRequest) -> None:
    """Makes a wall display's session an ordinary one again, which begins now."""
    if request.session.pop(ON_WALL, False):
        request.session.set_expiry(None)
        begin(request)


def end_what_lost_its_reason(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Makes a display's session an ordinary one again once its account may do more than look.

    Cost: what `looks_only` costs, for such sessions alone.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.session.get(ON_WALL) and not looks_only(request.user):
            _last_no_longer(request)
        return get_response(request)

    return middleware


@require_POST
def stay(request: HttpRequest) -> JsonResponse:
    """Puts the end of the session off, for somebody who is there or for a wall display that only looks.

    Takes: `wall`, where a display asks by itself: 1 while it shows the wall, else empty. Nobody presses anything then,
    so that it puts off nothing for whoever may do more than look. Left out where somebody pressed.
    Gives: when the session ends, in ms since 1970, and to a display whether it stays signed in.
    """
    wall = request.POST.get("wall")
    if wall is None:
        return JsonResponse({"ends": begin(request)})
    stays = wall == "1" and looks_only(request.user)
    (_last if stays else _last_no_longer)(request)
    return JsonResponse({"ends": request.session.get(ENDS), "stays": stays})
