"""A shard whose drains fail: one alarm while it lasts, however many shards and however often."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import evaluation, services, system
from alerts.models import Alarm, Delivery, JournalEntry, Subscription
from alerts.tasks import watch_drains
from devices import tasks
from devices.telemetry import failing, stream
from devices.telemetry.pipeline import Overtaken
from plant import pulses
from plant.celery import app
from plant.pages import pipeline
from tests import factories
from tests.scenario import Scenario

# A drain that fails lets go of its connection, which a test inside a transaction would not survive.
pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(seconds=failing.LASTING_SECONDS + 1)


@pytest.fixture
def sensors():
    made = [factories.sensor(machine) for machine in factories.plant(machines=6)]
    assert len({sensor.asset.shard for sensor in made}) > 2
    return made


@pytest.fixture
def scenario(clean_redis):
    return Scenario(clean_redis)


@pytest.fixture
def broken(monkeypatch):
    """Gives the shards that a stage cannot judge, and the error's words by shard."""
    shards: dict[int, str] = {}
    prepare = evaluation.Evaluation.prepare

    def prepare_or_fail(self, drain, before, saved):
        if drain.shard in shards:
            raise ValueError(shards[drain.shard])
        return prepare(self, drain, before, saved)

    monkeypatch.setattr(evaluation.Evaluation, "prepare", prepare_or_fail)
    return shards


def drain(sensors):
    tasks.drain(sorted({sensor.asset.shard for sensor in sensors}))


def watch(client, later=timedelta()):
    return system.not_judged(failures=failing.read(client), now=timezone.now() + later)


def standing():
    return [(alarm.message, str(alarm.state)) for alarm in Alarm.objects.filter(closed=None).order_by("pk")]


def test_failing_shard_is_told_after_half_a_minute_with_its_machines_and_the_errors_words(
    scenario, sensors, broken, clean_redis
):
    shard = sensors[0].asset.shard
    broken[shard] = "no such\n table"
    drain(sensors)
    watch(clean_redis, LATER - timedelta(seconds=2))
    assert standing() == []
    watch(clean_redis, LATER)
    machines = sum(sensor.asset.shard == shard for sensor in sensors)
    whose = f"{machines} machine{'s' * (machines > 1)} (shard {shard})"
    assert standing() == [(f"Readings of {whose} are not judged: ValueError: no such table", "B")]
    alarm = Alarm.objects.get()
    assert (alarm.active, alarm.frozen["ack_required"]) == (True, True)
    assert alarm.raised < timezone.now() + LATER


def test_alarm_is_raised_once_however_often_it_fails_and_other_words_are_no_news(
    scenario, sensors, broken, clean_redis
):
    broken[sensors[0].asset.shard] = "at 1"
    drain(sensors)
    for turn in range(3):
        broken[sensors[0].asset.shard] = f"at {turn}"
        drain(sensors)
        watch(clean_redis, LATER)
    assert JournalEntry.objects.count() == Alarm.objects.count() == 1


def test_shards_that_fail_together_share_the_alarm_and_it_follows_them(scenario, sensors, broken, clean_redis):
    shards = sorted({sensor.asset.shard for sensor in sensors})
    for shard in shards:
        broken[shard] = "boom"
    drain(sensors)
    watch(clean_redis, LATER)
    ((message, _),) = standing()
    assert message == f"Readings of 6 machines (shards {', '.join(map(str, shards))}) are not judged: ValueError: boom"
    del broken[shards[0]]
    drain(sensors)
    watch(clean_redis, LATER)
    ((message, state),) = standing()
    assert f"(shards {', '.join(map(str, shards[1:]))})" in message
    assert state == "B"
    assert [entry.event for entry in JournalEntry.objects.order_by("pk")] == ["raise", "comment"]


def test_alarm_returns_when_the_shard_is_drained_again_and_waits_for_its_acknowledgement(
    scenario, sensors, broken, clean_redis
):
    scenario.send(sensors[0], 0, 20.0)
    broken[sensors[0].asset.shard] = "boom"
    drain(sensors)
    watch(clean_redis, LATER)
    broken.clear()
    drain(sensors)
    assert failing.read(clean_redis) == {}
    watch(clean_redis, LATER)
    watch(clean_redis, LATER)
    assert [state for _, state in standing()] == ["D"]
    assert [row[:3] for row in scenario.journal()] == [("raise", "A", "B"), ("clear", "B", "D")]
    services.acknowledge(alarm_id=Alarm.objects.get().pk, user=factories.operator(), now=timezone.now())
    assert standing() == []


