"""Services of the plant model: what they write, what follows from it, what they refuse."""

import pytest
from django.core.exceptions import ValidationError

from devices import services
from devices.changes import shard_of
from devices.intake.tokens import hash_token
from devices.models import Asset, Checkpoint, Revision, Sensor, TypeSensor
from tests import factories

pytestmark = pytest.mark.django_db


def revision(name: str = "plant") -> int:
    row = Revision.objects.filter(name=name).first()
    return row.number if row else 0


def site(code: str = "works") -> Asset:
    return services.create_asset(code=code, name=code.capitalize(), level="site")


# --- Tree ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("above", "level", "words"),
    [
        ("machine", "line", "a line cannot stand below a machine"),
        ("machine", "machine", "a machine cannot stand below a machine"),
        ("line", "area", "an area cannot stand below a line"),
        ("site", "enterprise", "An enterprise belongs at the top"),
    ],
)
def test_level_that_does_not_fit_is_refused_in_words(above, level, words):
    parent = services.create_asset(code="p", name="P", level=above)
    with pytest.raises(ValidationError, match=words):
        services.create_asset(code="c", name="C", level=level, parent=parent)
    assert not Asset.objects.filter(code="c").exists()


def test_levels_may_be_skipped_and_modules_may_hold_modules():
    machine = services.create_asset(code="m", name="M", level="machine", parent=site())
    module = services.create_asset(code="a", name="A", level="module", parent=machine)
    assert services.create_asset(code="b", name="B", level="module", parent=module).parent == module


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"latitude": 53.5}, "longitude is missing"),
        ({"plan_y": 12.0}, "plan_x is missing"),
        ({"latitude": 91.0, "longitude": 10.0}, "latitude must be at most 85"),
        ({"latitude": 53.5, "longitude": -180.5}, "longitude must be at least -180"),
        ({"plan_x": float("nan"), "plan_y": 1.0}, "plan_x must be a finite number"),
    ],
)
def test_place_that_cannot_be_is_refused_in_words(fields, words):
    with pytest.raises(ValidationError, match=words):
        services.create_asset(code="m", name="M", level="machine", **fields)


def test_asset_that_moves_on_the_map_leaves_its_shard_alone_and_its_history_says_so():
    asset = services.create_asset(code="m", name="M", level="machine", latitude=53.5512, longitude=9.9937)
    before = asset.shard
    services.update_asset(asset=asset, latitude=53.5513, longitude=9.9937)
    assert asset.shard == before
    assert [row.latitude for row in asset.history.all()] == [53.5513, 53.5512]


def test_asset_below_itself_is_refused():
    works = site()
    module = services.create_asset(code="a", name="A", level="module", parent=works)
    below = services.create_asset(code="b", name="B", level="module", parent=module)
    with pytest.raises(ValidationError, match="would stand below itself: a → b → a"):
        services.move_asset(asset=module, parent=below)


def test_level_changed_above_its_children_is_refused():
    works = site()
    services.create_asset(code="l", name="L", level="line", parent=works)
    with pytest.raises(ValidationError, match="a line cannot stand below a machine"):
        services.update_asset(asset=works, level="machine")


def test_code_stays():
    with pytest.raises(ValidationError, match="senders and rules call the asset by it"):
        services.update_asset(asset=site(), code="other")


def test_deleting_takes_all_below_but_not_a_source_s_scope():
    works = site()
    machine = services.create_asset(code="m", name="M", level="machine", parent=works)
    services.create_source(name="edge", scope=machine)
    with pytest.raises(ValidationError, match="is the scope of edge"):
        services.delete_asset(asset=works)
    services.delete_source(source=machine.sources.get())
    services.delete_asset(asset=works)
    assert not Asset.objects.exists()


# --- Revisions -----------------------------------------------------------------------------------------------------


def test_every_change_bumps_the_plant_once_and_nothing_bumps_for_nothing():
    works = site()
    assert revision() == 1
    services.update_asset(asset=works, name="Works", description="")
    assert revision() == 1
    with services.change():
        services.update_asset(asset=works, name="Other")
        services.create_asset(code="m", name="M", level="machine", parent=works)
    assert revision() == 2


