"""The stage that judges, through the real stream, one drain at a time."""

import pytest

from alerts import rules, services
from alerts.backtest import stored
from alerts.models import Alarm, JournalEntry
from devices import services as services_of_plant
from devices.models import Asset, Checkpoint, Segment
from devices.services import delete_asset
from devices.telemetry import latest, pipeline
from devices.telemetry.batch import Quality
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db


@pytest.fixture
def press():
    return factories.plant()[0]


@pytest.fixture
def temp(press):
    return factories.sensor(press)


@pytest.fixture
def scenario(clean_redis):
    return Scenario(clean_redis)


def test_reading_over_the_limit_raises_an_alarm_with_its_rule_frozen_in(scenario, press, temp):
    factories.rule(press)
    scenario.send(temp, 0, 92.0)
    scenario.drain(0.1)
    alarm = Alarm.objects.get()
    assert (alarm.message, alarm.state, alarm.value, alarm.limit, alarm.unit) == (
        "Temperature high",
        "B",
        92.0,
        90.0,
        "degC",
    )
    assert alarm.raised == scenario.at(0)
    assert alarm.frozen["limit"] == 90.0
    assert scenario.journal() == [("raise", "A", "B", 0.0)]


def test_acknowledged_alarm_stays_until_the_value_returns(scenario, press, temp):
    factories.rule(press, deadband=2.0)
    scenario.send(temp, 0, 92.0)
    scenario.drain(0.1)
    services.acknowledge(alarm_id=Alarm.objects.get().pk, user=factories.operator(), comment="", now=scenario.at(1))
    scenario.send(temp, 2, 89.0)
    scenario.drain(2.1)
    assert scenario.states() == [("Temperature high", "C")]
    scenario.send(temp, 3, 87.9)
    scenario.drain(3.1)
    assert scenario.states() == []
    assert [row[:3] for row in scenario.journal()] == [("raise", "A", "B"), ("ack", "B", "C"), ("clear", "C", "A")]


def test_second_raise_before_acknowledgement_is_a_new_occurrence_and_one_journal_row(scenario, press, temp):
    factories.rule(press)
    for at, value in [(0, 92.0), (1, 80.0), (2, 93.0)]:
        scenario.send(temp, at, value)
    scenario.drain(2.1)
    first, second = Alarm.objects.order_by("pk")
    assert first.closed is not None
    assert (second.state, second.value, second.closed) == ("B", 93.0, None)
    assert [row[:3] for row in scenario.journal()] == [("raise", "A", "B"), ("clear", "B", "D"), ("raise", "D", "B")]
    assert JournalEntry.objects.order_by("-pk")[0].alarm == second


def test_on_delay_fires_by_the_clock_where_no_reading_follows(scenario, press, temp):
    factories.rule(press, on_delay=5.0)
    scenario.send(temp, 0, 92.0)
    scenario.drain(6.9)
    assert scenario.states() == []
    scenario.drain(7.0)
    assert scenario.states() == [("Temperature high", "B")]
    entry = JournalEntry.objects.get()
    assert (entry.time, entry.clock_from) == (scenario.at(5), scenario.at(0))


def test_reading_that_the_clock_has_passed_goes_to_the_history_only(scenario, press, temp):
    factories.rule(press, on_delay=5.0)
    scenario.send(temp, 0, 92.0)
    scenario.drain(7.0)
    scenario.send(temp, 3, 20.0, arrives=7.5)
    scenario.drain(7.6)
    assert scenario.states() == [("Temperature high", "B")]
    assert Segment.objects.count() == 2


def test_clock_waits_until_the_backlog_is_read(scenario, press, temp, settings):
    settings.TELEMETRY_DRAIN_READINGS = 1
    factories.rule(press, on_delay=5.0)
    scenario.send(temp, 0, 92.0)
    scenario.send(temp, 3, 20.0, arrives=60)
    reports = scenario.drain(60)
    assert any(report.more for report in reports)
    assert scenario.states() == []
    scenario.drain(60)
    assert JournalEntry.objects.count() == 0


