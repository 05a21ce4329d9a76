"""Proposals from a stored history, judged by the engine itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from alerts.backtest import stored
from alerts.instants import to_us
from alerts.models import Alarm
from alerts.rules import build_spec
from alerts.wiring import values_of
from alerts.workbench.proposals import propose
from alerts.workbench.turn import Busy, turn
from devices.models import Sensor
from devices.telemetry import history
from devices.telemetry.batch import Batch
from tests import factories

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def kept(sensor: Sensor, values: list[float]) -> None:
    """Stores a reading a second from START on."""
    count = len(values)
    times = to_us(START) + np.arange(count, dtype=np.int64) * 1_000_000
    batch = Batch(np.full(count, sensor.pk, np.int32), times, np.array(values), np.zeros(count, np.uint8))
    history.append(0, batch, np.zeros(count, np.bool_))


@pytest.fixture
def press():
    made = factories.plant(machines=1)[0]
    factories.sensor(made)
    return made


def test_spikes_are_cured_by_an_on_delay_and_the_true_alarm_comes_that_much_later(press):
    rule = factories.rule(press)
    spikes = [95.0 if second % 40 == 0 else 60.0 for second in range(3000)]
    kept(press.sensors.get(), [*spikes, *[95.0] * 400, *[60.0] * 200])
    made = propose(rule=rule, start=START, end=START + HOUR)
    assert (made.alarms, made.true) == (76, 1)
    best = made.proposals[0]
    assert dict(best.change) == {"on_delay": 2.0}
    assert (best.price.alarms, best.saved, best.price.delay, best.price.missed) == (1, 75, 2_000_000, 0)


def test_hovering_at_the_limit_is_cured_by_a_deadband_without_delay_and_not_by_one_that_loses_it(press):
    rule = factories.rule(press)
    hovering = [91.0 if second % 4 < 3 else 89.6 for second in range(2000)]
    kept(press.sensors.get(), [60.0] * 100 + hovering + [60.0] * 400)
    made = propose(rule=rule, start=START, end=START + HOUR)
    assert (made.alarms, made.true) == (500, 1)
    by_setting = {tuple(proposal.change): proposal for proposal in made.proposals}
    assert dict(by_setting["deadband",].change) == {"deadband": 0.75}
    assert (by_setting["deadband",].price.alarms, by_setting["deadband",].price.delay) == (1, 0)
    assert ("on_delay",) not in by_setting or by_setting["on_delay",].change["on_delay"] < 4
    assert all(not proposal.price.missed for proposal in made.proposals)
    assert made.proposals[0].price.alarms == 1


def test_a_proposal_raises_what_the_engine_raises_with_the_same_settings(press):
    rule = factories.rule(press)
    wave = [90 + 4 * np.sin(second / 9) + 2 * np.sin(second / 2.3) for second in range(3000)]
    kept(press.sensors.get(), wave)
    for proposal in propose(rule=rule, start=START, end=START + HOUR).proposals:
        inputs = [("", press.sensors.get().pk, 1.0)]
        spec = build_spec(1, 1, {**values_of(rule), **proposal.change}, inputs)
        found = stored([spec], to_us(START), to_us(START + HOUR), as_judged=False)
        assert sum(one.active for one in found) == proposal.price.alarms


def test_an_alarm_that_somebody_answered_while_it_stood_is_true(press):
    rule = factories.rule(press)
    kept(press.sensors.get(), [60.0] * 100 + [95.0] * 90 + [60.0] * 100)
    assert propose(rule=rule, start=START, end=START + HOUR).true == 0
    Alarm.objects.create(
        rule=rule, rule_name="Hot", tag="", asset_code="", priority=1, state="A", message="Hot",
        raised=START + timedelta(seconds=100), acked=START + timedelta(seconds=130), acked_by=factories.operator(),
        cleared=START + timedelta(seconds=190), closed=START + timedelta(seconds=190),
    )  # fmt: skip
    assert propose(rule=rule, start=START, end=START + HOUR).true == 1


def test_a_rule_over_two_sensors_is_tried_too(press):
    factories.sensor(press, "flow")
    rule = factories.rule(press, "Differs", kind="deviation", reference="flow", limit=5.0)
    kept(press.sensors.get(key="temp"), [60.0 + 6 * (second % 20 == 0) for second in range(600)])
    kept(press.sensors.get(key="flow"), [60.0] * 600)
    made = propose(rule=rule, start=START, end=START + HOUR)
    assert made.alarms == 30
    assert made.proposals[0].saved >= 29


def test_a_rule_that_raised_nothing_has_nothing_to_cure(press):
    rule = factories.rule(press)
    kept(press.sensors.get(), [60.0] * 100)
    made = propose(rule=rule, start=START, end=START + HOUR)
    assert (made.alarms, made.true, list(made.proposals), made.readings_until) == (0, 0, [], None)


def test_a_second_backtest_at_the_same_time_is_refused(press):
    rule = factories.rule(press)
    with turn, pytest.raises(Busy):
        propose(rule=rule, start=START, end=START + HOUR)
    assert propose(rule=rule, start=START, end=START + HOUR).alarms == 0


def test_no_more_than_the_last_31_days_are_looked_at(press):
    now = timezone.now()
    assert propose(rule=factories.rule(press), start=now - timedelta(days=400), end=now).start == now - timedelta(31)
