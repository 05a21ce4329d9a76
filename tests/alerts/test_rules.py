"""Services of rules: copies of a type's, inputs, versions, shards and routes, and what the engine is given."""

import math

import pytest
from django.core.exceptions import ValidationError

from alerts import rules
from alerts.engine.rules import Kind
from alerts.models import Rule, TypeRule
from devices import services
from devices.models import Revision, Route, Sensor
from tests import factories

pytestmark = pytest.mark.django_db


def revision(name: str) -> int:
    row = Revision.objects.filter(name=name).first()
    return row.number if row else 0


def reads(rule: Rule) -> list[tuple[str, str]]:
    return [(read.name, read.sensor.tag) for read in rule.reads.select_related("sensor__asset")]


@pytest.fixture
def presses():
    made = factories.plant(machines=2)
    for press in made:
        factories.sensor(press)
        factories.sensor(press, "flow", unit="m3/h", range_high=10.0)
    assert made[0].shard != made[1].shard
    return made


@pytest.fixture
def typed(presses):
    kind = factories.asset_type()
    services.create_type_sensor(type=kind, key="speed", name="Speed", unit="rpm", range_low=0, range_high=100)
    rules.create_type_rule(type=kind, name="Fast", kind="high", sensor_key="speed", limit=80)
    for press in presses:
        services.update_asset(asset=press, type=kind)
    return kind


# --- Inputs and shards ---------------------------------------------------------------------------------------------


def test_rule_reads_its_sensor_in_its_machine_s_shard(presses):
    rule = factories.rule(presses[0])
    assert reads(rule) == [("", "press-1-1/temp")]
    assert (rule.shard, rule.version) == (presses[0].shard, 1)


def test_deviation_reads_its_reference_second(presses):
    number = factories.rule(presses[0], kind="deviation", limit=5.0, reference=80)
    key = factories.rule(presses[0], "By key", kind="deviation", limit=5.0, reference="flow")
    tag = factories.rule(presses[0], "By tag", kind="deviation", limit=5.0, reference="press-1-2/temp")
    assert reads(number) == [("", "press-1-1/temp")]
    assert reads(key) == [("", "press-1-1/temp"), ("", "press-1-1/flow")]
    assert reads(tag) == [("", "press-1-1/temp"), ("", "press-1-2/temp")]


def test_expression_s_alarm_belongs_to_its_first_input_or_to_the_sensor_given(presses):
    inputs = {"t": "temp", "f": "press-1-2/flow"}
    first = factories.rule(presses[0], kind="expression", inputs=inputs, expression="t > f")
    given = rules.create_rule(
        asset=presses[0], name="Given", kind="expression", inputs={"x": "flow", "t": "temp"}, sensor_key="temp",
        expression="t > x",
    )  # fmt: skip
    assert reads(first) == [("t", "press-1-1/temp"), ("f", "press-1-2/flow")]
    assert reads(given) == [("t", "press-1-1/temp"), ("x", "press-1-1/flow")]


def test_rule_over_two_shards_is_judged_at_home_and_gets_copies_of_the_rest(presses):
    before = revision("plant")
    rule = factories.rule(presses[0], kind="deviation", limit=5.0, reference="press-1-2/temp")
    other = Sensor.objects.get(asset=presses[1], key="temp")
    assert list(Route.objects.values_list("sensor_id", "shard")) == [(other.pk, presses[0].shard)]
    assert rule.shard == presses[0].shard
    assert revision("plant") == before + 1
    rules.update_rule(rule=rule, reason="trial", enabled=False)
    assert not Route.objects.exists()
    rules.update_rule(rule=rule, reason="trial", enabled=True)
    rules.update_rule(rule=rule, reason="trial", reference="flow")
    assert not Route.objects.exists()


def test_two_rules_share_a_route_until_the_last_is_gone(presses):
    first = factories.rule(presses[0], kind="deviation", limit=5.0, reference="press-1-2/temp")
    second = factories.rule(presses[0], "Second", kind="deviation", limit=6.0, reference="press-1-2/temp")
    assert Route.objects.count() == 1
    rules.delete_rule(rule=first)
    assert Route.objects.count() == 1
    rules.delete_rule(rule=second)
    assert not Route.objects.exists()


def test_moved_module_takes_its_rules_to_the_other_machine_s_shard(presses):
    module = services.create_asset(code="gear", name="Gear", level="module", parent=presses[0])
    factories.sensor(module)
    rule = factories.rule(module)
    assert rule.shard == presses[0].shard
    services.move_asset(asset=module, parent=presses[1])
    rule.refresh_from_db()
    assert (rule.shard, rule.version) == (presses[1].shard, 2)


def test_sensor_that_a_rule_reads_cannot_be_deleted(presses):
    factories.rule(presses[0], kind="deviation", limit=5.0, reference="press-1-2/temp")
    with pytest.raises(ValidationError, match="press-1-1, rule 'Temperature high': press-1-2 has no sensor 'temp'"):
        services.delete_sensor(sensor=presses[1].sensors.get(key="temp"))
    with pytest.raises(ValidationError, match="there is no sensor press-1-2/temp"):
        services.delete_asset(asset=presses[1])
    assert presses[1].sensors.count() == 2


def test_sensor_and_its_rules_may_go_together(presses):
    rule = factories.rule(presses[0])
    with services.change():
        services.delete_sensor(sensor=presses[0].sensors.get(key="temp"))
        rules.delete_rule(rule=rule)
    assert not Rule.objects.exists()


