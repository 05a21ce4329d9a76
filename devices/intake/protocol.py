"""HTTP for many small senders: uvicorn's parser with an end to what a stranger may send before a request is whole."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MOST = 64 * 1024  # bytes of a request's line and headers
HEAD_SECONDS = 20.0  # from the first byte, or from the connection's start, to the last header
IDLE_SECONDS = 75  # a gateway that sends once a minute keeps its connection

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\ncontent-length: 38\r\n"
    b'connection: close\r\n\r\n{"error":"the headers are too long"}\r\n'
)


def options(application: Any) -> dict[str, Any]:
    """Gives uvicorn's options to serve an application by this parser: no log lines, no header that tells of it."""
    return {
        "app": application,
        "http": IntakeProtocol,
        "access_log": False,
        "server_header": False,
        "date_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": IDLE_SECONDS,
    }


class Corked:
    """A transport whose writes of one turn of the loop leave as one: an answer's head and body in one packet."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        # What is asked most; everything else is passed on below.
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Holds data until this turn of the loop is over."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        """Closes after what was written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            data, self._held = b"".join(self._held), []
            self._transport.write(data)


class IntakeProtocol(HttpToolsProtocol):
    """One connection. An endless or a very slow head ends it; bodies are bounded by whoever reads them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._head = 0  # bytes of a head that is not whole
        self._in_head = True  # nothing has come yet, or a head has begun
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base
        """Waits for the first head."""
        super().connection_made(Corked(transport, self.loop))  # type: ignore[arg-type]  # it passes for one
        self._patience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of the timer."""
        self._be_patient()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes bytes; most requests come whole and cost nothing here."""
        super().data_received(data)
        if not self._in_head:
            if self._head or self._patience is not None:
                self._head = 0
                self._be_patient()
            return
        self._head += len(data)
        if self._head > HEAD_MOST:
            self._refuse()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def on_message_begin(self) -> None:
        """Notes that a head has begun."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Notes that the head is whole."""
        self._in_head = False
        super().on_headers_complete()

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _give_up(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.close()
