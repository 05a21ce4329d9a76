"""What rules would have raised: over files, without a server or a database, and over the stored history.

Both go through the very function that judges live readings.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple, TextIO

import numpy as np

from alerts.checks import reads
from alerts.configuration import RulesSection
from alerts.engine.layout import ACTIVE, Table
from alerts.engine.parts import drained, retold
from alerts.engine.program import Program
from alerts.engine.rules import RuleSpec
from alerts.engine.run import evaluate_stored, finish, leave_out, replay, replaying
from alerts.engine.state import EngineState
from alerts.instants import to_us
from alerts.models import JournalEntry, LeftOut
from alerts.rules import build_spec
from devices.configuration.plant import Plant, SensorsPart
from devices.intake.times import column_us
from devices.telemetry import history
from devices.telemetry.batch import Batch, Int64, Quality

_ROWS = 100_000  # of a file at once
_MERGED_AT_ONCE = 500_000  # readings of a rule's first input
_QUALITIES = {quality.name.lower(): quality.value for quality in Quality} | {"": Quality.GOOD.value}


class BadFile(ValueError):
    """A file of readings cannot be understood; the text names the line."""


class Found(NamedTuple):
    """One transition of a backtest; time in µs since the epoch."""

    rule: int
    time: int
    active: bool
    value: float


class Part(NamedTuple):
    """How far a backtest is: the share of all that is done, and the readings of the part that was done last."""

    share: float
    readings: int
    first: int  # of them, or of its sensors in this backtest, in µs


@dataclass(frozen=True, slots=True)
class Bench:
    """A plant file's rules, ready to be put to readings: sensor ids by tag, and each rule's name and tag by its id."""

    sensors: Mapping[str, int]
    specs: Sequence[RuleSpec]
    names: Mapping[int, tuple[str, str]]


def bench_of(plant: Plant) -> Bench:
    """Gives the rules in force of a plant as a file describes it."""
    sensors, section = SensorsPart(), RulesSection()
    by_tag = {
        f"{code}/{key}": values["interval"]
        for code, owner in plant.assets.items()
        for key, values in plant.effective(sensors, owner).items()
    }
    ids = {tag: number for number, tag in enumerate(by_tag, 1)}
    specs: list[RuleSpec] = []
    names: dict[int, tuple[str, str]] = {}
    for code, owner in plant.assets.items():
        for name, values in plant.effective(section, owner).items():
            if not values["enabled"]:
                continue
            inputs = reads(values, code)
            number = len(specs) + 1
            specs.append(build_spec(number, 1, values, [(word, ids[tag], by_tag[tag]) for word, tag in inputs]))
            names[number] = (name, inputs[0][1])
    return Bench(ids, specs, names)


def over_file(bench: Bench, file: TextIO) -> tuple[list[Found], dict[str, int]]:
    """Puts a file's readings to the rules, in file order; timers fire up to the newest time in it.

    Takes: CSV with the columns time, sensor, value and, if it likes, quality.
    Gives: the transitions by time, and how many rows each unknown sensor had.
    Raises: BadFile.
    """
    program = Program.build(bench.specs)
    unknown: dict[str, int] = {}
    table = replay(program, _batches(bench.sensors, file, unknown))
    return _found(table), unknown


def _batches(sensors: Mapping[str, int], file: TextIO, unknown: dict[str, int]) -> Iterator[Batch]:
    rows = csv.reader(file)
    head = [name.strip().lower() for name in next(rows, [])]
    missing = [name for name in ("time", "sensor", "value") if name not in head]
    if missing:
        raise BadFile(f"line 1: the column {missing[0]} is missing; expected time,sensor,value[,quality].")
    at, tag, number = head.index("time"), head.index("sensor"), head.index("value")
    quality = head.index("quality") if "quality" in head else None
    taken: list[tuple[int, str, int, float, int]] = []
    for row in rows:
        if not row:
            continue
        line = rows.line_num
        try:
            known = sensors.get(row[tag])
            if known is None:
                unknown[row[tag]] = unknown.get(row[tag], 0) + 1
                continue
            value = float(row[number])
            word = row[quality].strip().lower() if quality is not None else ""
            taken.append((line, row[at].strip(), known, value, _QUALITIES[word]))
        except IndexError:
            raise BadFile(f"line {line}: {len(head)} columns expected, {len(row)} found.") from None
        except ValueError:
            raise BadFile(f"line {line}: {row[number]!r} is not a number.") from None
        except KeyError as error:
            raise BadFile(f"line {line}: unknown quality {error}; expected good, uncertain or bad.") from None
        if not np.isfinite(value):
            raise BadFile(f"line {line}: {row[number]!r} is not a finite number.")
        if len(taken) >= _ROWS:
            yield _batch(taken)
            taken = []
    if taken:
        yield _batch(taken)


def _batch(taken: list[tuple[int, str, int, float, int]]) -> Batch:
    lines, times, ids, values, qualities = zip(*taken, strict=True)
    # Milliseconds where it is a number, as the intake takes it.
    sent: list[Any] = [float(text) if text.replace(".", "", 1).lstrip("-").isdigit() else text for text in times]
    instants, errors = column_us(sent, 0)
    if errors:
        place = min(errors)
        raise BadFile(f"line {lines[place]}: {errors[place]}")
    return Batch(np.array(ids, np.int32), instants, np.array(values, np.float64), np.array(qualities, np.uint8))


def stored(specs: Sequence[RuleSpec], start: int, end: int, *, as_judged: bool = True) -> list[Found]:
    """Puts the stored readings of a range to rules, late ones left out; timers fire up to the newest of them.

    Takes: rules whose sensors are the database's; the range in µs, both ends included. `as_judged` leaves out what the
    live rules of the same id did not see because their clock had passed it; without it every reading counts.
    Gives: the transitions by time.
    Cost: a few queries for each two million readings.
    """
    return drained(in_parts(specs, start, end, as_judged=as_judged))


def in_parts(
    specs: Sequence[RuleSpec], start: int, end: int, *, as_judged: bool = True
) -> Generator[Part, None, list[Found]]:
    """Does what `stored` does, a few ten thousand readings at once; after each it tells how far it is.

    Whoever drives it may stop between two parts.
    """
    single = Program.build([spec for spec in specs if not spec.joined])
    joined = [spec for spec in specs if spec.joined]
    sensors = single.sensors.tolist()
    places = {sensor: place for place, sensor in enumerate(sensors)}
    whole, width = len(sensors) + len(joined), max(1, end - start)
    tables = []
    newest = None
    state = EngineState.empty(single)
    gaps = _gaps(single) if as_judged else None
    for sensor, columns in history.scan(sensors, start, end):
        if not len(columns):
            continue
        last = int(columns.time[-1])
        newest = max(newest or 0, last)
        outcome = evaluate_stored(single, state, sensor, columns.time, columns.value, columns.quality, gaps=gaps)
        tables.append(outcome.transitions)
        yield Part((places[sensor] + (last - start) / width) / whole, len(columns), int(columns.time[0]))
    for place, spec in enumerate(joined, len(sensors)):
        program = Program.build([spec])
        gaps = _gaps(program) if as_judged else None
        batches = _by_time(spec.inputs, start, end)
        begun = list(islice(batches, 1))
        first = next((int(batch.time[0]) for batch in begun if len(batch)), None)
        parts = replaying(program, chain(begun, batches), ordered=True, gaps=gaps)

        def told(part: tuple[int, int], place: int = place, first: int | None = first) -> Part:
            last, count = part
            return Part((place + (last - start) / width) / whole, count, last if first is None else first)

        tables.append((yield from retold(parts, told)))
    if newest is not None:
        tables.append(finish(single, state, newest).transitions)
    return _found(np.concatenate(tables)) if tables else []


def _by_time(sensors: Sequence[int], start: int, end: int) -> Iterator[Batch]:
    """Gives the readings of several sensors merged by time, a few hundred thousand at once."""
    for first, last in history.windows(sensors[0], start, end, _MERGED_AT_ONCE):
        parts = history.read_many(sensors, first, last, late=False).items()
        batch = Batch.concat(
            [
                Batch(np.full(len(columns), sensor, np.int32), columns.time, columns.value, columns.quality)
                for sensor, columns in parts
            ]
        )
        yield batch.take(np.lexsort((batch.sensor, batch.time)))


def _gaps(program: Program) -> Any:
    """Gives what the live rules did not see. Cost: two queries."""
    ids = program.ids.tolist()
    left = LeftOut.objects.filter(rule__in=ids).order_by("id").values_list("rule_id", "sensor_id", "time")
    fired = JournalEntry.objects.filter(rule_id__in=ids, clock_from__isnull=False).order_by("id")
    spans = fired.values_list("rule_id", "clock_from", "time")
    ranges = [(rule, to_us(after), to_us(due)) for rule, after, due in spans if rule is not None and after is not None]
    rules, sensors, times = _columns(left)
    return leave_out(program, readings=(rules, sensors.astype(np.int32), times), ranges=_columns(ranges))


def _columns(rows: Iterable[tuple[int, int, int]]) -> tuple[Int64, Int64, Int64]:
    table = np.array(list(rows), np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _found(table: Table) -> list[Found]:
    """Gives transitions by time."""
    table = table[np.argsort(table["time"], kind="stable")]
    columns = (table["rule"], table["time"], table["kind"] == ACTIVE, table["value"])
    return list(map(Found._make, zip(*(column.tolist() for column in columns), strict=True)))
