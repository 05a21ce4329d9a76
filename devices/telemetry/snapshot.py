"""Columns of state as compact bytes: written with every drain, so quick first and small second."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# "Never yet" in a column of times.
NONE = int(np.iinfo(np.int64).min)

_MAGIC = b"AnS"
_HEAD = struct.Struct("<3sBH")
_COLUMN = struct.Struct("<BBI")
_INT64 = struct.Struct("<q")
_TYPES: tuple[np.dtype[Any], ...] = (
    np.dtype("<i8"),
    np.dtype("<f8"),
    np.dtype("<i4"),
    np.dtype("u1"),
)
_CODES = {kind: code for code, kind in enumerate(_TYPES)}
_RAW, _SAME, _OFFSET = 0, 1, 2  # _OFFSET + 0, 1, 2: unsigned distances of 1, 2 and 4 bytes
_WIDTHS: tuple[np.dtype[Any], ...] = (np.dtype("u1"), np.dtype("<u2"), np.dtype("<u4"))

Column = npt.NDArray[Any]


class CorruptSnapshot(ValueError):
    """The bytes are no snapshot of this version."""


def pack(version: int, columns: Sequence[Column]) -> bytes:
    """Gives the columns as bytes.

    Takes: one-dimensional columns of int64, float64, int32 or uint8. In int64 NONE may stand among close numbers.
    """
    parts = [_HEAD.pack(_MAGIC, version, len(columns))]
    for column in columns:
        form, body = _shrink(column)
        parts.append(_COLUMN.pack(_CODES[column.dtype], form, len(column)))
        parts.append(body)
    return b"".join(parts)


def unpack(version: int, data: bytes) -> list[Column]:
    """Gives the columns back, each writable and of its own.

    Raises: CorruptSnapshot where the bytes are of another version, cut or longer than they say.
    """
    try:
        magic, found, count = _HEAD.unpack_from(data)
        if (magic, found) != (_MAGIC, version):
            raise CorruptSnapshot(f"The snapshot is of version {found}, expected {version}.")
        at = _HEAD.size
        columns = []
        for _ in range(count):
            code, form, length = _COLUMN.unpack_from(data, at)
            column, at = _restore(data, at + _COLUMN.size, _TYPES[code], form, length)
            columns.append(column)
    except (struct.error, IndexError, ValueError) as error:
        if isinstance(error, CorruptSnapshot):
            raise
        raise CorruptSnapshot(f"The snapshot is damaged: {error}.") from error
    if at != len(data):
        raise CorruptSnapshot(f"The snapshot has {len(data) - at} bytes too many.")
    return columns


def _shrink(column: Column) -> tuple[int, bytes]:
    """Gives the shortest of the simple forms."""
    column = np.ascontiguousarray(column)
    if not len(column):
        return _RAW, b""
    # Bits, not numbers: NaN equals itself and -0.0 is not 0.0.
    bits = column.view(np.int64) if column.dtype.itemsize == 8 else column
    if bits[0] == bits[-1] and (bits == bits[0]).all():
        return _SAME, column[:1].tobytes()
    if column.dtype == _TYPES[0]:
        missing = column == NONE
        some = bool(missing.any())
        least, most = int((column[~missing] if some else column).min()), int(column.max())
        for form, width in enumerate(_WIDTHS):
            if most - least < np.iinfo(width).max:
                distance = np.where(missing, 0, column - least + 1) if some else column - least + 1
                return _OFFSET + form, _INT64.pack(least) + distance.astype(width).tobytes()
    return _RAW, column.tobytes()


def _restore(data: bytes, at: int, kind: np.dtype[Any], form: int, length: int) -> tuple[Column, int]:
    """Gives a column and where the next one starts."""
    if form == _RAW:
        return np.frombuffer(data, kind, length, at).copy(), at + length * kind.itemsize
    if form == _SAME:
        return np.full(length, np.frombuffer(data, kind, 1, at)[0], kind), at + kind.itemsize
    width = _WIDTHS[form - _OFFSET]
    (least,) = _INT64.unpack_from(data, at)
    at += _INT64.size
    distance = np.frombuffer(data, width, length, at).astype(np.int64)
    return np.where(distance == 0, NONE, distance - 1 + least), at + length * width.itemsize
