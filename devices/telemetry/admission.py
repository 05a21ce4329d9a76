"""Which readings of a batch are new, late or there already: each sensor's newest reading decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from devices.telemetry import snapshot
from devices.telemetry.batch import Batch, Float64, Int32, Int64, Quality, UInt8
from devices.telemetry.compiled import compiled, frozen
from devices.telemetry.index import IdIndex
from devices.telemetry.snapshot import NONE

FRESH = 0
LATE = 1
DUPLICATE = 2

_BAD = int(Quality.BAD)
_VERSION = 1


@dataclass(frozen=True, slots=True)
class LastReading:
    """A sensor's newest reading that was not late, and its newest one that was not bad; times in µs, NONE: not yet."""

    time: int
    value: float
    quality: int
    arrival: int
    good_time: int
    good_value: float


class Newest(Protocol):
    """A sensor's newest reading, as the history gives it; time in µs."""

    @property
    def time(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def quality(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Cursors:
    """The newest reading of every sensor of a shard, a row each, in order of sensor ids.

    Takes: times and arrivals in µs since the epoch, NONE where a sensor has not reported; `last_` is of any quality,
    `last_good_` of the newest that was not bad.
    """

    index: IdIndex
    last_time: Int64
    last_value: Float64
    last_quality: UInt8
    last_arrival: Int64
    last_good_time: Int64
    last_good_value: Float64

    @property
    def sensor(self) -> Int32:
        """The sensors' ids, ascending."""
        return self.index.ids

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def empty(cls) -> Cursors:
        """Gives cursors of no sensor."""
        return cls._of(np.empty(0, np.int32))

    @classmethod
    def _of(cls, sensor: Int32) -> Cursors:
        n = len(sensor)
        return cls(
            IdIndex(sensor),
            np.full(n, NONE, np.int64),
            np.full(n, np.nan),
            np.zeros(n, np.uint8),
            np.full(n, NONE, np.int64),
            np.full(n, NONE, np.int64),
            np.full(n, np.nan),
        )

    def rows(self, sensors: Int32) -> Int32:
        """Gives the sensors' rows, -1 for one that has never reported."""
        return self.index.rows(sensors.astype(np.int32, copy=False))

    def get(self, sensor: int) -> LastReading | None:
        """Gives a sensor's newest reading."""
        row = int(self.rows(np.array([sensor], np.int32))[0])
        if row < 0:
            return None
        return LastReading(
            int(self.last_time[row]),
            float(self.last_value[row]),
            int(self.last_quality[row]),
            int(self.last_arrival[row]),
            int(self.last_good_time[row]),
            float(self.last_good_value[row]),
        )

    def copy(self) -> Cursors:
        """Gives cursors that can move without these."""
        return replace(
            self,
            last_time=self.last_time.copy(),
            last_value=self.last_value.copy(),
            last_quality=self.last_quality.copy(),
            last_arrival=self.last_arrival.copy(),
            last_good_time=self.last_good_time.copy(),
            last_good_value=self.last_good_value.copy(),
        )

    def grown(self, sensors: Int32) -> Cursors:
        """Gives a copy with rows for these sensors too."""
        wider = Cursors._of(np.union1d(self.sensor, sensors).astype(np.int32))
        rows = wider.rows(self.sensor)
        wider.last_time[rows] = self.last_time
        wider.last_value[rows] = self.last_value
        wider.last_quality[rows] = self.last_quality
        wider.last_arrival[rows] = self.last_arrival
        wider.last_good_time[rows] = self.last_good_time
        wider.last_good_value[rows] = self.last_good_value
        return wider

    def introduced(self, readings: Mapping[int, Newest]) -> Cursors:
        """Gives a copy that knows these sensors' newest readings, as the history has them."""
        ids = np.array(sorted(readings), np.int32)
        wider = self.grown(ids)
        for row, sensor in zip(wider.rows(ids).tolist(), ids.tolist(), strict=True):
            reading = readings[sensor]
            wider.last_time[row] = wider.last_arrival[row] = reading.time
            wider.last_value[row] = reading.value
            wider.last_quality[row] = reading.quality
            if reading.quality < Quality.BAD:
                wider.last_good_time[row] = reading.time
                wider.last_good_value[row] = reading.value
        return wider

    @classmethod
    def together(cls, parts: Sequence[Cursors]) -> Cursors:
        """Gives cursors of all sensors of some shards, each sensor's the newest of them."""
        if not parts:
            return cls.empty()
        sensor, time, *columns = (
            np.concatenate(column) for column in zip(*((part.sensor, *part._columns()) for part in parts), strict=True)
        )
        order = np.lexsort((time, sensor))
        newest = order[np.append(sensor[order][1:] != sensor[order][:-1], np.ones(min(1, len(order)), np.bool_))]
        return cls(IdIndex(sensor[newest]), time[newest], *(column[newest] for column in columns))

    def only(self, sensors: Int32) -> Cursors:
        """Gives the cursors of these sensors, as far as they have reported."""
        rows = self.rows(np.unique(sensors))
        rows = rows[rows >= 0]
        return Cursors(IdIndex(self.sensor[rows]), *(column[rows] for column in self._columns()))

    def _columns(self) -> tuple[Any, ...]:
        return (
            self.last_time,
            self.last_value,
            self.last_quality,
            self.last_arrival,
            self.last_good_time,
            self.last_good_value,
        )

    def dumps(self) -> bytes:
        """Gives the cursors as bytes for the checkpoint."""
        # The newest good reading is the newest one, nearly always: only where it differs is it written.
        other = np.flatnonzero(self.last_good_time != self.last_time).astype(np.int32)
        columns: list[snapshot.Column] = [
            np.diff(self.sensor.astype(np.int64), prepend=0),
            self.last_time,
            self.last_value,
            self.last_quality,
            self.last_arrival,
            other,
            self.last_good_time[other],
            self.last_good_value[other],
        ]
        return snapshot.pack(_VERSION, columns)

    @classmethod
    def loads(cls, data: bytes) -> Cursors:
        """Gives the cursors that were written; of no sensor for no bytes.

        Raises: CorruptSnapshot.
        """
        if not data:
            return cls.empty()
        steps, time, value, quality, arrival, other, good_time, good_value = snapshot.unpack(_VERSION, data)
        all_good_time, all_good_value = time.copy(), value.copy()
        all_good_time[other] = good_time
        all_good_value[other] = good_value
        index = IdIndex(np.cumsum(steps).astype(np.int32))
        return cls(index, time, value, quality, arrival, all_good_time, all_good_value)


def admit(cursors: Cursors, batch: Batch, arrival: Int64) -> tuple[UInt8, Cursors]:
    """Judges each reading, in order, against the newest one of its sensor.

    Takes: arrivals in µs, a row each.
    Gives: FRESH (after the newest), LATE (before it) or DUPLICATE (of its very time) per reading; the new cursors.
    Cost: constant per reading.
    """
    verdict = np.empty(len(batch), np.uint8)
    rows = cursors.index.rows(batch.sensor)
    if len(rows) and rows.min() < 0:
        moved = cursors.grown(batch.sensor[rows < 0])
        rows = moved.index.rows(batch.sensor)
    else:
        moved = cursors.copy()
    _admit(
        rows,
        frozen(batch.time),
        frozen(batch.value),
        frozen(batch.quality),
        frozen(arrival),
        moved.last_time,
        moved.last_value,
        moved.last_quality,
        moved.last_arrival,
        moved.last_good_time,
        moved.last_good_value,
        verdict,
    )
    return verdict, moved


@compiled
def _admit(
    rows: Int32,
    time: Int64,
    value: Float64,
    quality: UInt8,
    arrival: Int64,
    last_time: Int64,
    last_value: Float64,
    last_quality: UInt8,
    last_arrival: Int64,
    last_good_time: Int64,
    last_good_value: Float64,
    verdict: UInt8,
) -> None:
    for i in range(len(rows)):
        row = rows[i]
        newest = last_time[row]
        if time[i] > newest:
            verdict[i] = FRESH
            last_time[row] = time[i]
            last_value[row] = value[i]
            last_quality[row] = quality[i]
            last_arrival[row] = arrival[i]
            if quality[i] != _BAD:
                last_good_time[row] = time[i]
                last_good_value[row] = value[i]
        elif time[i] == newest:
            verdict[i] = DUPLICATE
        else:
            verdict[i] = LATE
