"""What the overview is told once a second is what a page counts from every sensor."""

import asyncio
import json
import struct
import time
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.utils import timezone

from alerts.models import Alarm
from devices import services
from devices.models import Asset, Sensor
from plant import freshness as counting
from plant import live
from plant.counting import count_of
from plant.freshness import Freshness
from plant.pages.overview import Board
from plant.pages.tree import tree
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db(transaction=True)

STATES = {"0": "stopped", "1": "execute"}


def build():
    """Gives six machines with a temperature and a state, a part with a vibration, and a gateway for one line."""
    made = factories.plant(lines=2, machines=3)
    for machine in made:
        factories.sensor(machine)
        factories.sensor(machine, "state", quantity="state", unit="", range_low=None, range_high=None, labels=STATES)
    part = services.create_asset(code="spindle", name="Spindle", level="module", parent=made[0])
    factories.sensor(part, "vib", quantity="vibration", unit="mm/s")
    factories.sensor(made[1], "door", interval=None)
    factories.sensor(Asset.objects.get(code="works"), "outdoor", interval=600.0)
    services.create_source(name="gateway", scope=Asset.objects.get(code="line-1"))
    services.create_source(name="other", scope=Asset.objects.get(code="line-2"))
    return made


def show(client, sensor, *, seconds_ago):
    """Writes a newest reading as a drain does."""
    at = int((time.time() - seconds_ago) * 1e6)
    client.hset(f"andon:latest:{sensor.asset.shard}", str(sensor.pk), struct.pack("<qdB", at, 1.0, 0))


def silenced(*parts):
    """Gives Andon's own alarm that these parts are not heard."""
    since = timezone.now() - timedelta(minutes=5)
    frozen = {"silent": list(parts), "silent_name": "Gateway", "silent_since": since.isoformat()}
    return Alarm.objects.create(rule=None, active=True, state="B", priority=2, raised=since, message="-", frozen=frozen)


def counted():
    """Gives what the server counts, in the words of the page's."""

    async def whole():
        mine, listener = Freshness(), object()
        await mine.join(listener)
        found = mine.whole()
        await mine.leave(listener)
        return found

    return asyncio.run(whole())


def test_what_is_counted_at_once_is_what_the_page_counts_sensor_by_sensor(clean_redis):
    made = build()
    ages = {"temp": 1, "state": 400, "vib": 2, "door": 9000, "outdoor": 1000}
    for sensor in Sensor.objects.exclude(asset=made[2]):
        show(clean_redis, sensor, seconds_ago=ages[sensor.key])
    show(clean_redis, made[4].sensors.get(key="state"), seconds_ago=1)
    silenced(made[3].code, f"{made[1].code}/temp")
    board = Board(tree(), timezone.now())
    fresh, old = board.freshness
    found = counted()
    assert found["sensors"] == [fresh, fresh + old]
    # Three temperatures of five, a state, the part's vibration, the door, and what is measured outdoors.
    assert (fresh, old) == (7, 8)
    cells = {
        cell.code: cell.newest // 1000
        for area in board.areas
        for line in area.lines
        for cell in line.cells
        if cell.newest
    }
    assert dict(found["machines"]) == cells
    assert len(cells) == 5
    assert [(name, fresh, all) for name, fresh, all, _newest in found["sources"]] == [
        (row.source.name, row.fresh, row.sensors) for row in board.connections
    ]
    assert [newest is None for *_rest, newest in found["sources"]] == [row.age is None for row in board.connections]


async def next_of(socket, kind, *, none_of=None):
    """Gives the next frame of a kind, and the values that came before it; of another kind none may have come."""
    values: list[list[object]] = []
    while True:
        frame = json.loads(await socket.receive_from(timeout=5))
        if frame["type"] == kind:
            return frame, values
        assert frame["type"] != none_of
        if frame["type"] == "values":
            values += frame["values"]


async def subscribed(user, **asked):
    """Gives a socket and its snapshot."""
    socket = WebsocketCommunicator(live.LiveConsumer.as_asgi(), "/ws/live")
    socket.scope["user"] = user
    assert (await socket.connect())[0]
    await socket.send_to(text_data=json.dumps({"type": "subscribe", **asked}))
    return socket, (await next_of(socket, "snapshot"))[0]


