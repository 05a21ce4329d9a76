"""What a chart asks for over HTTP: lines of several sensors, and a range in figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from devices.models import Sensor
from devices.telemetry import history
from devices.telemetry.batch import Batch
from tests import factories

pytestmark = pytest.mark.django_db

START = 1_772_344_800  # 2026-03-01T06:00:00Z
RANGE = {"start": "2026-03-01T06:00:00Z", "end": "2026-03-01T06:00:09Z"}


def keep(sensor: Sensor, values: list[float], quality: list[int] | None = None) -> None:
    """Keeps a reading a second."""
    n = len(values)
    times = (START + np.arange(n, dtype=np.int64)) * 1_000_000
    grades = np.array(quality or [0] * n, np.uint8)
    history.append(0, Batch(np.full(n, sensor.pk, np.int32), times, np.array(values), grades), np.zeros(n, np.bool_))


@pytest.fixture
def viewer(client: Client) -> Client:
    """Gives the browser of somebody who may look."""
    client.force_login(factories.viewer())
    return client


@pytest.fixture
def press() -> list[Sensor]:
    """Gives a machine's two sensors with ten readings each."""
    machine = factories.plant(machines=1)[0]
    one = factories.sensor(machine, "temp", normal_low=2.0, normal_high=7.0)
    other = factories.sensor(machine, "oil")
    keep(one, [float(n) for n in range(10)])
    keep(other, [5.0] * 10, [0, 0, 2, 2, 0, 0, 0, 0, 0, 0])
    return [one, other]


def test_several_lines_come_in_the_order_of_their_names(press: list[Sensor], viewer: Client) -> None:
    answer = viewer.get("/api/v1/history", {**RANGE, "sensor": ["press-1-1/oil", "press-1-1/temp"]}).json()
    oil, temp = answer["items"]
    assert (oil["sensor"], temp["sensor"]) == ("press-1-1/oil", "press-1-1/temp")
    assert temp["values"] == [float(n) for n in range(10)]
    assert temp["times"][0] == START * 1000
    assert None in oil["values"]
    assert oil["bad"] == [[(START + 2) * 1000, (START + 4) * 1000]]


def test_edges_are_added_where_they_are_asked_for(press: list[Sensor], viewer: Client) -> None:
    middle = {"start": "2026-03-01T06:00:03.500Z", "end": "2026-03-01T06:00:05.500Z", "sensor": "press-1-1/temp"}
    assert viewer.get("/api/v1/history", middle).json()["items"][0]["values"] == [4.0, 5.0]
    found = viewer.get("/api/v1/history", {**middle, "edges": "true"}).json()["items"][0]
    assert found["values"] == [3.0, 4.0, 5.0, 6.0]


def test_a_range_is_given_in_figures(press: list[Sensor], viewer: Client) -> None:
    temp, oil = viewer.get("/api/v1/summary", {**RANGE, "sensor": ["press-1-1/temp", "press-1-1/oil"]}).json()["items"]
    assert (temp["low"], temp["high"], temp["mean"], temp["readings"]) == (0.0, 9.0, 4.0, 10)
    assert (temp["known"], temp["outside"]) == (9.0, 3.0)
    assert temp["last"] == {"time": "2026-03-01T06:00:09.000000Z", "value": 9.0}
    assert (oil["known"], oil["outside"]) == (7.0, None)


@pytest.mark.parametrize(
    ("low", "high", "outside"), [(2.0, None, 2.0), (None, 7.0, 1.0), (2.0, 7.0, 3.0), (None, None, None)]
)
def test_a_normal_band_may_have_one_open_end(
    clean_redis: Any, press: list[Sensor], viewer: Client, low: float | None, high: float | None, outside: float | None
) -> None:
    Sensor.objects.filter(pk=press[0].pk).update(normal_low=low, normal_high=high)
    (temp,) = viewer.get("/api/v1/summary", {**RANGE, "sensor": ["press-1-1/temp"]}).json()["items"]
    assert temp["outside"] == outside
    one = viewer.get("/api/v1/sensors/press-1-1/temp").json()
    assert one["normal"] == (None if outside is None else [low, high])


def test_what_lies_ahead_does_not_count(press: list[Sensor], viewer: Client) -> None:
    ahead = {"start": "2999-01-01T00:00:00Z", "end": "2999-01-02T00:00:00Z", "sensor": "press-1-1/temp"}
    answer = viewer.get("/api/v1/summary", ahead).json()
    assert answer["start"] == answer["end"] == "2999-01-01T00:00:00.000000Z"
    assert answer["items"][0]["known"] == 0.0


@pytest.mark.parametrize("name", ["history", "summary"])
def test_what_cannot_be_drawn_is_refused(press: list[Sensor], viewer: Client, name: str) -> None:
    address = f"/api/v1/{name}"
    assert viewer.get(address, {**RANGE, "sensor": "press-1-1/none"}).status_code == 404
    assert viewer.get(address, {"start": RANGE["end"], "end": RANGE["start"]}).status_code == 422
    assert viewer.get(address, {**RANGE, "sensor": ["press-1-1/temp"] * 25}).status_code == 422
    assert Client().get(address, RANGE).status_code == 401


def test_the_sensors_of_a_drawing_are_found_by_one_query(press: list[Sensor], viewer: Client) -> None:
    def asked(tags: list[str]) -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as found:
            viewer.get("/api/v1/history", {**RANGE, "sensor": tags})
        return [query["sql"] for query in found if 'FROM "devices_sensor" INNER JOIN' in query["sql"]]

    assert len(asked(["press-1-1/temp", "press-1-1/oil"])) == len(asked(["press-1-1/temp"])) == 1


def test_the_history_of_one_sensor_tells_bad_stretches_too(press: list[Sensor], viewer: Client) -> None:
    answer: dict[str, Any] = viewer.get("/api/v1/sensors/press-1-1/oil/history", RANGE).json()
    assert answer["bad"] == [[(START + 2) * 1000, (START + 4) * 1000]]
    assert answer["start"] == "2026-03-01T06:00:00.000000Z"
