"""Reading the history: segments and chunks as one, each reading once.

Readings move from segments to chunks and from chunk to chunk, each time in one transaction, while others read. So
segments are read first, in one statement, then chunks, in one statement: what has moved in between is seen twice and
merged by its time, never missed. No transaction is needed, which on SQLite would keep the drains waiting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from django.db.models import BinaryField, Func, IntegerField, Max, Q, Sum, Value
from django.db.models.lookups import GreaterThan

from devices.models import Chunk, Segment
from devices.telemetry.batch import Batch, Int32, Int64
from devices.telemetry.codec import Bool, Buffer, Columns, SegmentReader, unpack_chunk
from devices.telemetry.history.layout import MOST_SPAN

# Beyond any time that can be meant, and safe to add to in 64 bits.
EARLIEST, LATEST = -(1 << 62), 1 << 62
_IDS_A_QUERY = 500
# So many sensors are looked for in a segment's index by the database; for more, every segment of the range is opened.
_IDS_SEARCHED = 8
_SCANNED_AT_ONCE = 2_000_000
_UNPACKED_AT_ONCE = 1 << 15


class Reading(NamedTuple):
    """One reading: time in µs since the epoch, value, quality (0 good, 1 uncertain, 2 bad)."""

    time: int
    value: float
    quality: int


class _Place(Func):
    """Where bytes stand within bytes, from 1; 0 where they do not."""

    function = "instr"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        within, wanted = self.source_expressions
        turned = self.copy()
        turned.set_source_expressions([wanted, within])
        return turned.as_sql(compiler, connection, function="position", arg_joiner=" IN ", **context)


def segments(sensor_ids: Sequence[int], start: int, end: int) -> list[SegmentReader]:
    """Gives the segments that may hold readings of the sensors within [start, end]. Cost: one statement."""
    found = Segment.objects.filter(last_time__gte=start, first_time__lte=end)
    if len(sensor_ids) <= _IDS_SEARCHED:
        # The bytes may also stand across two ids: the reader looks again.
        wanted = Q()
        for sensor in sensor_ids:
            needle = Value(int(sensor).to_bytes(4, "little", signed=True), output_field=BinaryField())
            wanted |= Q(GreaterThan(_Place("sensors", needle), 0))
        found = found.filter(wanted)
    return [SegmentReader(index, data) for index, data in found.order_by("pk").values_list("sensors", "data")]


def chunks_of(sensor_ids: Sequence[int], start: int, end: int) -> Any:
    """Gives the query for the chunks of some sensors that touch [start, end]."""
    # No chunk spans more than MOST_SPAN, so that the index on the end bounds the search at both ends.
    return Chunk.objects.filter(
        sensor_id__in=sensor_ids, end__gte=start, end__lte=end + MOST_SPAN, start__lte=end
    ).order_by()


def batches(sensor_ids: Sequence[int]) -> Iterator[list[int]]:
    """Gives the ids in as many as one query takes."""
    for at in range(0, len(sensor_ids), _IDS_A_QUERY):
        yield list(sensor_ids[at : at + _IDS_A_QUERY])


def clamp(start: int, end: int) -> tuple[int, int]:
    """Gives a range that fits the database's integers."""
    return max(int(start), EARLIEST), min(int(end), LATEST)


def read(sensor_id: int, start: int, end: int, *, late: bool = True) -> Columns:
    """Gives a sensor's readings of [start, end] in order of time.

    Takes: µs since the epoch, both included; `late` False to leave out late readings, as a rule saw it.
    Cost: two queries; about 8 ms for a day of 1 Hz, 25 ms for thirty.
    """
    return read_many([sensor_id], start, end, late=late)[sensor_id]


def read_many(sensor_ids: Sequence[int], start: int, end: int, *, late: bool = True) -> dict[int, Columns]:
    """Gives each sensor's readings of [start, end] in order of time. Cost: one query, and one for each 500 sensors."""
    start, end = clamp(start, end)
    held = _held(sensor_ids, start, end)
    return {sensor: _merged(pieces, start, end, late=late) for sensor, pieces in held.items()}


def held(sensor_ids: Sequence[int], start: int, end: int) -> int:
    """Gives about how many packed readings of [start, end] there are, from what the chunks say of themselves.

    Cost: one query for each 500 sensors.
    """
    start, end = clamp(start, end)
    found = 0.0
    for ids in batches(sensor_ids):
        for first, last, count in chunks_of(ids, start, end).values_list("start", "end", "count"):
            found += count * (min(last, end) - max(first, start) + 1) / (last - first + 1)
    return round(found)


class _Piece(NamedTuple):
    """Where some of a sensor's readings lie: columns of a segment, or a chunk not yet unpacked."""

    start: int
    end: int
    readings: int
    held: Columns | Buffer

    def columns(self, start: int, end: int) -> Columns:
        """Gives those of [start, end]."""
        return (self.held if isinstance(self.held, Columns) else unpack_chunk(self.held)).between(start, end)


