"""Readings and the clock to transitions: for live data, for files and for the stored history alike."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import numpy as np

from alerts.engine.kernel import is_due, run_clock, run_rows
from alerts.engine.layout import LEFT_OUT, TRANSITION, Gaps, Table
from alerts.engine.parts import drained
from alerts.engine.program import Program
from alerts.engine.state import EngineState
from devices.telemetry.admission import FRESH, Cursors, admit
from devices.telemetry.batch import Batch, Float64, Int32, Int64, UInt8
from devices.telemetry.compiled import frozen

_NO_ROWS = np.zeros(0, np.int32)
_NO_TIMES = np.zeros(0, np.int64)
_NO_GAPS = Gaps(_NO_ROWS, _NO_TIMES, _NO_ROWS, _NO_TIMES, _NO_TIMES)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What some readings, or the clock, brought about.

    Gives: the state afterwards; the transitions in order of happening (rows of layout.TRANSITION); the readings left
    out of a rule because their instant had been judged (rows of layout.LEFT_OUT); whether the state has changed.
    """

    state: EngineState
    transitions: Table
    left_out: Table
    changed: bool


def evaluate(
    program: Program,
    state: EngineState,
    sensor: Int32,
    time: Int64,
    value: Float64,
    quality: UInt8,
    arrival: Int64,
    *,
    ordered: bool = False,
    gaps: Gaps | None = None,
    in_place: bool = False,
) -> Outcome:
    """Puts readings to the rules, in the order in which the stream took them.

    Takes: readings strictly increasing in time per sensor, times and arrivals in µs. `ordered` says that time never
    falls from row to row, as in the stored history: an instant is then judged as soon as a later one comes. `gaps` are
    readings to leave out. The given state stays as it is, unless `in_place`.
    Raises: ProgramMismatch.
    """
    return _run(
        program,
        state if in_place else state.child(program),
        program.index.rows(sensor),
        sensor,
        time,
        value,
        quality,
        arrival,
        ordered=ordered,
        gaps=gaps,
    )


def evaluate_stored(
    program: Program,
    state: EngineState,
    sensor: int,
    time: Int64,
    value: Float64,
    quality: UInt8,
    *,
    gaps: Gaps | None = None,
) -> Outcome:
    """Puts the stored readings of one sensor to the rules over it alone, as `evaluate` would; changes the state.

    Takes: readings that arrived at their times, strictly increasing, none before those that were put already.
    """
    row = int(program.index.rows(np.array([sensor], np.int32))[0])
    n = len(time)
    return _run(
        program,
        state,
        np.full(n, row, np.int32),
        np.full(n, sensor, np.int32),
        time,
        value,
        quality,
        time,
        ordered=True,
        gaps=gaps,
    )


def _run(
    program: Program,
    child: EngineState,
    rows: Int32,
    sensor: Int32,
    time: Int64,
    value: Float64,
    quality: UInt8,
    arrival: Int64,
    *,
    ordered: bool,
    gaps: Gaps | None,
) -> Outcome:
    transitions, left_out, child.window_pool, child.pending_pool = run_rows(
        program.tables,
        child.memory(),
        gaps or _NO_GAPS,
        gaps is not None and bool(len(gaps.time) or len(gaps.range_until)),
        ordered,
        rows,
        frozen(sensor),
        frozen(time),
        frozen(value),
        frozen(quality),
        frozen(arrival),
    )
    return Outcome(child, transitions, left_out, len(rows) > 0)


def advance(program: Program, state: EngineState, now: int, grace: int) -> Outcome:
    """Lets the clock fire what is due where no further reading comes.

    Takes: the stream's clock and the grace, in µs; only when the stream has been read to its end.
    Gives: the very state that was given where nothing came of it.
    Raises: ProgramMismatch.
    """
    if not state.is_of(program):
        state = state.child(program)
    if not is_due(state.memory(), program.tables, now, grace):
        return Outcome(state, np.empty(0, TRANSITION), np.empty(0, LEFT_OUT), False)
    child = state.child(program)
    transitions, changed = run_clock(program.tables, child.memory(), now, grace, False)
    return Outcome(child if changed else state, transitions, np.empty(0, LEFT_OUT), changed > 0)


