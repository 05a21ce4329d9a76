"""Compiles the engine before the first reading comes: python -m alerts.engine.warm. Numba keeps the result on disk."""

from __future__ import annotations

import numpy as np

from alerts.engine.program import Program
from alerts.engine.rules import Kind, RuleSpec
from alerts.engine.run import advance, evaluate, finish
from alerts.engine.state import EngineState
from devices.telemetry.admission import Cursors, admit
from devices.telemetry.batch import Batch

SECOND = 1_000_000


def warm() -> int:
    """Puts two readings to two rules, through every compiled function. Gives: the transitions (two)."""
    program = Program.build(
        [
            RuleSpec(id=1, version=1, kind=Kind.HIGH, inputs=(1,), limit=90.0),
            RuleSpec(id=2, version=1, kind=Kind.STALE, inputs=(1,), timeout=10 * SECOND),
        ]
    )
    batch = Batch(
        np.array([1, 1], np.int32),
        np.array([SECOND, 2 * SECOND]),
        np.array([50.0, 95.0]),
        np.zeros(2, np.uint8),
    )
    arrival = batch.time.copy()
    verdict, _ = admit(Cursors.empty(), batch, arrival)
    assert not verdict.any()
    seen = evaluate(program, EngineState.empty(program), batch.sensor, batch.time, batch.value, batch.quality, arrival)
    ticked = advance(program, seen.state, 60 * SECOND, 2 * SECOND)
    finish(program, ticked.state, 60 * SECOND)
    return len(seen.transitions) + len(ticked.transitions)


if __name__ == "__main__":
    warm()