def _held(sensor_ids: Sequence[int], start: int, end: int) -> dict[int, list[_Piece]]:
    pieces: dict[int, list[_Piece]] = {int(sensor): [] for sensor in sensor_ids}
    for reader in segments(list(pieces), start, end):
        for sensor in pieces if len(pieces) < len(reader.sensors) else reader.sensors.tolist():
            if sensor in pieces and sensor in reader:
                columns = reader.columns(sensor)
                pieces[sensor].append(_Piece(int(columns.time[0]), int(columns.time[-1]), len(columns), columns))
    for ids in batches(list(pieces)):
        rows = chunks_of(ids, start, end).values_list("sensor_id", "start", "end", "count", "data")
        for sensor, first, last, count, data in rows:
            pieces[sensor].append(_Piece(first, last, count, data))
    return pieces


def _merged(pieces: Sequence[_Piece], start: int, end: int, *, late: bool) -> Columns:
    columns = Columns.merge([piece.columns(start, end) for piece in pieces])
    return columns if late or not columns.late.any() else columns.take(~columns.late)


def _in_turn(pieces: Sequence[_Piece], start: int, end: int, *, late: bool) -> Iterator[Columns]:
    """Gives the pieces by time, unpacked one by one: what is used at once is still in the processor's cache.

    Small ones come together, since each costs a caller some Python; and those that overlap, which only together are
    in order.
    """
    together: list[_Piece] = []
    count = reaches = 0
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if together and count >= _UNPACKED_AT_ONCE and piece.start > reaches:
            yield _merged(together, start, end, late=late)
            together, count = [], 0
        reaches = max(reaches, piece.end) if together else piece.end
        together.append(piece)
        count += piece.readings
    yield _merged(together, start, end, late=late)


def known(sensor_ids: Int32, times: Int64) -> Bool:
    """Tells which pairs of sensor and time are kept already.

    Cost: nothing for no pairs; else one query, two for each 500 sensors, and the chunks that the times fall into.
    """
    found: Bool = np.zeros(len(sensor_ids), np.bool_)
    if not len(sensor_ids):
        return found
    start, end = int(times.min()), int(times.max())
    unique: list[int] = np.unique(sensor_ids).tolist()
    for reader in segments(unique, start, end):
        kept, _ = reader.whole()
        found |= _among(sensor_ids, times, kept)
    order = np.lexsort((times, sensor_ids))
    bounds = np.searchsorted(sensor_ids[order], [*unique, unique[-1] + 1])
    rows = {sensor: order[bounds[i] : bounds[i + 1]] for i, sensor in enumerate(unique)}
    for ids in batches(unique):
        missed = True
        while missed:  # a chunk that was folded away since it was listed is in another one now
            missed = False
            listed: dict[int, int] = {}
            for key, sensor, first, last in chunks_of(ids, start, end).values_list("pk", "sensor_id", "start", "end"):
                low, high = np.searchsorted(times[rows[sensor]], (first, last + 1))
                if low < high:
                    listed[key] = sensor
            for keys in batches(list(listed)):
                data = list(Chunk.objects.filter(pk__in=keys).order_by().values_list("sensor_id", "data"))
                missed |= len(data) < len(keys)
                for sensor, packed in data:
                    found[rows[sensor]] |= np.isin(times[rows[sensor]], unpack_chunk(packed).time)
    return found


