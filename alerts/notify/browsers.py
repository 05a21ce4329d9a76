"""In which browsers a person takes messages: switched on and off by the person, forgotten when they are gone."""

import base64
import binascii
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from alerts.models import Contact, PushEndpoint

MOST = 10  # of one person; the oldest goes
_POINT, _SECRET = 65, 16  # bytes. Source: RFC 8291
_LOCAL = ("127.0.0.1", "localhost", "::1")
_PROGRAMS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


class Refused(Exception):
    """What a browser sent cannot be used; the text says why."""


@transaction.atomic
def add(*, user: User, endpoint: str, key: str, secret: str, agent: str, now: datetime) -> PushEndpoint:
    """Stores a browser. One that another person used before is theirs no more.

    Takes: what the browser's subscription says; the request's User-Agent.
    Raises: Refused.
    """
    if not is_allowed(endpoint):
        raise Refused(_("This browser's message service is not one that Andon sends to (PUSH_HOSTS)."))
    if _length(key) != _POINT or _length(secret) != _SECRET:
        raise Refused(_("The browser's keys cannot be read."))
    before = PushEndpoint.objects.filter(endpoint=endpoint).first()
    known = {"user": user, "key": key, "secret": secret, "browser": name_of(agent)}
    found = PushEndpoint.objects.update_or_create(
        endpoint=endpoint, defaults=known, create_defaults={**known, "made": now}
    )[0]
    mine = PushEndpoint.objects.filter(user=user).order_by("-pk")
    PushEndpoint.objects.filter(pk__in=[one.pk for one in mine[MOST:]]).delete()
    for user_id in {user.pk, before.user_id if before is not None else user.pk}:
        _count(user_id)
    return found


@transaction.atomic
def remove(*, endpoint: PushEndpoint) -> None:
    """Forgets a browser."""
    PushEndpoint.objects.filter(pk=endpoint.pk).delete()
    _count(endpoint.user_id)


def is_allowed(endpoint: str) -> bool:
    """Tells whether an address belongs to a browser's maker: a person could give any, and we would post to it."""
    split = urlsplit(endpoint)
    host = split.hostname or ""
    if (
        split.username
        or split.password
        or (split.scheme != "https" and not (split.scheme == "http" and host in _LOCAL))
    ):
        return False
    return any(
        host == allowed or (allowed.startswith(".") and host.endswith(allowed)) for allowed in settings.PUSH_HOSTS
    )


def name_of(agent: str) -> str:
    """Gives "Chrome on Android" from a User-Agent."""
    program = next((name for mark, name in _PROGRAMS if mark in agent), _("Browser"))
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return _("%(program)s on %(system)s") % {"program": program, "system": system} if system else program


def _count(user_id: int) -> None:
    """Keeps the number beside the person's addresses, where routing reads it without a query."""
    count = PushEndpoint.objects.filter(user=user_id).count()
    Contact.objects.update_or_create(user_id=user_id, defaults={"browsers": count})


def _length(text: str) -> int:
    try:
        return len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return 0
