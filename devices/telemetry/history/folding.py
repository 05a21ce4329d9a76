"""Folding: small segments into bigger ones, segments into chunks, small chunks into bigger ones.

All thinking happens outside a transaction; each transaction then deletes exactly the rows that were read and inserts
what they became, in some milliseconds, while drains wait for the write lock. If a row has gone meanwhile another fold
was there first: nothing is done.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import structlog
from django.db import transaction
from django.db.models import Count, Min, Sum

from devices.models import Chunk, Segment, Sensor
from devices.telemetry.batch import Batch, Quality
from devices.telemetry.codec import Bool, Columns, SegmentReader, pack_chunk, unpack_chunk
from devices.telemetry.history import layout
from devices.telemetry.history.layout import Group, Piece, cut, level_of, plan
from devices.telemetry.history.reading import LATEST, batches
from devices.telemetry.history.writing import prepare

log = structlog.get_logger(__name__)

_DAY = 86_400_000_000
# One step of a shard: about 8 MB, the most that one transaction writes.
_STEP_READINGS = 1_000_000
# Segments grow to this by merging; a drain's may be larger.
_SEGMENT_READINGS = 200_000
_SENSORS_A_SLICE = 256
_CHUNKS_A_SLICE = 400
_READINGS_A_SLICE = 2_000_000
_LONG_MS = 250.0


class _Gone(Exception):
    """Rows that were read are no longer there."""


@dataclass(slots=True)
class Folded:
    """What a fold did: segments and chunks taken, segments and chunks made."""

    segments_read: int = 0
    segments_made: int = 0
    chunks_read: int = 0
    chunks_made: int = 0
    readings: int = 0
    longest_ms: float = 0.0  # of its transactions, the lock's wait not counted


def fold(now_us: int, *, budget: float = 8.0, everything: bool = False) -> Folded:
    """Packs what has gathered since the last fold; may run at any time, beside drains, readers and another fold.

    Takes: the clock in µs; seconds after which it begins nothing new; `everything` to leave no segment behind.
    Cost: about 0.3 µs a reading once, and as much again over the years; transactions of a few milliseconds.
    """
    begun = time.perf_counter()
    done = Folded()
    shards = Segment.objects.order_by().values_list("shard").annotate(held=Sum("count")).order_by("-held")
    grown: set[int] = set()
    for shard in [row[0] for row in shards]:
        while time.perf_counter() - begun < budget:
            touched = _fold_shard(shard, now_us, done, everything=everything)
            if touched is None:
                break
            grown |= touched
    for ids in batches(sorted(grown)):
        if time.perf_counter() - begun < budget:
            _grow(ids, done)
    if done.longest_ms > _LONG_MS:
        log.info("fold held the write lock long", **{name: getattr(done, name) for name in Folded.__slots__})
    return done


def _fold_shard(shard: int, now_us: int, done: Folded, *, everything: bool) -> set[int] | None:
    """Does one step of a shard: chunks where enough has gathered, else bigger segments.

    Gives: the sensors that got chunks; None where nothing is left to do.
    """
    rows: list[tuple[int, int, int, SegmentReader]] = []
    total = 0
    found = Segment.objects.filter(shard=shard).order_by("pk").values_list("pk", "count", "last_time", "sensors")
    for key, count, last, index in found.iterator(chunk_size=500):
        if rows and total + count > _STEP_READINGS:
            break
        rows.append((key, count, last, SegmentReader(index)))
        total += count
    if not rows:
        return None
    ready = _ready(rows, now_us, everything=everything)
    if ready is not None:
        return _to_chunks(shard, [row[0] for row in rows], ready, done)
    small = sorted((count, key) for key, count, _, _ in rows if count <= _SEGMENT_READINGS)
    # Binary-counter merging: a segment is taken in once those smaller than it are together at least half as large.
    keys: list[int] = []
    held = 0
    for count, key in small:
        if held + count > _SEGMENT_READINGS or (len(keys) >= 2 and count > 2 * held):
            break
        keys.append(key)
        held += count
    if len(keys) >= 4:
        _merge_segments(shard, keys, done)
    return None


def _ready(
    rows: list[tuple[int, int, int, SegmentReader]], now_us: int, *, everything: bool
) -> npt.NDArray[np.int32] | None:
    """Gives the sensors whose readings should go to chunks now; None while that is less than half of the readings."""
    sensors = np.concatenate([row[3].sensors for row in rows])
    counts = np.concatenate([row[3].counts for row in rows])
    last = np.repeat(np.array([row[2] for row in rows], np.int64), [len(row[3].sensors) for row in rows])
    unique, place = np.unique(sensors, return_inverse=True)
    if everything:
        return unique
    held = np.bincount(place, counts)
    newest = np.full(len(unique), -LATEST, np.int64)
    np.maximum.at(newest, place, last)
    # A sensor that fell silent a day ago will not fill a chunk any more.
    ready = (held >= layout.ENOUGH) | (newest < now_us - _DAY)
    return unique[ready] if 2 * held[ready].sum() >= held.sum() else None


def _open(keys: list[int]) -> tuple[Batch, Bool]:
    """Gives the readings of some segments. Raises: _Gone."""
    parts: list[tuple[Batch, Bool]] = []
    for some in batches(keys):
        rows = list(Segment.objects.filter(pk__in=some).order_by("pk").values_list("sensors", "data"))
        if len(rows) != len(some):
            raise _Gone
        parts += [SegmentReader(index, data).whole() for index, data in rows]
    return Batch.concat([batch for batch, _ in parts]), np.concatenate([late for _, late in parts])


def _merge_segments(shard: int, keys: list[int], done: Folded) -> None:
    try:
        batch, late = _open(keys)
        _replace_segments(keys, [prepare(shard, batch, late)], [], done)
    except _Gone:
        log.info("another fold was there first", shard=shard)


def _to_chunks(shard: int, keys: list[int], ready: npt.NDArray[np.int32], done: Folded) -> set[int] | None:
    """Makes chunks of the sensors that are ready; the others' readings stay together in one segment."""
    touched: set[int] = set()
    # What was still on its way when its sensor was deleted is not kept.
    exists: set[int] = set()
    for ids in batches(ready.tolist()):
        exists.update(Sensor.objects.filter(pk__in=ids).order_by().values_list("pk", flat=True))
    try:
        batch, late = _open(keys)
        goes = np.isin(batch.sensor, ready)
        kept = np.isin(batch.sensor, np.fromiter(exists, np.int32, len(exists)))
        rest = [prepare(shard, batch.take(~goes), late[~goes])] if not goes.all() else []
        slices = [ready[at : at + _SENSORS_A_SLICE] for at in range(0, len(ready), _SENSORS_A_SLICE)]
        if len(slices) == 1:
            chunks = _chunks(prepare(shard, batch.take(goes & kept), late[goes & kept])) if (goes & kept).any() else []
            _replace_segments(keys, rest, chunks, done)
            return {chunk.sensor_id for chunk in chunks}
        # Too many chunks for one transaction: first a segment for each slice of sensors, then slice by slice.
        parts = []
        for some in slices:
            mine = np.isin(batch.sensor, some) & kept
            if mine.any():
                parts.append(prepare(shard, batch.take(mine), late[mine]))
        _replace_segments(keys, rest + parts, [], done)
        for part in parts:
            chunks = _chunks(part)
            _replace_segments([part.pk], [], chunks, done)
            touched |= {chunk.sensor_id for chunk in chunks}
    except _Gone:
        log.info("another fold was there first", shard=shard)
        return None
    return touched


