"""Suppression by design through the real stream: states, parent alarms, Hi and HiHi, and what cannot be configured."""

import random

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from alerts import by_design, rules
from alerts.by_design import Moment, in_order
from alerts.models import Alarm, Delivery, JournalEntry, Subscription, Suppression, Suppressor
from alerts.sayings import said
from devices import configuration, services, topology
from devices.changes import change
from devices.configuration.document import ConfigurationError
from devices.models import Route
from devices.telemetry import pipeline
from devices.telemetry.batch import Quality
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db

STOPPED = [{"sensor": "state", "equals": [0, 4]}]


@pytest.fixture
def press():
    return factories.plant()[0]


@pytest.fixture
def temp(press):
    return factories.sensor(press)


@pytest.fixture
def state(press):
    return factories.sensor(press, "state", unit="", quantity="", range_low=None, range_high=None, interval=None)


@pytest.fixture
def scenario(clean_redis):
    return Scenario(clean_redis)


def play(scenario, *readings):
    """Sends (second, sensor, value) and drains once behind them."""
    for at, sensor, value in readings:
        scenario.send(sensor, at, value)
    scenario.drain(readings[-1][0] + 0.1)


def rows():
    """Gives the journal as (event, from, to, rule, whether of an alarm)."""
    return [
        (row.event, row.from_state, row.to_state, row.rule_name, row.alarm_id is not None)
        for row in JournalEntry.objects.order_by("pk")
    ]


# --- By plant state ------------------------------------------------------------------------------------------------


def test_alarm_raised_while_its_state_suppresses_is_recorded_but_not_presented(scenario, press, temp, state):
    factories.rule(press, suppress_when=STOPPED)
    play(scenario, (0, state, 0.0), (1, temp, 95.0), (2, temp, 20.0), (3, temp, 95.0))
    alarm = Alarm.objects.get(closed=None)
    assert (alarm.state, alarm.suppressed, alarm.annunciations, alarm.active) == ("B", ["by_design"], 0, True)
    name = "Temperature high"
    assert rows() == [
        ("suppress", "A", "H", name, False),
        ("raise", "H", "H", name, True),
        ("clear", "H", "H", name, True),
        ("raise", "H", "H", name, True),
    ]


def test_alarm_that_still_holds_is_announced_when_the_state_ends(scenario, press, temp, state):
    factories.rule(press, suppress_when=STOPPED)
    play(scenario, (0, state, 4.0), (1, temp, 95.0), (2, state, 1.0))
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.suppressed, alarm.annunciations) == ("B", [], 1)
    last = JournalEntry.objects.order_by("-pk")[0]
    assert (last.event, last.from_state, last.to_state, last.time) == ("unsuppress", "H", "B", scenario.at(2))
    assert last.reason == "no longer: press-1-1/state is 0 or 4"


@pytest.mark.parametrize("cut", [6, 4, 3, 2, 1])
def test_suppression_is_exact_in_stream_order_however_the_stream_is_cut(scenario, press, temp, state, cut):
    factories.rule(press, suppress_when=STOPPED)
    readings = [(0, state, 1.0), (1, temp, 95.0), (2, state, 0.0), (3, temp, 20.0), (4, temp, 95.0), (5, state, 1.0)]
    for start in range(0, len(readings), cut):
        play(scenario, *readings[start : start + cut])
        pipeline.forget_shards()  # a worker that comes anew each time
    assert [row[:3] for row in rows()] == [
        ("raise", "A", "B"),
        ("suppress", "B", "H"),
        ("clear", "H", "H"),
        ("raise", "H", "H"),
        ("unsuppress", "H", "B"),
    ]
    assert Alarm.objects.order_by("pk").last().annunciations == 1