def finish(program: Program, state: EngineState, until: int) -> Outcome:
    """Ends a backtest: fires and judges all up to the newest time of its data, without grace.

    Raises: ProgramMismatch.
    """
    child = state.child(program)
    transitions, changed = run_clock(program.tables, child.memory(), until, 0, True)
    return Outcome(child, transitions, np.empty(0, LEFT_OUT), changed > 0)


def replay(
    program: Program,
    batches: Iterable[Batch],
    *,
    ordered: bool = False,
    gaps: Gaps | None = None,
    until: int | None = None,
) -> Table:
    """Gives the transitions that these readings alone bring about.

    Takes: readings in file order, of which late ones and duplicates are passed over; or, `ordered`, those of the stored
    history that were not late, by time over all batches. `until` is the end, in µs; the newest reading without it.
    """
    return drained(replaying(program, batches, ordered=ordered, gaps=gaps, until=until))


def replaying(
    program: Program,
    batches: Iterable[Batch],
    *,
    ordered: bool = False,
    gaps: Gaps | None = None,
    until: int | None = None,
) -> Generator[tuple[int, int], None, Table]:
    """Does what `replay` does, batch by batch: after each it gives the newest time so far and how many readings it had.

    At the end it gives the transitions.
    """
    state = EngineState.empty(program)
    cursors = Cursors.empty()
    newest = None
    found = []
    for batch in batches:
        if not len(batch):
            continue
        latest = int(batch.time.max())
        newest = latest if newest is None else max(newest, latest)
        if not ordered:
            verdict, cursors = admit(cursors, batch, batch.time)
            if verdict.any():
                batch = batch.take(verdict == FRESH)
        outcome = evaluate(
            program,
            state,
            batch.sensor,
            batch.time,
            batch.value,
            batch.quality,
            batch.time,
            ordered=ordered,
            gaps=gaps,
            in_place=True,
        )
        found.append(outcome.transitions)
        yield newest, len(batch)
    end = until if until is not None else newest
    if end is not None:
        found.append(finish(program, state, end).transitions)
    return np.concatenate(found) if found else np.empty(0, TRANSITION)


def leave_out(
    program: Program,
    *,
    readings: tuple[Int64, Int32, Int64] | None = None,
    ranges: tuple[Int64, Int64, Int64] | None = None,
) -> Gaps:
    """Gives what a replay of the stored history must not put to its rules, because the live evaluation did not.

    Takes: readings as columns rule id, sensor id, time; ranges as columns rule id, after, until: what the clock judged,
    (clock_from, due] of its transitions, in the order of the journal. Of other rules than the program's: passed over.
    """
    tables = program.tables
    count = len(tables.reads_rule)
    per_read: list[list[int]] = [[] for _ in range(count)]
    per_rule: list[list[tuple[int, int]]] = [[] for _ in range(len(program))]
    reads: dict[tuple[int, int], int] = {}
    sensors = np.repeat(program.sensors, np.diff(tables.first))
    for read, (place, sensor) in enumerate(zip(tables.reads_rule.tolist(), sensors.tolist(), strict=True)):
        reads[int(program.ids[place]), sensor] = read
    for rule, sensor, time in zip(*(column.tolist() for column in readings or ()), strict=True):
        at = reads.get((rule, sensor))
        if at is not None:
            per_read[at].append(time)
    places = {rule: place for place, rule in enumerate(program.ids.tolist())}
    for rule, after, until in zip(*(column.tolist() for column in ranges or ()), strict=True):
        if rule in places:
            per_rule[places[rule]].append((until, after))
    first = np.cumsum([0, *map(len, per_read)], dtype=np.int32)
    range_first = np.cumsum([0, *map(len, per_rule)], dtype=np.int32)
    flat = [pair for pairs in per_rule for pair in sorted(pairs)]
    return Gaps(
        first,
        np.array([time for times in per_read for time in sorted(times)], np.int64),
        range_first,
        np.array([after for _, after in flat], np.int64),
        np.array([until for until, _ in flat], np.int64),
    )