def _among(sensor_ids: Int32, times: Int64, kept: Batch) -> Bool:
    """Tells which pairs are among the kept ones."""
    near = (kept.time >= times.min()) & (kept.time <= times.max()) & np.isin(kept.sensor, sensor_ids)
    sensors = np.concatenate((kept.sensor[near], sensor_ids))
    all_times = np.concatenate((kept.time[near], times))
    asked = np.arange(len(sensors)) >= int(near.sum())
    order = np.lexsort((asked, all_times, sensors))  # of equal pairs the kept one comes first
    sensors, all_times = sensors[order], all_times[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (sensors[1:] != sensors[:-1]) | (all_times[1:] != all_times[:-1])
    leader = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    same: Bool = np.empty(len(order), np.bool_)
    same[order] = ~asked[order][leader]
    return same[int(near.sum()) :]


def last_readings(sensor_ids: Sequence[int]) -> dict[int, Reading]:
    """Gives the newest reading of each sensor that has any; it is never a late one.

    Cost: one query, and two for each 500 sensors.
    """
    wanted = {int(sensor) for sensor in sensor_ids}
    newest: dict[int, Reading] = {}

    def take(sensor: int, columns: Columns) -> None:
        if len(columns) and (sensor not in newest or int(columns.time[-1]) > newest[sensor].time):
            newest[sensor] = Reading(int(columns.time[-1]), float(columns.value[-1]), int(columns.quality[-1]))

    for reader in segments(list(wanted), EARLIEST, LATEST):
        for sensor in wanted.intersection(reader.sensors.tolist()):
            take(sensor, reader.columns(sensor))
    for ids in batches(sorted(wanted)):
        missed = True
        while missed:
            ends = Chunk.objects.filter(sensor_id__in=ids).order_by().values_list("sensor_id").annotate(Max("end"))
            later = {sensor: end for sensor, end in ends if sensor not in newest or end > newest[sensor].time}
            held = Chunk.objects.filter(sensor_id__in=list(later), end__in=set(later.values())).order_by()
            for sensor, end, data in held.values_list("sensor_id", "end", "data"):
                if later.get(sensor) == end:
                    take(sensor, unpack_chunk(data))
            missed = any(sensor not in newest or newest[sensor].time < end for sensor, end in later.items())
    return newest


def neighbours(sensor_id: int, start: int, end: int) -> tuple[Reading | None, Reading | None]:
    """Gives a sensor's nearest readings before `start` and after `end`, where there are any.

    Cost: four queries; unpacks two or three chunks.
    """
    start, end = clamp(start, end)
    return _nearest_before(sensor_id, start), _nearest_after(sensor_id, end)


def _nearest_before(sensor_id: int, start: int) -> Reading | None:
    found = [reader.columns(sensor_id) for reader in segments([sensor_id], EARLIEST, start - 1)]
    mine = Chunk.objects.filter(sensor_id=sensor_id)
    across = chunks_of([sensor_id], start, start).filter(start__lt=start)
    for chunks in (across, mine.filter(end__lt=start).order_by("-end")[:1]):
        found += [unpack_chunk(data) for data in chunks.values_list("data", flat=True)]
    whole = Columns.merge([columns.between(EARLIEST, start - 1) for columns in found])
    return _reading(whole, -1)


def _nearest_after(sensor_id: int, end: int) -> Reading | None:
    # A chunk that ends after it holds a reading after it; one that overlaps may hold an earlier one.
    mine = Chunk.objects.filter(sensor_id=sensor_id, end__gt=end).order_by("end")[:2]
    found = [unpack_chunk(data) for data in mine.values_list("data", flat=True)]
    if not found:
        found = [reader.columns(sensor_id) for reader in segments([sensor_id], end + 1, LATEST)]
    return _reading(Columns.merge([columns.between(end + 1, LATEST) for columns in found]), 0)


def _reading(columns: Columns, row: int) -> Reading | None:
    if not len(columns):
        return None
    return Reading(int(columns.time[row]), float(columns.value[row]), int(columns.quality[row]))


def windows(sensor_id: int, start: int, end: int, most: int) -> list[tuple[int, int]]:
    """Cuts [start, end] where chunks begin, so that each part holds about `most` readings. Cost: one query."""
    start, end = clamp(start, end)
    begins = [start]
    held = 0
    for first, count in chunks_of([sensor_id], start, end).order_by("start").values_list("start", "count"):
        if held and held + count > most and first > begins[-1]:
            begins.append(first)
            held = 0
        held += count
    return [(first, following - 1) for first, following in zip(begins, [*begins[1:], end + 1], strict=True)]


def scan(sensor_ids: Sequence[int], start: int, end: int, *, late: bool = False) -> Iterator[tuple[int, Columns]]:
    """Gives sensor by sensor, in the given order, the readings of [start, end]; late ones only where asked for.

    Gives: a sensor of more than some ten thousand readings in several parts, one after the other in time; one of none
    as an empty part.
    Cost: memory for two million packed readings, and for one part; decodes about 100 million readings a second.
    """
    start, end = clamp(start, end)
    for ids in batches(sensor_ids):
        sums = chunks_of(ids, start, end).values_list("sensor_id").annotate(Sum("count"))
        counts: dict[int, int] = defaultdict(int, sums)
        group: list[int] = []
        held = 0
        for sensor in ids:
            if group and held + counts[sensor] > _SCANNED_AT_ONCE:
                yield from _scan(group, start, end, late=late)
                group, held = [], 0
            if counts[sensor] > _SCANNED_AT_ONCE:  # a year of one reading a second has 40 MB packed
                for first, last in windows(sensor, start, end, _SCANNED_AT_ONCE):
                    yield from _scan([sensor], first, last, late=late)
                continue
            group.append(sensor)
            held += counts[sensor]
        if group:
            yield from _scan(group, start, end, late=late)


def _scan(sensor_ids: Sequence[int], start: int, end: int, *, late: bool) -> Iterator[tuple[int, Columns]]:
    for sensor, pieces in _held(sensor_ids, start, end).items():
        for columns in _in_turn(pieces, start, end, late=late):
            yield sensor, columns
