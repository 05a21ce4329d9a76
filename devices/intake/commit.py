"""Group commit: what requests bring while an append is under way goes with the next one, and is answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from redis.exceptions import RedisError

from devices.intake.metrics import ACCEPTED
from devices.intake.readings import Taken
from devices.telemetry import stream
from devices.telemetry.batch import Batch
from devices.telemetry.directory import Directory

log = structlog.get_logger(__name__)

# Readings that may wait for the append under way; beyond, a sender is asked to come again.
WAITING_MOST = 500_000


class NotKept(Exception):
    """The stream did not confirm an append: it may have it or not, and the sender must send it again."""


class Busy(Exception):
    """More waits for the stream than should be held in memory."""


class _Group:
    """What goes into the stream with one append, in the order of arrival."""

    __slots__ = ("few", "layout", "parts", "readings", "waiting")

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []
        self.readings = 0
        self.layout: int | None = None  # the oldest of its requests
        self.parts: list[tuple[npt.NDArray[Any], ...]] = []
        # Single readings are gathered in lists: five small arrays for each would cost more than the rest of its way.
        self.few: tuple[list[Any], ...] = ([], [], [], [], [])

    def add(self, taken: Taken) -> None:
        """Takes one request's readings."""
        self.readings += len(taken)
        self.layout = taken.layout if self.layout is None else min(self.layout, taken.layout)
        if isinstance(taken.sensor, list):
            sensor, shard, time, value, quality = self.few
            sensor += taken.sensor
            shard += taken.shard
            time += taken.time
            value += taken.value
            quality += taken.quality
        else:
            self._close_few()
            self.parts.append((taken.sensor, taken.shard, taken.time, taken.value, taken.quality))  # type: ignore[arg-type]  # arrays

    def _close_few(self) -> None:
        if self.few[0]:
            kinds = (np.int32, np.uint16, np.int64, np.float64, np.uint8)
            self.parts.append(tuple(np.array(column, kind) for column, kind in zip(self.few, kinds, strict=True)))
            self.few = ([], [], [], [], [])

    def parcels(self, directory: Directory) -> list[stream.Parcel]:
        """Gives the readings packed, by shard: first each shard's own, then the copies for rules of other shards."""
        self._close_few()
        columns = (
            self.parts[0] if len(self.parts) == 1 else [np.concatenate(part) for part in zip(*self.parts, strict=True)]
        )
        sensor, shard, time, value, quality = columns
        whole = Batch(sensor, time, value, quality)
        parcels: list[stream.Parcel] = []
        # Stable: a sensor's readings stay in the order of arrival.
        order = np.argsort(shard, kind="stable")
        by_shard = shard[order]
        edges = np.flatnonzero(by_shard[1:] != by_shard[:-1]) + 1
        for rows in np.split(order, edges):
            parcels += stream.parcels(int(shard[rows[0]]), whole.take(rows) if len(edges) else whole)
        for target, routed in directory.copies.items():
            rows = np.flatnonzero((shard != target) & _among(routed, sensor))
            if len(rows):
                parcels += stream.parcels(target, whole.take(rows), copy=True)
        return parcels


def _among(mask: npt.NDArray[np.bool_], sensor: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Tells which ids a mask holds; ids beyond it are newer than the mask and are not in it."""
    return mask.take(sensor, mode="clip") & (sensor < len(mask))


class GroupCommit:
    """Appends what requests bring, one append at a time; belongs to one event loop."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory
        self._group = _Group()
        self._running: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._connection = stream.connect_async()
        self._bells = Bells(self._loop)

    def add(self, taken: Taken) -> asyncio.Future[None]:
        """Puts readings into the next append.

        Gives: what is done when the stream has confirmed them, and raises NotKept where it did not.
        Raises: Busy.
        """
        group = self._group
        if group.readings > WAITING_MOST:
            raise Busy
        group.add(taken)
        future = self._loop.create_future()
        group.waiting.append(future)
        if self._running is None:
            # Runs after the requests that are ready now, so that they share the first append already.
            self._running = self._loop.create_task(self._run())
        return future

    async def _run(self) -> None:
        try:
            while self._group.waiting:
                group, self._group = self._group, _Group()
                await self._append(group)
        finally:
            self._running = None

    async def _append(self, group: _Group) -> None:
        error: NotKept | None = None
        try:
            appended = await stream.append_async(self._connection, group.parcels(self._directory()), group.layout)
        except (RedisError, OSError, TimeoutError) as failure:
            log.warning("readings not appended", readings=group.readings, error=str(failure))
            error = NotKept(str(failure))
        except Exception as failure:
            # Nobody may wait for ever for a group that broke.
            log.exception("readings not appended", readings=group.readings)
            error = NotKept(str(failure))
        else:
            ACCEPTED.inc(group.readings)
            self._bells.ring(appended.rung)
        for future in group.waiting:
            if future.done():  # the sender has gone
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    async def close(self) -> None:
        """Lets go of the connection, after what is under way."""
        if self._running is not None:
            await self._running
        await self._connection.disconnect()
        self._bells.close()


class Bells:
    """Calls workers from a thread of its own, because Celery publishes synchronously."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bells")
        self._shards: set[int] = set()
        self._busy = False

    def ring(self, shards: Sequence[int]) -> None:
        """Calls a worker for each shard, soon; what comes while the thread publishes goes together."""
        self._shards.update(shards)
        if self._shards and not self._busy:
            self._busy = True
            shards, self._shards = sorted(self._shards), set()
            self._loop.run_in_executor(self._thread, self._publish, shards).add_done_callback(self._done)

    @staticmethod
    def _publish(shards: Sequence[int]) -> None:
        try:
            stream.publish(shards)
        except Exception as error:
            # The bells run out by themselves, and beat rings every second.
            log.warning("workers not called", shards=list(shards), error=str(error))

    def _done(self, _: asyncio.Future[None]) -> None:
        self._busy = False
        self.ring(())

    def close(self) -> None:
        """Ends the thread."""
        self._thread.shutdown(wait=True)
