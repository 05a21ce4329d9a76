"""All rules together, as they are added, changed and taken away."""

from __future__ import annotations

from collections.abc import Iterable

from alerts.engine.rules import RuleSpec

from .readings import BAD, LeftOut, Reading, Transition
from .watches import OneSensor, Watch, watch


class Reference:
    """A whole plant of rules, fed reading by reading."""

    def __init__(self, specs: Iterable[RuleSpec]) -> None:
        self.watches = {spec.id: watch(spec) for spec in sorted(specs, key=lambda spec: spec.id)}
        self.history: dict[int, list[Reading]] = {}
        self.transitions: list[Transition] = []
        self.left_out: list[LeftOut] = []
        self.standing: set[int] = set()

    def reading(self, reading: Reading) -> str:
        """Takes a reading as the stream brings it; gives fresh, late or duplicate."""
        history = self.history.setdefault(reading.sensor, [])
        if history and reading.time <= history[-1].time:
            return "duplicate" if reading.time == history[-1].time else "late"
        history.append(reading)
        for one in self.watches.values():
            if reading.sensor in (one.spec.inputs if one.spec.joined else one.spec.inputs[:1]):
                if not one.take(reading):
                    self.left_out.append(LeftOut(one.spec.id, one.spec.version, reading.sensor, reading.time))
                self._collect(one)
        return "fresh"

    def clock(self, now: int, grace: int) -> None:
        for one in self.watches.values():
            one.clock(now, grace)
            self._collect(one)

    def finish(self, until: int) -> None:
        for one in self.watches.values():
            one.finish(until)
            self._collect(one)

    def edit(self, specs: Iterable[RuleSpec]) -> None:
        """Puts these rules in force; what has neither id nor version in common with before starts anew."""
        before = self.watches
        self.watches = {}
        for spec in sorted(specs, key=lambda spec: spec.id):
            old = before.get(spec.id)
            if old is not None and old.spec.version == spec.version:
                self.watches[spec.id] = old
                continue
            new = watch(spec, inherited=spec.id in self.standing)
            if isinstance(new, OneSensor):
                history = self.history.get(spec.inputs[0], [])
                good = [reading for reading in history if reading.quality != BAD]
                new.start_from(history[-1] if history else None, good[-1] if good else None, history)
            self.watches[spec.id] = new

    def _collect(self, one: Watch) -> None:
        for transition in one.log:
            self.transitions.append(transition)
            if transition.kind == "active":
                self.standing.add(transition.rule)
            else:
                self.standing.discard(transition.rule)
        one.log = []