def test_refused_change_leaves_nothing_of_what_went_before_it():
    works = site()
    with pytest.raises(ValidationError), services.change():
        services.update_asset(asset=works, name="Other")
        services.create_asset(code="x y", name="M", level="machine")
    works.refresh_from_db()
    assert works.name == "Works"
    assert revision() == 1


def test_change_after_a_refused_one_is_settled_as_ever():
    with pytest.raises(ValidationError):
        services.create_asset(code="x y", name="M", level="machine")
    site()
    assert revision() == 1


# --- Types ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def pump():
    kind = factories.asset_type()
    services.create_type_sensor(type=kind, key="flow", name="Flow", unit="m3/h", range_low=0, range_high=50, interval=1)
    return kind


@pytest.fixture
def pumps(pump):
    works = site()
    return [services.create_asset(code=f"p{n}", name=f"P{n}", level="machine", parent=works, type=pump) for n in (1, 2)]


def flows() -> list[tuple[float, float, list[str]]]:
    rows = Sensor.objects.filter(key="flow").order_by("asset__code")
    return list(rows.values_list("range_high", "interval", "overrides"))


def test_asset_gets_its_type_s_sensors(pumps):
    assert flows() == [(50.0, 1.0, []), (50.0, 1.0, [])]
    assert set(Sensor.objects.values_list("origin__key", flat=True)) == {"flow"}


def test_sensor_added_to_a_type_comes_to_every_asset(pump, pumps):
    services.create_type_sensor(type=pump, key="speed", name="Speed", unit="rpm")
    assert Sensor.objects.filter(key="speed").count() == 2


def test_change_at_the_type_flows_to_all_but_overridden_fields(pumps):
    services.update_sensor(sensor=pumps[0].sensors.get(), range_high=40.0)
    services.update_type_sensor(sensor=TypeSensor.objects.get(), range_high=60.0, interval=2)
    assert flows() == [(40.0, 2.0, ["range_high"]), (60.0, 2.0, [])]


def test_override_that_equals_the_type_again_is_none(pumps):
    sensor = services.update_sensor(sensor=pumps[0].sensors.get(), range_high=40.0)
    services.update_sensor(sensor=sensor, range_high=50.0)
    services.update_type_sensor(sensor=TypeSensor.objects.get(), range_high=60.0)
    assert flows() == [(60.0, 1.0, []), (60.0, 1.0, [])]


def test_sensor_taken_from_a_type_goes_but_stays_where_it_is_overridden(pumps):
    services.update_sensor(sensor=pumps[0].sensors.get(), range_high=40.0)
    services.delete_type_sensor(sensor=TypeSensor.objects.get())
    sensor = Sensor.objects.get()
    assert (sensor.asset, sensor.origin, sensor.overrides, sensor.range_high) == (pumps[0], None, [], 40.0)


def test_own_sensor_of_the_same_key_becomes_the_type_s_with_its_differences(pump, pumps):
    own = services.create_sensor(asset=pumps[0], key="speed", name="Own speed", unit="rpm", interval=5)
    services.create_type_sensor(type=pump, key="speed", name="Speed", unit="rpm", interval=1)
    own.refresh_from_db()
    assert (own.name, own.interval, own.overrides, own.origin.key) == ("Own speed", 5.0, ["name", "interval"], "speed")


def test_other_type_takes_its_sensors_along_and_keeps_the_row_of_the_same_key(pumps):
    fan = factories.asset_type("fan", "Fan")
    services.create_type_sensor(type=fan, key="flow", name="Air", unit="m3/h", range_low=0, range_high=900, interval=1)
    before = pumps[0].sensors.get().pk
    services.update_asset(asset=pumps[0], type=fan)
    after = pumps[0].sensors.get()
    assert after.pk == before
    assert after.origin.type == fan


def test_asset_that_leaves_its_type_keeps_what_it_overrides_as_its_own(pumps):
    services.update_sensor(sensor=pumps[0].sensors.get(), range_high=40.0)
    for pump in pumps:
        services.update_asset(asset=pump, type=None)
    sensor = Sensor.objects.get()
    assert (sensor.asset, sensor.origin, sensor.overrides, sensor.range_high) == (pumps[0], None, [], 40.0)


