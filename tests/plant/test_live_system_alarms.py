"""An alarm of no asset on the operators' socket: whoever looks at one machine only learns of it all the same."""

import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from alerts import services
from alerts.models import Alarm
from plant import live
from plant.journal_tail import journal_head
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scenario(clean_redis):
    return Scenario(clean_redis)


@pytest.fixture
def temp():
    return factories.sensor(factories.plant()[0])


class Browser:
    """Keeps alarms as a page does: a snapshot, then what is newer."""

    def __init__(self, user, assets):
        self._socket = WebsocketCommunicator(live.LiveConsumer.as_asgi(), "/ws/live")
        self._socket.scope["user"] = user
        self._assets = assets

    async def __aenter__(self):
        assert (await self._socket.connect())[0]
        await self._socket.send_to(text_data=json.dumps({"type": "subscribe", "assets": self._assets}))
        first = await self._next()
        assert first["type"] == "snapshot"
        self.journal, self.alarms = first["journal"], {alarm["id"]: alarm for alarm in first["alarms"]}
        return self

    async def __aexit__(self, *_):
        await self._socket.disconnect()

    async def _next(self):
        return json.loads(await self._socket.receive_from(timeout=5))

    async def upto(self, journal, *, frames=("alarm", "beat")):
        """Takes frames until the journal's number is reached, of a kind that may carry it there."""
        while self.journal < journal:
            frame = await self._next()
            if frame["type"] == "alarm":
                alarm = frame["alarm"]
                self.alarms[alarm["id"]] = alarm
                if alarm["closed"]:
                    del self.alarms[alarm["id"]]
            if frame["type"] in frames:
                self.journal = frame["journal"]


@sync_to_async
def head():
    return journal_head()


@sync_to_async
def replace_streams(scenario, temp):
    scenario.send(temp, 0, 20.0)
    scenario.drain(0.1)
    scenario.client.flushall()
    scenario.client.set("andon:epoch", "another")
    scenario.drain(1.1)


@sync_to_async
def acknowledge(user):
    services.acknowledge(alarm_id=Alarm.objects.get().pk, user=user, comment="", now=Scenario.at(2))


# A part of the plant without any asset hears of it by the beat alone.
@pytest.mark.parametrize("assets", [None, ["press-1-1"], ["nothing-of-that-name"]])
@pytest.mark.parametrize("frames", [("alarm", "beat"), ("beat",)])
async def test_old_snapshot_and_events_are_a_fresh_snapshot(scenario, temp, assets, frames):
    user = await sync_to_async(factories.operator)()
    async with Browser(user, assets) as old:
        await replace_streams(scenario, temp)
        await old.upto(await head(), frames=frames)
        async with Browser(user, assets) as fresh:
            assert old.alarms == fresh.alarms
            assert [alarm["asset"] for alarm in fresh.alarms.values()] == [""]
        await acknowledge(user)
        await old.upto(await head(), frames=frames)
        async with Browser(user, assets) as fresh:
            assert old.alarms == fresh.alarms == {}


async def test_alarm_of_no_asset_comes_at_once_to_who_looks_at_one_machine(scenario, temp, monkeypatch):
    monkeypatch.setattr(live, "BEAT", 60.0)
    user = await sync_to_async(factories.operator)()
    async with Browser(user, ["press-1-1"]) as browser:
        await replace_streams(scenario, temp)
        await browser.upto(await head(), frames=("alarm",))
        assert len(browser.alarms) == 1
