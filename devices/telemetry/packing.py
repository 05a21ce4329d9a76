"""One column of numbers as bytes: raw with the fewest bytes that fit, or packed with pcodec."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, standalone

from devices.telemetry.batch import Float64, Int64

Buffer = bytes | bytearray | memoryview

# Below this many numbers pcodec's own head costs more than it saves.
_FEW = 24
# Level 4 is half the size of level 0 on a long noisy signal; 8 gains 4 % for a third more time.
_CONFIG = ChunkConfig(compression_level=4)
# A sensor's values rarely have more decimals than these.
_SCALES = np.array([1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6])
_SAMPLE = 64
_EXACT = float(1 << 53)  # integers to here are exact in float64


class Corrupt(ValueError):
    """Stored bytes that are not what was packed."""


class _Kind(IntEnum):
    STEPS = 0  # base + step * row
    BYTES_1 = 1  # base + step * unsigned offset of 1, 2, 4 bytes
    BYTES_2 = 2
    BYTES_4 = 3
    RAW = 4  # int64
    PACKED_4 = 5  # base + step * pcodec of uint32
    PACKED_8 = 6  # base + step * pcodec of int64
    FLOATS = 7  # float64
    PACKED_FLOATS = 8  # pcodec of float64


_HEAD = struct.Struct("<BBqq")  # kind, decimals, base, step
_WIDTHS: dict[_Kind, np.dtype[Any]] = {
    _Kind.BYTES_1: np.dtype("<u1"),
    _Kind.BYTES_2: np.dtype("<u2"),
    _Kind.BYTES_4: np.dtype("<u4"),
}
# Clocks that count in whole seconds or milliseconds need fewer bytes.
_TICKS = (1_000_000, 1_000)


def pack_ints(numbers: Int64, *, dense: bool = True, decimals: int = 0) -> bytes:
    """Packs integers; exactly regular ones, such as the times of a steady clock, take no space.

    Takes: `dense` for the smallest bytes, without it those that are fastest to write and can be read in part.
    """
    n = len(numbers)
    if n == 0:
        return _HEAD.pack(_Kind.STEPS, decimals, 0, 0)
    base = int(numbers[0])
    step = int(numbers[-1]) - base
    step = step // (n - 1) if n > 1 and step % (n - 1) == 0 else 0
    if base + step * (n - 1) == int(numbers[-1]) and bool((np.diff(numbers) == step).all()):
        return _HEAD.pack(_Kind.STEPS, decimals, base, step)
    base, highest = int(numbers.min()), int(numbers.max())
    span = highest - base
    if span >= 1 << 63:
        return _HEAD.pack(_Kind.RAW, decimals, 0, 1) + numbers.astype("<i8", copy=False).tobytes()
    offsets = numbers - base
    tick = 1
    if span >= 1 << 32 or dense:
        tick = next((tick for tick in _TICKS if not bool((offsets % tick).any())), 1)
        if tick > 1:
            offsets //= tick
            span //= tick
    if dense and n >= _FEW:
        if span < 1 << 32:
            kind, packed = _Kind.PACKED_4, standalone.simple_compress(offsets.astype(np.uint32), _CONFIG)
        else:
            kind, packed = _Kind.PACKED_8, standalone.simple_compress(offsets, _CONFIG)
        return _HEAD.pack(kind, decimals, base, tick) + bytes(packed)
    for kind, width in _WIDTHS.items():
        if span < 1 << (8 * width.itemsize):
            return bytes(_HEAD.pack(kind, decimals, base, tick) + offsets.astype(width).tobytes())
    return _HEAD.pack(_Kind.RAW, decimals, 0, 1) + numbers.astype("<i8", copy=False).tobytes()


def unpack_ints(data: Buffer, n: int, first: int, last: int) -> Int64:
    """Gives the rows [first, last) of the n that `pack_ints` packed. Raises: Corrupt."""
    return _unpack(data, n, first, last)[0]


def _unpack(data: Buffer, n: int, first: int, last: int) -> tuple[Int64, int]:
    if len(data) < _HEAD.size:
        raise Corrupt("A column is cut short.")
    code, decimals, base, step = _HEAD.unpack_from(data)
    try:
        kind = _Kind(code)
    except ValueError as error:
        raise Corrupt(f"A column of kind {code} is unknown here.") from error
    numbers: Int64
    if kind is _Kind.STEPS:
        return _steps(base, step, first, last), decimals
    if kind is _Kind.RAW:
        return _raw(data, np.dtype("<i8"), n, first, last), decimals
    if kind in _WIDTHS:
        numbers = _raw(data, _WIDTHS[kind], n, first, last).astype(np.int64)
    elif kind in (_Kind.PACKED_4, _Kind.PACKED_8):
        wanted = np.uint32 if kind is _Kind.PACKED_4 else np.int64
        numbers = _packed(data, np.dtype(wanted), n)[first:last].astype(np.int64, copy=False)
    else:
        raise Corrupt("A column of floats stands where integers are expected.")
    if step != 1:
        numbers *= step
    numbers += base
    return numbers, decimals


def pack_values(values: Float64, *, dense: bool = True) -> bytes:
    """Packs floats, bit by bit the same when unpacked; decimal ones become integers."""
    with np.errstate(over="ignore", invalid="ignore"):
        for decimals in _decimals(values):
            scaled = np.rint(values * _SCALES[decimals])
            if not bool((np.abs(scaled) < _EXACT).all()):
                break
            whole = scaled.astype(np.int64)
            # Compared as bits: -0.0 is not 0.
            if bool(((whole / _SCALES[decimals]).view(np.int64) == values.view(np.int64)).all()):
                return pack_ints(whole, dense=dense, decimals=decimals)
    if dense and len(values) >= _FEW:
        packed = bytes(standalone.simple_compress(np.ascontiguousarray(values), _CONFIG))
        if len(packed) < 8 * len(values):
            return _HEAD.pack(_Kind.PACKED_FLOATS, 0, 0, 0) + packed
    return _HEAD.pack(_Kind.FLOATS, 0, 0, 0) + values.astype("<f8", copy=False).tobytes()


def _decimals(values: Float64) -> list[int]:
    """Gives with how many decimals a sample of the values is written exactly, the fewest first."""
    # From start to end: a segment holds one sensor after the other.
    sample = values if len(values) <= _SAMPLE else values[:: len(values) // _SAMPLE]
    scaled = np.rint(sample[None, :] * _SCALES[:, None])
    exact: list[int] = np.flatnonzero(((scaled / _SCALES[:, None]) == sample[None, :]).all(axis=1)).tolist()
    return exact


def unpack_values(data: Buffer, n: int, first: int, last: int) -> Float64:
    """Gives the rows [first, last) of the n that `pack_values` packed. Raises: Corrupt."""
    kind = data[0] if len(data) else None
    if kind == _Kind.FLOATS:
        return _raw(data, np.dtype("<f8"), n, first, last)
    if kind == _Kind.PACKED_FLOATS:
        return _packed(data, np.dtype(np.float64), n)[first:last]
    if kind == _Kind.PACKED_4 and len(data) >= _HEAD.size:
        # All below 2^53 and so exact in float64: one pass less than by way of int64.
        _, decimals, base, step = _HEAD.unpack_from(data)
        values: Float64 = _packed(data, np.dtype(np.uint32), n)[first:last].astype(np.float64)
        if step != 1:
            values *= step
        values += base
    else:
        numbers, decimals = _unpack(data, n, first, last)
        values = numbers.astype(np.float64)
    if decimals >= len(_SCALES):
        raise Corrupt(f"A column of {decimals} decimals is unknown here.")
    if decimals:
        values /= _SCALES[decimals]
    return values


def _steps(base: int, step: int, first: int, last: int) -> Int64:
    if step == 0:
        return np.full(last - first, base, np.int64)
    stop = base + last * step
    if -(1 << 63) <= stop < 1 << 63:
        return np.arange(base + first * step, stop, step, dtype=np.int64)
    return np.arange(first, last, dtype=np.int64) * step + base


def _raw(data: Buffer, dtype: np.dtype[Any], n: int, first: int, last: int) -> npt.NDArray[Any]:
    if len(data) != _HEAD.size + n * dtype.itemsize:
        raise Corrupt(f"A column of {n} numbers has {len(data)} bytes.")
    # A copy, because the bytes may stand at any address.
    return np.frombuffer(data, dtype, last - first, _HEAD.size + first * dtype.itemsize).copy()


def _packed(data: Buffer, dtype: np.dtype[Any], n: int) -> npt.NDArray[Any]:
    numbers = np.empty(n, dtype)
    try:
        progress = standalone.simple_decompress_into(bytes(data[_HEAD.size :]), numbers)
    except (RuntimeError, TypeError) as error:
        raise Corrupt(f"A column cannot be unpacked: {error}.") from error
    if progress.n_processed != n or not progress.finished:
        raise Corrupt(f"A column has other than {n} numbers.")
    return numbers
