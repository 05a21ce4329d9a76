"""A batch of readings as columns: what intake makes, the stream carries, the engine reads and the history keeps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]


class Quality(IntEnum):
    """OPC UA's three classes. Source: OPC UA part 8, top bits of a status code."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Readings as four columns of one length, in the order in which they were taken.

    Takes: sensor ids; times in µs since the epoch, UTC; finite values; qualities (0 good, 1 uncertain, 2 bad).
    """

    sensor: Int32
    time: Int64
    value: Float64
    quality: UInt8

    def __len__(self) -> int:
        return len(self.sensor)

    @classmethod
    def empty(cls) -> Batch:
        """Gives a batch of no readings."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))

    @classmethod
    def concat(cls, batches: list[Batch]) -> Batch:
        """Gives the batches one after the other."""
        if not batches:
            return cls.empty()
        if len(batches) == 1:
            return batches[0]
        return cls(
            np.concatenate([batch.sensor for batch in batches]),
            np.concatenate([batch.time for batch in batches]),
            np.concatenate([batch.value for batch in batches]),
            np.concatenate([batch.quality for batch in batches]),
        )

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Batch:
        """Gives the rows of an index or a mask, in its order."""
        return Batch(self.sensor[rows], self.time[rows], self.value[rows], self.quality[rows])