def _chunks(segment: Segment) -> list[Chunk]:
    reader = SegmentReader(segment.sensors, segment.data)
    return [
        make_chunk(sensor, level_of(len(columns)), columns)
        for sensor in reader.sensors.tolist()
        for columns in cut(reader.columns(sensor), stragglers_apart=True)
    ]


def make_chunk(sensor: int, level: int, columns: Columns) -> Chunk:
    """Gives an unsaved chunk with its figures; they are of the readings that are not bad."""
    values = columns.value
    if columns.quality.any():
        values = values[columns.quality != Quality.BAD]
    some = len(values) > 0
    with np.errstate(over="ignore"):
        total = float(values.sum())
    return Chunk(
        sensor_id=sensor,
        level=level,
        start=int(columns.time[0]),
        end=int(columns.time[-1]),
        count=len(columns),
        good=len(values),
        minimum=float(values.min()) if some else None,
        maximum=float(values.max()) if some else None,
        total=min(max(total, -_LARGEST), _LARGEST),
        first=float(values[0]) if some else None,
        last=float(values[-1]) if some else None,
        data=pack_chunk(columns),
    )


_LARGEST = float(np.finfo(np.float64).max)


def _replace_segments(keys: list[int], segments: list[Segment], chunks: list[Chunk], done: Folded) -> None:
    with transaction.atomic():
        begun = time.perf_counter()
        for some in batches(keys):
            if Segment.objects.filter(pk__in=some).delete()[0] != len(some):
                raise _Gone
        for segment in segments:
            segment.save(force_insert=True)
        Chunk.objects.bulk_create(chunks)
    _count(done, begun)
    done.segments_read += len(keys)
    done.segments_made += len(segments)
    done.chunks_made += len(chunks)
    done.readings += sum(chunk.count for chunk in chunks)


