"""Changes of the plant while the intake runs: taken up at once where a sender meets them, else within half a second."""

from __future__ import annotations

from devices import services
from devices.intake import http
from devices.models import Asset, Route, Sensor, Source
from devices.telemetry import stream
from tests import factories
from tests.devices.intake.conftest import FRESH, TAG, Sender, in_thread

US = FRESH * 1000
ONE = {"time": FRESH, "values": {TAG: 71.3}}


async def test_a_source_that_is_switched_off_may_not_send(own_sender: Sender) -> None:
    assert (await own_sender.post(ONE)).status == 202
    await in_thread(lambda: services.update_source(source=Source.objects.get(), enabled=False))
    await http.application._watch.look()
    assert (await own_sender.post(ONE)).status == 401


async def test_a_new_sensor_is_taken_at_once(own_sender: Sender) -> None:
    assert (await own_sender.post(ONE)).status == 202
    machine = await in_thread(lambda: Asset.objects.get(code="press-1-1"))
    created = await in_thread(lambda: factories.sensor(machine, "pressure"))
    own_sender.ids[created.tag] = created.pk
    assert (await own_sender.post({"time": FRESH, "values": {created.tag: 5}})).status == 202
    assert (created.tag, US, 5.0, 0) in own_sender.stored()


async def test_a_new_token_is_taken_at_once_and_a_withdrawn_one_soon(own_sender: Sender) -> None:
    assert (await own_sender.post(ONE)).status == 202
    token = await in_thread(lambda: services.rotate_token(source=Source.objects.get()))
    assert (await own_sender.post(ONE, token=token if isinstance(token, str) else token[1])).status == 202
    assert (await own_sender.post(ONE)).status == 401


async def test_readings_go_to_the_shards_of_their_routes_as_copies(own_sender: Sender) -> None:
    assert (await own_sender.post(ONE)).status == 202
    sensor = await in_thread(lambda: Sensor.objects.select_related("asset").get(pk=own_sender.ids[TAG]))
    home = (sensor.asset.shard + 1) % 16

    def route() -> None:
        # The own shard may be among them and must not get the readings twice.
        Route.objects.bulk_create([Route(sensor=sensor, shard=shard) for shard in (home, sensor.asset.shard)])
        services.bump("rules")

    await in_thread(route)
    await http.application._watch.look()
    own_sender.client.delete(stream.stream_key(sensor.asset.shard))
    for size in (1, 40):
        body = {"series": [{"sensor": TAG, "times": list(range(size)), "values": [1.5] * size}]}
        assert (await own_sender.post(body)).status == 202
    own, _ = stream.read(own_sender.client, sensor.asset.shard, stream.START, 1000)
    copies, _ = stream.read(own_sender.client, home, stream.START, 1000)
    assert [(len(entry.batch), entry.copy) for entry in own] == [(1, False), (40, False)]
    assert [(len(entry.batch), entry.copy) for entry in copies if entry.copy] == [(1, True), (40, True)]
