"""How fresh the plant's data is: counted once a second for all browsers of a process; none needs every value for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import structlog
from channels.db import database_sync_to_async

from alerts.silence.queries import Silent, silent_parts
from devices.models import Source
from devices.telemetry import latest
from plant.machines import stale_after
from plant.pages.tree import SensorRow, Tree, tree
from plant.relay import relay

log = structlog.get_logger(__name__)

PACE = 1.0  # seconds between two frames
READ_AGAIN = 60.0  # seconds after which Redis is asked again: a message to this process may have been lost
NEVER = -1  # µs: of a sensor that has not reported
_UNLIMITED = np.iinfo(np.int64).max

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Listener(Protocol):
    """One browser's end."""

    def hear_freshness(self, frame: str) -> None:
        """Takes a frame; must not wait."""


@dataclass(frozen=True)
class Count:
    """Which sensor counts to what, at one revision of the plant. Arrays go by place in `sensors`, ids ascending.

    `limit`: µs after which a reading is old; `machine`: place in `codes`, -1 for a sensor of no machine; `sources`:
    name and the places of what it sends for.
    """

    revision: int
    sensors: Int32
    limit: Int64
    machine: Int32
    codes: list[str]
    sources: list[tuple[str, Int32]]
    by_shard: dict[int, list[int]]
    rows: list[SensorRow]
    asset_codes: Mapping[int, str]

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Gives the places of each asset's code and each sensor's tag, as silence names them."""
        found: dict[str, list[int]] = {}
        for place, row in enumerate(self.rows):
            code = self.asset_codes[row.asset]
            found.setdefault(code, []).append(place)
            found[f"{code}/{row.key}"] = [place]
        return found

    def places_of(self, sensors: Int32) -> tuple[Int32, Bools]:
        """Gives the place of each sensor by id, and which of them are known at all."""
        if not len(self.sensors):
            return np.zeros(len(sensors), np.int32), np.zeros(len(sensors), np.bool_)
        places = np.searchsorted(self.sensors, sensors).clip(max=len(self.sensors) - 1).astype(np.int32)
        return places, self.sensors[places] == sensors


def count_of(plant: Tree) -> Count:
    """Gives what counts to what. Cost: one query."""
    rows = sorted(plant.sensors, key=lambda row: row.pk)
    cells = {cell.pk: place for place, cell in enumerate(plant.cells)}
    by_asset: dict[int, list[int]] = {}
    by_shard: dict[int, list[int]] = {}
    limit = np.full(len(rows), _UNLIMITED, np.int64)
    machine = np.full(len(rows), -1, np.int32)
    for place, row in enumerate(rows):
        by_asset.setdefault(row.asset, []).append(place)
        by_shard.setdefault(row.shard, []).append(row.pk)
        seconds = stale_after(row.interval)
        if seconds is not None:
            limit[place] = round(seconds * 1e6)
        if (cell := plant.cell_of.get(row.asset)) is not None:
            machine[place] = cells[cell.pk]
    sources = []
    for name, scope in Source.objects.filter(enabled=True).order_by("name").values_list("name", "scope_id"):
        below = plant.nodes[scope].walk() if scope in plant.nodes else ()
        places = [place for node in below for place in by_asset.get(node.pk, ())]
        sources.append((name, np.array(places, np.int32)))
    return Count(
        revision=plant.revision,
        sensors=np.array([row.pk for row in rows], np.int32),
        limit=limit,
        machine=machine,
        codes=[cell.code for cell in plant.cells],
        sources=sources,
        by_shard=by_shard,
        rows=rows,
        asset_codes={pk: node.code for pk, node in plant.nodes.items()},
    )


class Freshness:
    """The plant's newest reading times, kept up by what the relay hears. For one event loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._lock = asyncio.Lock()
        self._count: Count | None = None
        self._newest: Int64 = np.empty(0, np.int64)  # µs
        self._told: Int64 = np.empty(0, np.int64)  # µs: each machine's newest as the browsers were told it
        self._silent: Mapping[str, Silent] = {}
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
        self._listeners.discard(listener)
        async with self._lock:
            if self._listeners:
                return
            if self._pulse is not None:
                self._pulse.cancel()
            self._pulse, self._count = None, None
            await relay().uncount(self)

    def take(self, sensors: bytes, times: bytes) -> None:
        """Takes what a drain told: ids (int32) and times in µs (int64)."""
        if self._count is None:
            return
        places, known = self._count.places_of(np.frombuffer(sensors, np.int32))
        places = places[known]
        self._newest[places] = np.maximum(self._newest[places], np.frombuffer(times, np.int64)[known])

    def whole(self) -> dict[str, Any]:
        """Gives how fresh everything is, every machine named."""
        return self._frame(_now_us(), self._machines(), None)

    async def _read(self) -> None:
        """Reads the plant, its sources, and all newest times."""
        count = await database_sync_to_async(lambda: count_of(tree()))()
        sensors, times = await asyncio.to_thread(latest.times, count.by_shard)
        newest = np.full(len(count.sensors), NEVER, np.int64)
        heard = [(sensors, times)] if self._count is None else [(sensors, times), (self._count.sensors, self._newest)]
        for ids, at in heard:
            places, known = count.places_of(ids)
            newest[places[known]] = np.maximum(newest[places[known]], at[known])
        if self._count is None or self._count.revision != count.revision:
            self._told = np.full(len(count.codes), NEVER, np.int64)
        self._count, self._newest = count, newest
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
        revision = await database_sync_to_async(_revision)()
        if self._count is None or self._count.revision != revision or time.monotonic() - self._read_at > READ_AGAIN:
            await self._read()
        else:
            self._silent = await database_sync_to_async(silent_parts)()
        machines = self._machines()
        frame = json.dumps({"type": "freshness", **self._frame(_now_us(), machines, self._told)}, separators=(",", ":"))
        self._told = machines
        for listener in self._listeners:
            listener.hear_freshness(frame)

    def _machines(self) -> Int64:
        """Gives each machine's newest reading, in µs."""
        count = self._count
        assert count is not None, "nobody has joined"
        newest = np.full(len(count.codes), NEVER, np.int64)
        of_one = count.machine >= 0
        np.maximum.at(newest, count.machine[of_one], self._newest[of_one])
        return newest

    def _fresh(self, now: int) -> Bools:
        count = self._count
        assert count is not None, "nobody has joined"
        fresh: Bools = (self._newest != NEVER) & (now - self._newest <= count.limit)
        if self._silent:
            for name in self._silent:
                fresh[count.places.get(name, [])] = False
        return fresh

    def _frame(self, now: int, machines: Int64, told: Int64 | None) -> dict[str, Any]:
        count = self._count
        assert count is not None, "nobody has joined"
        fresh = self._fresh(now)
        changed = np.flatnonzero(machines != (NEVER if told is None else told))
        return {
            "time": now // 1000,
            "sensors": [int(fresh.sum()), len(fresh)],
            "machines": [[count.codes[place], int(machines[place]) // 1000] for place in changed],
            "sources": [
                [name, int(fresh[places].sum()), len(places), _newest_ms(self._newest[places])]
                for name, places in count.sources
            ],
        }


def _now_us() -> int:
    return time.time_ns() // 1000


def _newest_ms(times: Int64) -> int | None:
    newest = int(times.max(initial=NEVER))
    return None if newest == NEVER else newest // 1000


def _revision() -> int:
    return tree().revision


_all: WeakKeyDictionary[asyncio.AbstractEventLoop, Freshness] = WeakKeyDictionary()


def freshness() -> Freshness:
    """Gives the running loop's."""
    return _all.setdefault(asyncio.get_running_loop(), Freshness())
