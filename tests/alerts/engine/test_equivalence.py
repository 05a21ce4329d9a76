"""The same readings give the same transitions: however cut, before and after a restart, live and from the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerts.engine.program import Program
from alerts.engine.rules import RuleSpec
from alerts.engine.run import evaluate_stored, finish, leave_out, replay
from alerts.engine.state import EngineState
from tests.alerts.engine.plays import GRACE, Edit, Event, Live, Tick, columns, days, many, rules, spoken
from tests.reference import Reading, Reference, over_stored


def by_rule(transitions: Sequence[Any]) -> dict[int, list[tuple[Any, ...]]]:
    """Gives each rule's transitions; who noticed them, readings or clock, is no part of it."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for transition in transitions:
        found.setdefault(transition.rule, []).append(transition.without_clock())
    return found


@many
@given(rules(), days(ticks=False), st.lists(st.integers(1, 7), min_size=60, max_size=60))
def test_any_cut_into_batches_gives_the_same_transitions(
    specs: list[RuleSpec], events: list[Reading], sizes: list[int]
) -> None:
    whole, cut = Live(specs), Live(specs)
    whole.readings(events)
    left = events
    for size in sizes:
        cut.readings(left[:size])
        left = left[size:]
    assert cut.transitions == whole.transitions
    assert cut.left_out == whole.left_out
    assert cut.state.dumps() == whole.state.dumps()


@many
@given(rules(), days(ticks=True), rules(), st.integers(0, 60), st.lists(st.booleans(), min_size=4, max_size=4))
def test_engine_and_reference_agree_on_any_day(
    specs: list[RuleSpec], events: list[Event], others: list[RuleSpec], when: int, edited: list[bool]
) -> None:
    # Some rules become others of the same id, the rest goes on.
    later = {spec.id: spec for spec in specs}
    for change, spec in zip(edited, others, strict=False):
        if change:
            later[spec.id] = replace(spec, version=2)
    events.insert(min(when, len(events)), Edit(tuple(later.values())))
    live, reference = Live(specs), Reference(specs)
    live.play(events)
    for event in events:
        match event:
            case Tick():
                reference.clock(event.now, GRACE)
            case Edit():
                reference.edit(event.specs)
            case Reading():
                reference.reading(event)
    assert live.transitions == reference.transitions
    assert live.left_out == reference.left_out
    live.finish(2_000_000_000)
    reference.finish(2_000_000_000)
    assert live.transitions == reference.transitions


@many
@given(rules(), days(ticks=True), st.lists(st.booleans(), min_size=60, max_size=60))
def test_a_restart_at_any_point_changes_nothing(
    specs: list[RuleSpec], events: list[Event], restarts: list[bool]
) -> None:
    steady, restarted = Live(specs), Live(specs)
    for event, restart in zip(events, restarts, strict=False):
        steady.play([event])
        restarted.play([event])
        if restart:
            restarted.restart()
    assert restarted.transitions == steady.transitions
    assert restarted.left_out == steady.left_out
    assert restarted.state.dumps() == steady.state.dumps()


@many
@given(rules(), days(ticks=True), st.booleans())
def test_live_transitions_are_those_of_the_stored_history(
    specs: list[RuleSpec], events: list[Event], by_range: bool
) -> None:
    live = Live(specs)
    live.play(events)
    newest = [reading.time for reading in live.history] + [transition.time for transition in live.transitions]
    end = max(newest, default=0)
    live.finish(end)
    batch, _ = columns(sorted(live.history, key=lambda reading: (reading.time, reading.sensor)))
    joined = {spec.id for spec in specs if spec.joined}
    # What the clock judged of a rule over one sensor is known from the journal, too.
    kept = [one for one in live.left_out if not by_range or one.rule in joined]
    readings = (
        np.array([one.rule for one in kept], np.int64),
        np.array([one.sensor for one in kept], np.int32),
        np.array([one.time for one in kept], np.int64),
    )
    clocked = [transition for transition in live.transitions if transition.clock_from is not None and by_range]
    ranges = (
        np.array([transition.rule for transition in clocked], np.int64),
        np.array([transition.clock_from for transition in clocked], np.int64),
        np.array([transition.time for transition in clocked], np.int64),
    )
    program = Program.build(specs)
    parts = [batch.take(np.arange(start, min(start + 9, len(batch)))) for start in range(0, len(batch), 9)]
    for batches in ([batch], parts):
        gaps = leave_out(program, readings=readings, ranges=ranges)
        again = spoken(replay(program, batches, ordered=True, gaps=gaps, until=end))
        assert by_rule(again) == by_rule(live.transitions)
    passed: dict[int, list[tuple[int, int]]] = {}
    for transition in clocked:
        passed.setdefault(transition.rule, []).append((int(transition.clock_from or 0), transition.time))
    slow = over_stored(
        specs, live.history, end, left_out=[(one.rule, one.sensor, one.time) for one in kept], passed=passed
    )
    assert by_rule(slow) == by_rule(live.transitions)


@many
@given(rules(), days(ticks=False), st.lists(st.integers(1, 7), min_size=60, max_size=60))
def test_sensor_after_sensor_gives_what_all_together_do(
    specs: list[RuleSpec], events: list[Reading], sizes: list[int]
) -> None:
    specs = [spec for spec in specs if not spec.joined]
    program = Program.build(specs)
    live = Live(specs)
    live.readings(events)
    batch, _ = columns(sorted(live.history, key=lambda reading: (reading.time, reading.sensor)))
    whole = spoken(replay(program, [batch], ordered=True, until=2_000_000_000))
    state = EngineState.empty(program)
    found = []
    for sensor in program.sensors.tolist():
        left = batch.take(batch.sensor == sensor)
        for size in sizes:
            part, left = left.take(np.arange(len(left)) < size), left.take(np.arange(len(left)) >= size)
            outcome = evaluate_stored(program, state, sensor, part.time, part.value, part.quality)
            assert outcome.state is state
            found.append(outcome.transitions)
    found.append(finish(program, state, 2_000_000_000).transitions)
    assert by_rule(spoken(np.concatenate(found))) == by_rule(whole)


@many
@given(rules(), days(ticks=False))
def test_a_backtest_of_a_file_is_the_reference(specs: list[RuleSpec], events: list[Reading]) -> None:
    reference = Reference(specs)
    for reading in events:
        reference.reading(reading)
    if events:
        reference.finish(max(reading.time for reading in events))
    batch, _ = columns(events)
    assert by_rule(spoken(replay(Program.build(specs), [batch]))) == by_rule(reference.transitions)
