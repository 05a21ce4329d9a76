"""What a sensor last told by a moment, whatever lies in the chunk that ended last before it."""

from __future__ import annotations

import numpy as np
import pytest

from devices.models import Chunk
from devices.telemetry.codec import Columns
from devices.telemetry.history import moments
from devices.telemetry.history.folding import make_chunk
from devices.telemetry.history.moments import readings_at
from devices.telemetry.history.reading import Reading
from tests.devices.telemetry.history.keeping import SECOND, START, append


def chunk(sensor: int, *readings: tuple[int, float, bool], level: int = 0) -> Chunk:
    """Stores readings of a second, a value and whether it is late as one chunk."""
    times, values, late = zip(*readings, strict=True)
    columns = Columns(
        START + np.array(times, np.int64) * SECOND,
        np.array(values, np.float64),
        np.zeros(len(times), np.uint8),
        np.array(late, np.bool_),
    )
    made = make_chunk(sensor, level, columns)
    made.save()
    return made


def last(sensor: int, second: float) -> tuple[int, float] | None:
    """Gives the second and the value of what a sensor last told."""
    found = readings_at([sensor], START + int(second * SECOND)).get(sensor)
    return None if found is None else ((found.time - START) // SECOND, found.value)


def test_a_chunk_of_late_readings_alone_leads_to_the_one_before(sensors):
    one = sensors[0].pk
    chunk(one, (1, 10.0, False), (2, 20.0, False))
    chunk(one, (5, 50.0, True), (6, 60.0, True))
    chunk(one, (8, 80.0, True))
    assert last(one, 100) == (2, 20.0)
    assert last(one, 1) == (1, 10.0)
    assert last(one, 0.5) is None


def test_of_two_chunks_that_overlap_the_newest_on_time_counts(sensors):
    one = sensors[0].pk
    # The one that ends last has its newest reading on time before the other's.
    chunk(one, (0, 1.0, False), (40, 2.0, False), (100, 3.0, True))
    chunk(one, (50, 4.0, False), (60, 5.0, False))
    assert last(one, 200) == (60, 5.0)
    # A moment within both.
    assert last(one, 55) == (50, 4.0)
    assert last(one, 45) == (40, 2.0)


def test_what_ends_at_the_same_instant_is_looked_into_all(sensors):
    one = sensors[0].pk
    chunk(one, (1, 1.0, False), (9, 2.0, True))
    chunk(one, (3, 3.0, False), (9, 4.0, True), level=1)
    assert last(one, 20) == (3, 3.0)


def test_a_chunk_folded_between_list_and_read_is_found_where_it_is_now(sensors, monkeypatch):
    one, other = sensors[0].pk, sensors[1].pk
    gone = chunk(one, (1, 10.0, False), (2, 20.0, False))
    chunk(other, (3, 30.0, False))
    whole = moments._ends
    folded: list[int] = []

    def listed(before):
        found = whole(before)
        if not folded:
            folded.append(gone.pk)
            gone.delete()
            chunk(one, (0, 5.0, False), (1, 10.0, False), (2, 20.0, False), (4, 40.0, False), level=1)
        return found

    monkeypatch.setattr(moments, "_ends", listed)
    found = readings_at([one, other], START + 100 * SECOND)
    assert folded
    assert found == {
        one: Reading(START + 4 * SECOND, 40.0, 0),
        other: Reading(START + 3 * SECOND, 30.0, 0),
    }


@pytest.mark.parametrize("second", [0, 2, 5, 9])
def test_segments_and_chunks_are_one_history(sensors, second):
    one = sensors[0].pk
    chunk(one, (1, 10.0, False), (3, 30.0, False))
    append([(one, START + 5 * SECOND, 50.0, 0, False), (one, START + 4 * SECOND, 40.0, 0, True)])
    assert last(one, second) == {0: None, 2: (1, 10.0), 5: (5, 50.0), 9: (5, 50.0)}[second]
