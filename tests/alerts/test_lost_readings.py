"""What a stream let go before it was judged: one alarm says from when to when, and nothing else ever raises it."""

import msgspec
import numpy as np
import pytest

from alerts import rules, services
from alerts.models import Alarm, JournalEntry
from devices.models import Asset, Checkpoint, Segment
from devices.services import bump
from devices.telemetry import pipeline, stream
from devices.telemetry.batch import Batch
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db


@pytest.fixture
def shards():
    """Gives as many shards as a plant has that says nothing else."""
    return 16


@pytest.fixture
def press():
    return factories.plant()[0]


@pytest.fixture
def temp(press):
    return factories.sensor(press)


@pytest.fixture
def scenario(clean_redis):
    return Scenario(clean_redis)


def backup():
    """Gives what a backup of the database keeps of the checkpoints."""
    return list(Checkpoint.objects.values())


def restore(rows):
    """Puts the database back, and starts the workers anew."""
    for row in rows:
        Checkpoint.objects.filter(shard=row["shard"]).update(**row)
    Segment.objects.all().delete()
    pipeline.forget_shards()


def let_go(scenario, asset, before):
    """Trims a shard's stream of what arrived before a second, as it is trimmed behind the margin."""
    scenario.client.xtrim(stream.stream_key(asset.shard), minid=f"{scenario.us(before) // 1000}-0", approximate=False)


def one_reading(sensor, at):
    return Batch(
        np.array([sensor.pk], np.int32), np.array([Scenario.us(at)]), np.array([20.0]), np.array([0], np.uint8)
    )


def lost():
    """Gives the messages of the alarms that say that readings were lost."""
    return [alarm.message for alarm in Alarm.objects.order_by("pk") if alarm.message.startswith("Readings lost")]


def test_database_restored_from_before_the_margin_says_what_is_lost_and_goes_on(scenario, press, temp):
    factories.rule(press)
    scenario.send(temp, 0, 20.0)
    scenario.drain(0.1)
    old = backup()
    for at in (60, 3600, 7200):
        scenario.send(temp, at, 21.0)
        scenario.drain(at)
    let_go(scenario, press, 7200)
    restore(old)
    scenario.send(temp, 7201, 92.0)
    reports = scenario.drain(7201.1)
    assert sum(report.readings for report in reports) == 2
    assert lost() == [f"Readings lost from 2026-03-01 06:00:00 to 2026-03-01 08:00:00: 1 machine (shard {press.shard})"]
    assert ("Temperature high", "B") in scenario.states()
    entry = JournalEntry.objects.get(alarm__rule=None)
    assert (entry.event, entry.from_state, entry.to_state) == ("raise", "A", "D")
    assert f"shard {press.shard}" in entry.reason
    alarm = Alarm.objects.get(rule=None)
    assert alarm.frozen["action"] and alarm.frozen["cause"] and not alarm.active


def test_loss_is_told_once_and_not_again_by_later_drains_or_workers(scenario, press, temp):
    scenario.send(temp, 0, 20.0)
    scenario.drain(0.1)
    old = backup()
    scenario.send(temp, 60, 20.0)
    scenario.send(temp, 120, 20.0)
    scenario.drain(120)
    let_go(scenario, press, 120)
    restore(old)
    scenario.drain(121)
    pipeline.forget_shards()
    scenario.send(temp, 122, 20.0)
    scenario.drain(122)
    scenario.drain(123)
    assert JournalEntry.objects.count() == len(lost()) == 1


