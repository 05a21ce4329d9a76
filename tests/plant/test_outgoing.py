"""What waits for one browser is bounded, in bytes and in time; who takes everything gets everything."""

import asyncio
import json

from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from devices.topology import Topology
from plant import live, outgoing


class Transport:
    """Takes frames while its gate is open."""

    def __init__(self):
        self.gate = asyncio.Event()
        self.taken = []
        self.ended = []
        self.over = asyncio.Event()

    async def send(self, text):
        self.taken.append(text)
        await self.gate.wait()

    async def too_slow(self, reason):
        self.ended.append(reason)
        self.over.set()


async def until(true):
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0)


async def test_frames_leave_in_order_and_one_at_a_time():
    transport = Transport()
    lane = outgoing.Outgoing(transport.send, transport.too_slow)
    for number in range(5):
        lane.put(str(number))
    await until(lambda: transport.taken)
    assert transport.taken == ["0"]
    transport.gate.set()
    await until(lambda: len(transport.taken) == 5)
    assert transport.taken == ["0", "1", "2", "3", "4"]
    assert transport.ended == []
    lane.stop()


async def test_frames_wait_up_to_so_many_bytes_then_the_connection_ends_once(monkeypatch):
    monkeypatch.setattr(outgoing, "MOST_BYTES", 10)
    transport = Transport()
    lane = outgoing.Outgoing(transport.send, transport.too_slow)
    lane.put("under way")
    await until(lambda: transport.taken)
    for _ in range(8):
        lane.put("five.")
    await transport.over.wait()
    assert transport.ended == ["15 bytes wait"]
    transport.gate.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (transport.taken, len(transport.ended)) == (["under way"], 1)
    lane.stop()


async def test_frame_larger_than_the_bound_is_sent_all_the_same(monkeypatch):
    monkeypatch.setattr(outgoing, "MOST_BYTES", 10)
    transport = Transport()
    transport.gate.set()
    lane = outgoing.Outgoing(transport.send, transport.too_slow)
    lane.put("a snapshot of many sensors")
    await until(lambda: transport.taken)
    lane.put("and an event")
    await until(lambda: len(transport.taken) == 2)
    assert transport.ended == []
    lane.stop()


async def test_frame_that_is_not_taken_in_time_ends_the_connection(monkeypatch):
    monkeypatch.setattr(outgoing, "MOST_SECONDS", 0.01)
    transport = Transport()
    lane = outgoing.Outgoing(transport.send, transport.too_slow)
    lane.put("one")
    await asyncio.wait_for(transport.over.wait(), 5)
    lane.put("two")
    assert (transport.taken, transport.ended) == (["one"], ["a frame of 3 bytes not taken in 0.01 s"])
    lane.stop()


async def test_frame_that_cannot_be_sent_ends_the_connection():
    async def broken(text):
        raise OSError("gone")

    transport = Transport()
    lane = outgoing.Outgoing(broken, transport.too_slow)
    lane.put("one")
    await asyncio.wait_for(transport.over.wait(), 5)
    assert transport.ended == ["a frame of 3 bytes not sent: OSError('gone')"]
    lane.stop()


async def test_browser_that_does_not_read_is_closed_with_a_code_of_its_own(settings, monkeypatch):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    monkeypatch.setattr(live, "topology", lambda: Topology(1, {}, {}, {}, {}, {}))
    monkeypatch.setattr(live, "snapshot", lambda view: {"type": "snapshot", "journal": 0})
    monkeypatch.setattr(outgoing, "MOST_SECONDS", 0.01)
    consumer = live.LiveConsumer.as_asgi()
    never = asyncio.Event()

    async def unread(scope, receive, send):
        async def hold(message):
            await send(message)
            if message["type"] == "websocket.send":
                await never.wait()

        await consumer(scope, receive, hold)

    socket = WebsocketCommunicator(unread, "/ws/live")
    socket.scope["user"] = User(username="olga")
    assert (await socket.connect())[0]
    await socket.send_to(text_data=json.dumps({"type": "subscribe"}))
    assert json.loads(await socket.receive_from())["type"] == "snapshot"
    assert await socket.receive_output(timeout=5) == {"type": "websocket.close", "code": live.TOO_SLOW}
    await socket.disconnect()
    assert not [task for task in asyncio.all_tasks() if "Outgoing" in repr(task)]