def test_acknowledged_alarm_is_over_when_the_shard_is_drained_again(scenario, sensors, broken, clean_redis):
    broken[sensors[0].asset.shard] = "boom"
    drain(sensors)
    watch(clean_redis, LATER)
    services.acknowledge(alarm_id=Alarm.objects.get().pk, user=factories.operator(), now=timezone.now())
    watch(clean_redis, LATER)
    assert [state for _, state in standing()] == ["C"]
    broken.clear()
    drain(sensors)
    watch(clean_redis, LATER)
    assert standing() == []


def test_second_occasion_is_a_new_alarm_and_supersedes_one_that_nobody_acknowledged(
    scenario, sensors, broken, clean_redis
):
    shard = sensors[0].asset.shard
    for _ in range(2):
        broken[shard] = "boom"
        drain(sensors)
        watch(clean_redis, LATER)
        broken.clear()
        drain(sensors)
        watch(clean_redis, LATER)
    assert Alarm.objects.count() == 2
    assert [state for _, state in standing()] == ["D"]
    assert [row[:3] for row in scenario.journal()] == [
        ("raise", "A", "B"),
        ("clear", "B", "D"),
        ("comment", "D", "D"),  # by which the screens learn that the first is over
        ("raise", "D", "B"),
        ("clear", "B", "D"),
    ]


def test_failure_that_heals_starts_its_time_anew(scenario, sensors, broken, clean_redis):
    shard = sensors[0].asset.shard
    broken[shard] = "boom"
    drain(sensors)
    first = failing.read(clean_redis)[shard].since
    drain(sensors)
    assert failing.read(clean_redis)[shard].since == first
    broken.clear()
    drain(sensors)
    broken[shard] = "boom"
    drain(sensors)
    assert failing.read(clean_redis)[shard].since > first


def test_drain_that_was_overtaken_does_not_count_as_failing(scenario, sensors, clean_redis):
    tasks._failed(3, Overtaken("Shard 3 is no longer at 0-0."))
    assert failing.read(clean_redis) == {}


def test_other_shards_of_the_same_task_are_judged_meanwhile(scenario, sensors, broken):
    broken[sensors[0].asset.shard] = "boom"
    other = next(sensor for sensor in sensors if sensor.asset.shard != sensors[0].asset.shard)
    factories.rule(other.asset)
    scenario.send(other, 0, 92.0)
    drain(sensors)
    assert ("Temperature high", "B") in standing()


def test_subscribers_to_the_whole_plant_are_told(scenario, sensors, broken, clean_redis):
    user = factories.operator()
    Subscription.objects.create(user=user, channel="email", lowest_priority=2, also_clear=True)
    broken[sensors[0].asset.shard] = "boom"
    drain(sensors)
    assert watch(clean_redis, LATER) == (1, 1)
    assert [(delivery.event, delivery.outcome) for delivery in Delivery.objects.all()] == [("raise", "due")]


def test_watching_costs_one_query_while_all_is_well_and_beat_asks_for_it(
    scenario, sensors, clean_redis, django_assert_num_queries
):
    drain(sensors)
    with django_assert_num_queries(1):
        watch_drains()
    assert app.conf.beat_schedule["watch-drains"]["task"] == watch_drains.name


def test_pages_say_whose_readings_are_not_judged_although_few_wait(scenario, sensors, broken, clean_redis):
    shard = sensors[0].asset.shard
    broken[shard] = "boom"
    drain(sensors)
    for name in (*pulses.WORKERS, pulses.CALLS):
        clean_redis.set(pulses.key(name), 1)
    assert not pipeline.health().ill
    clean_redis.hset(failing.FAILING, f"since{shard}", stream.server_time_us(clean_redis) - 11_000_000)
    assert "are not judged, no alarm of theirs is raised: ValueError: boom" in pipeline.health().reason


def test_operators_see_the_alarm_with_what_to_do_in_their_list_and_on_its_page(
    scenario, sensors, broken, clean_redis, client
):
    broken[sensors[0].asset.shard] = "boom"
    drain(sensors)
    watch(clean_redis, LATER)
    client.force_login(factories.operator())
    assert "are not judged: ValueError: boom" in client.get("/alarms/").content.decode()
    page = client.get(f"/alarms/{Alarm.objects.get().pk}/").content.decode()
    assert "are not judged: ValueError: boom" in page
    assert "No alarm of these machines is raised." in page
