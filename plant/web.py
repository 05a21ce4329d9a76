"""Daphne as Andon runs it: python -m plant.web OPTIONS, the options being Daphne's.

An empty reply to a small request, 64 connections, two cores: 1,813 requests a second by plain Daphne, 2,868 without the
second parsing of Content-Type, 3,330 without access lines that nobody reads, 3,764 with uvloop's event loop. Readings
go past its parser: see door.py.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any

import uvloop

# Before Daphne is imported: it makes Twisted's loop then.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

import structlog  # noqa: E402
from daphne import http_protocol  # noqa: E402
from daphne.cli import CommandLineInterface  # noqa: E402
from daphne.server import Server  # noqa: E402
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol  # noqa: E402
from twisted.internet import reactor, tcp  # noqa: E402
from twisted.web import http  # noqa: E402

log = structlog.get_logger(__name__)

PIECE_BYTES = 256 * 1024  # of a body, handed to the transport at once
STALLED_SECONDS = 60.0  # in which a piece must be taken; a download may go as slowly as 4 KB a second


class Room:
    """Whether a socket's transport takes more: Twisted tells a producer when 64 KiB wait, and when none do."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    async def wait(self) -> None:
        """Waits until there is room."""
        await self._free.wait()

    def pauseProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Takes note that too much waits."""
        self._free.clear()

    def resumeProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Takes note that all of it is sent."""
        self._free.set()

    def stopProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Takes note that the connection is lost: nobody is to wait for it."""
        self._free.set()


class Socket(WebSocketProtocol):  # type: ignore[misc]  # daphne has no types
    """A websocket that knows whether its client reads."""

    maxMessagePayloadSize: int  # noqa: N815  # Autobahn's name

    def __init__(self) -> None:
        super().__init__()
        self.room = Room()

    def onOpen(self) -> None:  # noqa: N802  # Autobahn's name
        """Takes the place of the HTTP channel, which has nothing more to send after the handshake."""
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.room, True)
        super().onOpen()

    def sendMessage(self, payload: bytes, *args: Any, **options: Any) -> None:  # noqa: N802  # Autobahn's name
        """Sends a message of any size: Daphne's bound of 1 MiB is for what clients send; a snapshot may be larger."""
        bound, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            super().sendMessage(payload, *args, **options)
        finally:
            self.maxMessagePayloadSize = bound


class Page(http_protocol.WebRequest):  # type: ignore[misc]  # daphne has no types
    """A request that knows, once its answer comes in pieces, whether its client reads them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.room: Room | None = None

    def handle_reply(self, message: Any) -> None:
        """Sends a piece of the answer."""
        if message.get("more_body") and self.room is None and not self.finished and self.channel is not None:
            self.room = Room()
            self.registerProducer(self.room, True)
        super().handle_reply(message)

    def finish(self) -> None:
        """Ends the answer: what is left of it waits in the transport."""
        if self.room is not None:
            self.unregisterProducer()
        super().finish()

    async def taken(self) -> None:
        """Waits until there is room for another piece; cuts the connection of a client that does not read."""
        if self.room is None:
            return
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self.room.wait()
        except TimeoutError:
            log.warning("download stalled", path=self.path.decode("ascii", "replace"), seconds=STALLED_SECONDS)
            if self.channel is not None:
                self.channel.transport.abortConnection()


class Web(Server):  # type: ignore[misc]  # daphne has no types
    """Daphne's server with a door before each of its TCP ports; nobody is sent more than their transport takes."""

    def listen_success(self, port: Any) -> None:
        """Takes the port over from Twisted; it closes the socket when the server ends."""
        super().listen_success(port)
        if type(port) is tcp.Port:  # not TLS, not a Unix socket
            from plant.door import Door

            port.stopReading()  # type: ignore[no-untyped-call]
            door = Door(
                port.socket,
                self.application,
                self.http_factory,
                forwarded=self.proxy_forwarded_address_header is not None,
            )
            running: Any = reactor
            running.addSystemEventTrigger("before", "shutdown", door.close)

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        """Sends, and comes back when there is room for more, as other servers do."""
        body = message.get("body", b"") if message["type"] == "http.response.body" else b""
        if len(body) > PIECE_BYTES:
            begun = range(0, len(body), PIECE_BYTES)
            for at in begun[:-1]:
                part = {"type": message["type"], "body": body[at : at + PIECE_BYTES], "more_body": True}
                await super().handle_reply(protocol, part)
                await protocol.taken()
            message = {**message, "body": body[begun[-1] :]}
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send":
            await protocol.room.wait()
        elif message.get("more_body"):
            await protocol.taken()


def _no_line(*_: Any) -> None:
    """Writes no access line; what matters is counted in /metrics."""


def spare() -> None:
    """Leaves out what Twisted and Daphne do for every request and nobody needs."""
    Server.log_action = _no_line
    http.HTTPFactory.log = _no_line  # type: ignore[method-assign, assignment]  # meant
    # Twisted runs each Content-Type through the mail parser; there are few of them.
    parse: Any = getattr(http, "_parseContentType", None)
    if parse is not None:
        http._parseContentType = lru_cache(maxsize=256)(parse)


def main() -> None:
    """Serves as the command line says."""
    spare()
    CommandLineInterface.server_class = Web
    WebSocketFactory.protocol = Socket
    http_protocol.WebRequest = Page
    CommandLineInterface.entrypoint()


if __name__ == "__main__":
    main()
