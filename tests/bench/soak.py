"""Watches memory at full load, once the stream's margin is full: what grows by then grows for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import redis

from tests.bench import way

# As devices.telemetry.stream names them, which this process cannot import: it has no Django.
TOTALS, STREAM = "andon:totals", "andon:stream:"

PAUSE = 5.0  # s from look to look
LONGEST_FILLING = 900.0  # s: the margin holds ten minutes at most


@dataclass(frozen=True)
class Soak:
    """What was seen: each process's MB by moment, from the moment at which the margin was full."""

    filled_after: float  # s
    minutes: list[float]
    memory: dict[str, list[float]]
    rate: float  # readings a second
    frames: int  # that a browser's socket heard

    def table(self) -> str:
        """Gives the table: MB at the begin and at the end, and the slope, of each process and of all."""
        lines = [f"{'resident, MB':24}{'begin':>10}{'end':>10}{'most':>10}{'MB/min':>10}"]
        total = [sum(sizes) for sizes in zip(*self.memory.values(), strict=True)]
        for name, sizes in [*sorted(self.memory.items()), ("all together", total)]:
            growth = slope(self.minutes, sizes)
            lines.append(f"{name:24}{sizes[0]:10,.1f}{sizes[-1]:10,.1f}{max(sizes):10,.1f}{growth:+10.2f}")
        lines.append(
            f"margin full after {self.filled_after:.0f} s, then {self.minutes[-1]:.1f} min, {len(self.minutes)} looks; "
            f"{self.rate:,.0f} readings/s, {self.frames:,} frames at a socket"
        )
        return "\n".join(lines)


def slope(minutes: Sequence[float], sizes: Sequence[float]) -> float:
    """Gives MB a minute by least squares."""
    return float(np.polyfit(minutes, sizes, 1)[0])


def full(client: redis.Redis) -> bool:
    """Tells whether the margin is full: every stream that was written has let go of something."""
    totals: Any = client.hgetall(TOTALS)
    given = {name[1:].decode(): int(count) for name, count in totals.items() if name[:1] == b"n"}
    kept: Any = {shard: client.xlen(f"{STREAM}{shard}") for shard in given}
    return bool(given) and all(count > kept[shard] for shard, count in given.items())


def soak(ready: way.Ready, *, minutes: float) -> Soak:
    """Sends at full speed with a socket open until the margin is full, then for some minutes more."""
    return asyncio.run(_soak(ready, minutes))


async def _soak(ready: way.Ready, minutes: float) -> Soak:
    over, frames = asyncio.Event(), [0]
    listener = asyncio.create_task(way.listen(ready, frames, over))
    client = redis.Redis(unix_socket_path=str(ready.stack.redis_socket))
    load = ready.load(seconds=LONGEST_FILLING + minutes * 60, batch=1000, connections=4)
    try:
        began = time.monotonic()
        while not await asyncio.to_thread(full, client):
            if load.poll() is not None or time.monotonic() - began > LONGEST_FILLING:
                raise RuntimeError("the stream's margin did not fill")
            await asyncio.sleep(1)
        filled = time.monotonic()
        accepted = await asyncio.to_thread(_taken, client)
        at: list[float] = []
        memory: dict[str, list[float]] = {}
        while not at or at[-1] < minutes:
            if at:
                await asyncio.sleep(PAUSE)
            found = await asyncio.to_thread(ready.memory)
            at.append((time.monotonic() - filled) / 60)
            for name, size in found.items():
                memory.setdefault(name, []).append(size)
        rate = (await asyncio.to_thread(_taken, client) - accepted) / (time.monotonic() - filled)
    finally:
        load.terminate()
        await asyncio.to_thread(load.wait)
        over.set()
        await listener
        client.close()
    return Soak(filled - began, at, memory, rate, frames[0])


def _taken(client: redis.Redis) -> int:
    """Gives how many readings the streams were given so far."""
    totals: Any = client.hgetall(TOTALS)
    return sum(int(count) for name, count in totals.items() if name.isdigit())
