"""Random rules and random days in a plant, and the engine driven through them as the pipeline does it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from alerts.engine.layout import NONE, RULE_EDITED
from alerts.engine.program import Program
from alerts.engine.rules import Kind, RuleSpec
from alerts.engine.run import advance, evaluate, finish
from alerts.engine.state import EngineState, carry
from devices.telemetry.admission import FRESH, Cursors, admit
from devices.telemetry.batch import Batch
from tests.reference import BAD, LeftOut, Reading, Transition

S = 1_000_000
GRACE = 2 * S
SENSORS = (7, 11, 40)

# Cases of each property; ANDON_EXAMPLES=20000 for a long night.
EXAMPLES = int(os.environ.get("ANDON_EXAMPLES", "200"))
many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)

EXPRESSIONS = (
    "a >= 2",
    "a + b > 3 and not c < 0",
    "a / b > 1",
    "0 < a <= b",
    "max(a, b) - min(b, c) >= 2 or a == 1.5",
    "abs(a - c) * 2 != b",
    "not (a > 1 or b > 1)",
    "-a < b / (c - 1)",
)


@dataclass(frozen=True)
class Tick:
    """The clock, asked at this wall time."""

    now: int


@dataclass(frozen=True)
class Edit:
    """Rules put in force."""

    specs: tuple[RuleSpec, ...]


Event = Reading | Tick | Edit


class _Digits:
    """Takes choices out of one large number, so that a case is drawn and shrunk quickly."""

    def __init__(self, number: int) -> None:
        self.number = number

    def of(self, choices: Sequence[Any]) -> Any:
        self.number, place = divmod(self.number, len(choices))
        return choices[place]


_DELAYS = (0, 0, 0, 1 * S, 2 * S, 3 * S, 5 * S, 2 * S + 1)
_LEVELS = (0.0, 1.0, 2.0, 3.0, 1.5)


def _rule(number: int, id: int, kinds: Sequence[Kind]) -> RuleSpec:
    pick = _Digits(number)
    kind = pick.of(kinds)
    sensor = pick.of(SENSORS)
    low = pick.of((-1.0, 0.0, 1.0))
    spec = RuleSpec(
        id=id,
        version=1,
        kind=kind,
        inputs=(sensor,),
        limit=pick.of(_LEVELS),
        deadband=pick.of((0.0, 0.0, 1.0, 1.5)),
        low=low,
        high=low + pick.of((1.0, 2.0, 4.0)),
        value=pick.of(_LEVELS),
        reference=pick.of(_LEVELS),
        tolerance=pick.of((0.0, 1.0)),
        window=pick.of((4 * S, 6 * S, 10 * S, 3 * S + 1)),
        per=pick.of((S, 60 * S)),
        timeout=pick.of((3 * S, 5 * S, 1 * S)),
        duration=pick.of((3 * S, 6 * S)),
        on_delay=pick.of(_DELAYS),
        off_delay=pick.of(_DELAYS),
    )
    if kind in (Kind.RATE_HIGH, Kind.RATE_LOW):
        return replace(spec, limit=pick.of((0.0, 0.5, -0.5, 20.0)))
    several = kind is Kind.EXPRESSION or (kind is Kind.DEVIATION and pick.of((True, False)))
    if several:
        interval = {sensor: pick.of((0, S, S, 2 * S)) for sensor in SENSORS}
        count = 2 if kind is Kind.DEVIATION else 3
        inputs = tuple(pick.of(SENSORS) for _ in range(count))
        if kind is Kind.EXPRESSION:
            spec = replace(spec, expression=pick.of(EXPRESSIONS), names=("a", "b", "c"))
        return replace(spec, inputs=inputs, intervals=tuple(interval[sensor] for sensor in inputs))
    return spec


def _numbers(size: int) -> st.SearchStrategy[int]:
    # Bytes are drawn evenly; Hypothesis prefers small integers, which would make nearly all the choices the first one.
    return st.binary(min_size=size, max_size=size).map(lambda drawn: int.from_bytes(drawn, "little"))


def rules(kinds: Sequence[Kind] = tuple(Kind), most: int = 4) -> st.SearchStrategy[list[RuleSpec]]:
    numbers = st.lists(_numbers(12), min_size=1, max_size=most)
    return numbers.map(lambda drawn: [_rule(number, 3 * id + 1, kinds) for id, number in enumerate(drawn)])


def _events(drawn: list[int], ticks: bool) -> list[Event]:
    """Readings in the order of the stream; some late, some sent twice, some far behind the clock."""
    events: list[Event] = []
    wall = 1_000 * S
    behind = 0
    for number in drawn:
        pick = _Digits(number)
        wall += pick.of((0, 0, 1, S, S, S, 2 * S, 4 * S, 9 * S))
        if ticks and pick.of((True, False, False, False)):
            events.append(Tick(wall))
            continue
        behind = pick.of((behind, 0, 0, S, 3 * S, 12 * S))
        time = wall - behind + pick.of((0, 0, 0, S, -S, 1))
        time -= pick.of((0, time % S, time % S))
        quality = pick.of((0, 0, 0, 0, 1, BAD))
        sensor = pick.of((*SENSORS, SENSORS[0], 99))
        events.append(Reading(sensor, time, pick.of((0.0, 1.0, 1.5, 2.0, 3.0, 4.0, -1.0)), quality, wall))
    return events


def days(ticks: bool, most: int = 60) -> st.SearchStrategy[list[Event]]:
    return st.lists(_numbers(4), max_size=most).map(lambda drawn: _events(drawn, ticks))


def runs(events: Sequence[Event]) -> Iterator[list[Reading] | Tick | Edit]:
    """Gives the readings between two other events together."""
    together: list[Reading] = []
    for event in events:
        if isinstance(event, Reading):
            together.append(event)
            continue
        if together:
            yield together
            together = []
        yield event
    if together:
        yield together


def columns(readings: Sequence[Reading]) -> tuple[Batch, Any]:
    batch = Batch(
        np.array([reading.sensor for reading in readings], np.int32),
        np.array([reading.time for reading in readings], np.int64),
        np.array([reading.value for reading in readings], np.float64),
        np.array([reading.quality for reading in readings], np.uint8),
    )
    return batch, np.array([reading.arrival for reading in readings], np.int64)


def spoken(transitions: Any) -> list[Transition]:
    """Gives the engine's transitions in the reference's words."""
    return [
        Transition(
            int(row["rule"]),
            int(row["version"]),
            "active" if row["kind"] == 1 else "return",
            int(row["time"]),
            None if np.isnan(row["value"]) else float(row["value"]),
            "rule edited" if row["reason"] == RULE_EDITED else "",
            None if row["clock_from"] == NONE else int(row["clock_from"]),
        )
        for row in transitions
    ]


@dataclass
class Live:
    """The engine, driven as the pipeline drives it."""

    specs: Sequence[RuleSpec]
    program: Program = field(init=False)
    state: EngineState = field(init=False)
    cursors: Cursors = field(default_factory=Cursors.empty)
    history: list[Reading] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    standing: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.program = Program.build(self.specs)
        self.state = EngineState.empty(self.program)

    def readings(self, readings: Sequence[Reading]) -> None:
        batch, arrival = columns(readings)
        verdict, self.cursors = admit(self.cursors, batch, arrival)
        fresh = verdict == FRESH
        self.history += [reading for reading, keep in zip(readings, fresh, strict=True) if keep]
        batch = batch.take(fresh)
        self._took(
            evaluate(self.program, self.state, batch.sensor, batch.time, batch.value, batch.quality, arrival[fresh])
        )

    def clock(self, now: int) -> None:
        self._took(advance(self.program, self.state, now, GRACE))

    def finish(self, until: int) -> None:
        self._took(finish(self.program, self.state, until))

    def edit(self, specs: Sequence[RuleSpec]) -> None:
        self.program = Program.build(specs)
        self.state = carry(self.state, self.program, self.standing, self.cursors)
        self._warm()

    def restart(self) -> None:
        """A new process: all it has is what was written."""
        self.cursors = Cursors.loads(self.cursors.dumps())
        self.state = EngineState.loads(self.state.dumps())
        self.program = Program.build(self.program.specs)
        self._warm()

    def play(self, events: Sequence[Event]) -> None:
        for event in runs(events):
            match event:
                case Tick():
                    self.clock(event.now)
                case Edit():
                    self.edit(event.specs)
                case list():
                    self.readings(event)

    def _warm(self) -> None:
        for need in self.state.needs_windows(self.program):
            version = int(self.program.versions[self.program.place(need.rule)])
            out = {(one.sensor, one.time) for one in self.left_out if (one.rule, one.version) == (need.rule, version)}
            found = [
                reading
                for reading in self.history
                if reading.sensor == need.sensor
                and need.start <= reading.time <= need.end
                and reading.quality != BAD
                and (reading.sensor, reading.time) not in out
            ]
            self.state.fill_window(
                self.program,
                need.rule,
                np.array([reading.time for reading in found], np.int64),
                np.array([reading.value for reading in found], np.float64),
            )

    def _took(self, outcome: Any) -> None:
        self.state = outcome.state
        for transition in spoken(outcome.transitions):
            self.transitions.append(transition)
            (self.standing.add if transition.kind == "active" else self.standing.discard)(transition.rule)
        self.left_out += [
            LeftOut(int(row["rule"]), int(row["version"]), int(row["sensor"]), int(row["time"]))
            for row in outcome.left_out
        ]
