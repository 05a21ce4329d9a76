"""Checks a request's columns against the plant: known sensors, the source's scope, sane times, known qualities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any

import numpy as np
from msgspec import UNSET

from devices.intake.forms import Columns, Rejected
from devices.intake.times import NotATime, clip, column_us, to_us
from devices.telemetry.batch import Quality
from devices.telemetry.directory import Directory, Grant

UNKNOWN = "unknown sensor"
OUTSIDE = "outside scope"
AHEAD = "ahead"

# Up to so many readings a plain loop is faster than arrays.
FEW = 16

_QUALITY: dict[Any, int] = {UNSET: Quality.GOOD.value, **{quality.name.lower(): quality.value for quality in Quality}}


@dataclass(slots=True)
class Taken:
    """What a request brings in, as columns: arrays, or lists where there are few; and what it does not."""

    sensor: Sequence[int]
    shard: Sequence[int]
    time: Sequence[int]
    value: Sequence[float]
    quality: Sequence[int]
    rejected: list[Rejected] = field(default_factory=list)
    layout: int = 0  # by which the shards are told

    def __len__(self) -> int:
        return len(self.sensor)


def take(columns: Columns, directory: Directory, grant: Grant, now: int, ahead: int) -> Taken:
    """Gives the readings that may go in, in their order, and the others with what is wrong with them.

    Takes: the time of arrival, and how far ahead of it a reading may lie, both in µs.
    """
    if len(columns.values) <= FEW and not columns.rejected:
        few = _take_few(columns, directory, grant, now, ahead)
        if few is not None:
            return few
    return _take_many(columns, directory, grant, now, ahead)


def _take_few(columns: Columns, directory: Directory, grant: Grant, now: int, ahead: int) -> Taken | None:
    """Gives a few readings if all are good, else None."""
    sensor: list[int] = []
    shard: list[int] = []
    times: list[int] = []
    quality: list[int] = []
    rows, latest = directory.rows, now + ahead
    for tag, time, word in zip(
        _expanded(columns.tags, columns.tag_counts),
        _expanded(columns.times, columns.time_counts),
        columns.words or repeat(UNSET, len(columns.values)),
        strict=True,
    ):
        row = rows.get(tag)
        if row is None or not grant.first <= directory.place_list[row] < grant.last:
            return None
        if time is UNSET:
            moment = now
        else:
            try:
                moment = to_us(time)
            except NotATime:
                return None
        level = _QUALITY.get(word)
        if moment > latest or level is None:
            return None
        sensor.append(directory.sensor_list[row])
        shard.append(directory.shard_list[row])
        times.append(moment)
        quality.append(level)
    return Taken(sensor, shard, times, columns.values, quality, layout=directory.layout)


def _expanded(items: Sequence[Any], counts: list[int] | None) -> Sequence[Any]:
    """Gives one item for every reading."""
    if counts is None:
        return items
    if len(counts) == 1:
        return list(items) * counts[0]
    return list(chain.from_iterable(repeat(item, count) for item, count in zip(items, counts, strict=True)))


def _take_many(columns: Columns, directory: Directory, grant: Grant, now: int, ahead: int) -> Taken:
    tags, size = columns.tags, len(columns.values)
    try:
        rows = np.array(list(map(directory.rows.__getitem__, tags)), np.intp)
    except KeyError:
        rows = np.array([directory.rows.get(tag, -1) for tag in tags], np.intp)
    if columns.tag_counts is not None:
        rows = np.repeat(rows, columns.tag_counts)
    time, wrong_times = column_us(columns.times, now)
    if columns.time_counts is not None:
        time = np.repeat(time, columns.time_counts)
    place = directory.place[rows]
    bad = (place < grant.first) | (place >= grant.last) | (time > now + ahead)
    quality = np.zeros(size, np.uint8)
    if columns.words is not None:
        words = [_QUALITY.get(word, -1) for word in columns.words]
        levels = np.array(words, np.int8)
        bad |= levels < 0
        quality = levels.astype(np.uint8)
    if wrong_times:
        wrong = np.zeros(len(columns.times), np.bool_)
        wrong[list(wrong_times)] = True
        bad |= wrong if columns.time_counts is None else np.repeat(wrong, columns.time_counts)
    value = np.array(columns.values, np.float64)
    sensor, shard = directory.sensor[rows], directory.shard[rows]
    rejected = columns.rejected
    if bad.any():
        which = np.flatnonzero(bad).tolist()
        rejected = sorted([*rejected, *_name_errors(columns, which, directory, grant, time.tolist(), now, ahead)])
        good = ~bad
        sensor, shard, time, value, quality = sensor[good], shard[good], time[good], value[good], quality[good]
    return Taken(sensor, shard, time, value, quality, rejected, directory.layout)  # type: ignore[arg-type]  # arrays are sequences here


def _name_errors(
    columns: Columns, which: list[int], directory: Directory, grant: Grant, time: list[int], now: int, ahead: int
) -> list[Rejected]:
    """Gives what is wrong with the readings at `which`; of several errors the first that a sender should mend."""
    tags = _expanded(columns.tags, columns.tag_counts)
    sent = _expanded(columns.times, columns.time_counts)
    found = []
    for position in which:
        tag = tags[position]
        number = position if columns.index is None else columns.index[position]
        row = directory.rows.get(tag, -1)
        if row < 0:
            error, reason = f"no sensor is called {clip(tag)}", UNKNOWN
        elif not grant.first <= directory.place_list[row] < grant.last:
            error, reason = f"source {grant.source} may write below {grant.scope} only", OUTSIDE
        else:
            error, reason = _time_error(sent[position], time[position], now, ahead)
            if not error:
                assert columns.words is not None
                word = clip(str(columns.words[position]))
                error, reason = f'quality "{word}" is none of good, uncertain, bad', "quality"
        found.append(Rejected(number, tag, error, reason))
    return found


def _time_error(sent: Any, time: int, now: int, ahead: int) -> tuple[str, str]:
    """Gives what is wrong with a time, or empty texts."""
    if sent is not UNSET:
        try:
            to_us(sent)
        except NotATime as error:
            return str(error), "time"
    if time <= now + ahead:
        return "", ""
    clock = datetime.fromtimestamp(now / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        f"time is {(time - now) / 1e6:.3f} s ahead of the server's clock ({clock}); {ahead / 1e6:g} s are allowed",
        AHEAD,
    )
