"""Keeps the directory and the backlog fresh, from a thread, so that the event loop never waits for the database."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from devices.telemetry import hearing, stream
from devices.telemetry.directory import Directory

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
LISTEN_SECONDS = 1.0  # between two marks that somebody listens
APART_SECONDS = 0.05  # between two looks, however many strangers knock
_REFUTED_MOST = 100_000


class NotReady(Exception):
    """The plant has never been read: the database does not answer."""


class Watch:
    """What the intake knows of the plant; belongs to one event loop."""

    def __init__(self) -> None:
        self.directory: Directory | None = None
        self.backlog = 0  # readings that the stream has and no worker has judged yet
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self._looked: asyncio.Future[None] = self._loop.create_future()
        self._refuted: set[str] = set()
        self._ill = False
        self._marked = float("-inf")
        self._task = self._loop.create_task(self._run())

    async def plant(self) -> Directory:
        """Gives the directory. Raises: NotReady."""
        if self.directory is None:
            await self.look()
        if self.directory is None:
            raise NotReady
        return self.directory

    async def look(self) -> None:
        """Waits for a look at the database that begins after this call; calls at one time share it."""
        looked = self._looked
        self._wanted.set()
        await asyncio.shield(looked)

    def is_news(self, name: str) -> bool:
        """Tells whether an unknown tag or token is worth a look: not if the last look has shown it to be unknown."""
        return name not in self._refuted

    def refute(self, name: str) -> None:
        """Remembers, until the plant changes, that there is no such tag or token."""
        if len(self._refuted) >= _REFUTED_MOST:
            self._refuted.clear()
        self._refuted.add(name)

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            looked, self._looked = self._looked, self._loop.create_future()
            try:
                directory, backlog = await self._loop.run_in_executor(self._thread, self._read, self.directory)
            except Exception:
                log.exception("plant not read")
            else:
                if directory is not self.directory:
                    self.directory = directory
                    self._refuted.clear()
                self.backlog = backlog
            looked.set_result(None)
            await asyncio.sleep(APART_SECONDS)
            try:
                async with asyncio.timeout(POLL_SECONDS - APART_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    def _read(self, known: Directory | None) -> tuple[Directory | None, int]:
        """Reads what has changed; in the thread. Without database or Redis what was known stays good."""
        backlog = self.backlog
        try:
            known = Directory.load(known)
            client = stream.connect()
            backlog = sum(lag.readings for lag in stream.lag(client).values())
            if time.monotonic() - self._marked >= LISTEN_SECONDS:
                hearing.listen(client)
                self._marked = time.monotonic()
        except (DatabaseError, RedisError, OSError) as error:
            if not self._ill:
                log.warning("plant or backlog not read", error=str(error))
            self._ill = True
            if isinstance(error, DatabaseError):
                connection.close()
        else:
            self._ill = False
        return known, backlog

    async def close(self) -> None:
        """Ends the task and the thread."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._loop.run_in_executor(self._thread, lambda: connection.close())  # the thread's own
        self._thread.shutdown(wait=True)
