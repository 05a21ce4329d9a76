"""What the engine remembers between two batches: per rule, per input of a rule over several sensors, and what waits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from alerts.engine.kernel import set_timers
from alerts.engine.layout import ENTRY, NEVER, NONE, REGION, SLOT, STATE, Memory, Table
from alerts.engine.program import RATES, Program
from alerts.engine.rules import Kind
from devices.telemetry import snapshot
from devices.telemetry.batch import Float64, Int32, Int64
from devices.telemetry.snapshot import CorruptSnapshot

_VERSION = 1
_ROOM = 16


class Last(Protocol):
    """A sensor's newest reading and its newest one that was not bad; see devices.telemetry.admission.LastReading."""

    @property
    def time(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def arrival(self) -> int: ...
    @property
    def good_time(self) -> int: ...
    @property
    def good_value(self) -> float: ...


class Lookup(Protocol):
    """Knows the newest reading of sensors by their id."""

    def get(self, sensor: int, /) -> Last | None: ...


class WindowNeed(NamedTuple):
    """A rate's window that must be read from the history: its readings of `start` <= time <= `end`, in µs."""

    rule: int
    sensor: int
    start: int
    end: int


class ProgramMismatch(ValueError):
    """A state belongs to other rules than the program's; carry() brings it over."""


@dataclass(slots=True, eq=False)
class EngineState:
    """The state of a program's rules, in its order; evaluate() and advance() make a new one and leave it as it is."""

    ids: Int64
    versions: Int64
    slot_counts: Int32
    slot_sensors: Int32
    rules: Table
    slots: Table
    windows: Table
    window_pool: Table
    pending: Table
    pending_pool: Table
    cold: npt.NDArray[np.bool_]  # rates whose window is still in the history
    _program: Program | None = field(default=None, repr=False)
    _lent: bool = field(default=False, repr=False)

    @classmethod
    def empty(cls, program: Program) -> EngineState:
        """Gives the state of rules that have seen nothing."""
        rules = np.zeros(len(program), STATE)
        rules["due"] = NEVER
        for name in ("horizon", "last_time", "lag", "timer", "anchor_time"):
            rules[name] = NONE
        rules["value"] = rules["anchor"] = np.nan
        slots = np.zeros(len(program.slot_sensors), SLOT)
        slots["put_time"] = slots["received"] = NONE
        slots["value"] = np.nan
        windows, window_pool = _pool([0] * program.windows)
        pending, pending_pool = _pool([0] * program.joined)
        return cls(
            program.ids,
            program.versions,
            program.slot_counts,
            program.slot_sensors,
            rules,
            slots,
            windows,
            window_pool,
            pending,
            pending_pool,
            np.zeros(program.windows, np.bool_),
            program,
        )

    def belongs_to(self, program: Program) -> bool:
        """Tells whether these are the program's rules, in its versions."""
        return self._program is program or (
            np.array_equal(self.ids, program.ids)
            and np.array_equal(self.versions, program.versions)
            and np.array_equal(self.slot_counts, program.slot_counts)
            and np.array_equal(self.slot_sensors, program.slot_sensors)
        )

    def is_of(self, program: Program) -> bool:
        """Tells whether the loop may read the state as it is."""
        return self._program is program

    def child(self, program: Program) -> EngineState:
        """Gives a copy for the loop to change; the first shares the windows' pool and writes only what is free of it.

        Raises: ProgramMismatch.
        """
        if not self.belongs_to(program):
            raise ProgramMismatch("The state belongs to other rules; carry it over first.")
        windows, window_pool = self.windows.copy(), _copy(self.window_pool) if self._lent else self.window_pool
        if len(windows) != program.windows + 1:  # read from bytes, which hold no windows
            windows, window_pool = _pool([0] * program.windows)
        self._lent = True
        child = EngineState(
            self.ids,
            self.versions,
            self.slot_counts,
            self.slot_sensors,
            _copy(self.rules),
            _copy(self.slots),
            windows,
            window_pool,
            self.pending.copy(),
            _copy(self.pending_pool),
            self.cold if len(self.cold) == program.windows else _rated(self, program),
            program,
        )
        if self._program is not program:
            set_timers(program.tables, child.rules)
        return child

    def memory(self) -> Memory:
        """Gives the tables for the compiled loop."""
        return Memory(self.rules, self.slots, self.windows, self.window_pool, self.pending, self.pending_pool)

    def dumps(self) -> bytes:
        """Gives the state as bytes for the checkpoint; windows stay out, they are read from the history again."""
        rules, slots = self.rules, self.slots
        counts = (self.pending["tail"] - self.pending["head"])[:-1]
        waiting = [
            self.pending_pool[region["head"] : region["tail"]]
            for region in self.pending[:-1]
            if region["head"] < region["tail"]
        ]
        entries = np.concatenate(waiting) if waiting else np.empty(0, ENTRY)
        flags = rules["active"] | rules["holds"] << 1 | rules["inherited"] << 2
        return snapshot.pack(
            _VERSION,
            [
                np.diff(self.ids, prepend=0),
                self.versions,
                self.slot_counts,
                self.slot_sensors,
                flags,
                rules["horizon"],
                rules["last_time"],
                rules["lag"],
                rules["value"],
                rules["timer"],
                rules["anchor_time"],
                rules["anchor"],
                slots["put_time"],
                slots["received"],
                slots["value"],
                slots["bad"],
                counts,
                entries["time"],
                entries["value"],
                entries["slot"],
                entries["bad"],
            ],
        )

    @classmethod
    def loads(cls, data: bytes) -> EngineState:
        """Gives the state that was written: for evaluate() with the same rules, or for carry() to others.

        Raises: CorruptSnapshot.
        """
        columns = snapshot.unpack(_VERSION, data)
        try:
            steps, versions, slot_counts, slot_sensors, flags, *columns = columns
            rules = np.zeros(len(flags), STATE)
            rules["due"] = NEVER
            rules["active"], rules["holds"], rules["inherited"] = flags & 1, flags >> 1 & 1, flags >> 2 & 1
            for name in ("horizon", "last_time", "lag", "value", "timer", "anchor_time", "anchor"):
                rules[name] = columns.pop(0)
            slots = np.zeros(len(slot_sensors), SLOT)
            for name in ("put_time", "received", "value", "bad"):
                slots[name] = columns.pop(0)
            pending, pool = _pool([int(count) for count in columns.pop(0)])
            entries = np.zeros(len(columns[0]), ENTRY)
            for name in ("time", "value", "slot", "bad"):
                entries[name] = columns.pop(0)
            start = 0
            for region in pending[:-1]:
                count = int(region["tail"] - region["head"])
                pool[region["head"] : region["tail"]] = entries[start : start + count]
                start += count
        except (ValueError, IndexError) as error:
            raise CorruptSnapshot(f"The columns do not fit each other: {error}.") from error
        windows, window_pool = _pool([])
        return cls(
            np.cumsum(steps),
            versions,
            slot_counts,
            slot_sensors,
            rules,
            slots,
            windows,
            window_pool,
            pending,
            pool,
            np.zeros(0, np.bool_),
        )

    def needs_windows(self, program: Program) -> list[WindowNeed]:
        """Gives the windows to read from the history: after loads(), and for rules that are new or edited."""
        if not self.belongs_to(program):
            raise ProgramMismatch("The state belongs to other rules; carry it over first.")
        cold = self.cold if len(self.cold) == program.windows else _rated(self, program)
        needs = []
        for place, spec in enumerate(program.specs):
            if spec.kind in RATES and cold[program.tables.rules[place]["region"]]:
                end = int(self.rules[place]["last_time"])
                needs.append(WindowNeed(spec.id, spec.inputs[0], end - spec.window, end))
        return needs

    def fill_window(self, program: Program, rule: int, times: Int64, values: Float64) -> None:
        """Gives a rate its window back.

        Takes: the readings of the need, in order of time, that were evaluated, not bad and not left out for this rule.
        """
        if not self.belongs_to(program):
            raise ProgramMismatch("The state belongs to other rules; carry it over first.")
        if len(self.windows) != program.windows + 1:
            self.windows, self.window_pool = _pool([0] * program.windows)
        if len(self.cold) != program.windows:
            self.cold = _rated(self, program)
        if self._program is None:
            self._program = program
            set_timers(program.tables, self.rules)
        if self._lent:
            self.window_pool = _copy(self.window_pool)
            self._lent = False
        at = int(program.tables.rules[program.place(rule)]["region"])
        entries = np.zeros(len(times), ENTRY)
        entries["time"] = times
        entries["value"] = values
        self.window_pool = _place(self.windows, self.window_pool, at, entries)
        self.cold = self.cold.copy()
        self.cold[at] = False

    def recall(self, program: Program, rule: int, time: int, value: float, lag: int, holds: bool) -> None:
        """Lets a rule over one input go on from a reading of its sensor, as if it had judged it.

        Takes: the reading's time and lag in µs; what the rule says of it.
        """
        place = program.place(rule)
        row, slot = self.rules[place], self.slots[int(program.tables.rules[place]["slot"])]
        slot["put_time"] = slot["received"] = row["horizon"] = row["last_time"] = time
        slot["value"] = row["value"] = value
        row["lag"] = lag
        row["active"] = holds

    def window(self, place: int) -> Table | None:
        """Gives what the window of a rate, by its rule's row, holds; None while that is in the history."""
        if self._program is None:
            return None
        at = int(self._program.tables.rules[place]["region"])
        if self.cold[at]:
            return None
        region = self.windows[at]
        return self.window_pool[region["head"] : region["tail"]]


def carry(
    old: EngineState,
    program: Program,
    standing: Collection[int] = (),
    last: Lookup | None = None,
) -> EngineState:
    """Gives the state for a program after an edit: a rule of the same id and version goes on, others start anew.

    Takes: the ids of rules whose alarm stands; `last` knows each sensor's newest reading before the edit took
    effect (Cursors do, or a mapping).
    Gives: a state whose needs_windows() lists rates that start anew, and all of them after loads().
    """
    if old.belongs_to(program):
        return old.child(program)
    new = EngineState.empty(program)
    places = {key: place for place, key in enumerate(zip(old.ids.tolist(), old.versions.tolist(), strict=True))}
    for place, spec in enumerate(program.specs):
        was = places.get((spec.id, spec.version))
        if was is None or not _take_over(old, was, new, program, place):
            was = None
            new.rules[place]["inherited"] = spec.id in standing
            if not spec.joined:
                _start(new.rules[place], spec.kind, last.get(spec.inputs[0]) if last is not None else None)
        if spec.kind in RATES:
            region = int(program.tables.rules[place]["region"])
            window = None if was is None else old.window(was)
            if window is None:
                new.cold[region] = new.rules[place]["last_time"] != NONE
            else:
                new.window_pool = _place(new.windows, new.window_pool, region, window)
    set_timers(program.tables, new.rules)
    return new


def together(states: Sequence[EngineState]) -> EngineState:
    """Gives the states of several shards as one, for carry() to take rules over from; rates without their windows."""
    slots = 0
    entries, counts = [], []
    for state in states:
        for region in state.pending[:-1]:
            waiting = state.pending_pool[region["head"] : region["tail"]].copy()
            waiting["slot"] += slots
            entries.append(waiting)
            counts.append(len(waiting))
        slots += len(state.slots)
    pending, pool = _pool(counts)
    for region, waiting in zip(pending[:-1], entries, strict=True):
        pool[region["head"] : region["tail"]] = waiting
    windows, window_pool = _pool([])
    ids, versions, slot_counts, slot_sensors, rules, slot_rows = (
        np.concatenate(column)
        for column in zip(
            *(
                (state.ids, state.versions, state.slot_counts, state.slot_sensors, state.rules, state.slots)
                for state in states
            ),
            strict=True,
        )
    )
    return EngineState(
        ids,
        versions,
        slot_counts,
        slot_sensors,
        rules,
        slot_rows,
        windows,
        window_pool,
        pending,
        pool,
        np.zeros(0, np.bool_),
    )


def _take_over(old: EngineState, was: int, new: EngineState, program: Program, place: int) -> bool:
    """Copies a rule's state, unless it reads other sensors than before."""
    begin = int(old.slot_counts[:was].sum())
    stop = begin + int(old.slot_counts[was])
    row = program.tables.rules[place]
    first, end = int(row["slot"]), int(row["slot_end"])
    if not np.array_equal(old.slot_sensors[begin:stop], program.slot_sensors[first:end]):
        return False
    new.rules[place] = old.rules[was]
    if first == end:
        return True
    new.slots[first:end] = old.slots[begin:stop]
    held = old.pending[np.count_nonzero(old.slot_counts[:was])]
    entries = old.pending_pool[held["head"] : held["tail"]].copy()
    entries["slot"] += first - begin
    new.pending_pool = _place(new.pending, new.pending_pool, int(row["region"]), entries)
    return True


def _start(row: np.void, kind: Kind, last: Last | None) -> None:
    """Lets a rule begin from its sensor's newest reading: known, but not put."""
    if last is None:
        return
    row["last_time"] = last.time
    row["lag"] = last.arrival - last.time
    if kind is Kind.STALE:
        row["value"] = last.value
    elif kind is Kind.FLATLINE and last.good_time != NONE:
        row["anchor_time"] = last.good_time
        row["anchor"] = row["value"] = last.good_value


def _copy(table: Table) -> Table:
    """Gives a copy of a table at the speed of memory; NumPy's own goes field by field."""
    return table.view(f"V{table.dtype.itemsize}").copy().view(table.dtype)


def _rated(state: EngineState, program: Program) -> npt.NDArray[np.bool_]:
    """Gives, per rate, whether it has seen readings; used for a state from bytes, which holds no windows."""
    rated = np.isin(program.tables.rules["kind"], RATES)
    return np.asarray(state.rules["last_time"][rated] != NONE, np.bool_)


def _pool(counts: list[int]) -> tuple[Table, Table]:
    """Gives regions of these many rows, not yet written, and their pool."""
    regions = np.zeros(len(counts) + 1, REGION)
    start = 0
    for at, count in enumerate(counts):
        regions[at] = (start, start + count, start + 2 * count + _ROOM)
        start += 2 * count + _ROOM
    regions[-1] = (0, start, 2 * start)
    return regions, np.zeros(2 * start, ENTRY)


def _place(regions: Table, pool: Table, at: int, entries: Table) -> Table:
    """Puts rows into a region, on free ground; gives the pool, which may have moved."""
    whole = regions[-1]
    start = int(whole["tail"])
    stop = start + 2 * len(entries) + _ROOM
    if stop > len(pool):
        larger = np.zeros(2 * stop, ENTRY)
        larger[:start] = pool[:start]
        pool = larger
    pool[start : start + len(entries)] = entries
    regions[at] = (start, start + len(entries), stop)
    whole["tail"] = stop
    whole["stop"] = len(pool)
    return pool