def test_all_shards_of_one_occasion_share_an_alarm_that_spans_their_losses(scenario):
    sensors = [factories.sensor(machine) for machine in factories.plant(machines=6)]
    shards = sorted({sensor.asset.shard for sensor in sensors})
    assert len(shards) > 2
    for place, sensor in enumerate(sensors):
        scenario.send(sensor, place, 20.0)
    scenario.drain(10)
    old = backup()
    for place, sensor in enumerate(sensors):
        scenario.send(sensor, 100 + place, 20.0)
        scenario.send(sensor, 200 + place, 20.0)
    scenario.drain(210)
    for sensor in sensors:
        let_go(scenario, sensor.asset, 200)
    restore(old)
    scenario.drain(220)
    (message,) = lost()
    assert message == (
        "Readings lost from 2026-03-01 06:00:00 to 2026-03-01 06:03:25: "
        f"6 machines (shards {', '.join(map(str, shards))})"
    )
    told = JournalEntry.objects.order_by("pk")
    assert [entry.event for entry in told] == ["raise"] + ["comment"] * (len(shards) - 1)
    assert sorted(int(entry.reason.split()[1].strip(":")) for entry in told) == shards


def test_loss_after_somebody_acknowledged_the_last_one_is_an_alarm_of_its_own(scenario, press, temp):
    for start in (0, 1000):
        scenario.send(temp, start, 20.0)
        scenario.drain(start)
        scenario.send(temp, start + 1, 20.0)
        scenario.send(temp, start + 2, 20.0)
        let_go(scenario, press, start + 2)
        scenario.drain(start + 3)
        newest = Alarm.objects.latest("pk")
        services.acknowledge(alarm_id=newest.pk, user=factories.operator(f"o{start}"), now=scenario.at(start + 4))
    assert len(lost()) == 2


def test_stream_that_was_emptied_is_noticed_by_an_idle_drain(scenario, press, temp):
    scenario.send(temp, 0, 20.0)
    scenario.drain(0.1)
    scenario.send(temp, 60, 20.0)
    scenario.client.delete(stream.stream_key(press.shard))
    scenario.drain(61)
    (message,) = lost()
    assert "from 2026-03-01 06:00:00 to " in message
    pipeline.forget_shards()
    scenario.drain(62)
    scenario.send(temp, 63, 20.0)
    scenario.drain(63.1)
    assert JournalEntry.objects.count() == 1


def test_stream_that_was_emptied_after_all_was_judged_is_no_loss(scenario, press, temp):
    scenario.send(temp, 0, 20.0)
    scenario.drain(0.1)
    scenario.client.delete(stream.stream_key(press.shard))
    scenario.drain(1)
    scenario.send(temp, 2, 20.0)
    scenario.drain(2.1)
    assert lost() == []


def test_shard_that_had_judged_nothing_yet_says_until_when(scenario, press, temp):
    scenario.send(temp, 0, 20.0)
    scenario.send(temp, 60, 20.0)
    let_go(scenario, press, 60)
    scenario.drain(61)
    (message,) = lost()
    assert message.startswith("Readings lost before 2026-03-01 06:01:00: ")


def test_entry_taken_out_of_the_middle_is_noticed(scenario, press, temp):
    for at in range(4):
        scenario.send(temp, at, 20.0)
    key = stream.stream_key(press.shard)
    scenario.client.xdel(key, scenario.client.xrange(key)[2][0])
    scenario.drain(4)
    (message,) = lost()
    assert "from 2026-03-01 06:00:01 to 2026-03-01 06:00:03" in message


def test_lost_copies_for_a_rule_over_several_machines_are_noticed(scenario):
    machines = factories.plant(machines=12)
    one = machines[0]
    other = next(machine for machine in machines if machine.shard != one.shard)
    flow, far = factories.sensor(one, "flow"), factories.sensor(other, "flow")
    factories.rule(one, "Flow differs", kind="deviation", sensor_key="flow", reference=far.tag, limit=5.0)
    for at in (0, 60, 120):
        scenario.send(far, at, 20.0)
    let_go(scenario, one, 120)
    scenario.drain(121)
    (message,) = lost()
    assert f"(shard {one.shard})" in message
    assert flow.pk


# --- What is no loss -----------------------------------------------------------------------------------------------


def test_ordinary_trimming_is_no_loss_to_anybody_who_goes_on(press, temp, clean_redis, settings):
    settings.TELEMETRY_MARGIN_SECONDS = 0.0
    shard = press.shard
    for turn in range(4):
        for number in range(60):
            stream.append(clean_redis, stream.parcels(shard, one_reading(temp, turn * 60 + number)))
        stream._trimmed.clear()
        pipeline.process_shard(shard)
        if turn % 2:
            pipeline.forget_shards()
    assert clean_redis.xlen(stream.stream_key(shard)) < 240
    pipeline.process_shard(shard)
    assert lost() == []