def test_state_of_another_shard_reaches_the_rule_by_its_own_route(scenario):
    machines = factories.plant(machines=12)
    one = machines[0]
    other = next(machine for machine in machines if machine.shard != one.shard)
    temp, line = factories.sensor(one), factories.sensor(other, "state", range_low=None, range_high=None)
    factories.rule(one, suppress_when=[{"sensor": line.tag, "equals": [0]}])
    assert list(Route.objects.values_list("sensor", "shard")) == [(line.pk, one.shard)]
    play(scenario, (0, line, 0.0), (1, temp, 95.0))
    assert Alarm.objects.get().suppressed == ["by_design"]
    rules.update_rule(rule=one.rules.get(), reason="trial", suppress_when=[])
    assert not Route.objects.exists()


def test_bad_reading_of_a_state_changes_nothing(scenario, press, temp, state):
    factories.rule(press, suppress_when=STOPPED)
    play(scenario, (0, state, 0.0))
    scenario.send(state, 1, 1.0, Quality.BAD)
    scenario.drain(1.1)
    assert Suppression.objects.get().switches == ["by_design"]


def test_rule_that_is_given_a_state_later_knows_it_from_the_newest_reading(scenario, press, temp, state):
    rule = factories.rule(press)
    play(scenario, (0, state, 0.0), (1, temp, 95.0))
    assert Alarm.objects.get().suppressed == []
    rules.update_rule(rule=rule, reason="trial", suppress_when=STOPPED)
    scenario.drain(1.2)
    assert Alarm.objects.get().suppressed == ["by_design"]
    pipeline.forget_shards()
    play(scenario, (2, state, 1.0))
    assert Alarm.objects.get().suppressed == []


def test_rule_whose_suppression_is_taken_from_its_configuration_is_presented_again(scenario, press, temp, state):
    rule = factories.rule(press, suppress_when=STOPPED)
    play(scenario, (0, state, 0.0), (1, temp, 95.0))
    rules.update_rule(rule=rule, reason="trial", suppress_when=[])
    scenario.drain(1.2)
    assert (Alarm.objects.get().state, Alarm.objects.get().suppressed) == ("B", [])
    assert Suppression.objects.get().designed == []


def test_of_two_states_either_suffices_and_each_is_named(scenario, press, temp, state):
    mode = factories.sensor(press, "mode", range_low=None, range_high=None)
    factories.rule(press, suppress_when=[*STOPPED, {"sensor": "mode", "equals": [9]}])
    play(scenario, (0, state, 0.0), (1, mode, 9.0))
    assert Suppression.objects.get().designed == ["press-1-1/mode is 9", "press-1-1/state is 0 or 4"]
    play(scenario, (2, state, 1.0))
    assert Suppression.objects.get().switches == ["by_design"]
    play(scenario, (3, mode, 1.0))
    assert Suppression.objects.get().switches == []
    assert [row[0] for row in rows()] == ["suppress", "unsuppress"]


def test_ordinary_rules_judge_the_same_beside_states_that_suppress(scenario, press, temp, state):
    factories.rule(press)
    factories.rule(press, "Stopped", kind="equals", sensor_key="state", value=0.0)
    plain = rules.specs(press.shard)
    factories.rule(press, "Other", suppress_when=STOPPED)
    beside = rules.specs(press.shard)
    assert [spec for spec in beside if spec in plain] == plain
    assert [spec.id for spec in beside if spec.id < 0] == [-Suppressor.objects.get().pk]


# --- By another alarm ----------------------------------------------------------------------------------------------


def test_alarm_of_another_shard_suppresses_while_it_stands(scenario):
    machines = factories.plant(machines=12)
    one = machines[0]
    other = next(machine for machine in machines if machine.shard != one.shard)
    temp, power = factories.sensor(one), factories.sensor(other, "temp")
    factories.rule(other, "Feeder trip")
    factories.rule(one, suppress_when=[{"alarm": f"{other.code}/Feeder trip"}])
    play(scenario, (0, power, 95.0))
    play(scenario, (1, temp, 95.0))
    assert dict(Alarm.objects.values_list("asset_code", "suppressed")) == {other.code: [], one.code: ["by_design"]}
    play(scenario, (2, power, 20.0))
    assert dict(Alarm.objects.values_list("asset_code", "suppressed")) == {other.code: [], one.code: []}
    assert Alarm.objects.get(asset=one).annunciations == 1


