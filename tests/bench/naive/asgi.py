"""Django and one socket."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.naive.settings")

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

_django = get_asgi_application()


class Live(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Relays every reading."""

    groups = ["live"]

    async def reading(self, message: dict[str, object]) -> None:
        """Sends one reading."""
        await self.send_json(message)


application = ProtocolTypeRouter({"http": _django, "websocket": URLRouter([path("ws", Live.as_asgi())])})
