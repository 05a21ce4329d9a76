"""Wall stations: a screen that only looks, hangs on the wall, and does not sign itself out in the night."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

STAYS_FOR = 400 * 86_400  # seconds; renewed while the station shows anything


def looks_only(user: Any) -> bool:
    """Tells whether a person may do nothing but look: no permission, no setup. Cost: two queries, once a request."""
    return isinstance(user, User) and not user.is_staff and not user.get_all_permissions()


@require_POST
def stay(request: HttpRequest) -> JsonResponse:
    """Lets the session of a station that only looks last; who may do anything is signed out as always."""
    stays = request.POST.get("on") == "1" and looks_only(request.user)
    request.session.set_expiry(STAYS_FOR if stays else None)
    return JsonResponse({"stays": stays})
