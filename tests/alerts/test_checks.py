"""Which levels a rule has on its sensor's own scale, and the rule that a suppressing state is."""

from typing import Any

import numpy as np
import pytest

from alerts.by_design import state_spec
from alerts.checks import DEFAULTS, levels_of
from alerts.engine.layout import ACTIVE
from alerts.engine.program import Program
from alerts.engine.rules import Kind as EngineKind
from alerts.engine.run import replay
from alerts.models import Kind
from devices.telemetry.batch import Batch

SECOND = 1_000_000
FIELDS = {"limit": 90.0, "low": 5.0, "high": 80.0, "value": 3.0, "reference": 60.0}


@pytest.mark.parametrize(
    ("kind", "fields", "levels"),
    [
        (Kind.HIGH, {}, {"limit": 90.0}),
        (Kind.LOW, {}, {"limit": 90.0}),
        (Kind.OUTSIDE, {}, {"low": 5.0, "high": 80.0}),
        (Kind.OUTSIDE, {"low": None}, {"high": 80.0}),
        (Kind.EQUALS, {}, {"value": 3.0}),
        (Kind.NOT_EQUALS, {}, {"value": 3.0}),
        (Kind.DEVIATION, {}, {"reference": 60.0}),
        (Kind.DEVIATION, {"reference": "press-01/setpoint"}, {"reference": None}),  # another sensor: no level
        (Kind.DEVIATION, {"reference": "60"}, {"reference": 60.0}),
        # a rate, a silence and an expression have none
        *((kind, {}, {}) for kind in (Kind.RATE_HIGH, Kind.RATE_LOW, Kind.STALE, Kind.FLATLINE, Kind.EXPRESSION)),
    ],
)
def test_a_rule_has_the_levels_of_its_kind(kind: Kind, fields: dict[str, Any], levels: dict[str, Any]) -> None:
    assert levels_of({**DEFAULTS, **FIELDS, **fields, "kind": kind}) == levels


def test_each_kind_is_among_those() -> None:
    for kind in Kind:
        assert set(levels_of({**DEFAULTS, **FIELDS, "kind": kind})) <= set(FIELDS)


def test_a_state_is_a_rule_over_one_sensor_without_delay() -> None:
    spec = state_spec(-7, 31, [0, 2.5])
    assert (spec.id, spec.version, spec.kind, spec.inputs, spec.names) == (
        -7, 1, EngineKind.EXPRESSION, (31,), ("state",),
    )  # fmt: skip
    assert spec.expression == "state == 0 or state == 2.5"


@pytest.mark.parametrize(
    ("equals", "values", "turns"),
    [
        ([0.0], [1.0, 0.0, 0.0, 1.0], [(1, True), (3, False)]),
        ([0.0, 2.0], [0.0, 2.0, 1.0, 2.0], [(0, True), (2, False), (3, True)]),
        ([-1.0], [1.0, -1.0], [(1, True)]),
        ([5.0], [1.0, 2.0], []),
    ],
)
def test_a_state_holds_while_the_sensor_has_one_of_its_values(
    equals: list[float], values: list[float], turns: list[tuple[int, bool]]
) -> None:
    count = len(values)
    times = np.arange(count, dtype=np.int64) * SECOND
    batch = Batch(np.full(count, 31, np.int32), times, np.array(values), np.zeros(count, np.uint8))
    found = replay(Program.build([state_spec(-1, 31, equals)]), [batch])
    assert [(row["time"] // SECOND, row["kind"] == ACTIVE) for row in found] == turns
