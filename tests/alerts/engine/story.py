"""One rule and a few readings in relative seconds, as a table in a test tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alerts.engine.rules import Kind, RuleSpec, seconds
from tests.alerts.engine.plays import Live
from tests.reference import BAD, Reading, Transition

START = 1_700_000_000_000_000
SENSOR = 1

# (seconds, value) or (seconds, value, "bad" or "uncertain") or (seconds, value, quality, sensor)
Row = tuple[Any, ...]

_QUALITIES = {"good": 0, "uncertain": 1, "bad": BAD}
_DURATIONS = ("window", "per", "timeout", "duration", "on_delay", "off_delay")


def rule(kind: str, **fields: Any) -> RuleSpec:
    """Gives a rule with id 1 over sensor 1; durations and intervals in seconds."""
    for name in _DURATIONS:
        if name in fields:
            fields[name] = seconds(fields[name])
    if "intervals" in fields:
        fields["intervals"] = tuple(seconds(interval) for interval in fields["intervals"])
    return RuleSpec(**{"id": 1, "version": 1, "kind": Kind.of(kind), "inputs": (SENSOR,), **fields})


def reading(row: Row, arrival: float | None = None) -> Reading:
    time, value = row[:2]
    quality = row[2] if len(row) > 2 else "good"
    sensor = row[3] if len(row) > 3 else SENSOR
    at = START + seconds(time)
    return Reading(sensor, at, value, _QUALITIES[quality], at if arrival is None else START + seconds(arrival))


class Story:
    """A rule that is fed in relative seconds; each step tells what came of it."""

    def __init__(self, *specs: RuleSpec) -> None:
        self.live = Live(specs)
        self._told = 0

    def readings(self, *rows: Row, arrival: float | None = None) -> list[tuple[str, float]]:
        self.live.readings([reading(row, arrival) for row in rows])
        return self.news()

    def clock(self, now: float) -> list[tuple[str, float]]:
        self.live.clock(START + seconds(now))
        return self.news()

    def finish(self, until: float) -> list[tuple[str, float]]:
        self.live.finish(START + seconds(until))
        return self.news()

    def edit(self, *specs: RuleSpec) -> None:
        self.live.edit(specs)

    def news(self) -> list[tuple[str, float]]:
        new = self.live.transitions[self._told :]
        self._told += len(new)
        return [(transition.kind, (transition.time - START) / 1e6) for transition in new]

    @property
    def last(self) -> Transition:
        return self.live.transitions[-1]

    @property
    def left_out(self) -> list[float]:
        return [(one.time - START) / 1e6 for one in self.live.left_out]


def told(spec: RuleSpec, rows: Sequence[Row], until: float | None = None) -> list[tuple[str, float]]:
    """Gives the transitions of a rule over these readings: what, and when in seconds."""
    story = Story(spec)
    news = story.readings(*rows)
    return news if until is None else news + story.finish(until)
