"""Wall stations: a screen that only looks, hangs on the wall, and does not sign itself out in the night.

How long its session lasts is said here (`/wall`) and nowhere else. `/session` puts off the end that a page counts down
to, by the ordinary time, for whoever is there; it makes no session a lasting one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_POST

from plant.sign_in import begin_session

STAYS_FOR = 400 * 86_400  # seconds; renewed while the station shows anything


def looks_only(user: Any) -> bool:
    """Tells whether a person may do nothing but look: no permission, no setup. Cost: two queries, once a request."""
    return isinstance(user, User) and not user.is_staff and not user.get_all_permissions()


def end_what_lost_its_reason(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Makes a station's session an ordinary one again once its account may do more than look.

    Cost: what `looks_only` costs, for such sessions alone.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.session.get("_session_expiry") == STAYS_FOR and not looks_only(request.user):
            request.session.set_expiry(None)
            begin_session(request)
        return get_response(request)

    return middleware


@require_POST
def stay(request: HttpRequest) -> JsonResponse:
    """Lets the session of a station that only looks last; who may do anything is signed out as always."""
    stays = request.POST.get("on") == "1" and looks_only(request.user)
    request.session.set_expiry(STAYS_FOR if stays else None)
    return JsonResponse({"stays": stays})
