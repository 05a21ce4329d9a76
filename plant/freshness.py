"""How fresh the plant's data is: counted once a second for all browsers of a process; none needs every value for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import structlog
from channels.db import database_sync_to_async

from alerts.silence.queries import Silent, silent_parts
from devices.models import Source
from devices.telemetry import latest
from plant.counting import NEVER, Count, Counted, Int32, Int64, count_of
from plant.pages.tree import tree
from plant.relay import relay

log = structlog.get_logger(__name__)

PACE = 1.0  # seconds between two frames
READ_AGAIN = 60.0  # seconds after which Redis is asked again: a message to this process may have been lost


class Listener(Protocol):
    """One browser's end."""

    def hear_freshness(self, frame: str) -> None:
        """Takes a frame; must not wait."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The plant that is counted, and each source's name and the places of what it sends for."""

    count: Count
    sources: list[tuple[str, Int32]]


def _scene() -> Scene:
    """Gives the plant as it is. Cost: two queries, or more after a change."""
    plant = tree()
    count = count_of(plant)
    rows = Source.objects.filter(enabled=True).order_by("name").values_list("name", "scope_id")
    return Scene(count, [(name, count.below(plant.nodes.get(scope))) for name, scope in rows])


class Freshness:
    """The plant's newest reading times, kept up by what the relay hears. For one event loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._lock = asyncio.Lock()
        self._scene: Scene | None = None
        self._newest: Int64 = np.empty(0, np.int64)  # µs
        self._told: Int64 = np.empty(0, np.int64)  # µs: each machine's newest as the browsers were told it
        self._silent: Mapping[str, Silent] = {}
        self._early: list[tuple[bytes, bytes]] = []  # what came while the plant was read for the first time
        self._read_at = 0.0
        self._pulse: asyncio.Task[None] | None = None

    async def join(self, listener: Listener) -> None:
        """Lets a listener hear a frame each PACE, from when this returns; `whole` is what they build on."""
        self._listeners.add(listener)
        async with self._lock:
            if self._pulse is None:
                # Heard first, then read: what arrives between the two is heard.
                await relay().count(self)
                await self._read()
                self._pulse = asyncio.create_task(self._beat())

    async def leave(self, listener: Listener) -> None:
        """Lets go of a listener; with the last one of everything."""
        if listener not in self._listeners:
            return  # and does not wait for who reads
        self._listeners.discard(listener)
        async with self._lock:
            if self._listeners:
                return
            if self._pulse is not None:
                self._pulse.cancel()
            self._pulse, self._scene = None, None
            self._early.clear()
            await relay().uncount(self)

    def take(self, sensors: bytes, times: bytes) -> None:
        """Takes what a drain told: ids (int32) and times in µs (int64)."""
        if self._scene is None:
            self._early.append((sensors, times))
        else:
            self._scene.count.keep(self._newest, np.frombuffer(sensors, np.int32), np.frombuffer(times, np.int64))

    def whole(self) -> dict[str, Any]:
        """Gives how fresh everything is, every machine named."""
        return self._frame(self._counted(), None)

    async def _read(self) -> None:
        """Reads the plant, its sources, and all newest times."""
        scene = await database_sync_to_async(_scene)()
        sensors, times = await asyncio.to_thread(latest.times, scene.count.by_shard)
        newest = scene.count.never()
        scene.count.keep(newest, sensors, times)
        if self._scene is not None:
            scene.count.keep(newest, self._scene.count.sensors, self._newest)
        if self._scene is None or self._scene.count is not scene.count:
            self._told = np.full(len(scene.count.cells), NEVER, np.int64)
        self._scene, self._newest = scene, newest
        for early in self._early:
            self.take(*early)
        self._early.clear()
        self._silent = await database_sync_to_async(silent_parts)()
        self._read_at = time.monotonic()

    async def _beat(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(PACE)
                try:
                    await self._look()
                except Exception as error:
                    # The pages say that they do not know, once they have heard nothing for a while.
                    log.warning("freshness not counted", error=str(error))

    async def _look(self) -> None:
        """Tells all listeners what has changed."""
        count = await database_sync_to_async(_count)()
        if self._scene is None or self._scene.count is not count or time.monotonic() - self._read_at > READ_AGAIN:
            await self._read()
        else:
            self._silent = await database_sync_to_async(silent_parts)()
        counted = self._counted()
        frame = json.dumps({"type": "freshness", **self._frame(counted, self._told)}, separators=(",", ":"))
        self._told = counted.machines
        for listener in self._listeners:
            listener.hear_freshness(frame)

    def _counted(self) -> Counted:
        assert self._scene is not None, "nobody has joined"
        return Counted(self._scene.count, self._newest, self._silent, time.time_ns() // 1000)

    def _frame(self, counted: Counted, told: Int64 | None) -> dict[str, Any]:
        assert self._scene is not None, "nobody has joined"
        machines, cells = counted.machines, counted.count.cells
        changed = np.flatnonzero(machines != (NEVER if told is None else told))
        sources = [(name, *counted.share(places)) for name, places in self._scene.sources]
        return {
            "time": counted.now // 1000,
            "sensors": [int(counted.fresh.sum()), len(counted.fresh)],
            "machines": [[cells[place].code, int(machines[place]) // 1000] for place in changed],
            "sources": [
                [name, fresh, every, None if newest is None else newest // 1000]
                for name, fresh, every, newest in sources
            ],
        }


def _count() -> Count:
    return count_of(tree())


_all: WeakKeyDictionary[asyncio.AbstractEventLoop, Freshness] = WeakKeyDictionary()


def freshness() -> Freshness:
    """Gives the running loop's."""
    return _all.setdefault(asyncio.get_running_loop(), Freshness())