def test_parent_and_child_that_trip_at_once_are_taken_parent_first(scenario, press, temp):
    factories.rule(press, "Child")
    factories.rule(press, "Parent")
    rules.update_rule(rule=press.rules.get(name="Child"), reason="trial", suppress_when=[{"alarm": "Parent"}])
    play(scenario, (0, temp, 95.0))
    assert dict(Alarm.objects.values_list("message", "annunciations")) == {"Parent": 1, "Child": 0}
    play(scenario, (1, temp, 20.0))
    assert dict(Alarm.objects.values_list("message", "state")) == {"Parent": "D", "Child": "A"}
    assert dict(Alarm.objects.values_list("message", "annunciations")) == {"Parent": 1, "Child": 0}


def test_parent_that_is_put_out_of_force_suppresses_no_longer(scenario, press, temp):
    factories.rule(press, "Parent")
    factories.rule(press, "Child", suppress_when=[{"alarm": "Parent"}])
    play(scenario, (0, temp, 95.0))
    rules.update_rule(rule=press.rules.get(name="Parent"), reason="trial", enabled=False)
    scenario.drain(0.2)
    child = Alarm.objects.get(message="Child")
    assert (child.state, child.suppressed, child.annunciations) == ("B", [], 1)


def test_parent_put_out_of_force_together_with_a_new_state_leaves_the_state_only(scenario, press, temp, state):
    parent = factories.rule(press, "Parent")
    child = factories.rule(press, "Child", suppress_when=[{"alarm": "Parent"}])
    play(scenario, (0, state, 0.0), (1, temp, 95.0))
    with change():
        rules.update_rule(rule=parent, enabled=False, reason="motor taken out")
        rules.update_rule(rule=child, reason="motor taken out", suppress_when=[{"alarm": "Parent"}, *STOPPED])
    scenario.drain(1.2)
    assert Suppression.objects.get(rule=child).designed == ["press-1-1/state is 0 or 4"]


# --- Hi and HiHi ---------------------------------------------------------------------------------------------------


def limits(press, low="medium", high="critical"):
    """Makes a high limit at 90 and one above it at 110, which hides the lower."""
    factories.rule(press, "Hi", priority=low)
    factories.rule(press, "HiHi", limit=110.0, priority=high, hides="Hi")


def test_lower_alarm_is_hidden_while_the_higher_stands_and_announced_again_when_it_returns(scenario, press, temp):
    limits(press)
    play(scenario, (0, temp, 95.0))
    play(scenario, (1, temp, 115.0))
    hi, hihi = Alarm.objects.order_by("pk")
    assert (hi.suppressed, hihi.suppressed, hihi.annunciations) == (["by_design"], [], 1)
    play(scenario, (2, temp, 100.0))
    hi.refresh_from_db()
    assert (hi.state, hi.suppressed, hi.annunciations) == ("B", [], 2)


def test_lower_alarm_is_over_unseen_where_the_value_falls_below_both_at_once(scenario, press, temp):
    limits(press)
    play(scenario, (0, temp, 115.0), (1, temp, 20.0))
    assert [row[:4] for row in rows()] == [
        ("raise", "A", "B", "HiHi"),
        ("suppress", "A", "H", "Hi"),
        ("raise", "H", "H", "Hi"),
        ("clear", "H", "H", "Hi"),
        ("clear", "B", "D", "HiHi"),
        ("unsuppress", "H", "A", "Hi"),
    ]


@pytest.mark.parametrize(
    ("low", "high", "announced"), [("high", "critical", 1), ("high", "high", 0), ("high", "low", 0)]
)
def test_higher_alarm_is_announced_where_its_priority_is_higher(scenario, press, temp, low, high, announced):
    limits(press, low, high)
    play(scenario, (0, temp, 95.0), (1, temp, 115.0))
    hihi = Alarm.objects.get(message="HiHi")
    assert (hihi.state, hihi.annunciations, hihi.silenced is None) == ("B", announced, bool(announced))


