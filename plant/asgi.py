"""The ASGI entry: readings go past Django, sockets to the live consumer, pages to Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plant.settings")

from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any, cast

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

_django = get_asgi_application()

from devices.intake.http import PATH as INTAKE_PATH  # noqa: E402  # needs the apps
from devices.intake.http import application as intake  # noqa: E402
from plant.live import LiveConsumer, Signed  # noqa: E402

import_module(settings.ROOT_URLCONF)  # all pages, before the first request would wait for them

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def _http(scope: Scope, receive: Receive, send: Send) -> None:
    """Gives telemetry to the intake, before any middleware, and everything else to Django."""
    if scope["path"] == INTAKE_PATH:
        await intake(scope, receive, send)
    else:
        await _django(cast(dict[str, Any], scope), receive, cast(Any, send))


application = ProtocolTypeRouter(
    {
        "http": _http,
        "websocket": Signed(URLRouter([path("ws/live", LiveConsumer.as_asgi())])),
    }
)
