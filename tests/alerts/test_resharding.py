"""Another number of shards in the middle of everything: alarms, journal and history are the same as without."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from redis.exceptions import ResponseError

from alerts.models import JournalEntry, Rule, RuleInput
from devices import resharding
from devices.models import Asset, Checkpoint, Revision, Sensor
from devices.resharding import Refused, reshard
from devices.telemetry import history, latest, pipeline, stream
from devices.telemetry.batch import Batch
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db


@pytest.fixture
def shards():
    """Gives as many shards as a plant has that says nothing else."""
    return 16


@pytest.fixture
def scenario(clean_redis):
    return Scenario(clean_redis)


@pytest.fixture
def sensors():
    """Gives the sensors of a few machines, with rules of every sort that remembers something."""
    machines = factories.plant(machines=4)
    found = []
    for machine in machines:
        found += [factories.sensor(machine), factories.sensor(machine, "flow")]
        factories.rule(machine, deadband=2.0, on_delay=4.0, off_delay=7.0)
        factories.rule(machine, "Rises", kind="rate_high", limit=40.0, window=20.0)
        factories.rule(machine, "Silent", kind="stale", timeout=6.0)
        factories.rule(machine, "Flat", kind="flatline", tolerance=0.5, duration=9.0)
    first, *others = machines
    for other in others:
        far = f"{other.code}/flow"
        factories.rule(first, far, kind="deviation", sensor_key="flow", reference=far, limit=20.0, on_delay=3.0)
    return [sensor.pk for sensor in found]


def play(scenario, sensors, first, last):
    """Sends a value a second and sensor, with silences, flat lines and, now and then, a repeated or a late one."""
    present = list(Sensor.objects.filter(pk__in=sensors).select_related("asset").order_by("pk"))
    for second in range(first, last):
        for place, sensor in enumerate(present):
            if (second + 3 * place) % 41 > 30:
                continue
            value = 70 + 25 * math.sin(second / (5 + place)) if (second // 20 + place) % 3 else 65.0
            scenario.send(sensor, second, value)
            if second % 9 == place % 9:
                scenario.send(sensor, second, 1.0)
                scenario.send(sensor, second - 0.5, 99.0, arrives=second)
        if second % 11 == 10:
            scenario.drain(second + 0.9)
    scenario.drain(last)


def parcels(sensor):
    """Gives what is kept of a sensor as an intake would send it."""
    rows = history.read(sensor, 0, Scenario.us(10_000))
    return stream.parcels(1, Batch(np.full(len(rows), sensor, np.int32), rows.time, rows.value, rows.quality))


def outcome():
    """Gives the journal by rule, and what is kept of each sensor."""
    journal = JournalEntry.objects.order_by("rule_id", "time", "pk")
    kept = {
        pk: history.read(pk, 0, Scenario.us(10_000))
        for pk in Sensor.objects.order_by("pk").values_list("pk", flat=True)
    }
    return (
        list(journal.values_list("rule_id", "event", "from_state", "to_state", "time", "value", "reason")),
        {pk: [column.tolist() for column in (rows.time, rows.value, rows.late)] for pk, rows in kept.items()},
    )


def played(scenario, sensors, counts):
    """Plays three parts with a resharding before each further one; gives the outcome, and takes all of it back."""
    with transaction.atomic():
        scenario.client.flushall()
        scenario.client.set(stream.EPOCH, "scenario")
        pipeline.forget_shards()
        play(scenario, sensors, 0, 44)
        for part, count in enumerate(counts, 1):
            if count is not None:
                assert reshard(count=count).after == count
                assert Checkpoint.objects.count() == count
            play(scenario, sensors, 44 * part, 44 * (part + 1))
        found = outcome()
        transaction.set_rollback(True)
    pipeline.forget_shards()
    return found


def test_resharding_in_the_middle_changes_no_transition_and_no_reading(scenario, sensors):
    journal, kept = played(scenario, sensors, (None, None))
    assert len(journal) > 100
    assert len({rule for rule, *_ in journal}) > 15
    for counts in ((3, 16), (40, 1)):
        again, kept_again = played(scenario, sensors, counts)
        assert again == journal
        assert kept_again == kept


def test_every_machine_has_the_shard_of_its_code_and_every_rule_that_of_its_sensor(scenario, sensors):
    play(scenario, sensors, 0, 10)
    versions = dict(Rule.objects.values_list("pk", "version"))
    done = reshard(count=3)
    assert (done.before, done.after) == (16, 3)
    for asset in Asset.objects.all():
        assert asset.shard == resharding.shard_of(asset.code, 3)
    for entry in RuleInput.objects.filter(place=0).select_related("rule", "sensor__asset"):
        assert entry.rule.shard == entry.sensor.asset.shard
    assert dict(Rule.objects.values_list("pk", "version")) == versions


def test_newest_values_are_there_at_once(scenario, sensors):
    play(scenario, sensors, 0, 10)
    before = latest.read(sensors)
    reshard(count=5)
    assert len(before) > 5
    assert latest.read(sensors) == before
    assert not [key for key in scenario.client.scan_iter("andon:latest:*") if int(key.rpartition(b":")[2]) >= 5]


def test_what_waits_in_the_streams_is_judged_first(scenario, sensors):
    play(scenario, sensors, 0, 10)
    sensor = Sensor.objects.select_related("asset").get(pk=sensors[0])
    scenario.send(sensor, 11, 71.5)
    reshard(count=2)
    assert history.read(sensor.pk, Scenario.us(11), Scenario.us(11)).value.tolist() == [71.5]


def test_no_reading_goes_into_the_streams_by_the_shards_of_before(scenario, sensors):
    play(scenario, sensors, 0, 10)
    batch = parcels(sensors[0])
    stream.append(scenario.client, batch, 0)
    reshard(count=2)
    with pytest.raises(ResponseError, match="RESHARDED"):
        stream.append(scenario.client, batch, 0)
    stream.append(scenario.client, batch, Revision.objects.get(name="shards").number)


def test_nothing_is_taken_in_while_the_gate_is_closed_and_it_opens_by_itself(scenario, sensors, monkeypatch):
    play(scenario, sensors, 0, 3)
    monkeypatch.setattr(stream, "GATE_MS", 50)
    assert stream.close_gate(scenario.client, "somebody who dies")
    with pytest.raises(ResponseError, match="RESHARDING"):
        stream.append(scenario.client, parcels(sensors[0]), 0)
    with pytest.raises(Refused, match="already"):
        reshard(count=2)
    while scenario.client.exists(stream.GATE):
        pass
    stream.append(scenario.client, parcels(sensors[0]), 0)


def test_shard_that_cannot_be_drained_stops_it_and_nothing_changes(scenario, sensors, monkeypatch):
    play(scenario, sensors, 0, 3)
    sensor = Sensor.objects.select_related("asset").get(pk=sensors[0])
    scenario.send(sensor, 11, 71.5)

    def broken(*_args, **_options):
        raise OSError("the disk is full")

    before = list(Checkpoint.objects.values())
    with monkeypatch.context() as patch:
        patch.setattr(history, "prepare", broken)
        with pytest.raises(Refused, match="disk is full"):
            reshard(count=2, patience_seconds=0)
    assert list(Checkpoint.objects.values()) == before
    assert not scenario.client.exists(stream.GATE)


@pytest.mark.parametrize("dies", ["before", "after"])
def test_end_in_the_middle_is_survived_and_the_next_run_finishes(scenario, sensors, monkeypatch, dies):
    play(scenario, sensors, 0, 44)
    before = latest.read(sensors)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if dies == "before":
            patch.setattr(resharding._Move, "checkpoints", killed)
        else:
            patch.setattr(resharding, "_tidy", killed)
        with pytest.raises(KeyboardInterrupt):
            reshard(count=7)
    assert Checkpoint.objects.count() == (16 if dies == "before" else 7)
    scenario.drain(44)
    assert latest.read(sensors) == before
    assert reshard(count=7).after == 7
    assert latest.read(sensors) == before
    play(scenario, sensors, 44, 50)
    assert not JournalEntry.objects.filter(rule_id=None).exists()


def test_streams_take_up_the_layout_of_a_database_that_was_put_back(scenario, sensors):
    play(scenario, sensors, 0, 3)
    with transaction.atomic():
        reshard(count=2)
        transaction.set_rollback(True)
    pipeline.forget_shards()
    batch = parcels(sensors[0])
    with pytest.raises(ResponseError):
        stream.append(scenario.client, batch, 0)
    stream.agree(scenario.client, 0)
    stream.append(scenario.client, batch, 0)


def test_command_says_what_it_has_done_and_what_it_will_not_do(scenario, sensors):
    said = io.StringIO()
    call_command("reshard", "4", stdout=said)
    assert said.getvalue().startswith("16 shards before, 4 now; ")
    with pytest.raises(CommandError, match="1 to 1024 shards, not 0"):
        call_command("reshard", "0")