def test_duplicates_late_readings_and_copies_are_no_loss(scenario):
    machines = factories.plant(machines=12)
    one = machines[0]
    other = next(machine for machine in machines if machine.shard != one.shard)
    flow, far = factories.sensor(one, "flow"), factories.sensor(other, "flow")
    factories.rule(one, "Flow differs", kind="deviation", sensor_key="flow", reference=far.tag, limit=5.0)
    for arrives, at in enumerate((5, 5, 3, 6), 6):
        for sensor in (flow, far):
            scenario.send(sensor, at, 20.0, arrives=arrives)
        scenario.drain(arrives)
        pipeline.forget_shards()
    scenario.drain(10)
    assert lost() == []


def test_backlog_taken_in_parts_is_no_loss(scenario, temp, settings):
    settings.TELEMETRY_DRAIN_READINGS = 1
    for at in range(5):
        scenario.send(temp, at, 20.0)
    for _ in range(7):
        scenario.drain(6)
    assert lost() == []


def test_broken_entry_is_no_loss(scenario, press, temp):
    scenario.send(temp, 0, 20.0)
    number = scenario.client.hincrby(stream.TOTALS, f"n{press.shard}", 1) - 1
    scenario.client.xadd(stream.stream_key(press.shard), {b"b": b"\xff broken", b"n": b"%d" % number}, id="*")
    scenario.drain(1)
    assert lost() == []


def test_machine_that_moved_to_another_shard_is_no_loss(scenario, press, temp):
    factories.rule(press)
    for at, number in ((0, press.shard), (60, (press.shard + 1) % 16), (120, press.shard)):
        Asset.objects.filter(pk=press.pk).update(shard=number)
        press.rules.update(shard=number)
        bump("plant")
        bump("rules")
        temp.asset.shard = number
        scenario.send(temp, at, 20.0)
        scenario.drain(at + 1)
    assert lost() == []


def test_redis_that_fell_back_a_little_is_no_loss_of_what_was_judged(scenario, press, temp):
    key = stream.stream_key(press.shard)
    for at in range(3):
        scenario.send(temp, at, 20.0)
    scenario.drain(3)
    scenario.client.xdel(key, scenario.client.xrange(key)[-1][0])
    scenario.client.hincrby(stream.TOTALS, f"n{press.shard}", -1)
    scenario.drain(4)
    scenario.send(temp, 5, 20.0)
    scenario.send(temp, 6, 20.0)
    scenario.drain(6)
    assert lost() == []


def test_state_and_entries_of_an_older_andon_are_no_loss_and_counting_begins_with_the_next(scenario, press, temp):
    scenario.send(temp, 0, 20.0)
    scenario.send(temp, 1, 20.0)
    scenario.drain(1)
    row = Checkpoint.objects.get(shard=press.shard)
    cursors, stages, _ = msgspec.msgpack.decode(bytes(row.state))
    Checkpoint.objects.filter(shard=press.shard).update(state=msgspec.msgpack.encode([cursors, stages]))
    pipeline.forget_shards()
    scenario.drain(2)
    assert lost() == []
    scenario.send(temp, 3, 20.0)
    scenario.drain(3)
    assert lost() == []
    scenario.send(temp, 4, 20.0)
    scenario.send(temp, 5, 20.0)
    let_go(scenario, press, 5)
    scenario.drain(6)
    assert len(lost()) == 1


def test_alarm_of_andon_itself_is_not_taken_for_one_of_a_deleted_rule(scenario, press, temp):
    rule = factories.rule(press)
    scenario.send(temp, 0, 20.0)
    let_go(scenario, press, 1)
    scenario.drain(1)
    Alarm.objects.update(active=True, state="B")
    rules.delete_rule(rule=rule)
    scenario.drain(2)
    assert Alarm.objects.get().active
