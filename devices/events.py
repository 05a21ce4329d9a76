"""What drains tell the screens: values as ready JSON, at most four times a second and shard."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from channels.layers import get_channel_layer

from devices.telemetry.batch import Int32, Quality
from devices.topology import Topology

if TYPE_CHECKING:
    from devices.telemetry.admission import Cursors

log = structlog.get_logger(__name__)

PACE = 0.25  # seconds between two frames of values of one shard
VALUES = "values"  # the group that hears them: one message for all areas, since a message costs more than its rows
_WORDS = {quality.value: f'"{quality.name.lower()}"' for quality in Quality}


class _Announcer:
    """Sends to the channel layer from a loop of its own, so that a worker keeps one connection and never waits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="announcer", daemon=True).start()

    def send(self, group: str, message: Mapping[str, Any]) -> None:
        """Sends one message to a group; messages leave in the order of the calls."""
        asyncio.run_coroutine_threadsafe(self._send(group, message), self._loop)

    @staticmethod
    async def _send(group: str, message: Mapping[str, Any]) -> None:
        try:
            await get_channel_layer().group_send(group, message)
        except Exception as error:
            # A screen that misses this finds it in the journal or in the next snapshot.
            log.warning("screens not told", group=group, error=str(error))


_announcer: _Announcer | None = None


def send(group: str, message: Mapping[str, Any]) -> None:
    """Sends a message to a channel-layer group from synchronous code, without waiting."""
    global _announcer
    if _announcer is None:
        _announcer = _Announcer()
    _announcer.send(group, message)


class _Pending:
    """A shard's sensors whose newest values the screens have not been told yet."""

    __slots__ = ("sensors", "told")

    def __init__(self) -> None:
        self.told = 0.0
        self.sensors: set[int] = set()


_pending: dict[int, _Pending] = defaultdict(_Pending)


def values(plant: Topology, shard: int, cursors: Cursors, rows: Iterable[int]) -> None:
    """Tells the screens the cursors' values of `rows`, now or with the first call after the pace."""
    pending = _pending[shard]
    pending.sensors.update(cursors.sensor[list(rows)].tolist())
    flush_values(plant, shard, cursors)


def flush_values(plant: Topology, shard: int, cursors: Cursors) -> None:
    """Sends what waits for the screens, as it is by now, if the pace allows it."""
    pending = _pending[shard]
    now = time.monotonic()
    if not pending.sensors or now - pending.told < PACE:
        return
    send(VALUES, message(plant, cursors, cursors.rows(np.fromiter(pending.sensors, np.int32))))
    pending.sensors.clear()
    pending.told = now


def forget() -> None:
    """Drops what waits for the screens, as a new process would start."""
    _pending.clear()


def message(plant: Topology, cursors: Cursors, rows: Int32) -> dict[str, Any]:
    """Gives what the screens are told of the cursors' `rows`.

    `rows` and `states`, the sensors that tell a machine's state: JSON text of rows `[tag, ms, value, quality]`, joined
    by commas, by machine's id. `sensors` and `times`: the same sensors' ids (int32) and times in µs (int64), for who
    only counts.
    """
    sensors, times = cursors.sensor[rows], cursors.last_time[rows]
    others: dict[str, list[str]] = defaultdict(list)
    states: dict[str, list[str]] = defaultdict(list)
    for sensor, at, value, quality in zip(
        sensors.tolist(),
        times.tolist(),
        cursors.last_value[rows].tolist(),
        cursors.last_quality[rows].tolist(),
        strict=True,
    ):
        place = plant.places.get(sensor)
        if place is not None:
            told = states if place.tells_state else others
            told[str(place.machine)].append(f"[{place.tag_json},{at // 1000},{value!r},{_WORDS[quality]}]")
    return {
        "type": "live.values",
        "rows": {machine: ",".join(texts) for machine, texts in others.items()},
        "states": {machine: ",".join(texts) for machine, texts in states.items()},
        "sensors": sensors.astype(np.int32).tobytes(),
        "times": times.astype(np.int64).tobytes(),
    }