def _count(done: Folded, begun: float) -> None:
    done.longest_ms = max(done.longest_ms, (time.perf_counter() - begun) * 1000)


def _grow(sensor_ids: list[int], done: Folded) -> None:
    """Makes small chunks of some sensors into bigger ones, where a level is full."""
    small = Chunk.objects.filter(sensor_id__in=sensor_ids, level__lt=layout.LEVELS - 1).order_by()
    full = small.values_list("sensor_id", "level").annotate(held=Count("pk")).filter(held__gte=layout.FAN)
    grows = sorted({row[0] for row in full})
    begins = dict(small.filter(sensor_id__in=grows).values_list("sensor_id").annotate(Min("start")))
    waiting: list[tuple[int, Group]] = []
    held = 0
    for sensor, begin in begins.items():
        held_by = Chunk.objects.filter(sensor_id=sensor, end__gte=begin).order_by()
        pieces = [Piece(*row) for row in held_by.values_list("pk", "level", "start", "end", "count")]
        for group in plan(pieces):
            waiting.append((sensor, group))
            held += group.count
            if len(waiting) * layout.FAN >= _CHUNKS_A_SLICE or held >= _READINGS_A_SLICE:
                _join(waiting, done)
                waiting, held = [], 0
    if waiting:
        _join(waiting, done)


def _join(groups: Iterable[tuple[int, Group]], done: Folded) -> None:
    """Writes what groups of chunks become, all in one transaction."""
    keys = [piece.key for _, group in groups for piece in group.pieces]
    data: dict[int, bytes] = {}
    for some in batches(keys):
        data.update((key, bytes(held)) for key, held in Chunk.objects.filter(pk__in=some).values_list("pk", "data"))
    if len(data) != len(keys):
        log.info("another fold was there first")
        return
    made = [
        make_chunk(sensor, group.level, columns)
        for sensor, group in groups
        for columns in cut(Columns.merge([unpack_chunk(data[piece.key]) for piece in group.pieces]))
    ]
    try:
        with transaction.atomic():
            begun = time.perf_counter()
            for some in batches(keys):
                if Chunk.objects.filter(pk__in=some).delete()[0] != len(some):
                    raise _Gone
            Chunk.objects.bulk_create(made)
        _count(done, begun)
    except _Gone:
        log.info("another fold was there first")
        return
    done.chunks_read += len(keys)
    done.chunks_made += len(made)
