"""The first-out of a group: by the time at which alarms were due, whatever the order in which they come."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import first_out, services
from alerts.models import Alarm, JournalEntry
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db


@pytest.fixture
def sensors():
    """Gives a temperature on each of three machines of different shards, each with a rule of one group."""
    machines = factories.plant(machines=12)
    by_shard = {machine.shard: machine for machine in reversed(machines)}
    made = []
    for machine in list(by_shard.values())[:3]:
        made.append(factories.sensor(machine))
        factories.rule(machine, group="line-1/trip")
    return made


@pytest.fixture
def scenario(clean_redis):
    return Scenario(clean_redis)


def trip(scenario, *readings, arrives):
    for at, sensor, value in readings:
        scenario.send(sensor, at, value, arrives=arrives)
    scenario.drain(arrives + 0.1)


def marked():
    """Gives the assets whose alarm has the mark."""
    return list(Alarm.objects.filter(first_out=True).order_by("pk").values_list("asset_code", flat=True))


def test_first_by_its_own_time_has_the_mark(scenario, sensors):
    one, two, three = sensors
    trip(scenario, (0.2, three, 95.0), (0.1, two, 95.0), (0.3, one, 95.0), arrives=1)
    assert marked() == [two.asset.code]
    assert set(Alarm.objects.values_list("group", flat=True)) == {"line-1/trip"}


def test_later_arrival_with_an_earlier_time_takes_the_mark_and_the_journal_says_so(scenario, sensors):
    one, two, _ = sensors
    trip(scenario, (0.5, one, 95.0), arrives=1)
    trip(scenario, (0.3, two, 95.0), arrives=2)
    assert marked() == [two.asset.code]
    row = JournalEntry.objects.order_by("-pk")[0]
    assert (row.event, row.from_state, row.to_state) == ("comment", "B", "B")
    assert row.alarm == Alarm.objects.get(asset=one.asset)
    assert row.reason == "no longer the first-out: Temperature high came 0.2 s before"


def test_of_two_at_the_same_time_the_one_that_came_first_keeps_the_mark(scenario, sensors):
    one, two, _ = sensors
    trip(scenario, (0.5, two, 95.0), arrives=1)
    trip(scenario, (0.5, one, 95.0), arrives=2)
    assert marked() == [two.asset.code]


def test_trip_goes_on_while_an_alarm_of_it_is_open_though_the_first_is_over(scenario, sensors):
    one, two, three = sensors
    trip(scenario, (0, one, 95.0), arrives=0)
    trip(scenario, (1, two, 95.0), arrives=1)
    Alarm.objects.filter(asset=one.asset).update(state="A", active=False, closed=scenario.at(2))
    trip(scenario, (3, three, 95.0), arrives=3)
    assert marked() == [one.asset.code]


def test_alarm_that_comes_late_is_measured_against_the_first_though_that_is_over(scenario, sensors):
    one, two, three = sensors
    trip(scenario, (1, one, 95.0), arrives=1)
    trip(scenario, (3, two, 95.0), arrives=3)
    Alarm.objects.filter(asset=one.asset).update(state="A", active=False, closed=scenario.at(4))
    trip(scenario, (2, three, 95.0), arrives=5)
    assert marked() == [one.asset.code]


def test_trip_of_many_is_not_read_alarm_by_alarm(scenario, sensors):
    one, two, three = sensors
    machine = one.asset
    many = [factories.rule(machine, f"Rule {n}", limit=50.0 + n, group="line-1/trip") for n in range(20)]
    trip(scenario, (0, one, 95.0), arrives=0)
    assert Alarm.objects.filter(closed=None).count() == len(many) + 1
    read = []

    def hold(alarm):
        read.append(alarm)
        return alarm

    trips = first_out.Trips({}, hold)
    for sensor in (two, three):
        alarm = Alarm(group="line-1/trip", raised=scenario.at(1), asset=sensor.asset)
        assert trips.came(alarm) is None and not alarm.first_out
    assert [alarm.first_out for alarm in read] == [True]


def test_next_trip_has_its_own_first(scenario, sensors):
    one, two, _ = sensors
    trip(scenario, (0, one, 95.0), arrives=0)
    Alarm.objects.update(state="A", active=False, closed=scenario.at(1))
    trip(scenario, (2, two, 95.0), arrives=2)
    assert marked() == [one.asset.code, two.asset.code]


def test_alarm_that_is_not_presented_has_no_part(scenario, sensors):
    one, two, _ = sensors
    rule = one.asset.rules.get()
    now = timezone.now()
    until = now + timedelta(minutes=10)
    services.shelve(rule_id=rule.pk, user=factories.operator(), reason="noisy", until=until, now=now)
    trip(scenario, (0, one, 95.0), arrives=0)
    trip(scenario, (1, two, 95.0), arrives=1)
    assert marked() == [two.asset.code]


def test_group_without_an_asset_is_the_asset_s_own(scenario):
    machines = factories.plant(machines=2)
    for machine in machines:
        temp = factories.sensor(machine)
        factories.rule(machine, group="trip")
        scenario.send(temp, 0, 95.0)
    scenario.drain(0.1)
    assert marked() == ["press-1-1", "press-1-2"]
