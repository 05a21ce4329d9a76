"""Rules in force, laid out for the compiled loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from alerts.engine.expression import Op, compile_expression
from alerts.engine.layout import RULE, Tables
from alerts.engine.rules import Kind, RuleSpec
from devices.telemetry.batch import Int32
from devices.telemetry.index import IdIndex

# What compares one value with fixed numbers.
LIMITS = (Kind.HIGH, Kind.LOW, Kind.OUTSIDE, Kind.EQUALS, Kind.NOT_EQUALS, Kind.DEVIATION)
RATES = (Kind.RATE_HIGH, Kind.RATE_LOW)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A set of rules; never changes. `specs` are in order of ids, and so is all that the engine keeps by rule."""

    specs: tuple[RuleSpec, ...]
    tables: Tables
    index: IdIndex  # of the sensors that some rule reads
    ids: npt.NDArray[np.int64]
    versions: npt.NDArray[np.int64]
    slot_sensors: Int32
    slot_counts: Int32  # per rule, 0 for one over one sensor
    windows: int  # rate rules
    joined: int  # rules over several sensors

    def __len__(self) -> int:
        return len(self.specs)

    @property
    def sensors(self) -> Int32:
        """The ids of the sensors that some rule reads, ascending."""
        return self.index.ids

    def place(self, rule: int) -> int:
        """Gives the row of a rule's id.

        Raises: KeyError.
        """
        row = int(np.searchsorted(self.ids, rule))
        if row == len(self.ids) or self.ids[row] != rule:
            raise KeyError(rule)
        return row

    @classmethod
    def build(cls, specs: Sequence[RuleSpec]) -> Program:
        """Lays out the rules.

        Takes: valid rules of different ids, in any order.
        Raises: ExpressionError; ValueError where two rules have one id.
        """
        specs = sorted(specs, key=lambda spec: spec.id)
        for one, two in pairwise(specs):
            if one.id == two.id:
                raise ValueError(f"Two rules have the id {one.id}.")
        rules = np.zeros(len(specs), RULE)
        slots: list[int] = []
        intervals: list[int] = []
        counts: list[int] = []
        ops: list[int] = []
        args: list[float] = []
        reads: list[tuple[int, int, int]] = []
        windows = joined = 0
        for place, spec in enumerate(specs):
            row = rules[place]
            _fill(row, spec)
            row["slot"] = row["slot_end"] = len(slots)
            row["code"] = row["code_end"] = len(ops)
            if not spec.joined:
                reads.append((spec.inputs[0], place, -1))
                if spec.kind in RATES:
                    row["region"] = windows
                    windows += 1
                counts.append(0)
                continue
            row["region"] = joined
            joined += 1
            # A sensor that is named twice is one input.
            sensors = list(dict.fromkeys(spec.inputs))
            expected = dict(zip(spec.inputs, spec.intervals, strict=True)) if spec.intervals else {}
            counts.append(len(sensors))
            reads.extend((sensor, place, len(slots) + at) for at, sensor in enumerate(sensors))
            if spec.kind is Kind.EXPRESSION:
                code = compile_expression(spec.expression, spec.names)
                ops.extend(code.ops)
                args.extend(
                    float(sensors.index(spec.inputs[int(arg)])) if op == Op.LOAD else arg
                    for op, arg in zip(code.ops, code.args, strict=True)
                )
                row["code_end"] = len(ops)
            else:
                row["other"] = len(slots) + sensors.index(spec.inputs[1])
            slots.extend(sensors)
            intervals.extend(expected.get(sensor, 0) for sensor in sensors)
            row["slot_end"] = len(slots)
        reads.sort()
        of = np.array([sensor for sensor, _, _ in reads], np.int32)
        index = IdIndex(np.unique(of))
        first = np.searchsorted(of, np.append(index.ids, np.iinfo(np.int32).max), side="left").astype(np.int32)
        first[-1] = len(reads)
        reading = np.array([place for _, place, _ in reads], np.int32)
        plain = np.array([spec.kind in LIMITS and not spec.joined for spec in specs], np.bool_)
        alone = reading[first[:-1]]
        only = np.where((np.diff(first) == 1) & plain[alone], alone, -1).astype(np.int32)
        tables = Tables(
            rules,
            first,
            only,
            reading,
            np.array([slot for _, _, slot in reads], np.int32),
            np.array(intervals, np.int64),
            np.array(ops, np.int32),
            np.array(args, np.float64),
        )
        return cls(
            tuple(specs),
            tables,
            index,
            rules["id"].copy(),
            rules["version"].copy(),
            np.array(slots, np.int32),
            np.array(counts, np.int32),
            windows,
            joined,
        )


def _fill(row: np.void, spec: RuleSpec) -> None:
    """Writes a rule's numbers into its row."""
    falls = spec.kind in (Kind.LOW, Kind.RATE_LOW)
    row["id"] = spec.id
    row["version"] = spec.version
    row["kind"] = spec.kind
    row["limit"] = spec.limit
    row["clear"] = spec.limit + spec.deadband if falls else spec.limit - spec.deadband
    row["low"] = spec.low
    row["high"] = spec.high
    row["low_clear"] = spec.low + spec.deadband
    row["high_clear"] = spec.high - spec.deadband
    row["value"] = spec.value
    row["reference"] = spec.reference
    row["tolerance"] = spec.tolerance
    row["window"] = spec.window
    row["per"] = spec.per
    row["hold"] = spec.timeout if spec.kind is Kind.STALE else spec.duration
    row["on_delay"] = spec.on_delay
    row["off_delay"] = spec.off_delay
