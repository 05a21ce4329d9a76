"""Silence through the real pipeline: one alarm for what failed, nothing trips or clears below it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from alerts import services
from alerts.models import Alarm, Contact, Delivery, Held, JournalEntry, Priority, Silence, Subscription, Suppression
from devices import services as services_of_plant
from devices.models import Asset, Level, Sensor
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenario(clean_redis):
    made = Scenario(clean_redis)
    made.listens()
    return made


@pytest.fixture
def presses():
    """Two presses, two sensors each, every second, behind the source edge-1."""
    machines = factories.plant()
    for machine in machines:
        factories.sensor(machine, "temp")
        factories.sensor(machine, "flow")
    services_of_plant.create_source(name="edge-1", scope=Asset.objects.get(code="works"))
    return machines


def sensors(*machines: Asset) -> list[Sensor]:
    return list(Sensor.objects.filter(asset__in=machines).select_related("asset"))


def speak(scenario: Scenario, of: list[Sensor], start: int, end: int, value: float = 20.0) -> None:
    """Sends a reading a second and lets every second pass."""
    for second in range(start, end):
        for sensor in of:
            scenario.send(sensor, second, value)
        scenario.tick(second + 0.1)


def standing() -> list[tuple[str, str, list[str]]]:
    return [
        (alarm.message, str(alarm.state), alarm.suppressed)
        for alarm in Alarm.objects.filter(closed=None).order_by("pk")
    ]


def test_source_that_is_cut_off_raises_one_alarm_on_its_asset(scenario, presses):
    speak(scenario, sensors(*presses), 0, 3)
    scenario.tick(11)
    assert standing() == []
    scenario.tick(13)
    assert standing() == [("No data from source edge-1", "B", [])]
    alarm = Alarm.objects.get()
    assert (alarm.asset.code, alarm.priority) == ("works", Priority.HIGH)
    assert alarm.frozen["silent"] == ["works", "hall", "line-1", "press-1-1", "press-1-2"]
    assert "nothing since" in JournalEntry.objects.get().reason
    scenario.tick(600)
    assert len(standing()) == 1


def test_machine_that_is_cut_off_is_named_while_the_other_goes_on(scenario, presses):
    one, other = presses
    speak(scenario, sensors(one, other), 0, 3)
    speak(scenario, sensors(other), 3, 20)
    assert standing() == [("No data from Press 1.1 (press-1-1)", "B", [])]
    assert Alarm.objects.get().priority == Priority.MEDIUM


def test_sensor_that_is_cut_off_is_named_while_its_machine_goes_on(scenario, presses):
    temp, *rest = sensors(*presses)
    speak(scenario, [temp, *rest], 0, 3)
    speak(scenario, rest, 3, 20)
    assert standing() == [(f"No data from {temp.tag}", "B", [])]
    assert Alarm.objects.get().sensor == temp


def test_sensor_whose_own_rule_tells_of_its_silence_gets_no_second_alarm(scenario, presses):
    temp, *rest = sensors(*presses)
    factories.rule(temp.asset, "Lost", kind="stale", sensor_key="temp", timeout=30.0)
    speak(scenario, [temp, *rest], 0, 3)
    speak(scenario, rest, 3, 60)
    assert standing() == [("Lost", "B", [])]
    speak(scenario, [temp, *rest], 60, 62)
    assert standing() == [("Lost", "D", [])]


@pytest.mark.parametrize("timeout", [2.0, 5.0, 30.0])
def test_stale_rules_below_a_source_that_failed_are_hidden_whatever_their_patience(scenario, presses, timeout):
    for machine in presses:
        for key in ("temp", "flow"):
            factories.rule(machine, f"Lost {key}", kind="stale", sensor_key=key, timeout=timeout)
    speak(scenario, sensors(*presses), 0, 3)
    for second in range(3, 60):
        scenario.tick(second)
    found = standing()
    assert found.count(("No data from source edge-1", "B", [])) == 1
    assert len(found) == 5
    assert all(row[1:] == ("B", ["by_design"]) for row in found if row[0].startswith("Lost"))
    assert set(Suppression.objects.values_list("designed__0", flat=True)) == {"no data from source edge-1"}
    speak(scenario, sensors(*presses), 60, 63)
    assert standing() == [("No data from source edge-1", "D", [])]
    assert not Held.objects.exists()
    assert not any(Suppression.objects.values_list("designed", flat=True))
    assert Alarm.objects.exclude(rule=None).filter(annunciations__gt=0).count() == 0


def test_what_still_holds_when_the_source_returns_is_presented(scenario, presses):
    one, other = presses
    factories.rule(one, "Lost", kind="stale", sensor_key="temp", timeout=5.0)
    speak(scenario, sensors(one, other), 0, 3)
    for second in range(3, 30):
        scenario.tick(second)
    back = [sensor for sensor in sensors(one, other) if sensor.tag != f"{one.code}/temp"]
    speak(scenario, back, 30, 33)
    assert ("Lost", "B", ["by_design"]) in standing()  # it has its time to speak
    speak(scenario, back, 33, 45)
    assert ("Lost", "B", []) in standing()


def test_alarm_that_stood_when_the_link_was_lost_stays_as_it_was(scenario, presses):
    one, other = presses
    factories.rule(one, off_delay=3.0)
    speak(scenario, sensors(one, other), 0, 2, value=95.0)
    services.acknowledge(alarm_id=Alarm.objects.get().pk, user=factories.operator(), comment="", now=scenario.at(2))
    for second in range(3, 40):
        scenario.tick(second)
    assert ("Temperature high", "C", []) in standing()


def test_off_delay_that_runs_out_in_silence_clears_when_the_sensor_speaks_again(scenario, presses):
    one, other = presses
    factories.rule(one, off_delay=5.0)
    speak(scenario, sensors(one, other), 0, 2, value=95.0)
    speak(scenario, sensors(one, other), 2, 3, value=20.0)
    for second in range(3, 40):
        scenario.tick(second)
    assert ("Temperature high", "B", []) in standing()
    assert Held.objects.get().clear_at == scenario.at(7)
    speak(scenario, sensors(one, other), 40, 42, value=20.0)
    assert ("Temperature high", "D", []) in standing()
    assert Alarm.objects.get(message="Temperature high").cleared == scenario.at(7)


def test_off_delay_that_ran_out_in_silence_is_forgotten_when_the_value_is_high_again(scenario, presses):
    one, other = presses
    factories.rule(one, off_delay=5.0)
    speak(scenario, sensors(one, other), 0, 2, value=95.0)
    speak(scenario, sensors(one, other), 2, 3, value=20.0)
    for second in range(3, 40):
        scenario.tick(second)
    speak(scenario, sensors(one, other), 40, 42, value=95.0)
    assert ("Temperature high", "B", []) in standing()
    assert not Held.objects.exists()
    assert [row[0] for row in scenario.journal()].count("raise") == 2  # the limit's, and the source's


def test_on_delay_that_runs_out_in_silence_trips_nothing(scenario, presses):
    one, other = presses
    factories.rule(one, on_delay=5.0)
    speak(scenario, sensors(one, other), 0, 2, value=95.0)
    for second in range(2, 40):
        scenario.tick(second)
    assert ("Temperature high", "B", ["by_design"]) in standing()
    speak(scenario, sensors(one, other), 40, 42, value=95.0)
    assert ("Temperature high", "B", []) in standing()


def test_on_delay_of_a_sensor_that_speaks_seldom_is_presented_at_once(scenario):
    press = factories.plant()[0]
    door = factories.sensor(press, "door", interval=60.0)
    factories.rule(press, sensor_key="door", on_delay=5.0)
    scenario.send(door, 0, 95.0)
    scenario.tick(7.5)
    assert standing() == [("Temperature high", "B", [])]


def test_return_is_one_and_slower_sensors_have_their_time(scenario):
    machines = factories.plant(machines=4)
    for machine in machines:
        factories.sensor(machine, "temp")
        factories.sensor(machine, "oil", interval=20.0)
    services_of_plant.create_source(name="edge-1", scope=Asset.objects.get(code="works"))
    fast = list(Sensor.objects.filter(key="temp").select_related("asset"))
    slow = list(Sensor.objects.filter(key="oil").select_related("asset"))
    speak(scenario, [*fast, *slow], 0, 2)
    for second in range(2, 200):
        scenario.tick(second)
    assert [row[0] for row in standing()] == ["No data from source edge-1"]
    speak(scenario, fast, 200, 215)
    speak(scenario, [*fast, *slow], 215, 217)
    speak(scenario, fast, 217, 235)
    assert standing() == [("No data from source edge-1", "D", [])]
    assert [row[:3] for row in scenario.journal()] == [("raise", "A", "B"), ("clear", "B", "D")]


def test_machine_that_does_not_come_back_with_its_source_is_told_when_its_time_is_over(scenario, presses):
    one, other = presses
    speak(scenario, sensors(one, other), 0, 3)
    scenario.tick(20)
    speak(scenario, sensors(one), 20, 29)
    assert [row[0] for row in standing()] == ["No data from source edge-1"]
    speak(scenario, sensors(one), 29, 33)
    assert [row[0] for row in standing()] == ["No data from source edge-1", "No data from Press 1.2 (press-1-2)"]


def test_nothing_is_silent_to_an_andon_that_was_not_listening(scenario, presses):
    for machine in presses:
        factories.rule(machine, "Lost", kind="stale", sensor_key="temp", timeout=5.0)
    speak(scenario, sensors(*presses), 0, 3)
    scenario.listens(until=3)
    for second in range(3, 120):
        scenario.tick(second)
    assert all(row[2] == ["by_design"] for row in standing())
    scenario.listens(since=120)
    for second in range(120, 150):
        scenario.tick(second)
    speak(scenario, sensors(*presses), 150, 155)
    assert standing() == []
    assert Alarm.objects.filter(annunciations__gt=0).count() == 0


def test_what_does_not_come_back_after_an_outage_of_andon_is_told_when_senders_had_their_time(scenario, presses):
    speak(scenario, sensors(*presses), 0, 3)
    scenario.listens(until=3)
    scenario.tick(100)
    scenario.listens(since=120)
    for second in range(120, 192):
        scenario.tick(second)
    assert [row[0] for row in standing()] == ["No data from source edge-1"]


def test_backlog_is_nobodys_silence(scenario, presses, settings):
    speak(scenario, sensors(*presses), 0, 3)
    settings.TELEMETRY_DRAIN_READINGS = 1
    for second in range(3, 60):
        for sensor in sensors(*presses):
            scenario.send(sensor, second, 20.0)
    scenario.tick(60)
    assert standing() == []


def test_worker_that_was_away_reads_on_before_anybody_is_called_silent(scenario, presses):
    from alerts.silence.services import judge

    speak(scenario, sensors(*presses), 0, 3)
    # The clock goes on, and no shard is drained.
    judge(scenario.at(600), clock=scenario.us(600))
    assert standing() == []


def test_silence_is_told_once_to_each_subscriber(scenario, presses, settings):
    user = User.objects.create_user("duty", "duty@works.example")
    Contact.objects.create(user=user, email="duty@works.example")
    Subscription.objects.create(user=user, lowest_priority=4, channel="email")
    for machine in presses:
        factories.rule(machine, "Lost", kind="stale", sensor_key="temp", timeout=5.0)
    speak(scenario, sensors(*presses), 0, 3)
    for second in range(3, 40):
        scenario.tick(second)
    told = Delivery.objects.exclude(outcome="withheld")
    assert [delivery.alarm.message for delivery in told] == ["No data from source edge-1"]


def test_verdict_that_rises_takes_the_lower_one_with_it(scenario):
    line = factories.plant(machines=2)
    fast = factories.sensor(line[0], "temp")
    slow = [factories.sensor(machine, "oil", interval=30.0) for machine in line]
    services_of_plant.create_source(name="edge-1", scope=Asset.objects.get(code="works"))
    speak(scenario, [fast, *slow], 0, 2)
    for second in range(2, 200):
        scenario.tick(second)
    assert Silence.objects.filter(returned=None).count() == 1
    assert Silence.objects.get(returned=None).name == "source edge-1"
    assert [row[:2] for row in standing()] == [
        ("No data from press-1-1/temp", "D"),
        ("No data from source edge-1", "B"),
    ]


def test_silence_of_what_is_taken_out_of_the_plant_is_over(scenario, presses):
    one, other = presses
    speak(scenario, sensors(one, other), 0, 3)
    speak(scenario, sensors(other), 3, 20)
    services_of_plant.delete_asset(asset=one)
    scenario.tick(21)
    assert [row[:2] for row in standing()] == [("No data from Press 1.1 (press-1-1)", "D")]


def test_source_says_how_urgent_its_silence_is_and_how_long_it_may_last(scenario):
    press = factories.plant(machines=1)[0]
    temp, flow = factories.sensor(press), factories.sensor(press, "flow")
    scope = Asset.objects.get(code="works")
    services_of_plant.create_source(name="modem", scope=scope, silent_after=60.0, priority=Priority.CRITICAL)
    speak(scenario, [temp, flow], 0, 2)
    for second in range(2, 61, 5):
        scenario.tick(second)
    assert standing() == []
    scenario.tick(62)
    assert Alarm.objects.get().priority == Priority.CRITICAL


def test_five_hundred_sensors_behind_one_source_raise_one_alarm_and_return_as_one(scenario):
    services_of_plant.ensure_shards()
    site = services_of_plant.create_asset(code="works", name="Works", level=Level.SITE)
    services_of_plant.create_source(name="edge-1", scope=site)
    kind = factories.asset_type()
    for number in range(10):
        services_of_plant.create_type_sensor(
            type=kind, key=f"t{number}", name=f"T{number}", interval=(1.0, 2.0, 5.0)[number % 3]
        )
    from alerts.rules import create_type_rule

    for number in range(10):
        create_type_rule(type=kind, name=f"Lost {number}", kind="stale", sensor_key=f"t{number}", timeout=8.0)
        create_type_rule(type=kind, name=f"High {number}", kind="high", sensor_key=f"t{number}", limit=90.0)
    for number in range(50):
        services_of_plant.create_asset(
            code=f"p{number}", name=f"P{number}", level=Level.MACHINE, parent=site, type=kind
        )
    every = list(Sensor.objects.select_related("asset").prefetch_related("routes"))
    assert len(every) == 500

    def round_of(second: int, value: float) -> None:
        from devices.telemetry.batch import Quality

        due = [sensor for sensor in every if second % int(sensor.interval or 1) == 0]
        scenario.send_many([(sensor, second, value, Quality.GOOD) for sensor in due], arrives=second)
        scenario.tick(second + 0.1)

    for second in range(10):
        round_of(second, 95.0 if second else 20.0)
    before = set(Alarm.objects.filter(closed=None).values_list("pk", "state"))
    assert len(before) == 500
    for second in range(10, 40):
        scenario.tick(second + 0.1)
    assert set(Alarm.objects.filter(pk__in=[pk for pk, _ in before]).values_list("pk", "state")) == before
    presented = Alarm.objects.filter(closed=None, suppressed=[]).exclude(pk__in=[pk for pk, _ in before])
    assert [alarm.message for alarm in presented] == ["No data from source edge-1"]
    assert Alarm.objects.filter(suppressed=["by_design"]).count() == 500
    for second in range(40, 60):
        round_of(second, 95.0)
    assert set(Alarm.objects.filter(pk__in=[pk for pk, _ in before]).values_list("pk", "state")) == before
    after = Alarm.objects.filter(closed=None).exclude(pk__in=[pk for pk, _ in before])
    assert [(alarm.message, alarm.state) for alarm in after] == [("No data from source edge-1", "D")]
    assert Alarm.objects.filter(annunciations__gt=0).count() == 501
    assert not Held.objects.exists()
