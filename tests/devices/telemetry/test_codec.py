"""What is packed comes back bit by bit; what was damaged is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.telemetry.batch import Batch
from devices.telemetry.codec import (
    Columns,
    Corrupt,
    CorruptBatch,
    SegmentReader,
    pack,
    pack_chunk,
    pack_segment,
    unpack,
    unpack_chunk,
)
from devices.telemetry.packing import pack_ints, pack_values, unpack_ints, unpack_values

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
TIMES = st.integers(-(1 << 62), 1 << 62)
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-100_000, 100_000, places=2).map(float),
    st.integers(-5, 5).map(float),
    st.just(-0.0),
)


def batch_of(rows: list[tuple[int, int, float, int]]) -> Batch:
    sensors, times, values, qualities = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Batch(
        np.array(sensors, np.int32),
        np.array(times, np.int64),
        np.array(values, np.float64),
        np.array(qualities, np.uint8),
    )


ROWS = st.lists(st.tuples(st.integers(1, (1 << 31) - 1), TIMES, VALUES, st.integers(0, 2)), max_size=80)


def bits(values: np.ndarray) -> list[int]:
    return values.astype(np.float64).view(np.int64).tolist()


@given(ROWS, st.booleans(), st.booleans())
def test_batch_comes_back_from_the_stream_as_it_went(rows, same_time, all_good):
    batch = batch_of([(s, 7 if same_time else t, v, 0 if all_good else q) for s, t, v, q in rows])
    back = unpack(pack(batch))
    assert back.sensor.tolist() == batch.sensor.tolist()
    assert back.time.tolist() == batch.time.tolist()
    assert bits(back.value) == bits(batch.value)
    assert back.quality.tolist() == batch.quality.tolist()
    assert (back.sensor.dtype, back.time.dtype, back.value.dtype, back.quality.dtype) == ("i4", "i8", "f8", "u1")


@pytest.mark.parametrize("time", [[5, 5, 5], [5, 6, 5]])
@pytest.mark.parametrize("quality", [[0, 0, 0], [0, 2, 1]])
def test_stream_entry_of_another_length_is_refused(time, quality):
    whole = pack(batch_of(list(zip([1, 2, 3], time, [1.0, 2.0, 3.0], quality, strict=True))))
    unpack(whole)
    for length in range(len(whole)):
        with pytest.raises(CorruptBatch):
            unpack(whole[:length])
    with pytest.raises(CorruptBatch):
        unpack(whole + b"\0")


def test_stream_entry_of_another_version_or_with_an_unknown_quality_is_refused():
    whole = pack(batch_of([(1, 5, 1.0, 2)]))
    with pytest.raises(CorruptBatch, match="version 2"):
        unpack(b"\2" + whole[1:])
    with pytest.raises(CorruptBatch, match="quality 3"):
        unpack(whole[:-1] + b"\3")


@pytest.mark.parametrize("dense", [True, False])
@given(
    st.one_of(
        st.lists(INT64, max_size=60),
        st.builds(
            lambda a, s, n: [a + s * i for i in range(n)],
            st.integers(-(1 << 40), 1 << 40),
            st.integers(-(10**7), 10**7),
            st.integers(0, 60),
        ),
    )
)
def test_integers_come_back_exactly(dense, numbers):
    column = np.array(numbers, np.int64)
    packed = pack_ints(column, dense=dense)
    assert unpack_ints(packed, len(column), 0, len(column)).tolist() == numbers
    middle = len(column) // 2
    assert unpack_ints(packed, len(column), middle, len(column)).tolist() == numbers[middle:]


@pytest.mark.parametrize("dense", [True, False])
@given(st.one_of(st.lists(VALUES, max_size=60), st.lists(st.decimals(-99, 99, places=3).map(float), max_size=60)))
def test_values_come_back_bit_by_bit(dense, values):
    column = np.array(values, np.float64)
    packed = pack_values(column, dense=dense)
    assert bits(unpack_values(packed, len(column), 0, len(column))) == bits(column)


def test_a_steady_clock_takes_no_space_for_its_times():
    assert len(pack_ints(1_700_000_000_000_000 + np.arange(86_400) * 1_000_000)) < 20


def test_a_two_decimal_signal_takes_less_than_two_and_a_half_bytes_a_reading():
    n = 86_400
    value = np.round(60 + 5 * np.sin(np.arange(n) / 600) + np.random.default_rng(1).normal(0, 0.1, n), 2)
    time = 1_700_000_000_000_000 + np.arange(n) * 1_000_000
    packed = pack_chunk(Columns(time, value, np.zeros(n, np.uint8), np.zeros(n, np.bool_)))
    assert len(packed) / n < 2.5


def columns_of(rows: list[tuple[int, float, int, bool]]) -> Columns:
    rows = sorted({row[0]: row for row in rows}.values())
    times, values, qualities, lates = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Columns(
        np.array(times, np.int64),
        np.array(values, np.float64),
        np.array(qualities, np.uint8),
        np.array(lates, np.bool_),
    )


def same(one: Columns, other: Columns) -> bool:
    return (
        one.time.tolist() == other.time.tolist()
        and bits(one.value) == bits(other.value)
        and one.quality.tolist() == other.quality.tolist()
        and one.late.tolist() == other.late.tolist()
    )


COLUMNS = st.lists(st.tuples(TIMES, VALUES, st.integers(0, 2), st.booleans()), max_size=80).map(columns_of)


@given(COLUMNS)
def test_chunk_comes_back_with_every_quality_and_late_mark(columns):
    assert same(unpack_chunk(pack_chunk(columns)), columns)


@settings(max_examples=30)
@given(COLUMNS, st.data())
def test_damaged_chunk_is_refused(columns, data):
    packed = pack_chunk(columns)
    at = data.draw(st.integers(0, len(packed) - 1))
    flipped = packed[at] ^ data.draw(st.integers(1, 255))
    for damaged in (packed[:at], packed[:at] + bytes([flipped]) + packed[at + 1 :], packed + b"\0"):
        with pytest.raises(Corrupt):
            unpack_chunk(damaged)


SEGMENTS = st.dictionaries(
    st.tuples(st.integers(1, 6) | st.integers(1, (1 << 31) - 1), TIMES),
    st.tuples(VALUES, st.integers(0, 2), st.booleans()),
    min_size=1,
    max_size=80,
)


@given(SEGMENTS, st.booleans())
def test_segment_gives_each_sensor_its_own_readings(readings, plain):
    keys = list(readings)
    rows = [(s, t, readings[s, t][0], 0 if plain else readings[s, t][1]) for s, t in keys]
    late = np.array([not plain and readings[key][2] for key in keys], np.bool_)
    index, data = pack_segment(batch_of(rows), late)
    reader = SegmentReader(index, data)
    assert len(reader) == len(rows)
    for sensor in {s for s, _ in keys}:
        mine = [(t, v, q, bool(lt)) for (s, t, v, q), lt in zip(rows, late, strict=True) if s == sensor]
        assert sensor in reader
        assert same(reader.columns(sensor), columns_of(mine))
    assert 0 not in reader
    assert len(reader.columns(0)) == 0
    whole, lates = reader.whole()
    assert sorted(zip(whole.sensor.tolist(), whole.time.tolist(), strict=True)) == sorted(keys)
    assert lates.sum() == late.sum()


@settings(max_examples=30)
@given(SEGMENTS, st.data())
def test_damaged_segment_is_refused(readings, data):
    rows = [(s, t, v, q) for (s, t), (v, q, _) in readings.items()]
    index, packed = pack_segment(batch_of(rows), np.array([late for _, _, late in readings.values()]))
    at = data.draw(st.integers(0, len(packed) - 1))
    flipped = bytes([packed[at] ^ data.draw(st.integers(1, 255))])
    for damaged in (packed[:at], packed[:at] + flipped + packed[at + 1 :]):
        with pytest.raises(Corrupt):
            SegmentReader(index, damaged)
    for damaged in (index[:-1], b"", index + b"\0"):
        with pytest.raises(Corrupt):
            SegmentReader(damaged, packed)