def test_rule_over_two_machines_is_judged_in_its_home_shard(scenario):
    # Twelve machines on sixteen shards: two of them do not share one.
    machines = factories.plant(machines=12)
    one = machines[0]
    other = next(machine for machine in machines if machine.shard != one.shard)
    flow, far = factories.sensor(one, "flow"), factories.sensor(other, "flow")
    factories.rule(one, "Flow differs", kind="deviation", sensor_key="flow", reference=far.tag, limit=5.0)
    for at in (0, 1):
        scenario.send(flow, at, 20.0)
        scenario.send(far, at, 20.0 - 6 * at)
    scenario.drain(1.1)
    assert scenario.states() == [("Flow differs", "B")]
    assert sum(segment.count for segment in Segment.objects.all()) == 4


@pytest.fixture
def apart(scenario):
    """Gives a sensor with a rule, and the sensor of another shard that the rule compares it with."""
    machines = factories.plant(machines=12)
    one = machines[0]
    other = next(machine for machine in machines if machine.shard != one.shard)
    flow, far = factories.sensor(one, "flow"), factories.sensor(other, "flow")
    factories.rule(one, "Flow differs", kind="deviation", sensor_key="flow", reference=far.tag, limit=5.0)
    return flow, far


def test_rule_sees_what_its_other_shard_had_drained_long_before(scenario, apart):
    """As after a worker's start, when one shard has taken all of a backlog and the other has not begun."""
    flow, far = apart
    for at, value in [(0, 20.0), (1, 14.0), (2, 20.0), (3, 13.0), (4, 20.0)]:
        scenario.send_many([(flow, at, 20.0, Quality.GOOD), (far, at, value, Quality.GOOD)], arrives=at)
    pipeline.process_shard(far.asset.shard, clock=scenario.us(4.1))
    pipeline.process_shard(flow.asset.shard, clock=scenario.us(4.1))
    assert [(event, at) for event, _, _, at in scenario.journal()] == [
        ("raise", 1.0), ("clear", 2.0), ("raise", 3.0), ("clear", 4.0),
    ]  # fmt: skip
    assert as_stored() == [(1.0, True), (2.0, False), (3.0, True), (4.0, False)]


def test_rule_does_not_see_a_late_reading_though_it_is_the_first_of_its_sensor(scenario, apart):
    flow, far = apart
    route = far.routes.get()
    far.routes.all().delete()  # as before the rule was made
    scenario.send(far, 2, 20.0)
    scenario.drain(2.1)
    route.save()
    far = type(far).objects.get(pk=far.pk)
    # Late, at home it counts for nothing; then one that is not.
    scenario.send_many([(flow, 3, 20.0, Quality.GOOD), (far, 1, 13.0, Quality.GOOD)], arrives=3)
    scenario.send_many([(flow, 4, 20.0, Quality.GOOD), (far, 4, 20.0, Quality.GOOD)], arrives=4)
    for shard in (far.asset.shard, flow.asset.shard):
        pipeline.process_shard(shard, clock=scenario.us(4.1))
    assert scenario.journal() == []
    assert as_stored() == []


def as_stored():
    """Gives what the rules make of the history: (second, active)."""
    specs = [spec for shard in range(16) for spec in rules.specs(shard)]
    start, end = Scenario.us(-1), Scenario.us(100)
    return [((found.time - Scenario.us(0)) / 1e6, found.active) for found in stored(specs, start, end)]


def test_edited_rule_keeps_its_alarm_until_it_has_judged(scenario, press, temp):
    rule = factories.rule(press)
    scenario.send(temp, 0, 92.0)
    scenario.drain(0.1)
    rules.update_rule(rule=rule, reason="trial", limit=95.0)
    scenario.drain(0.2)
    assert scenario.states() == [("Temperature high", "B")]
    scenario.send(temp, 1, 93.0)
    scenario.drain(1.1)
    assert scenario.states() == [("Temperature high", "D")]
    assert JournalEntry.objects.order_by("-pk")[0].reason == "rule edited"


def test_alarm_of_a_deleted_rule_returns_with_the_reason(scenario, press, temp):
    rule = factories.rule(press)
    scenario.send(temp, 0, 92.0)
    scenario.drain(0.1)
    rules.delete_rule(rule=rule)
    scenario.drain(0.2)
    assert scenario.states() == [("Temperature high", "D")]
    assert JournalEntry.objects.order_by("-pk")[0].reason == "rule no longer in force"


