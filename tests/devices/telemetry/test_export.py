"""Any range leaves as CSV or Parquet, piece by piece."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from devices.models import Asset, Level, Sensor
from devices.telemetry import export, history
from tests.devices.telemetry.history.keeping import SECOND, START, append, each_second


@pytest.fixture
def sensors(db) -> list[Sensor]:
    machine = Asset.objects.create(code="press", name="Press", level=Level.MACHINE)
    made = [
        Sensor.objects.create(asset=machine, key="temp", name="Temperature", unit="degC"),
        Sensor.objects.create(asset=machine, key="state", name="State"),
    ]
    append([(made[0].pk, START + 1_500, 20.25, 0, False), (made[0].pk, START + SECOND, -1e-9, 2, False)])
    append([(made[0].pk, START + 7, 1e300, 1, True), (made[1].pk, START, 3.0, 0, False)])
    return list(Sensor.objects.select_related("asset").order_by("pk"))


def test_csv_has_time_tag_value_unit_quality_and_lateness(sensors):
    text = b"".join(export.csv_chunks(sensors, START, START + SECOND)).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["time", "tag", "value", "unit", "quality", "late"],
        ["2026-01-01T00:00:00.000007Z", "press/temp", "1e+300", "degC", "uncertain", "true"],
        ["2026-01-01T00:00:00.001500Z", "press/temp", "20.25", "degC", "good", "false"],
        ["2026-01-01T00:00:01.000000Z", "press/temp", "-1e-9", "degC", "bad", "false"],
        ["2026-01-01T00:00:00.000000Z", "press/state", "3", "", "good", "false"],
    ]


def test_csv_in_a_zone_carries_the_offset_of_each_time(sensors):
    text = b"".join(export.csv_chunks(sensors, START, START + SECOND, "Europe/Berlin")).decode()
    utc = b"".join(export.csv_chunks(sensors, START, START + SECOND)).decode()
    times, same = ([row[0] for row in csv.reader(io.StringIO(one))][1:] for one in (text, utc))
    assert times[0][-6:] in ("+01:00", "+02:00")
    assert [datetime.fromisoformat(one) for one in times] == [datetime.fromisoformat(one) for one in same]


def test_parquet_has_the_same_with_types(sensors):
    data = b"".join(export.parquet_chunks(sensors, START, START + SECOND))
    found = pq.read_table(io.BytesIO(data)).to_pylist()
    assert found[1] == {
        "time": datetime(2026, 1, 1, 0, 0, 0, 1500, UTC),
        "tag": "press/temp",
        "value": 20.25,
        "unit": "degC",
        "quality": "good",
        "late": False,
    }
    assert [(row["tag"], row["quality"], row["late"]) for row in found] == [
        ("press/temp", "uncertain", True),
        ("press/temp", "good", False),
        ("press/temp", "bad", False),
        ("press/state", "good", False),
    ]


def test_range_without_readings_is_an_empty_file(sensors):
    assert b"".join(export.csv_chunks(sensors, 0, 1)).count(b"\n") == 1
    assert pq.read_table(io.BytesIO(b"".join(export.parquet_chunks(sensors, 0, 1)))).num_rows == 0


@pytest.mark.parametrize("kind", [export.csv_chunks, export.parquet_chunks])
def test_long_range_leaves_in_pieces_and_whole(sensors, monkeypatch, kind):
    monkeypatch.setattr(export, "_AT_ONCE", 100)
    start = START + 10 * SECOND
    each_second(sensors[0].pk, 300, start=start)
    history.fold(START, everything=True)
    each_second(sensors[0].pk, 300, start=start + 300 * SECOND)
    history.fold(START, everything=True)
    pieces = list(kind(sensors[:1], start, start + 3600 * SECOND))
    assert len(pieces) > 6
    data = b"".join(pieces)
    lines = data.count(b"\n") - 1 if kind is export.csv_chunks else pq.read_table(io.BytesIO(data)).num_rows
    assert lines == 600
