"""What a rule would have raised, and what of it wastes attention, from a stored history by the engine itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts import rules
from alerts.calling.foresight import Facts
from alerts.checks import DEFAULTS
from alerts.engine.parts import drained
from alerts.instants import to_us
from alerts.models import Alarm, Rule
from alerts.wiring import values_of
from alerts.workbench import subjects
from alerts.workbench.called import called
from alerts.workbench.subjects import Cast
from alerts.workbench.trial import Kind, Trial, count, in_parts
from devices import services
from devices.models import Asset, AssetType, Sensor
from devices.telemetry import history
from devices.telemetry.batch import Batch
from tests import factories
from tests.alerts.notify.cast import person, subscribe

pytestmark = pytest.mark.django_db
END = datetime(2026, 3, 31, tzinfo=UTC)
START = END - timedelta(days=30)
HOT, COOL = 95.0, 60.0


def kept(sensor: Sensor, values: list[float], *, since: datetime) -> None:
    """Stores a reading a second."""
    count = len(values)
    times = to_us(since) + np.arange(count, dtype=np.int64) * 1_000_000
    batch = Batch(np.full(count, sensor.pk, np.int32), times, np.array(values), np.zeros(count, np.uint8))
    history.append(0, batch, np.zeros(count, np.bool_))


@pytest.fixture
def press() -> Asset:
    made = factories.plant(machines=1)[0]
    factories.sensor(made)
    return made


def cast_of(rule: Rule, **changes: Any) -> Cast:
    values = {**values_of(rule), **changes}
    return subjects.of_asset(asset=rule.asset, rule=rule, name=rule.name, values=values, start=START, end=END)


def tried(cast: Cast, *, go_on: Callable[[], None] = lambda: None, until: float | None = None) -> Trial:
    limit = time.monotonic() + 60 if until is None else until
    return drained(in_parts(cast.subjects, START, END, go_on=go_on, until=limit))


def test_alarms_are_counted_by_period_and_told_apart_by_how_they_waste_attention(press: Asset) -> None:
    rule, sensor = factories.rule(press), press.sensors.get()
    # Twenty days ago three raises within forty seconds; three days ago ten short seconds; an hour ago six minutes.
    kept(sensor, [*[HOT] * 5, *[COOL] * 15] * 3, since=END - timedelta(days=20))
    kept(sensor, [HOT] * 10 + [COOL] * 10, since=END - timedelta(days=3))
    kept(sensor, [HOT] * 360 + [COOL] * 10, since=END - timedelta(hours=1))
    made = tried(cast_of(rule))
    kinds = [one.kind for one in made.outcomes[0].raised]
    assert kinds == [Kind.CHATTERS] * 3 + [Kind.FLEETING, Kind.PLAIN]
    counted = [count(made.outcomes, days, END) for days in (1, 7, 30)]
    assert [(one.alarms, one.chattering, one.fleeting, one.true) for one in counted] == [
        (1, 0, 0, 1), (2, 0, 1, 1), (5, 3, 1, 1),
    ]  # fmt: skip
    assert (counted[2].worst_size, counted[0].longest) == (3, 360_000_000)
    assert made.readings == 60 + 20 + 370
    assert made.first == to_us(END - timedelta(days=20))


def test_what_is_tried_is_what_was_written_and_not_what_is_stored(press: Asset) -> None:
    rule = factories.rule(press)
    kept(press.sensors.get(), [COOL] * 10 + [HOT] * 10 + [COOL] * 10, since=END - timedelta(hours=1))
    assert len(tried(cast_of(rule)).outcomes[0].raised) == 1
    assert not tried(cast_of(rule, limit=96.0)).outcomes[0].raised
    assert not tried(cast_of(rule, on_delay=11.0)).outcomes[0].raised


def test_an_alarm_that_a_state_suppresses_is_hidden_or_comes_when_the_state_ends(press: Asset) -> None:
    rule, state = factories.rule(press), factories.sensor(press, "state", range_high=5.0)
    kept(
        press.sensors.get(key="temp"),
        [*[COOL] * 10, *[HOT] * 10, *[COOL] * 20, *[HOT] * 100],
        since=END - timedelta(hours=1),
    )
    kept(state, [0.0] * 60 + [1.0] * 80, since=END - timedelta(hours=1))
    made = tried(cast_of(rule, suppress_when=[{"sensor": "state", "equals": [0.0]}]))
    first, second = made.outcomes[0].raised
    assert (first.kind, second.kind) == (Kind.HIDDEN, Kind.PLAIN)
    assert second.start == to_us(END - timedelta(hours=1)) + 60_000_000
    found = count(made.outcomes, 1, END)
    assert (found.alarms, found.hidden) == (1, 1)


def test_an_alarm_of_another_rule_suppresses_while_it_stood(press: Asset) -> None:
    rule, trip = factories.rule(press), factories.rule(press, "Motor trip", limit=140.0)
    kept(press.sensors.get(), [COOL] * 10 + [HOT] * 10 + [COOL] * 10, since=END - timedelta(hours=1))
    Alarm.objects.create(
        rule=trip, rule_name="Motor trip", tag="", asset_code="", priority=1, state="A", message="Trip",
        raised=END - timedelta(hours=2), cleared=END - timedelta(minutes=30), closed=END - timedelta(minutes=30),
    )  # fmt: skip
    whiles = [{"alarm": "Motor trip"}]
    assert [one.kind for one in tried(cast_of(rule, suppress_when=whiles)).outcomes[0].raised] == [Kind.HIDDEN]
    rules.update_rule(rule=trip, reason="a trip tells all", hides=rule.name)
    assert [one.kind for one in tried(cast_of(rule)).outcomes[0].raised] == [Kind.HIDDEN]
    with pytest.raises(ValidationError, match="Did you mean 'Motor trip'"):
        cast_of(rule, suppress_when=[{"alarm": "Motor tripp"}])


@pytest.fixture
def pumps(press: Asset) -> AssetType:
    """Gives a type with three pumps: the second has its own limit, the third has no history."""
    kind = factories.asset_type()
    services.create_type_sensor(type=kind, key="heat", name="Heat", range_low=0.0, range_high=150.0)
    rules.create_type_rule(type=kind, name="Hot", kind="high", sensor_key="heat", limit=90.0)
    for number in (1, 2, 3):
        made = services.create_asset(
            code=f"pump-{number}", name=f"Pump {number}", level="machine", parent=press.parent, type=kind
        )
        if number < 3:
            kept(made.sensors.get(), [COOL] * 10 + [HOT] * 70 + [COOL] * 10, since=END - timedelta(hours=1))
    own = Rule.objects.get(asset__code="pump-2")
    rules.update_rule(rule=own, reason="runs hot", limit=99.0)
    return kind


def cast_of_type(kind: AssetType, **changes: Any) -> Cast:
    rule = kind.rules.get()
    values = {**values_of(rule), **changes}
    return subjects.of_type(type=kind, rule=rule, name=rule.name, values=values, start=START, end=END)


def test_a_types_rule_is_tried_on_all_its_assets_each_with_what_it_overrides(pumps: AssetType) -> None:
    def alarms(**changes: Any) -> dict[str, int]:
        return {one.subject.code: len(one.raised) for one in tried(cast_of_type(pumps, **changes)).outcomes}

    assert alarms() == {"pump-1": 1, "pump-2": 0, "pump-3": 0}
    assert alarms(limit=94.0) == {"pump-1": 1, "pump-2": 0, "pump-3": 0}
    assert alarms(limit=96.0) == {"pump-1": 0, "pump-2": 0, "pump-3": 0}


def test_a_types_rule_that_is_new_is_tried_on_every_asset_and_names_those_without_the_sensor(pumps: AssetType) -> None:
    values = {**DEFAULTS, "inputs": {}, "suppress_when": [], "kind": "high", "sensor_key": "heat", "limit": 80.0}
    cast = subjects.of_type(type=pumps, rule=None, name="Warm", values=values, start=START, end=END)
    assert [one.subject.code for one in tried(cast).outcomes] == ["pump-1", "pump-2", "pump-3"]
    cast = subjects.of_type(
        type=pumps, rule=None, name="Warm", values={**values, "sensor_key": "flow"}, start=START, end=END
    )
    assert (cast.subjects, cast.lacking) == ([], ["pump-1", "pump-2", "pump-3"])


def test_three_assets_and_thirty_are_found_with_the_same_queries(pumps: AssetType, press: Asset) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            cast_of_type(pumps)
        return len(caught)

    few = queries()
    for number in range(4, 31):
        services.create_asset(
            code=f"pump-{number}", name=f"Pump {number}", level="machine", parent=press.parent, type=pumps
        )
    assert queries() == few <= 5


def test_a_trial_stops_between_two_parts_when_nobody_waits_for_it(press: Asset) -> None:
    rule = factories.rule(press)
    kept(press.sensors.get(), [COOL] * 10, since=END - timedelta(hours=1))

    class Away(Exception):
        pass

    def leave() -> None:
        raise Away

    with pytest.raises(Away):
        tried(cast_of(rule), go_on=leave)


def test_a_trial_whose_time_is_over_gives_what_it_has_and_says_so(pumps: AssetType) -> None:
    made = tried(cast_of_type(pumps), until=time.monotonic())
    assert (made.cut, made.outcomes, made.of) == (True, [], 3)


def test_who_would_have_been_called_is_told_for_each_alarm_and_each_person(press: Asset) -> None:
    rule = factories.rule(press)
    olga = person()
    subscribe(olga)
    subscribe(olga, "sms", hours=[[[0, 1]]] * 7)
    for at in (END - timedelta(hours=1), END - timedelta(hours=12)):
        kept(press.sensors.get(), [COOL] * 10 + [HOT] * 70 + [COOL] * 10, since=at)
    heard, people = called(Facts.of_rule(rule), tried(cast_of(rule)).outcomes[0].raised)
    assert [one.names for one in heard] == [["Olga"], ["Olga"]]
    assert [(one.name, dict(one.by_channel), one.at_night) for one in people] == [("Olga", {"email": 2}, 1)]
