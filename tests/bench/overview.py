"""What a page of the whole plant is sent: every value, or the machines' states and the counts of what is fresh."""

from __future__ import annotations

import json
import time
from typing import Any

import psutil
import uvloop
import websockets

from tests.bench.way import Ready

EVERY_VALUE: dict[str, Any] = {"values": True}
SUMS: dict[str, Any] = {"values": "states", "freshness": True}


async def _look(ready: Ready, asked: dict[str, Any], seconds: float) -> dict[str, float]:
    address = ready.stack.url.replace("http", "ws") + "/ws/live"
    headers = {"Authorization": f"Bearer {ready.person}"}
    web = psutil.Process(ready.stack.processes["web"].pid)
    async with websockets.connect(
        address, additional_headers=headers, max_size=None, origin=None, ping_interval=None, compression=None
    ) as live:
        await live.send(json.dumps({"type": "subscribe", "assets": None, "alarms": "all", **asked}))
        snapshot = len(str(await live.recv()))
        size = 0
        began, spent = time.monotonic(), sum(web.cpu_times()[:2])
        while time.monotonic() - began < seconds:
            size += len(str(await live.recv()))
        took = time.monotonic() - began
        return {
            "snapshot": snapshot,
            "bytes": size / took,
            "cpu": (sum(web.cpu_times()[:2]) - spent) / took,
        }


def overview(ready: Ready, *, seconds: float) -> list[tuple[str, dict[str, float]]]:
    """Gives for each way of asking: characters of the snapshot, characters a second, cores of the web."""
    load = ready.load(seconds=3600, rate=ready.sensors, batch=1000, connections=4)
    try:
        # The first seconds compile the engine and make each sensor's first chunk.
        time.sleep(10)
        while ready.lag()["seconds"] > 2:
            time.sleep(1)
        return [
            (name, uvloop.run(_look(ready, asked, seconds)))
            for name, asked in (("every value", EVERY_VALUE), ("states and counts", SUMS))
        ]
    finally:
        load.kill()
        load.wait()