def test_range_that_leaves_a_limit_outside_is_refused(presses):
    factories.rule(presses[0])
    with pytest.raises(ValidationError, match="limit 90 lies outside the sensor's range 0 to 80"):
        services.update_sensor(sensor=presses[0].sensors.get(key="temp"), range_high=80.0)


# --- Versions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({"limit": 95.0}, 2),
        ({"deadband": 1.0}, 2),
        ({"on_delay": 5}, 2),
        ({"kind": "low"}, 2),
        ({"sensor_key": "flow", "limit": 5}, 3),
        ({"enabled": False}, 2),
        ({"limit": 90}, 1),
        ({"priority": "low"}, 1),
        ({"name": "Hot", "cause": "Dry", "ack_required": False}, 1),
    ],
)
def test_version_rises_with_what_matters_to_judging_only(presses, changes, version):
    rule = rules.update_rule(rule=factories.rule(presses[0]), reason="trial", **changes)
    assert rule.version == version


def test_change_of_a_rule_bumps_the_rules_and_not_the_plant(presses):
    rule = factories.rule(presses[0])
    plant, before = revision("plant"), revision("rules")
    rules.update_rule(rule=rule, cause="Dry")
    rules.update_rule(rule=rule, cause="Dry")
    assert (revision("plant"), revision("rules")) == (plant, before + 1)


def test_other_interval_starts_rules_over_several_sensors_anew(presses):
    alone = factories.rule(presses[0])
    both = factories.rule(presses[0], "Both", kind="deviation", limit=5.0, reference="press-1-2/temp")
    services.update_sensor(sensor=presses[1].sensors.get(key="temp"), interval=5)
    alone.refresh_from_db()
    both.refresh_from_db()
    assert (alone.version, both.version) == (1, 2)


# --- Types ---------------------------------------------------------------------------------------------------------


def test_asset_gets_its_type_s_rules_with_their_inputs(typed):
    copies = Rule.objects.filter(name="Fast").order_by("asset__code")
    assert [reads(rule) for rule in copies] == [[("", "press-1-1/speed")], [("", "press-1-2/speed")]]


def test_change_at_the_type_flows_and_starts_the_copies_anew_but_the_one_that_overrides(typed):
    first, second = Rule.objects.filter(name="Fast").order_by("asset__code")
    rules.update_rule(rule=first, reason="trial", limit=70)
    rules.update_type_rule(rule=TypeRule.objects.get(), reason="trial", limit=85, priority="high", name="Too fast")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.name, first.limit, first.priority, first.version, first.overrides) == (
        "Too fast",
        70.0,
        2,
        2,
        ["limit"],
    )
    assert (second.name, second.limit, second.priority, second.version) == ("Too fast", 85.0, 2, 2)


def test_rule_taken_from_a_type_goes_but_stays_where_it_is_overridden(typed, presses):
    rules.update_rule(rule=presses[0].rules.get(), reason="trial", limit=70)
    rules.delete_type_rule(rule=TypeRule.objects.get())
    rule = Rule.objects.get()
    assert (rule.asset, rule.origin, rule.overrides) == (presses[0], None, [])


def test_inherited_rule_is_not_deleted_or_renamed_at_the_asset(typed, presses):
    with pytest.raises(ValidationError, match="comes with the type"):
        rules.delete_rule(rule=presses[0].rules.get())
    with pytest.raises(ValidationError, match="change it there"):
        rules.update_rule(rule=presses[0].rules.get(), name="Other")


def test_type_s_rule_needs_a_sensor_of_the_type(typed):
    with pytest.raises(ValidationError, match="the type has no sensor 'temp'"):
        rules.create_type_rule(type=typed, name="Hot", kind="high", sensor_key="temp", limit=80)


def test_type_s_sensor_with_a_rule_on_it_cannot_be_taken_away(typed):
    with pytest.raises(ValidationError, match="has no sensor 'speed'"):
        services.delete_type_sensor(sensor=typed.sensors.get())


# --- For the engine ------------------------------------------------------------------------------------------------


def test_engine_gets_the_rules_in_force_of_a_shard(presses, django_assert_num_queries):
    rule = factories.rule(presses[0], deadband=2, on_delay=1.5)
    joined = factories.rule(
        presses[0], "Joined", kind="expression", inputs={"t": "temp", "f": "press-1-2/flow"}, expression="t > f"
    )  # fmt: skip
    factories.rule(presses[0], "Off", enabled=False)
    with django_assert_num_queries(3):
        first, second = rules.specs(presses[0].shard)
    temp, flow = presses[0].sensors.get(key="temp").pk, presses[1].sensors.get(key="flow").pk
    assert (first.id, first.kind, first.inputs, first.limit, first.deadband) == (rule.pk, Kind.HIGH, (temp,), 90.0, 2.0)
    assert (first.on_delay, first.per, math.isnan(first.low), math.isnan(first.reference)) == (
        1_500_000,
        60_000_000,
        True,
        True,
    )
    assert (second.id, second.inputs, second.names, second.intervals) == (
        joined.pk,
        (temp, flow),
        ("t", "f"),
        (1_000_000,) * 2,
    )
    assert rules.specs(presses[1].shard) == []


def test_alarm_carries_the_rule_as_json_can_keep_it(presses):
    frozen = rules.freeze(factories.rule(presses[0], deadband=2))
    assert (frozen["name"], frozen["limit"], frozen["deadband"], frozen["priority"]) == (
        "Temperature high",
        90.0,
        2.0,
        1,
    )
