"""What is older than its asset's type keeps goes, and nothing else."""

from __future__ import annotations

from devices.models import Asset, Level, Sensor
from devices.telemetry import history
from tests.devices.telemetry.history.keeping import DAY, SECOND, START, append, each_second, rows

NOW = START + 100 * DAY


def test_type_keeps_its_readings_as_long_as_it_says(sensors, settings):
    settings.HISTORY_RETENTION_DAYS = 50
    kept = sensors[0]
    kept.asset.type.retention_days = 200
    kept.asset.type.save()
    other = Sensor.objects.create(
        asset=Asset.objects.create(code="pump", name="Pump", level=Level.MACHINE), key="flow", name="Flow"
    )
    for sensor in (kept, other):
        each_second(sensor.pk, 300)
        each_second(sensor.pk, 300, start=NOW - DAY)
    history.fold(NOW, everything=True)
    assert history.forget(NOW) == 300
    assert len(history.read(kept.pk, START, NOW)) == 600
    assert len(history.read(other.pk, START, NOW)) == 300


def test_readings_still_in_segments_are_forgotten_one_by_one(sensors):
    one = sensors[0].pk
    append([(one, NOW - 11 * DAY, 1.0, 0, False), (one, NOW - 9 * DAY, 2.0, 1, True)])
    assert history.forget(NOW, default_days=10) == 1
    assert rows(history.read(one, START, NOW)) == [(NOW - 9 * DAY, 2.0, 1, True)]
    assert history.forget(NOW, default_days=10) == 0
    assert history.forget(NOW + 2 * DAY, default_days=10) == 1
    assert history.forget(NOW + 2 * DAY, default_days=10) == 0


def test_chunk_stays_until_its_last_reading_is_too_old(sensors):
    each_second(sensors[0].pk, 300)
    history.fold(NOW, everything=True)
    assert history.forget(START + 10 * DAY + 100 * SECOND, default_days=10) == 0
    assert history.forget(START + 10 * DAY + 300 * SECOND, default_days=10) == 300
