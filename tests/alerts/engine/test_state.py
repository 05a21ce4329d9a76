"""What the engine remembers: small, versioned, never mixed up, and never changed behind anybody's back."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.engine.program import Program
from alerts.engine.rules import RuleSpec, seconds
from alerts.engine.run import advance, evaluate
from alerts.engine.state import EngineState, ProgramMismatch, carry
from devices.telemetry.snapshot import CorruptSnapshot
from tests.alerts.engine.plays import columns, spoken
from tests.alerts.engine.story import Row, Story, reading, rule


def after(state: EngineState, program: Program, *rows: Row) -> tuple[EngineState, list[tuple[str, int]]]:
    batch, arrival = columns([reading(row) for row in rows])
    outcome = evaluate(program, state, batch.sensor, batch.time, batch.value, batch.quality, arrival)
    return outcome.state, [(one.kind, one.rule) for one in spoken(outcome.transitions)]


def test_evaluating_leaves_the_given_state_as_it_is() -> None:
    program = Program.build([rule("high", limit=80.0, on_delay=5), rule("rate_high", id=2, limit=60.0, window=10)])
    start, _ = after(EngineState.empty(program), program, (0, 90.0))
    before = start.dumps()
    again = [after(start, program, *((step, value) for step in range(1, 9))) for value in (90.0, 200.0, 90.0)]
    assert start.dumps() == before
    # Whatever another one did with the shared room of the windows: the same readings give the same.
    assert again[0][1] == again[2][1] == [("active", 1)]
    assert again[1][1] == [("active", 1), ("active", 2)]
    assert again[0][0].dumps() == again[2][0].dumps()
    assert spoken(advance(program, start, 0, 0).transitions) == []


def test_two_futures_of_one_state_do_not_share_their_windows() -> None:
    program = Program.build([rule("rate_high", limit=60.0, window=10)])
    start, _ = after(EngineState.empty(program), program, (0, 0.0))
    calm, _ = after(start, program, (4, 0.0), (8, 0.0))
    wild, _ = after(start, program, (4, 100.0), (8, 200.0))
    assert after(calm, program, (14, 0.5))[1] == []
    assert after(wild, program, (14, 300.0))[1] == []  # active since 8 s
    assert after(calm, program, (14, 60.0))[1] == [("active", 1)]


def test_windows_grow_with_their_readings() -> None:
    program = Program.build([rule("rate_high", id=id, limit=600.0, window=1000) for id in range(1, 6)])
    state = EngineState.empty(program)
    for start in range(0, 5000, 250):
        state, news = after(state, program, *((start + step, float(start + step)) for step in range(250)))
        assert news == []
    assert len(state.window_pool) < 5 * 1000 * 8
    _, news = after(state, program, (5000, 5000.0 + 10 * 1000))
    assert len(news) == 5


def test_a_state_of_other_rules_is_refused() -> None:
    one, other = Program.build([rule("high", limit=80.0)]), Program.build([rule("high", limit=80.0, version=2)])
    state = EngineState.empty(one)
    with pytest.raises(ProgramMismatch):
        after(state, other, (0, 1.0))
    with pytest.raises(ProgramMismatch):
        advance(other, state, 0, 0)
    with pytest.raises(ProgramMismatch):
        state.needs_windows(other)
    after(carry(state, other), other, (0, 1.0))


def test_a_state_from_bytes_serves_the_same_rules_at_once() -> None:
    program = Program.build([rule("high", limit=80.0, on_delay=5)])
    state, _ = after(EngineState.empty(program), program, (0, 90.0))
    loaded = EngineState.loads(state.dumps())
    now = reading((7, 0.0)).time
    assert len(advance(program, loaded, now, seconds(2)).transitions) == 1


@pytest.mark.parametrize("damage", [b"", b"AnS", b"AnS\x63\x00\x00", None])
def test_damaged_bytes_are_refused(damage: bytes | None) -> None:
    program = Program.build([rule("high", limit=80.0)])
    good = EngineState.empty(program).dumps()
    with pytest.raises(CorruptSnapshot):
        EngineState.loads(good[:-3] if damage is None else damage)
    with pytest.raises(CorruptSnapshot):
        EngineState.loads(good + b"\x00")


def test_a_shards_state_is_small() -> None:
    specs: list[RuleSpec] = [rule("high", id=id, limit=80.0, inputs=(id,)) for id in range(1, 3001)]
    program = Program.build(specs)
    rows: list[Row] = [(id % 60, 20.0 + id % 7, "good", id) for id in range(1, 3001)]
    state, _ = after(EngineState.empty(program), program, *rows)
    assert len(state.dumps()) < 3000 * 20


def test_the_clock_gives_the_same_state_back_where_nothing_is_due() -> None:
    program = Program.build([rule("stale", timeout=10)])
    state, _ = after(EngineState.empty(program), program, (0, 1.0))
    now = reading((11, 0.0)).time
    outcome = advance(program, state, now, seconds(2))
    assert outcome.state is state
    assert not outcome.changed


def test_windows_are_asked_for_after_a_restart_and_only_then() -> None:
    story = Story(rule("rate_high", limit=60.0, window=10), rule("high", id=2, limit=80.0))
    story.readings((0, 0.0), (4, 3.0, "bad"), (5, 2.0))
    live = story.live
    assert live.state.needs_windows(live.program) == []
    loaded = EngineState.loads(live.state.dumps())
    (need,) = loaded.needs_windows(live.program)
    at = reading((5, 0.0)).time
    assert need == (1, 1, at - seconds(10), at)
    loaded.fill_window(live.program, 1, np.array([at - seconds(5), at]), np.array([0.0, 2.0]))
    assert loaded.needs_windows(live.program) == []
    assert after(loaded, live.program, (10, 11.0))[1] == [("active", 1)]


def test_a_rule_may_be_of_any_sensor_id() -> None:
    ids = (-5, 0, 2**31 - 1, -(2**31), 4096, 8192)
    program = Program.build([rule("high", id=10 + at, limit=80.0, inputs=(id,)) for at, id in enumerate(ids)])
    for at, id in enumerate(ids):
        assert after(EngineState.empty(program), program, (0, 90.0, "good", id))[1] == [("active", 10 + at)]
    assert after(EngineState.empty(program), program, (0, 90.0, "good", 1))[1] == []


def test_two_rules_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="Two rules have the id 1"):
        Program.build([rule("high", limit=80.0), rule("low", limit=80.0)])


def test_no_rules_and_no_readings_are_no_trouble() -> None:
    program = Program.build([])
    state, news = after(EngineState.empty(program), program, (0, 1.0))
    assert news == []
    assert EngineState.loads(state.dumps()).belongs_to(program)
    batch, arrival = columns([])
    outcome = evaluate(program, state, batch.sensor, batch.time, batch.value, batch.quality, arrival)
    assert not outcome.changed
