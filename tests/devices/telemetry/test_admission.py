"""Each sensor's newest reading decides whether one is new, late or there already."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.telemetry.admission import DUPLICATE, FRESH, LATE, Cursors, LastReading, admit
from devices.telemetry.batch import Batch
from devices.telemetry.index import IdIndex
from devices.telemetry.snapshot import NONE, Column, CorruptSnapshot, pack, unpack

Row = tuple[int, int, float, int]


def batch(*rows: Row) -> Batch:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Batch(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int64),
        np.array(columns[2], np.float64),
        np.array(columns[3], np.uint8),
    )


def admitted(cursors: Cursors, *rows: Row, arrival: int = 1000) -> tuple[list[int], Cursors]:
    verdict, moved = admit(cursors, batch(*rows), np.full(len(rows), arrival, np.int64))
    return verdict.tolist(), moved


def test_only_what_is_after_the_newest_is_fresh() -> None:
    verdict, cursors = admitted(Cursors.empty(), (3, 10, 1.0, 0), (3, 20, 2.0, 0), (3, 15, 3.0, 0), (3, 20, 4.0, 0))
    assert verdict == [FRESH, FRESH, LATE, DUPLICATE]
    verdict, _ = admitted(cursors, (3, 20, 1.0, 0), (3, 19, 1.0, 0), (3, 21, 1.0, 0))
    assert verdict == [DUPLICATE, LATE, FRESH]


def test_sensors_do_not_hold_each_other_up() -> None:
    assert admitted(Cursors.empty(), (3, 10, 1.0, 0), (4, 5, 1.0, 0), (2, 5, 1.0, 0))[0] == [FRESH] * 3


def test_a_bad_reading_counts_when_the_next_one_is_judged() -> None:
    verdict, cursors = admitted(Cursors.empty(), (3, 10, 1.5, 1), (3, 20, 0.0, 2), (3, 15, 1.0, 0), arrival=77)
    assert verdict == [FRESH, FRESH, LATE]
    assert cursors.get(3) == LastReading(20, 0.0, 2, 77, 10, 1.5)


def test_the_cursors_before_stay_as_they_are() -> None:
    _, before = admitted(Cursors.empty(), (3, 10, 1.0, 0))
    admitted(before, (3, 20, 2.0, 0), (9, 5, 1.0, 0))
    admitted(before, (3, 20, 2.0, 0))
    assert before.get(3) == LastReading(10, 1.0, 0, 1000, 10, 1.0)
    assert before.get(9) is None


def test_new_sensors_find_their_place_among_the_old_ones() -> None:
    _, cursors = admitted(Cursors.empty(), (30, 10, 1.0, 0), (10, 11, 2.0, 0))
    _, cursors = admitted(cursors, (20, 12, 3.0, 0), (10, 12, 2.5, 2))
    assert cursors.sensor.tolist() == [10, 20, 30]
    assert cursors.last_time.tolist() == [12, 12, 10]
    assert cursors.last_good_value.tolist() == [2.0, 3.0, 1.0]
    assert cursors.rows(np.array([30, 5, 10], np.int32)).tolist() == [2, -1, 0]


def test_no_bytes_are_no_cursors() -> None:
    assert len(Cursors.loads(b"")) == 0
    assert admitted(Cursors.empty())[0] == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 12), st.sampled_from([0.5, 1.0]), st.integers(0, 2))))
def test_any_cut_gives_the_same_verdicts_and_cursors_survive_as_bytes(rows: list[Row]) -> None:
    whole, cursors = admitted(Cursors.empty(), *rows)
    one_by_one = Cursors.empty()
    newest: dict[int, int] = {}
    for row, verdict in zip(rows, whole, strict=True):
        (again,), one_by_one = admitted(Cursors.loads(one_by_one.dumps()), row)
        before = newest.get(row[0])
        expected = FRESH if before is None or row[1] > before else DUPLICATE if row[1] == before else LATE
        assert verdict == again == expected
        if verdict == FRESH:
            newest[row[0]] = row[1]
    assert one_by_one.dumps() == cursors.dumps()
    for sensor in newest:
        assert str(one_by_one.get(sensor)) == str(cursors.get(sensor))


@settings(deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), unique=True).map(sorted), st.lists(st.integers(-9, 9)))
def test_every_id_is_found_at_its_row(ids: list[int], others: list[int]) -> None:
    rows = IdIndex(np.array(ids, np.int32)).rows(np.array(ids + others, np.int32)).tolist()
    assert rows[: len(ids)] == list(range(len(ids)))
    assert rows[len(ids) :] == [ids.index(other) if other in ids else -1 for other in others]


times = st.one_of(
    st.integers(0, 300), st.just(NONE), st.integers(2**62, 2**62 + 70_000), st.integers(-(2**63), 2**63 - 1)
)


@settings(deadline=None)
@given(
    st.one_of(
        st.lists(times), st.lists(st.integers(0, 254)), st.lists(st.sampled_from([NONE, 5, 2**32 + 3, 2**32 + 4]))
    ),
    st.lists(st.floats(allow_nan=True)),
    st.lists(st.integers(0, 255)),
)
def test_columns_survive_as_bytes(numbers: list[int], floats: list[float], small: list[int]) -> None:
    columns: list[Column] = [np.array(numbers, np.int64), np.array(floats, np.float64), np.array(small, np.uint8)]
    data = pack(1, columns)
    for column, again in zip(columns, unpack(1, data), strict=True):
        assert again.dtype == column.dtype
        assert again.tobytes() == column.tobytes()
    with pytest.raises(CorruptSnapshot):
        unpack(2, data)
    with pytest.raises(CorruptSnapshot):
        unpack(1, data[:-1])
