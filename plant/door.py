"""The port of the web process: looks at how a connection begins and gives it to the intake's parser or to Daphne's.

Twisted's parser takes longer for a request than the intake takes for a reading. A connection that begins with a reading
is served by uvicorn's, in the same process and the same event loop; every other one is Daphne's.
Whatever follows on a connection of either kind is answered: the application behind both is the same.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import structlog
from twisted.internet import reactor as installed
from uvicorn.config import Config
from uvicorn.server import ServerState

from devices.intake.http import PATH
from devices.intake.protocol import IntakeProtocol, options

log = structlog.get_logger(__name__)

BEGINNING = f"POST {PATH} ".encode()
SILENT_SECONDS = 5.0  # after which a connection that says nothing is Daphne's to wait for
ACCEPT_MOST = 64  # connections taken before the loop looks at others

reactor: Any = installed


class Door:
    """Takes connections from a listening socket; belongs to the running event loop."""

    def __init__(self, listening: socket.socket, application: Any, daphne: Any, *, forwarded: bool) -> None:
        """Takes: the ASGI application; Daphne's HTTP factory; whether a proxy tells the client's address."""
        self._listening = listening
        self._daphne = daphne
        self._config = Config(
            **{**options(application), "proxy_headers": forwarded},
            forwarded_allow_ips="*",
            lifespan="off",
            log_config=None,
        )
        self._config.load()
        self._state = ServerState()
        self._loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop  # Daphne names it the current one later
        self._silent: dict[socket.socket, float] = {}
        self._opening: set[asyncio.Task[Any]] = set()
        self._loop.add_reader(listening, self._accept)
        self._sweeping = self._loop.call_later(SILENT_SECONDS, self._sweep)

    def close(self) -> None:
        """Takes no more connections, and ends those that wait for a request."""
        self._loop.remove_reader(self._listening)
        self._sweeping.cancel()
        for connection in list(self._silent):
            self._forget(connection)
            connection.close()
        for protocol in list(self._state.connections):
            protocol.shutdown()

    def _accept(self) -> None:
        for _ in range(ACCEPT_MOST):
            try:
                connection, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no file handle is left: those who wait get in when one is free again
                log.error("connection not taken", error=str(error))
                self._loop.remove_reader(self._listening)
                self._loop.call_later(1.0, self._loop.add_reader, self._listening, self._accept)
                return
            connection.setblocking(False)
            self._silent[connection] = time.monotonic()
            self._loop.add_reader(connection, self._look, connection)

    def _look(self, connection: socket.socket) -> None:
        """Decides whose a connection is, by its first bytes, which stay where they are."""
        self._forget(connection)
        try:
            beginning = connection.recv(len(BEGINNING), socket.MSG_PEEK)
        except OSError:
            connection.close()
            return
        if beginning == BEGINNING:
            task = self._loop.create_task(self._to_intake(connection))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self._to_daphne(connection)

    async def _to_intake(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.connect_accepted_socket(
                lambda: IntakeProtocol(self._config, self._state, {}, self._loop), connection
            )
        except OSError:
            connection.close()

    def _to_daphne(self, connection: socket.socket) -> None:
        try:
            reactor.adoptStreamConnection(connection.fileno(), connection.family, self._daphne)
        except OSError as error:
            log.error("connection not handed on", error=str(error))
        finally:
            connection.close()  # Twisted has its own handle of it

    def _forget(self, connection: socket.socket) -> None:
        self._loop.remove_reader(connection)
        self._silent.pop(connection, None)

    def _sweep(self) -> None:
        limit = time.monotonic() - SILENT_SECONDS
        for connection in [one for one, since in self._silent.items() if since < limit]:
            self._forget(connection)
            self._to_daphne(connection)
        self._sweeping = self._loop.call_later(SILENT_SECONDS, self._sweep)
