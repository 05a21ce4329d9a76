"""A browser that stops reading, on a real Daphne: it is shown out, and nobody else notices."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import psutil
import pytest
import websockets
from channels_redis.pubsub import RedisPubSubChannelLayer

from devices.events import VALUES
from tests.stack import Stack

pytestmark = pytest.mark.chaos

ROW = '["press-1-1/temp",0,20.0,"good"]'
ROWS = ",".join([ROW] * 30_000)  # about a megabyte
LAST = '["press-1-1/last",0,20.0,"good"]'
MANY = 60

CAST = """
from devices.services import ensure_shards
from plant.tokens import make_token
from tests import factories
ensure_shards()
asset = factories.plant()[0]
print(asset.pk, make_token(user=factories.viewer()))
"""


def apart(scene):
    """Runs a scene in a thread with a loop of its own: the browser's tests leave theirs running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, scene).result()


@asynccontextmanager
async def browser(stack, token):
    """Gives a socket that has its snapshot; the kernel keeps little of what it does not read."""
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    end.connect(("127.0.0.1", stack.port))
    async with websockets.connect(
        stack.url.replace("http", "ws") + "/ws/live",
        additional_headers={"Authorization": f"Bearer {token}"},
        max_size=None, max_queue=1, ping_interval=None, compression=None, close_timeout=1, sock=end,
    ) as live:  # fmt: skip
        await live.send(json.dumps({"type": "subscribe"}))
        assert json.loads(await live.recv())["type"] == "snapshot"
        yield live


async def values(live):
    """Gives how many rows a reader gets up to the last one, or to the end of its connection, and how that ended."""
    rows = 0
    try:
        while True:
            text = await live.recv()
            rows += text.count(ROW)
            if '"press-1-1/last"' in text:
                return rows, None
    except websockets.ConnectionClosed as closed:
        return rows, closed


def live_layer(stack):
    return RedisPubSubChannelLayer(hosts=[{"address": f"unix://{stack.redis_socket}"}], prefix="andon-live")


async def flood(stack, machine):
    """Sends what many drains would, at a pace that a browser which reads keeps up with."""
    layer = live_layer(stack)
    for number in range(MANY):
        rows = ROWS if number < MANY - 1 else LAST
        await layer.group_send(VALUES, {"type": "live.values", "rows": {machine: rows}})
        await asyncio.sleep(0.2)
    await layer.flush()


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("slow") / "plant") as running:
        running.cast = running.script(CAST).split()
        running.start("web")
        yield running


def test_browser_that_stops_reading_is_ended_and_delays_nobody(stack):
    apart(_stops_reading(stack))


async def _stops_reading(stack):
    machine, token = stack.cast
    web = psutil.Process(stack.processes["web"].pid)
    async with browser(stack, token) as slow, browser(stack, token) as quick:
        before = web.memory_info().rss
        reading = asyncio.create_task(values(quick))
        await flood(stack, machine)
        assert await asyncio.wait_for(reading, 60) == ((MANY - 1) * 30_000, None)
        grown = (web.memory_info().rss - before) / 1e6
        rows, ended = await asyncio.wait_for(values(slow), 60)
        print(f"web grew by {grown:.0f} MB; the slow one got {rows} rows; {ended}")
        assert ended is not None
        assert rows < (MANY - 1) * 30_000
        # It comes back by snapshot.
        async with browser(stack, token):
            pass


def test_frame_of_many_megabytes_reaches_a_browser_that_reads(stack):
    apart(_many_megabytes(stack))


async def _many_megabytes(stack):
    """As the snapshot of a large plant is: Daphne by itself sends none above one."""
    machine, token = stack.cast
    async with browser(stack, token) as quick:
        layer = live_layer(stack)
        for rows in (",".join([ROWS] * 8), LAST):
            await layer.group_send(VALUES, {"type": "live.values", "rows": {machine: rows}})
        assert await asyncio.wait_for(values(quick), 30) == (240_000, None)
        await layer.flush()
