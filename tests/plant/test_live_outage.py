"""The operators' socket when what it stands on is gone: Redis, or the right to look."""

import asyncio
import json

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from redis import RedisError

from devices import metrics
from devices.topology import Topology
from plant import live


@pytest.fixture
def socket(settings, monkeypatch):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    monkeypatch.setattr(live, "topology", lambda: Topology(1, {}, {}, {}, {}, {}))

    def made():
        communicator = WebsocketCommunicator(live.LiveConsumer.as_asgi(), "/ws/live")
        communicator.scope["user"] = User(username="olga")
        return communicator

    return made


@pytest.mark.django_db(transaction=True)
async def test_browser_without_a_snapshot_is_closed_and_nothing_of_it_stays(socket, monkeypatch):
    def broken(view):
        raise RedisError("Connection refused")

    before = metrics.SOCKETS._value.get()
    communicator = socket()
    assert (await communicator.connect())[0]
    monkeypatch.setattr(live, "snapshot", lambda view: {"type": "snapshot", "journal": 0})
    await communicator.send_to(text_data=json.dumps({"type": "subscribe"}))
    assert json.loads(await communicator.receive_from())["type"] == "snapshot"
    monkeypatch.setattr(live, "snapshot", broken)
    await communicator.send_to(text_data=json.dumps({"type": "subscribe"}))
    assert await communicator.receive_output() == {"type": "websocket.close", "code": 1011}
    await communicator.disconnect()
    await asyncio.sleep(0)
    assert metrics.SOCKETS._value.get() == before
    assert not [task for task in asyncio.all_tasks() if "_beat" in repr(task)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("active", [True, False])
async def test_person_who_is_switched_off_is_shown_out(socket, monkeypatch, active):
    user = await User.objects.acreate(username="olga", is_active=True)
    monkeypatch.setattr(live, "BEAT", 0.01)
    monkeypatch.setattr(live, "ASK_AGAIN", 0.0)
    monkeypatch.setattr(live, "snapshot", lambda view: {"type": "snapshot", "journal": 0})
    communicator = socket()
    communicator.scope["user"] = user
    assert (await communicator.connect())[0]
    await User.objects.filter(pk=user.pk).aupdate(is_active=active)
    await communicator.send_to(text_data=json.dumps({"type": "subscribe"}))
    assert json.loads(await communicator.receive_from())["type"] == "snapshot"
    after = await communicator.receive_output()
    assert after["type"] == ("websocket.send" if active else "websocket.close")
    assert active or after["code"] == 4401
    await communicator.disconnect()
