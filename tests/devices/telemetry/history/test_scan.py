"""Reading long histories in parts."""

from devices.telemetry import history
from devices.telemetry.history import reading
from tests.devices.telemetry.history.keeping import SECOND, START, append, each_second, rows


def test_chunks_are_given_one_by_one_those_that_overlap_together(sensors, small_layout, monkeypatch):
    monkeypatch.setattr(reading, "_UNPACKED_AT_ONCE", 1)
    sensor = sensors[0].pk
    each_second(sensor, 100)
    history.fold(START + 400 * SECOND, everything=True)
    apart = len(list(history.scan([sensor], START, START + 400 * SECOND)))
    assert apart > 2
    append([(sensor, START + 50 * SECOND + 1, 7.0, 0, False), (sensor, START + 99 * SECOND + 1, 8.0, 0, False)])
    parts = [rows(columns) for _, columns in history.scan([sensor], START, START + 400 * SECOND)]
    assert 1 < len(parts) < apart
    found = [row for part in parts for row in part]
    assert found == rows(history.read(sensor, START, START + 400 * SECOND))
    assert [row[0] for row in found] == sorted(row[0] for row in found)


def test_long_history_of_one_sensor_is_given_in_parts_that_follow_each_other(sensors, small_layout, monkeypatch):
    monkeypatch.setattr(reading, "_SCANNED_AT_ONCE", 80)
    few, many, other = (sensor.pk for sensor in sensors)
    for sensor, count in ((few, 20), (many, 400), (other, 20)):
        each_second(sensor, count)
    history.fold(START + 400 * SECOND, everything=True)
    parts = list(history.scan([few, many, other], START, START + 390 * SECOND))
    assert parts[0][0] == few
    assert parts[-1][0] == other
    long = [columns for sensor, columns in parts if sensor == many]
    assert len(long) > 1
    assert max(map(len, long)) <= 160
    found = [row for columns in long for row in rows(columns)]
    assert found == rows(history.read(many, START, START + 390 * SECOND))
