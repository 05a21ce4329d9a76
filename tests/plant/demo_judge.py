"""The demo plant under its own rules, with the real engine and without a database or a clock of its own."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from alerts import by_design
from alerts.checks import as_number, reads
from alerts.configuration import RulesSection
from alerts.engine.layout import ACTIVE
from alerts.engine.program import Program
from alerts.engine.rules import Kind, RuleSpec, seconds
from alerts.engine.run import advance, evaluate
from alerts.engine.state import EngineState
from alerts.models import Priority
from devices.configuration import read_plant
from devices.configuration.plant import SensorsPart
from plant.demo.layout import FILE
from plant.demo.plant import Second

GRACE = 2_000_000


@dataclass(frozen=True, slots=True)
class Judged:
    """One transition: when, which rule of which machine, and whether it became active."""

    time: float
    asset: str
    rule: str
    priority: Priority
    active: bool
    ack_required: bool


@dataclass(frozen=True)
class Rulebook:
    """All rules of plant.yaml for the engine."""

    program: Program
    sensors: dict[str, int]
    rules: list[tuple[str, str, dict[str, Any]]]  # by rule id: asset, name, values
    hidden_by: dict[int, set[int]]  # rules, by what suppresses them: another rule, or below zero a state


@cache
def rulebook(*, intervals: bool = True) -> Rulebook:
    """Compiles plant.yaml's rules; without `intervals` no input of a rule counts as stale."""
    plan = read_plant(FILE.read_text(encoding="utf-8"))
    part, section = SensorsPart(), RulesSection()
    sensors: dict[str, int] = {}
    expected: dict[str, float] = {}
    for code, owner in plan.assets.items():
        for key, values in plan.effective(part, owner).items():
            sensors[f"{code}/{key}"] = len(sensors) + 1
            expected[f"{code}/{key}"] = values["interval"] or 0.0
    rules: list[tuple[str, str, dict[str, Any]]] = []
    specs = []
    for code, owner in plan.assets.items():
        for name, values in plan.effective(section, owner).items():
            inputs = reads(values, code)
            specs.append(_spec(len(rules), values, inputs, sensors, expected if intervals else {}))
            rules.append((code, name, values))
    known = {(code, name): values for code, name, values in rules}
    numbers = {key: number for number, key in enumerate(known)}
    causes, faults = by_design.causes(known, sensors)
    assert faults == []
    hidden_by: dict[int, set[int]] = defaultdict(set)
    for number, cause in enumerate(causes, 1):
        if cause.by is None:
            specs.append(_state(-number, sensors[cause.sensor], cause.equals))
        hidden_by[numbers[cause.rule]].add(-number if cause.by is None else numbers[cause.by])
    return Rulebook(Program.build(specs), sensors, rules, hidden_by)


def _state(number: int, sensor: int, equals: tuple[float, ...]) -> RuleSpec:
    """Gives what judges a state that suppresses, as alerts.by_design does."""
    expression = " or ".join(f"state == {value!r}" for value in equals)
    return RuleSpec(
        id=number, version=1, kind=Kind.EXPRESSION, inputs=(sensor,), names=("state",), expression=expression
    )


def _spec(
    number: int,
    values: dict[str, Any],
    inputs: list[tuple[str, str]],
    sensors: dict[str, int],
    expected: dict[str, float],
) -> RuleSpec:
    reference = as_number(values["reference"]) if values["reference"] else None
    return RuleSpec(
        id=number,
        version=1,
        kind=Kind.of(values["kind"]),
        inputs=tuple(sensors[tag] for _, tag in inputs),
        names=tuple(name for name, _ in inputs) if values["kind"] == "expression" else (),
        intervals=tuple(seconds(expected.get(tag, 0.0)) for _, tag in inputs),
        deadband=values["deadband"],
        tolerance=values["tolerance"],
        reference=math.nan if reference is None else reference,
        expression=values["expression"],
        limit=_figure(values["limit"]),
        low=_figure(values["low"]),
        high=_figure(values["high"]),
        value=_figure(values["value"]),
        window=seconds(values["window"] or 0.0),
        per=seconds(values["per"]),
        timeout=seconds(values["timeout"] or 0.0),
        duration=seconds(values["duration"] or 0.0),
        on_delay=seconds(values["on_delay"]),
        off_delay=seconds(values["off_delay"]),
    )


def _figure(value: float | None) -> float:
    return math.nan if value is None else value


@dataclass
class Judge:
    """Puts what the plant reports to its rules, second by second, as the live evaluation does."""

    book: Rulebook
    tags: tuple[str, ...]
    transitions: list[Judged] = field(default_factory=list)
    presented: list[Judged] = field(default_factory=list)  # of what became active: what was not suppressed then

    def __post_init__(self) -> None:
        self.state = EngineState.empty(self.book.program)
        self.standing: set[int] = set()
        self.suppresses: dict[int, set[int]] = defaultdict(set)
        for rule, above in self.book.hidden_by.items():
            for by in above:
                self.suppresses[by].add(rule)
        self.ids = np.array([self.book.sensors[tag] for tag in self.tags], np.int32)

    def watch(self, seconds_of_plant: Iterable[Second], sources: np.ndarray[Any, Any], *, cut: int = 10) -> Judge:
        """Takes readings in cuts of some seconds, the clock behind each."""
        held: list[tuple[Any, Any, Any]] = []
        now = 0
        for second in seconds_of_plant:
            sent = second.due[~np.isin(sources[second.due], list(second.silent))]
            now = second.time * 1_000_000
            held.append((self.ids[sent], np.full(len(sent), now, np.int64), second.values[sent]))
            if len(held) == cut:
                self._judge(held, now)
                held = []
        if held:
            self._judge(held, now)
        return self

    def _judge(self, held: list[tuple[Any, Any, Any]], now: int) -> None:
        sensor, time, value = (np.concatenate(column) for column in zip(*held, strict=True))
        done = evaluate(self.book.program, self.state, sensor, time, value, np.zeros(len(sensor), np.uint8), time)
        ticked = advance(self.book.program, done.state, now, GRACE)
        self._note([*done.transitions, *ticked.transitions])
        self.state = ticked.state

    def _note(self, rows: list[Any]) -> None:
        moments = [by_design.Moment(int(row["rule"]), int(row["time"]), bool(row["kind"] == ACTIVE)) for row in rows]
        for place in by_design.in_order(moments, self.suppresses):
            moment = moments[place]
            (self.standing.add if moment.active else self.standing.discard)(moment.rule)
            if moment.rule < 0:
                continue
            asset, name, values = self.book.rules[moment.rule]
            judged = Judged(
                moment.time / 1e6, asset, name, Priority(values["priority"]), moment.active, values["ack_required"]
            )
            self.transitions.append(judged)
            if moment.active and not self.standing & self.book.hidden_by.get(moment.rule, set()):
                self.presented.append(judged)

    def raised(self) -> list[Judged]:
        """Gives what became active, in order of time."""
        return sorted((row for row in self.transitions if row.active), key=lambda row: row.time)
