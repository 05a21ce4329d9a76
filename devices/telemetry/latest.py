"""The newest value of every sensor, in Redis: one hash a shard, stored with the checkpoint's position."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from devices import moment
from devices.models import Sensor
from devices.telemetry import history
from devices.telemetry.stream import connect

if TYPE_CHECKING:
    from devices.telemetry.admission import Cursors
    from devices.telemetry.batch import Int32, Int64

# Which position of the stream the hash stands for.
_MARK = b"@"
_VALUE = struct.Struct("<qdB")
_COLUMNS = np.dtype([("time", "<i8"), ("value", "<f8"), ("quality", "u1")])  # the same


class Latest(NamedTuple):
    """A sensor's newest reading: time in µs since the epoch, value, quality (0 good, 1 uncertain, 2 bad)."""

    time: int
    value: float
    quality: int


def _key(shard: int) -> str:
    return f"andon:latest:{shard}"


def mark(pipe: Any, shard: int) -> None:
    """Asks, in a pipeline, which position a shard's hash stands for: `epoch:position:turn` as bytes, or None."""
    pipe.hget(_key(shard), _MARK)


def write(pipe: Any, shard: int, cursors: Cursors, rows: Iterable[int], position: str, *, anew: bool) -> None:
    """Stores, in a MULTI, the cursors' values of `rows` and the position they belong to; `anew` drops what was there.

    Takes: row numbers of the cursors, of sensors that belong to the shard.
    """
    fields: dict[bytes, bytes] = {_MARK: position.encode()}
    for row in rows:
        fields[b"%d" % cursors.sensor[row]] = _VALUE.pack(
            cursors.last_time[row], cursors.last_value[row], cursors.last_quality[row]
        )
    if anew:
        pipe.delete(_key(shard))
    pipe.hset(_key(shard), mapping=fields)


def read(sensor_ids: Iterable[int]) -> dict[int, Latest]:
    """Gives the newest reading of each sensor that ever reported.

    Cost: one query for the shards, one round trip to Redis.
    """
    by_shard: dict[int, list[int]] = defaultdict(list)
    wanted = list(sensor_ids)
    for start in range(0, len(wanted), 10_000):
        ids = wanted[start : start + 10_000]
        for sensor, shard in Sensor.objects.filter(pk__in=ids).order_by().values_list("pk", "asset__shard"):
            by_shard[shard].append(sensor)
    return read_shards(by_shard)


def read_shards(by_shard: dict[int, list[int]]) -> dict[int, Latest]:
    """Gives the newest readings of sensors whose shards are known, of the moment that is looked at.

    Cost: one round trip to Redis; of a past moment what `history.readings_at` costs.
    """
    if not by_shard:
        return {}
    if (at := moment.past_us()) is not None:
        ids = [sensor for sensors in by_shard.values() for sensor in sensors]
        readings = history.readings_at(ids, at)
        return {sensor: Latest(*readings[sensor]) for sensor in ids if sensor in readings}
    return {sensor: Latest(*_VALUE.unpack(value)) for sensor, value in _stored(by_shard)}


def times(by_shard: dict[int, list[int]]) -> tuple[Int32, Int64]:
    """Gives the sensors that ever reported, and the time of each one's newest reading in µs.

    Cost: one round trip to Redis.
    """
    stored = list(_stored(by_shard)) if by_shard else []
    columns = np.frombuffer(b"".join(value for _, value in stored), _COLUMNS)
    return np.array([sensor for sensor, _ in stored], np.int32), columns["time"].astype(np.int64)


def _stored(by_shard: dict[int, list[int]]) -> Iterator[tuple[int, bytes]]:
    with connect().pipeline(transaction=False) as pipe:
        for shard, ids in by_shard.items():
            pipe.hmget(_key(shard), ids)
        answers = pipe.execute()
    for ids, values in zip(by_shard.values(), answers, strict=True):
        yield from ((sensor, value) for sensor, value in zip(ids, values, strict=True) if value is not None)