def test_inherited_sensor_cannot_be_deleted_at_the_asset(pumps):
    with pytest.raises(ValidationError, match="comes with the type"):
        services.delete_sensor(sensor=pumps[0].sensors.get())


def test_type_in_use_cannot_be_deleted(pump, pumps):
    with pytest.raises(ValidationError, match="p1, p2 are of type pump"):
        services.delete_asset_type(type=pump)


def test_who_and_when_are_kept_for_rows_written_in_bulk(pump, pumps, rf):
    from simple_history.models import HistoricalRecords

    user = factories.engineer()
    HistoricalRecords.context.request = rf.get("/")
    HistoricalRecords.context.request.user = user
    try:
        services.create_type_sensor(type=pump, key="speed", name="Speed")
        services.update_type_sensor(sensor=TypeSensor.objects.get(key="flow"), range_high=60.0)
    finally:
        del HistoricalRecords.context.request
    made = Sensor.objects.filter(key="speed").first().history.get()
    changed = Sensor.objects.filter(key="flow").first().history.first()
    assert (made.history_type, made.history_user, made.key, made.asset_id) == ("+", user, "speed", pumps[0].pk)
    assert (changed.history_type, changed.history_user, changed.range_high) == ("~", user, 60.0)
    assert changed.prev_record.range_high == 50.0


# --- Sensors -------------------------------------------------------------------------------------------------------


def test_sensor_s_fields_are_kept_in_canonical_form():
    sensor = services.create_sensor(asset=site(), key="t", name="T", unit="°C", labels={0: "cold", 1.0: "hot"})
    sensor.refresh_from_db()
    assert (sensor.unit, sensor.labels) == ("degC", {"0": "cold", "1": "hot"})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit": "degCC"}, "Did you mean"),
        ({"range_low": 5}, "range needs both ends"),
        ({"range_low": 5, "range_high": 5}, "5 is not below 5"),
        ({"normal_low": 1, "range_low": 2, "range_high": 5}, "normal 1 lies outside the range 2 to 5"),
        ({"interval": 0}, "at least 0.001"),
        ({"interval": float("nan")}, "finite"),
        ({"labels": {"x": "y"}}, "what is labelled is a number"),
    ],
)
def test_sensor_that_cannot_be_is_refused_in_words(fields, words):
    with pytest.raises(ValidationError, match=words):
        services.create_sensor(asset=site(), key="t", name="T", **fields)


# --- Shards --------------------------------------------------------------------------------------------------------


def test_number_of_shards_is_fixed_at_the_first_start(settings):
    settings.TELEMETRY_SHARDS = 4
    assert services.ensure_shards() == 4
    settings.TELEMETRY_SHARDS = 8
    assert services.ensure_shards() == 4
    assert Checkpoint.objects.count() == 4


def test_all_of_a_machine_is_in_its_shard_wherever_it_moves(shards):
    works = site()
    first = services.create_asset(code="m1", name="M", level="machine", parent=works)
    second = services.create_asset(code="m4", name="M", level="machine", parent=works)
    assert first.shard == shard_of("m1", shards) != second.shard == shard_of("m4", shards)
    module = services.create_asset(code="a", name="A", level="module", parent=first)
    part = services.create_asset(code="b", name="B", level="module", parent=module)
    assert module.shard == part.shard == first.shard
    services.move_asset(asset=module, parent=second)
    part.refresh_from_db()
    assert module.shard == part.shard == second.shard


def test_machine_keeps_its_shard_through_a_move(shards):
    works = site()
    machine = services.create_asset(code="m1", name="M", level="machine", parent=works)
    services.move_asset(asset=machine, parent=site("other"))
    assert machine.shard == shard_of("m1", shards)


# --- Sources -------------------------------------------------------------------------------------------------------


def test_token_is_given_once_and_kept_as_a_hash():
    source, token = services.create_source(name="edge", scope=site())
    assert (source.token_hash, source.token_hint) == (hash_token(token), token[:8])
    fresh = services.rotate_token(source=source)
    source.refresh_from_db()
    assert source.token_hash == hash_token(fresh) != hash_token(token)
    assert revision() == 3