def test_higher_alarm_is_announced_whatever_its_priority_where_the_lower_was_not(scenario, press, temp):
    limits(press, "high", "low")
    play(scenario, (0, temp, 115.0))
    assert dict(Alarm.objects.values_list("message", "annunciations")) == {"Hi": 0, "HiHi": 1}


# --- Who is told ---------------------------------------------------------------------------------------------------


@pytest.fixture
def told():
    """Gives what the outbox says: of which alarm by which event, and what became of it."""
    Subscription.objects.create(user=factories.operator(), channel="email", lowest_priority=4)
    return lambda: [(row.alarm.message, row.event, row.outcome) for row in Delivery.objects.order_by("pk")]


def test_alarm_that_is_hidden_and_presented_within_one_drain_is_told_once(scenario, press, temp, state, told):
    factories.rule(press, suppress_when=STOPPED)
    play(scenario, (0, state, 0.0), (1, temp, 95.0), (2, state, 1.0))
    assert told() == [("Temperature high", "unsuppress", "due")]


def test_alarm_that_stays_hidden_says_why_nobody_is_told(scenario, press, temp, state, told):
    factories.rule(press, suppress_when=STOPPED)
    play(scenario, (0, state, 0.0), (1, temp, 95.0))
    assert told() == [("Temperature high", "raise", "withheld")]
    assert Delivery.objects.get().reason == "suppressed by design"


def test_higher_alarm_of_no_higher_priority_is_told_as_the_lower_one_only(scenario, press, temp, told):
    limits(press, "high", "high")
    play(scenario, (0, temp, 95.0))
    play(scenario, (1, temp, 115.0))
    assert told() == [("Hi", "raise", "due")]


# --- Order within a drain ------------------------------------------------------------------------------------------


def test_at_one_instant_what_suppresses_comes_first_and_ends_last():
    moments = [Moment(3, 5, True), Moment(2, 5, True), Moment(1, 5, True), Moment(-9, 5, True), Moment(4, 4, False)]
    assert [moments[index].rule for index in in_order(moments, {1: {2}, 2: {3}})] == [4, -9, 1, 2, 3]
    back = [Moment(1, 5, False), Moment(2, 5, False), Moment(3, 5, False), Moment(-9, 5, False)]
    assert [back[index].rule for index in in_order(back, {1: {2}, 2: {3}})] == [3, 2, 1, -9]


def test_transitions_of_one_rule_keep_their_order():
    for seed in range(200):
        chance = random.Random(seed)
        moments = [Moment(chance.choice([-1, 1, 2, 3]), chance.randrange(3), chance.random() < 0.5) for _ in range(12)]
        moments.sort(key=lambda moment: moment.time)
        order = in_order(moments, {1: {2}, 2: {3}})
        assert sorted(order) == list(range(len(moments)))
        for rule in (-1, 1, 2, 3):
            times = [moments[index].time for index in order if moments[index].rule == rule]
            assert times == sorted(times)
            for time in set(times):
                own = [index for index in order if (moments[index].rule, moments[index].time) == (rule, time)]
                assert own == sorted(own)


# --- What cannot be ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hides": "Temperture high"}, "press-1-1 has no rule 'Temperture high'. Did you mean 'Temperature high'?"),
        ({"hides": "Other"}, "a rule cannot hide itself"),
        ({"suppress_when": [{"alarm": "press-9/Trip"}]}, "press-9 has no rule 'Trip'."),
        ({"suppress_when": [{"alarm": "Other"}]}, "suppress each other: press-1-1: Other → press-1-1: Other"),
        ({"suppress_when": [{"sensor": "stat", "equals": [0]}]}, "has no sensor 'stat'. Did you mean 'state'?"),
        ({"suppress_when": [{"sensor": "state", "equals": list(range(13))}]}, "13 values; 12 are the most"),
    ],
)
def test_configuration_that_cannot_be_is_refused_in_words(press, temp, state, fields, words):
    factories.rule(press)
    with pytest.raises(ValidationError) as refused:
        factories.rule(press, "Other", **fields)
    assert words in " ".join(refused.value.messages)


