"""Recorded readings from a CSV file, sent through the HTTP intake at the pace one asks for."""

from __future__ import annotations

import csv
import gzip
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TextIO

import msgspec

from devices.intake.times import NotATime, to_us
from plant.demo.sender import Client, Refused, Unreachable

BATCH = 5_000  # readings in one request at most
PACE_SECONDS = 0.5  # readings due within so long share a request
PATIENCE = 60.0  # seconds for which a server that does not answer is waited for
AGAIN = (0.5, 10.0)  # seconds before the first repetition, and at most
TIME_COLUMNS = ("time", "timestamp", "timestamp_utc")
QUALITIES = ("good", "uncertain", "bad")


class ReplayError(Exception):
    """What keeps a recording from being sent, in words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded reading; `time` in µs since the epoch."""

    time: int
    value: float
    quality: str = "good"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is."""

    sent: int
    total: int
    accepted: int
    rejected: int
    first_error: str = ""


def read(path: Path, *, zone: tzinfo | None = None) -> list[Row]:
    """Reads a recording: columns time (or timestamp) and value, and quality if it likes; .gz is unpacked.

    Takes: `zone` for times without an offset; without it they are refused.
    Raises: ReplayError, naming the line.
    """
    try:
        with _open(path) as file:
            return list(_rows(file, zone))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ReplayError(f"{path} cannot be read: {error}.") from error


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(file: TextIO, zone: tzinfo | None) -> Iterator[Row]:
    reader = csv.DictReader(file)
    names = {str(name).strip().lower(): name for name in reader.fieldnames or ()}
    time_name = next((names[name] for name in TIME_COLUMNS if name in names), None)
    if time_name is None or "value" not in names:
        found = ", ".join(names) or "none"
        raise ReplayError(f"line 1: expected the columns time and value, found {found}.")
    quality_name = names.get("quality")
    count = 0
    for row in reader:
        line = reader.line_num
        quality = (row[quality_name] or "good").strip().lower() if quality_name else "good"
        if quality not in QUALITIES:
            raise ReplayError(f"line {line}: quality is good, uncertain or bad, not {quality!r}.")
        count += 1
        yield Row(_time(row[time_name], line, zone), _value(row[names["value"]], line), quality)
    if not count:
        raise ReplayError("the file has no readings.")


def _time(text: str | None, line: int, zone: tzinfo | None) -> int:
    text = (text or "").strip()
    try:
        if text.lstrip("-").replace(".", "", 1).isdigit():
            return to_us(float(text))
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return to_us(text)
        if moment.tzinfo is None:
            if zone is None:
                raise ReplayError(
                    f"line {line}: the time {text!r} has no offset; name its zone, for example --zone UTC."
                )
            return to_us(moment.replace(tzinfo=zone).isoformat())
        return to_us(text)
    except NotATime as error:
        raise ReplayError(f"line {line}: {error}.") from error


def _value(text: str | None, line: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        raise ReplayError(f"line {line}: the value is a number, not {text!r}.") from None
    if not math.isfinite(value):
        raise ReplayError(f"line {line}: the value is a finite number, not {text!r}.")
    return value


def shifted(rows: list[Row], now: int, speed: float | None) -> list[Row]:
    """Moves a recording to now (µs since the epoch).

    With a speed its first reading stands at `now`, and the others follow at that pace; without one everything is sent
    at once, so that its last reading stands at `now`.
    """
    first = rows[0].time
    if speed is None:
        newest = max(row.time for row in rows)
        return [Row(row.time - newest + now, row.value, row.quality) for row in rows]
    return [Row(now + round((row.time - first) / speed), row.value, row.quality) for row in rows]


@dataclass
class Pace:
    """When a recorded reading is due, in seconds after the start."""

    rows: list[Row]
    speed: float | None

    def __post_init__(self) -> None:
        self.first = self.rows[0].time if self.rows else 0

    def due(self, row: Row) -> float:
        """Gives the second at which it is sent."""
        return 0.0 if self.speed is None else (row.time - self.first) / 1e6 / self.speed

    def batches(self) -> Iterator[tuple[float, int, int]]:
        """Gives requests: when the last of its readings is due, and which rows go with it."""
        start = 0
        for end in range(1, len(self.rows) + 1):
            full = end - start == BATCH
            if full or end == len(self.rows) or self.due(self.rows[end]) - self.due(self.rows[start]) >= PACE_SECONDS:
                yield max(self.due(row) for row in self.rows[start:end]), start, end
                start = end


def send(
    client: Client,
    tag: str,
    rows: list[Row],
    pace: Pace,
    *,
    tell: Callable[[Progress], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    patience: float = PATIENCE,
    token_may_be_new: bool = False,
) -> Progress:
    """Sends `rows` when `pace`, made of the rows as they were recorded, says so.

    Gives: what became of them. Raises: ReplayError when the intake refuses, or does not answer for `patience` seconds.
    """
    begun = clock()
    progress = Progress(0, len(rows), 0, 0)
    for due, start, end in pace.batches():
        wait = begun + due - clock()
        if wait > 0:
            sleep(wait)
        accepted, error = _post(client, _body(tag, rows[start:end]), clock, sleep, patience, token_may_be_new)
        token_may_be_new = False
        progress = Progress(
            end,
            len(rows),
            progress.accepted + accepted,
            progress.rejected + end - start - accepted,
            progress.first_error or error,
        )
        tell(progress)
    return progress


def _body(tag: str, rows: list[Row]) -> bytes:
    # Milliseconds with a fraction: a float64 holds a microsecond of our days exactly enough.
    if all(row.quality == "good" for row in rows):
        times = [row.time / 1000 for row in rows]
        return msgspec.json.encode({"series": [{"sensor": tag, "times": times, "values": [row.value for row in rows]}]})
    readings = [{"sensor": tag, "time": row.time / 1000, "value": row.value, "quality": row.quality} for row in rows]
    return msgspec.json.encode({"readings": readings})


def _post(
    client: Client,
    body: bytes,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    patience: float,
    token_may_be_new: bool,
) -> tuple[int, str]:
    """Sends one request until it is answered. Gives: how many readings were accepted, and the first error."""
    begun, wait = clock(), AGAIN[0]
    while True:
        try:
            answer = client.post(body)
            rejected = answer.get("rejected") or []
            return int(answer.get("accepted", 0)), str(rejected[0].get("error", "")) if rejected else ""
        except Unreachable as error:
            if clock() - begun >= patience:
                raise ReplayError(f"no answer from {client.address.geturl()}: {error}.") from error
            sleep(min(error.wait or wait, AGAIN[1]))
        except Refused as error:
            if error.status == 422:
                return 0, str(error).partition(": ")[2]
            # A token made a moment ago is known to the intake within a second.
            if not (token_may_be_new and error.status == 401 and clock() - begun < 5.0):
                raise ReplayError(f"the intake refuses: {error}.") from error
            sleep(wait)
        wait = min(2 * wait, AGAIN[1])
