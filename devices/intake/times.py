"""Times as senders write them, to whole microseconds since the epoch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from devices.telemetry.batch import Int64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# No sensor reported before; what lies there is a time in a wrong unit or a clock that was never set.
EARLIEST_US = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST_MS = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)

_SHOWN = 60  # characters of a wrong text that an error repeats
_LAYOUT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,](\d{1,9}))?(?:([Zz])|([+-])(\d\d):?(\d\d))")
_DIGITS = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
_SIGNS = [4, 7, 10, 13, 16]
# Digit by field: year, month, day, hour, minute, second.
_WEIGHTS = np.zeros((len(_DIGITS), 6))  # float64: its product is several times faster than int64's, and exact here
for _row, (_field, _weight) in enumerate(
    [(0, 1000), (0, 100), (0, 10), (0, 1), *((field, weight) for field in range(1, 6) for weight in (10, 1))]
):
    _WEIGHTS[_row, _field] = _weight


class NotATime(ValueError):
    """A time that cannot be understood; says why in the sender's words."""


def clip(text: str) -> str:
    """Gives a text short enough for an error."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def to_us(time: Any) -> int:
    """Gives a time in µs: ISO 8601 text with an offset, or milliseconds since the epoch.

    Digits beyond the microsecond are cut off in text; a number is rounded to the nearest microsecond.
    Raises: NotATime.
    """
    kind = type(time)
    if kind is str:
        return _text_us(time)
    if kind is int or kind is float:
        if not EARLIEST_US // 1000 <= time <= _LATEST_MS:
            raise NotATime(f"time {clip(repr(time))} is not a number of milliseconds since 1970 that makes sense")
        return int(time) * 1000 if kind is int else round(time * 1000)
    raise NotATime("time must be ISO 8601 text with an offset, or a number of milliseconds since 1970")


def _text_us(text: str) -> int:
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}Z" if text.endswith("z") else text)
        if moment.tzinfo is None and len(text) > 10:
            raise NotATime(f'time "{clip(text)}" has no offset; write Z for UTC, or an offset like +01:00')
        if not any(sign in text for sign in "Tt "):
            raise ValueError(text)
        found = (moment - _EPOCH) // _MICROSECOND
    except NotATime:
        raise
    except (ValueError, OverflowError):
        raise NotATime(
            f'time "{clip(text)}" is not ISO 8601 with an offset, for example 2026-03-01T06:00:00.250Z'
        ) from None
    if found < EARLIEST_US:
        raise NotATime(f'time "{clip(text)}" lies before the year 1900')
    return found


def column_us(times: Sequence[Any], arrival: int) -> tuple[Int64, dict[int, str]]:
    """Gives times in µs, and by position what is wrong with those that are none (0 stands in their place).

    Takes: texts, numbers, UNSET for the time of arrival.
    """
    if not times:
        return np.empty(0, np.int64), {}
    found: Int64 | None = None
    kinds = set(map(type, times))
    if kinds == {str}:
        found = _alike(times)
    elif kinds <= {int, float}:
        found = _numbers(times, kinds)
    if found is not None:
        return found, {}
    one_by_one = np.zeros(len(times), np.int64)
    errors: dict[int, str] = {}
    for position, time in enumerate(times):
        try:
            one_by_one[position] = arrival if time is UNSET else to_us(time)
        except NotATime as error:
            errors[position] = str(error)
    return one_by_one, errors


def _numbers(times: Sequence[float], kinds: set[type]) -> Int64 | None:
    """Gives milliseconds in µs, or None where one of them is no time."""
    try:
        ms: npt.NDArray[Any] = np.array(times, np.int64 if kinds == {int} else np.float64)
    except OverflowError:
        return None
    if ms.min() < EARLIEST_US // 1000 or ms.max() > _LATEST_MS:
        return None
    us = ms * 1000
    return us if kinds == {int} else np.rint(us).astype(np.int64)


def _alike(times: Sequence[str]) -> Int64 | None:
    """Gives texts of one layout in µs by arithmetic on their digits, or None where they are not alike or not valid."""
    first = times[0]
    layout = _LAYOUT.fullmatch(first)
    if layout is None:
        return None
    size = len(times)
    if times.count(first) == size:
        try:
            return np.full(size, _text_us(first), np.int64)
        except NotATime:
            return None
    try:
        letters = np.frombuffer("".join(times).encode("ascii"), np.uint8)
    except UnicodeEncodeError:
        return None
    width = len(first)
    if len(letters) != size * width or set(map(len, times)) != {width}:
        return None
    letters = letters.reshape(size, width)
    fraction, _, sign, hours, minutes = layout.groups()
    digits = letters[:, _DIGITS] - np.uint8(48)
    end = 19 + (len(fraction) + 1 if fraction else 0)
    same = [*_SIGNS, *([19] if fraction else []), *range(end, width)]
    if (digits > 9).any() or (letters[:, same] != letters[0, same]).any():
        return None
    year, month, day, hour, minute, second = (digits.astype(np.float64) @ _WEIGHTS).astype(np.int64).T
    months = (year - 1970) * 12 + month - 1
    start = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    after = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64)
    days = start + day - 1
    valid = (month >= 1) & (month <= 12) & (day >= 1) & (days < after) & (hour < 24) & (minute < 60) & (second < 60)
    if not valid.all() or (year < 1900).any():
        return None
    found: Int64 = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000
    if fraction:
        kept = min(len(fraction), 6)
        parts = letters[:, 20:end] - np.uint8(48)
        if (parts > 9).any():
            return None
        found += parts[:, :kept].astype(np.int64) @ (10 ** np.arange(5, 5 - kept, -1, dtype=np.int64))
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            return None
        offset = (int(hours) * 60 + int(minutes)) * 60_000_000
        found += offset if sign == "-" else -offset
    return found