def test_alarms_that_would_suppress_each_other_are_refused(press, temp):
    lower = factories.rule(press, "Hi")
    factories.rule(press, "HiHi", limit=110.0, hides="Hi")
    with pytest.raises(ValidationError, match="suppress each other"):
        rules.update_rule(rule=lower, reason="trial", hides="HiHi")


def test_rule_that_another_names_cannot_go(press, temp):
    parent = factories.rule(press, "Parent")
    factories.rule(press, "Child", suppress_when=[{"alarm": "Parent"}])
    with pytest.raises(ValidationError, match="has no rule 'Parent'"):
        rules.delete_rule(rule=parent)
    assert Suppressor.objects.count() == 1


def test_machine_whose_state_another_needs_cannot_go(press, temp):
    machine = services.create_asset(code="feeder", name="Feeder", level="machine", parent=press.parent)
    factories.sensor(machine, "state")
    factories.rule(press, suppress_when=[{"sensor": "feeder/state", "equals": [0]}])
    with pytest.raises(ValidationError, match="feeder has no sensor 'state'"):
        services.delete_asset(asset=machine)


FILE = """asset_types:
  - code: pump
    sensors:
      - {key: t, unit: degC}
    rules:
      - {name: Hi, sensor: t, kind: high, limit: 80}
      - name: HiHi
        sensor: t
        kind: high
        limit: 90
        hides: High
assets:
  - code: site
    name: Site
    level: site
  - code: p1
    name: P1
    level: machine
    parent: site
    type: pump
    rules:
      - name: Trip
        sensor: t
        kind: low
        limit: 5
        suppress_when: [{alarm: site/Nothing}]
"""


def test_file_is_refused_with_the_line_of_what_cannot_be():
    services.ensure_shards()
    with pytest.raises(ConfigurationError) as refused:
        configuration.load(FILE)
    text = str(refused.value)
    assert "11" in text and "the type has no rule 'High'. Did you mean 'Hi'?" in text.replace('"', "'")
    assert "26" in text and "site has no rule 'Nothing'" in text


def test_file_without_fault_hands_suppression_down_to_each_asset(press):
    text = FILE.replace("hides: High", "hides: Hi").replace("site/Nothing", "HiHi")
    configuration.load(text)
    words = set(Suppressor.objects.values_list("words", flat=True))
    assert words == {"hidden by p1: HiHi", "p1: HiHi stands"}
    assert by_design.astray(0, set()) == {}


# --- How it is shown -----------------------------------------------------------------------------------------------


def test_a_state_that_suppresses_is_shown_in_the_words_of_its_values(press, temp, state):
    labels = {"0": "stopped", "4": "held"}
    machine = factories.sensor(press, "mode", quantity="state", unit="", range_low=None, range_high=None, labels=labels)
    door = factories.sensor(press, "door", quantity="count", unit="", labels={"1": "open"})
    topology.forget()
    for kept, english in (
        (f"{machine.tag} is 0", "press-1-1 is stopped"),
        (f"{machine.tag} is 0 or 4", "press-1-1 is stopped or held"),
        (f"no longer: {machine.tag} is 4", "no longer: press-1-1 is held"),
        (f"{door.tag} is 1", "press-1-1/door is open"),
        (f"{door.tag} is 2.5", "press-1-1/door is 2.5"),
        ("press-1-1/gone is 0", "press-1-1/gone is 0"),
    ):
        assert said(kept) == english
    with translation.override("de"):
        assert said(f"{machine.tag} is 0 or 4") == "press-1-1 ist stopped oder held"
        assert said(f"no longer: {machine.tag} is 4") == "nicht mehr: press-1-1 ist held"
        assert said("press-1-1/gone is 0") == "press-1-1/gone is 0"
