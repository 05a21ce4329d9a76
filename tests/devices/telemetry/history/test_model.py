"""Whatever happens in whatever order, the history holds what a plain dict would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.models import Chunk, Segment
from devices.telemetry import history
from devices.telemetry.history.layout import MOST_SPAN
from tests.devices.telemetry.history.keeping import DAY, SECOND, START, Plain, append, rows

TIMES = st.one_of(
    st.integers(0, 60).map(lambda n: START + n * SECOND),  # close together: duplicates and late ones
    st.integers(0, 400).map(lambda n: START + n * DAY // 4 + n * 7),
)
READING = st.tuples(
    st.integers(0, 2), TIMES, st.integers(-500, 500).map(lambda n: n / 100), st.sampled_from([0, 0, 0, 1, 2])
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(READING, min_size=1, max_size=12)),
        st.tuples(st.just("run"), st.tuples(st.integers(0, 2), TIMES, st.integers(1, 60))),
        st.tuples(st.just("fold"), st.booleans()),
        st.tuples(st.just("read"), st.tuples(st.integers(0, 2), TIMES, TIMES, st.booleans())),
        st.tuples(st.just("forget"), st.integers(1, 100)),
    ),
    max_size=14,
)


@pytest.mark.usefixtures("small_layout")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_sequence_of_append_fold_forget_and_read_equals_a_plain_dict(sensors, steps):
    Segment.objects.all().delete()
    Chunk.objects.all().delete()
    ids = [sensor.pk for sensor in sensors]
    plain = Plain()
    for verb, given_ in steps:
        if verb in ("append", "run"):
            if verb == "run":
                sensor, start, count = given_
                readings = [(ids[sensor], start + n * SECOND, n % 9 / 10, 0) for n in range(count)]
            else:
                readings = [(ids[sensor], time, value, quality) for sensor, time, value, quality in given_]
            asked = history.known(np.array([r[0] for r in readings], np.int32), np.array([r[1] for r in readings]))
            assert asked.tolist() == [(r[0], r[1]) in plain.kept for r in readings]
            admitted = plain.admit(readings)
            for at in range(0, len(admitted), 10):
                append(admitted[at : at + 10], shard=at % 2)
        elif verb == "fold":
            history.fold(START + 50 * DAY, everything=given_)
        elif verb == "read":
            sensor, start, end, late = given_
            assert rows(history.read(ids[sensor], start, end, late=late)) == plain.read(
                ids[sensor], start, end, late=late
            )
        elif verb == "forget":
            now = START + 110 * DAY
            history.forget(now, default_days=given_)
            cutoff = now - given_ * DAY
            left = {(s, row[0]): row[1:] for s in ids for row in rows(history.read(s, -(1 << 70), 1 << 70))}
            assert {key: row for key, row in plain.kept.items() if key[1] >= cutoff}.items() <= left.items()
            assert left.items() <= plain.kept.items()
            assert all(key[1] >= cutoff - MOST_SPAN for key in left)
            plain.kept = left
    for sensor in ids:
        kept = plain.read(sensor, -(1 << 70), 1 << 70)
        assert rows(history.read(sensor, -(1 << 70), 1 << 70)) == kept
        last = history.last_readings([sensor]).get(sensor)
        assert (tuple(last) if last else None) == (kept[-1][:3] if kept else None)
    many = history.read_many(ids, START, START + 20 * DAY)
    assert {s: rows(c) for s, c in many.items()} == {s: plain.read(s, START, START + 20 * DAY) for s in ids}
    scanned = {sensor: rows(columns) for sensor, columns in history.scan(ids, -(1 << 70), 1 << 70)}
    assert scanned == {sensor: plain.read(sensor, -(1 << 70), 1 << 70, late=False) for sensor in ids}
