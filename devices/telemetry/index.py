"""Ids to rows in constant time, however many there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from devices.telemetry.batch import Int32
from devices.telemetry.compiled import compiled, frozen

# 2**64 divided by the golden ratio: consecutive ids fall far apart, so that few meet. Source: Knuth, TAOCP 6.4.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class IdIndex:
    """A fixed set of ids, each with its row in ascending order.

    Takes: ids without repetition, ascending.
    """

    __slots__ = ("_shift", "_table", "ids")

    def __init__(self, ids: Int32) -> None:
        self.ids = ids
        bits = max(4, (2 * len(ids)).bit_length())
        self._shift = np.uint64(64 - bits)
        self._table = np.full((1 << bits, 2), -1, np.int32)
        _fill(self._table, self._shift, frozen(ids))

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, ids: Int32) -> Int32:
        """Gives the row of each id, -1 where it is not in the set."""
        found = np.empty(len(ids), np.int32)
        _find(self._table, self._shift, frozen(ids), found)
        return found


@compiled
def _fill(table: npt.NDArray[np.int32], shift: np.uint64, ids: Int32) -> None:
    mask = len(table) - 1
    for row in range(len(ids)):
        place = np.int64((np.uint64(ids[row]) * _GOLDEN) >> shift)
        while table[place, 1] >= 0:
            place = (place + 1) & mask
        table[place, 0] = ids[row]
        table[place, 1] = row


@compiled
def _find(table: npt.NDArray[np.int32], shift: np.uint64, ids: Int32, found: Int32) -> None:
    mask = len(table) - 1
    for i in range(len(ids)):
        wanted = ids[i]
        place = np.int64((np.uint64(wanted) * _GOLDEN) >> shift)
        while table[place, 1] >= 0 and table[place, 0] != wanted:
            place = (place + 1) & mask
        found[i] = table[place, 1]
