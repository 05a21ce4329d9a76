"""Playback: `?at=` shows a page as it was at a past moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone

from alerts.past import looking_back
from devices.models import AssetType

# Pages that tell of no moment but of what is set up now, or take a time of their own: `at` means nothing to them.
OF_THE_PRESENT = frozenset({
    "alarms-ack", "alarms-out", "alarms-reset", "alarms-return", "alarms-shelve", "alarms-unshelve", "answer",
    "browser-add", "browser-remove", "deliveries", "document",
    "find", "incident", "maintenance", "map-layer", "map-layers", "map-tracks", "person-calendar", "places",
    "playback-frames", "playback-marks", "rationalisation", "report", "rota", "rota-calendar", "rotas", "rule",
    "rule-edit", "rule-new", "rule-out", "rule-shelve", "rules", "start", "start-state", "subscription",
    "subscription-add", "subscriptions", "synoptic-add", "synoptic-change",
    "synoptic-preview", "theme", "told", "told-check", "trends", "type-rule", "type-rule-edit", "unsubscribe", "words",
    "worker", "workbench",
})  # fmt: skip

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def instant(text: str) -> datetime | None:
    """Reads a moment of an address: ISO 8601 with an offset, or Z. Gives None where it is none.

    What is before EARLIEST or from LATEST on is none either: it could not be reckoned with.
    """
    # A plus sign that nobody escaped arrives as a space.
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        return None
    return found if found.tzinfo is not None and EARLIEST <= found < LATEST else None


class LookingBack:
    """Lets the views of a page be called as of the moment that its address names; a moment to come is the present.

    Not for requests that write: scripts send nothing from such a page, and its forms are off.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Passes the request on."""
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Answers a page that is asked for as of a moment; None lets it be answered as of now."""
        asked = request.GET.get("at")
        if asked is None or request.method not in ("GET", "HEAD") or not has_past(request):
            return None
        at = instant(asked)
        if at is None or at > timezone.now() - timedelta(seconds=1):
            return HttpResponseRedirect(address_at(request, None))
        with looking_back(at):
            return view(request, *args, **kwargs)


def has_past(request: HttpRequest) -> bool:
    """Tells whether a page shows what was at a moment; one that is not found has nothing to show."""
    match = request.resolver_match
    return match is not None and not match.app_names and match.url_name not in OF_THE_PRESENT


def address_at(request: HttpRequest, at: datetime | None) -> str:
    """Gives the page's address as of a moment; None: as of now."""
    left = [(key, value) for key, values in request.GET.lists() if key != "at" for value in values]
    if at is not None:
        left.append(("at", at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
    return f"{request.path}?{urlencode(left)}" if left else request.path


def kept_since(now: datetime) -> datetime:
    """Gives since when readings may be kept: before it, none are. Cost: one query."""
    longest = AssetType.objects.aggregate(days=Max("retention_days"))["days"] or 0
    return now - timedelta(days=max(settings.HISTORY_RETENTION_DAYS, longest))
