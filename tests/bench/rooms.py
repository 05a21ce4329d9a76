"""Many browsers at once: 50,000 sensors at 1 Hz, 200 sockets that look at an area each, alarms timed at all of them.

The sockets' own process shares the machine with Andon and the load generator.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop
import websockets

from tests.bench.way import PER_ASSET, Ready, bench_type

AREAS = 200


def plant_yaml(sensors: int) -> str:
    """Gives a plant of AREAS areas with machines of ten sensors each, one high rule per sensor."""
    lines = [*bench_type(), "assets:", "  - {code: bench-site, name: Bench, level: site}"]
    lines += [f"  - {{code: a{area:03d}, name: Area {area}, level: area, parent: bench-site}}" for area in range(AREAS)]
    lines += [
        f"  - {{code: m{machine:05d}, name: M{machine}, level: machine, parent: a{machine % AREAS:03d}, type: bench}}"
        for machine in range(sensors // PER_ASSET)
    ]
    lines.append("  - {code: crossing, name: Crossing, level: machine, parent: a000, type: bench}")
    lines += ["sources:", "  - {name: bench-plant, scope: bench-site}"]
    return "\n".join(lines) + "\n"


class Browser:
    """One socket: notes when each crossing's alarm came and how many rows of values."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        self.rows = 0
        self.ended = ""

    async def read(self, live: websockets.ClientConnection) -> None:
        """Reads until it is cancelled or shown out."""
        try:
            while True:
                text = str(await live.recv())
                at = time.perf_counter()
                if text.startswith('{"type":"values"'):
                    self.rows += text.count('["')
                elif '"alarm"' in text[:20] and '"asset":"crossing"' in text:
                    alarm = json.loads(text)["alarm"]
                    if alarm["state"] == "B":
                        self.came.setdefault(alarm["sensor"], at)
        except websockets.ConnectionClosed as closed:
            self.ended = str(closed)


@asynccontextmanager
async def look(ready: Ready, assets: list[str] | None, **options: Any) -> AsyncIterator[websockets.ClientConnection]:
    """Gives a socket that is subscribed to these assets' values and to all alarms."""
    address = ready.stack.url.replace("http", "ws") + "/ws/live"
    headers = {"Authorization": f"Bearer {ready.person}"}
    async with websockets.connect(
        address, additional_headers=headers, max_size=None, origin=None, ping_interval=None, open_timeout=60, **options
    ) as live:
        await live.send(json.dumps({"type": "subscribe", "assets": assets, "alarms": "all", "values": True}))
        yield live


def deaf_end(ready: Ready) -> socket.socket:
    """Gives a connection whose kernel keeps little of what is not read."""
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    end.connect(("127.0.0.1", ready.stack.port))
    return end


async def _rooms(ready: Ready, crossings: int) -> dict[str, Any]:
    browsers = [Browser() for _ in range(AREAS)]
    async with asyncio.TaskGroup() as readers, AsyncExitStack() as open_sockets:
        tasks = []
        for area, browser in enumerate(browsers):
            live = await open_sockets.enter_async_context(look(ready, [f"a{area:03d}"]))
            await live.recv()  # the snapshot
            tasks.append(readers.create_task(browser.read(live)))
        # It asks for the whole plant and reads nothing of it.
        await open_sockets.enter_async_context(look(ready, None, sock=deaf_end(ready), max_queue=1, compression=None))
        load = ready.load(seconds=3600, rate=ready.sensors, batch=1000, connections=4)
        spent, began = ready.cpu(), time.monotonic()
        rows = sum(browser.rows for browser in browsers)
        sent: dict[str, float] = {}
        waits: list[float] = []
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", ready.stack.intake_port)
            await asyncio.sleep(5)
            for number in range(crossings):
                key = f"s{number % PER_ASSET}"
                for browser in browsers:
                    browser.came.clear()
                sent[key] = time.perf_counter()
                await _send(reader, writer, ready, f"crossing/{key}", 95.0)
                while not all(browser.came or browser.ended for browser in browsers):
                    await asyncio.sleep(0.01)
                    if time.perf_counter() - sent[key] > 30:
                        break
                waits += [next(iter(browser.came.values()), float("inf")) - sent[key] for browser in browsers]
                await _send(reader, writer, ready, f"crossing/{key}", 50.0)
                await asyncio.sleep(0.3 + (number % 17) * 0.013)
            took = time.monotonic() - began
            found = {
                "waits": sorted(waits),
                "rows": (sum(browser.rows for browser in browsers) - rows) / took,
                "ended": [browser.ended for browser in browsers if browser.ended],
                "lag": (await asyncio.to_thread(ready.lag))["seconds"],
                "cpu": (ready.cpu() - spent) / took,
                "memory": sum(ready.memory().values()),
            }
        finally:
            load.kill()
            load.wait()
            for task in tasks:
                task.cancel()
    return found


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ready: Ready, tag: str, value: float
) -> None:
    body = json.dumps({"values": {tag: value}}).encode()
    writer.write(
        b"POST /api/v1/telemetry HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        + f"Authorization: Bearer {ready.source}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await reader.read(4096)


def rooms(ready: Ready, *, crossings: int) -> dict[str, Any]:
    """Gives the waits in s from sending a crossing to its alarm, at each of the sockets, and what it cost.

    `rows`: rows of values that the sockets took a second; `ended`: why sockets that read were closed; `lag`: s of
    readings not yet judged at the end; `cpu`: cores that Andon took; `memory`: MB.
    """
    return uvloop.run(_rooms(ready, crossings))


def prepare(folder: Path, sensors: int) -> Ready:
    """Gives Andon with this plant, its intake in a process of its own as a plant of that size has it."""
    return Ready.of(folder / "var", sensors, intake=True, plant=plant_yaml(sensors))