def test_alarm_of_a_deleted_machine_returns_with_the_reason(scenario, press, temp):
    factories.rule(press)
    scenario.send(temp, 0, 92.0)
    scenario.drain(0.1)
    delete_asset(asset=press)
    scenario.drain(0.2)
    assert scenario.states() == [("Temperature high", "D")]
    assert JournalEntry.objects.order_by("-pk")[0].reason == "rule no longer in force"


def test_worker_that_forgets_everything_goes_on_from_the_checkpoint(scenario, press, temp):
    factories.rule(press, on_delay=5.0)
    scenario.send(temp, 0, 92.0)
    scenario.drain(0.1)
    pipeline.forget_shards()
    scenario.send(temp, 5, 92.0)
    scenario.drain(5.1)
    assert scenario.journal() == [("raise", "A", "B", 5.0)]


def test_second_worker_on_one_shard_is_stopped_by_the_checkpoint(scenario, press, temp):
    factories.rule(press)
    scenario.drain(0)
    scenario.send(temp, 0, 92.0)
    Checkpoint.objects.filter(shard=press.shard).update(turn=99)
    scenario.drain(0.1)  # the remembered state belongs to another turn: it is read anew, and counts on from there
    assert Checkpoint.objects.get(shard=press.shard).turn == 100
    assert scenario.journal() == [("raise", "A", "B", 0.0)]


def test_same_reading_twice_is_kept_once_and_a_late_one_is_kept_unjudged(scenario, press, temp):
    factories.rule(press)
    for at, value in [(1, 20.0), (2, 20.0), (1, 20.0), (0, 99.0), (0, 99.0), (2, 20.0)]:
        scenario.send(temp, at, value, arrives=2)
    reports = scenario.drain(2.1)
    scenario.send(temp, 0, 99.0, arrives=3)
    reports += scenario.drain(3.1)
    assert sum(report.readings for report in reports) == 3
    assert sum(report.late for report in reports) == 1
    assert sum(report.duplicates for report in reports) == 4
    assert scenario.states() == []


def test_newest_values_follow_the_checkpoint_and_survive_a_lost_redis_key(scenario, press, temp, clean_redis):
    scenario.send(temp, 0, 20.0)
    scenario.send(temp, 1, 21.0, Quality.UNCERTAIN)
    scenario.drain(1.1)
    assert latest.read([temp.pk]) == {temp.pk: (scenario.us(1), 21.0, 1)}
    clean_redis.delete(f"andon:latest:{press.shard}")
    scenario.drain(1.2)
    assert latest.read([temp.pk]) == {temp.pk: (scenario.us(1), 21.0, 1)}


def test_replaced_stream_is_read_from_its_start_and_raises_a_system_alarm(scenario, press, temp, clean_redis):
    factories.rule(press)
    scenario.send(temp, 0, 20.0)
    scenario.drain(0.1)
    clean_redis.flushall()
    clean_redis.set("andon:epoch", "another")
    scenario.send(temp, 1, 92.0, arrives=-100)
    scenario.drain(1.1)
    messages = [message for message, _ in scenario.states()]
    assert "Temperature high" in messages
    assert any("Stream replaced" in message for message in messages)


def test_replaced_streams_raise_one_alarm_however_many_shards_meet_them(scenario, clean_redis):
    sensors = [factories.sensor(machine) for machine in factories.plant(machines=6)]
    assert len({sensor.asset.shard for sensor in sensors}) > 1
    for sensor in sensors:
        scenario.send(sensor, 0, 20.0)
    scenario.drain(0.1)
    clean_redis.flushall()
    clean_redis.set("andon:epoch", "another")
    scenario.drain(1.1)
    assert len(scenario.states()) == 1


def test_sensor_that_came_from_another_shard_is_not_judged_again(scenario, press, temp):
    """Its new shard has no cursor of it: what the history knows decides."""
    factories.rule(press)
    scenario.send(temp, 5, 20.0)
    scenario.drain(5.1)
    other = next(number for number in range(16) if number != press.shard)
    Asset.objects.filter(pk=press.pk).update(shard=other)
    press.rules.update(shard=other)
    services_of_plant.bump("plant")
    services_of_plant.bump("rules")
    temp.asset.shard = other
    scenario.send(temp, 5, 20.0, arrives=6)  # sent twice
    scenario.send(temp, 3, 99.0, arrives=6)  # late
    reports = scenario.drain(6.1)
    assert sum(report.duplicates for report in reports) == 1
    assert sum(report.late for report in reports) == 1
    assert scenario.states() == []
