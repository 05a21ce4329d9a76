"""Refuses to start with an unsafe mix of settings; every finding says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from plant import shifts

_LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
_SHORTEST_KEY = 32
_SHORTEST_SECRET = 16


@register()
def safe_together(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Looks at settings that are each allowed and not safe together."""
    return [*_always(), *_outside(), *(_in_production() if settings.PRODUCTION else ())]


def _always() -> Iterator[CheckMessage]:
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme not in ("http", "https") or not public.hostname:
        yield Error(
            f"PUBLIC_URL is {settings.PUBLIC_URL!r}, which is no address.",
            hint="Give the address that operators type, for example https://andon.works.example",
            id="andon.E001",
        )
    if "*" in settings.ALLOWED_HOSTS and not settings.DEBUG:
        yield Error(
            "ALLOWED_HOSTS is *: links in mails could be made to lead elsewhere.",
            hint="Name the hosts, separated by commas.",
            id="andon.E002",
        )
    elif public.hostname and not _is_allowed(public.hostname):
        yield Warning(
            f"PUBLIC_URL's host {public.hostname} is not among ALLOWED_HOSTS: its pages would answer 400.",
            hint=f"Set ALLOWED_HOSTS={','.join([*settings.ALLOWED_HOSTS, public.hostname])}",
            id="andon.W003",
        )
    try:
        shifts.parse(settings.SHIFTS)
    except ValueError as error:
        yield Error(f"SHIFTS: {error}", hint=f"Set SHIFTS={shifts.EXAMPLE!r}, or leave it out.", id="andon.E006")


def _outside() -> Iterator[CheckMessage]:
    if settings.HEARTBEAT_URL and urlsplit(settings.HEARTBEAT_URL).scheme not in ("http", "https"):
        yield Error(
            "HEARTBEAT_URL is no http or https address.",
            hint="Give the address that the outside watcher names, for example https://hc-ping.com/…",
            id="andon.E004",
        )
    if settings.SMS_INBOUND_SECRET and len(settings.SMS_INBOUND_SECRET) < _SHORTEST_SECRET:
        yield Error(
            f"SMS_INBOUND_SECRET is shorter than {_SHORTEST_SECRET} characters: it could be guessed.",
            hint="python3 -c 'import secrets; print(secrets.token_urlsafe(24))' prints a good one.",
            id="andon.E005",
        )


def _in_production() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error(
            "DJANGO_DEBUG and ANDON_PRODUCTION are both on: error pages would show settings to anybody.",
            hint="Unset DJANGO_DEBUG.",
            id="andon.E010",
        )
    if set(settings.ALLOWED_HOSTS) <= _LOCAL_HOSTS:
        yield Error(
            "ANDON_PRODUCTION is on and only this machine may ask for pages.",
            hint="Set ALLOWED_HOSTS to the host name that operators type.",
            id="andon.E011",
        )
    if not settings.PUBLIC_URL.startswith("https://"):
        yield Error(
            "ANDON_PRODUCTION is on and PUBLIC_URL is not https: passwords and sessions would travel in the clear.",
            hint="Put a proxy with a certificate in front (docs/operating.md) and set PUBLIC_URL=https://…",
            id="andon.E012",
        )
    if len(settings.SECRET_KEY) < _SHORTEST_KEY or settings.SECRET_KEY.startswith("django-insecure-"):
        yield Error(
            f"SECRET_KEY is shorter than {_SHORTEST_KEY} characters or a known one: sessions could be forged.",
            hint="python3 -c 'import secrets; print(secrets.token_urlsafe(50))' prints a good one; "
            "SECRET_KEY_FILE may name a file that holds it.",
            id="andon.E013",
        )
    if not (settings.EMAIL_URL or settings.SMS_URL):
        yield Warning(
            f"Neither EMAIL_URL nor SMS_URL is set: messages only go to files below {Path(settings.OUTBOX_DIR)}.",
            hint="Set at least one of them, or nobody is called.",
            id="andon.W014",
        )


def _is_allowed(host: str) -> bool:
    """Tells whether Django would answer for a host; a leading dot stands for all below."""
    from django.http.request import validate_host

    return validate_host(host, settings.ALLOWED_HOSTS)
