"""The intake's directory: tags, shards, scopes, tokens and routes, in as many queries for many as for few."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from devices import services
from devices.intake.tokens import hash_token, new_token
from devices.models import Asset, Level, Revision, Route, Sensor
from devices.telemetry.directory import Directory, Grant
from tests import factories

pytestmark = pytest.mark.django_db


def allowed(directory: Directory, grant: Grant) -> set[str]:
    return {tag for tag, row in directory.rows.items() if grant.first <= directory.place_list[row] < grant.last}


def test_every_sensor_is_found_by_its_tag_with_its_shard() -> None:
    machines = factories.plant(lines=2, machines=3)
    sensors = [factories.sensor(machine, key) for machine in machines for key in ("temp", "speed")]
    directory = Directory.load()
    assert set(directory.rows) == {sensor.tag for sensor in sensors}
    for sensor in sensors:
        row = directory.rows[sensor.tag]
        shard = Asset.objects.get(pk=sensor.asset_id).shard
        assert (directory.sensor[row], directory.shard[row]) == (sensor.pk, shard)
        assert (directory.sensor_list[row], directory.shard_list[row]) == (sensor.pk, shard)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("works", {"press-1-1", "press-1-2", "press-2-1", "press-2-2"}),
        ("hall", {"press-1-1", "press-1-2", "press-2-1", "press-2-2"}),
        ("line-1", {"press-1-1", "press-1-2"}),
        ("line-2", {"press-2-1", "press-2-2"}),
        ("press-2-1", {"press-2-1"}),
        ("empty", set()),
    ],
)
def test_a_source_may_write_its_scope_and_all_below_it(scope: str, expected: set[str]) -> None:
    for machine in factories.plant(lines=2):
        factories.sensor(machine)
    services.create_asset(code="empty", name="Empty", level=Level.LINE, parent=Asset.objects.get(code="hall"))
    _, token = services.create_source(name="edge", scope=Asset.objects.get(code=scope))
    directory = Directory.load()
    grant = directory.source(hash_token(token))
    assert grant is not None
    assert (grant.source, grant.scope, grant.enabled) == ("edge", scope, True)
    assert allowed(directory, grant) == {f"{code}/temp" for code in expected}
    assert not grant.first <= directory.place[-1] < grant.last  # an unknown sensor lies in no scope


def test_a_stranger_finds_nothing() -> None:
    factories.plant()
    assert Directory.load().source(hash_token(new_token())) is None
    assert Directory.load().source(hash_token("")) is None


def test_a_circle_in_the_tree_is_in_nobodys_scope() -> None:
    machines = factories.plant(lines=2)
    for machine in machines:
        factories.sensor(machine)
    _, token = services.create_source(name="edge", scope=Asset.objects.get(code="line-2"))
    line = Asset.objects.get(code="line-2")
    Asset.objects.filter(pk=line.pk).update(parent=Asset.objects.get(code="press-2-1"))
    directory = Directory.load()
    grant = directory.source(hash_token(token))
    assert grant is None or allowed(directory, grant) == set()


def test_routes_are_masks_by_shard() -> None:
    machines = factories.plant()
    first, second = (factories.sensor(machine) for machine in machines)
    Route.objects.create(sensor=second, shard=9)
    copies = Directory.load().copies
    assert list(copies) == [9]
    assert (copies[9][second.pk], copies[9][first.pk]) == (True, False)


def test_an_empty_plant_has_a_directory() -> None:
    directory = Directory.load()
    assert directory.rows == {}
    assert directory.place.tolist() == [-1]


def test_nothing_is_read_again_until_something_changes() -> None:
    machine = factories.plant()[0]
    factories.sensor(machine)
    directory = Directory.load()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert Directory.load(directory) is directory
    assert len(queries) == 1
    services.bump("rules")
    with CaptureQueriesContext(connection) as queries:
        again = Directory.load(directory)
    assert len(queries) == 2
    assert again.rows is directory.rows
    assert again.revisions != directory.revisions
    factories.sensor(machine, "speed")
    assert "press-1-1/speed" in Directory.load(again).rows


@pytest.mark.parametrize("count", [3, 3000])
def test_the_number_of_queries_does_not_depend_on_the_number_of_sensors(count: int) -> None:
    machine = factories.plant()[0]
    Sensor.objects.bulk_create(Sensor(asset=machine, key=f"s{n}", name="S") for n in range(count))
    assert Revision.objects.filter(name="plant").exists()
    with CaptureQueriesContext(connection) as queries:
        assert len(Directory.load().rows) == count
    assert len(queries) == 5