class Sender:
    """Sends readings of the present through the streams and the drains."""

    def __init__(self, client):
        self._scenario = Scenario(client)
        self._start = Scenario.us(0)

    def send(self, *sensors):
        now = (time.time_ns() // 1000 - self._start) / 1e6
        for sensor in sensors:
            self._scenario.send(sensor, now, 1.0)
        self._scenario.drain(now)


async def test_overview_hears_states_and_counts_and_no_other_value(clean_redis):
    made = await sync_to_async(build)()
    temp, state = [
        await Sensor.objects.select_related("asset").aget(asset=made[0], key=key) for key in ("temp", "state")
    ]
    vib = await Sensor.objects.select_related("asset").aget(key="vib")
    sender = Sender(clean_redis)
    await sync_to_async(sender.send)(temp, state)
    user = await sync_to_async(factories.viewer)()
    socket, first = await subscribed(user, values="states", freshness=True, alarms="all")
    assert [row[0] for row in first["values"]] == ["press-1-1/state"]
    assert first["freshness"]["sensors"] == [2, 15]
    assert [code for code, _ in first["freshness"]["machines"]] == ["press-1-1"]
    before = first["freshness"]["machines"][0][1]
    await asyncio.sleep(0.3)  # the drains' pace
    await sync_to_async(sender.send)(temp, state, vib)
    values: list[list[object]] = []
    told: dict[str, int] = {}
    while True:
        frame, came = await next_of(socket, "freshness")
        values += came
        told |= dict(frame["machines"])
        if frame["sensors"] == [3, 15]:
            break
    assert {row[0] for row in values} == {"press-1-1/state"}
    assert list(told) == ["press-1-1"]
    assert told["press-1-1"] > before
    assert [row[:3] for row in frame["sources"]] == [["gateway", 3, 8], ["other", 0, 6]]
    # Nothing has changed for a second: no machine is named again.
    frame, _ = await next_of(socket, "freshness")
    assert frame["machines"] == []
    await socket.disconnect()


async def test_page_that_asks_for_values_hears_all_of_them_and_no_counts(clean_redis, monkeypatch):
    monkeypatch.setattr(counting, "PACE", 0.05)
    made = await sync_to_async(build)()
    temp, state = [
        await Sensor.objects.select_related("asset").aget(asset=made[0], key=key) for key in ("temp", "state")
    ]
    user = await sync_to_async(factories.viewer)()
    overview, _ = await subscribed(user, values="states", freshness=True)
    area, first = await subscribed(user, assets=["line-1"])
    assert "freshness" not in first
    await sync_to_async(Sender(clean_redis).send)(temp, state)
    frame, _ = await next_of(area, "values")
    assert sorted(row[0] for row in frame["values"]) == ["press-1-1/state", "press-1-1/temp"]
    await area.disconnect()
    # Asked for values instead, it hears no counts any more.
    await overview.send_to(text_data=json.dumps({"type": "subscribe", "assets": ["line-1"]}))
    await next_of(overview, "snapshot")
    await next_of(overview, "beat")
    assert (await next_of(overview, "beat"))[1] == []
    assert counting.freshness()._pulse is None
    await overview.disconnect()


async def test_message_that_was_lost_is_made_good_and_a_new_sensor_is_counted(clean_redis, monkeypatch):
    monkeypatch.setattr(counting, "PACE", 0.05)
    made = await sync_to_async(build)()
    user = await sync_to_async(factories.viewer)()
    socket, first = await subscribed(user, values="states", freshness=True)
    assert first["freshness"]["sensors"] == [0, 15]
    # As if the drain's message had not come.
    temp = await Sensor.objects.select_related("asset").aget(asset=made[0], key="temp")
    await sync_to_async(show)(clean_redis, temp, seconds_ago=1)
    assert (await next_of(socket, "freshness"))[0]["sensors"] == [0, 15]
    monkeypatch.setattr(counting, "READ_AGAIN", 0.0)
    while (await next_of(socket, "freshness"))[0]["sensors"] != [1, 15]:
        pass
    monkeypatch.setattr(counting, "READ_AGAIN", 60.0)
    await sync_to_async(factories.sensor)(made[0], "pressure")
    while (await next_of(socket, "freshness"))[0]["sensors"] != [1, 16]:
        pass
    await socket.disconnect()


async def test_counts_that_cannot_be_made_are_not_told_and_come_back(clean_redis, monkeypatch):
    monkeypatch.setattr(counting, "PACE", 0.05)
    await sync_to_async(build)()
    user = await sync_to_async(factories.viewer)()
    socket, _ = await subscribed(user, values="states", freshness=True)

    def broken():
        raise OSError("the database is gone")

    with monkeypatch.context() as patch:
        patch.setattr(counting, "silent_parts", broken)
        await next_of(socket, "beat")
        last = (await next_of(socket, "beat", none_of="freshness"))[0]["time"]
    frame, _ = await next_of(socket, "freshness")
    assert frame["time"] > last
    await socket.disconnect()


def test_reading_of_a_sensor_that_nobody_knows_any_more_counts_nowhere(clean_redis):
    build()
    count = count_of(tree())
    known = count.sensors[3]
    places, are_known = count.places_of(count.sensors[[3]].repeat(1))
    assert (places.tolist(), are_known.tolist()) == ([3], [True])
    places, are_known = count.places_of((count.sensors[-1:] + 7).astype(count.sensors.dtype))
    assert are_known.tolist() == [False]
    assert known in count.by_shard[Sensor.objects.get(pk=known).asset.shard]
