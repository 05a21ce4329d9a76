"""plant.yaml in and out: nothing is lost, nothing changes by itself."""

import time

import pytest

from alerts.models import Rule, RuleInput
from devices import configuration
from devices.models import Asset, AssetType, Revision, Sensor, Source
from tests.devices.configuration.plants import SMALL, large

pytestmark = pytest.mark.django_db


def history_rows() -> int:
    return sum(model.history.count() for model in (AssetType, Asset, Sensor, Rule, Source))


def test_canonical_file_comes_out_as_it_went_in():
    configuration.load(SMALL)
    assert configuration.dump() == SMALL


def test_second_import_changes_nothing():
    configuration.load(SMALL)
    before = (history_rows(), list(Revision.objects.values_list("name", "number")))
    report = configuration.load(SMALL)
    assert report.nothing
    assert (history_rows(), list(Revision.objects.values_list("name", "number"))) == before


def test_export_into_an_empty_database_comes_out_the_same():
    loose = (
        SMALL.replace("limit: 90", "limit: 90.0").replace("[0, 150]", "[0.0, 1.5e2]").replace("unit: degC", "unit: °C")
    )
    configuration.load(loose)
    text = configuration.dump()
    assert text == SMALL
    Source.objects.all().delete()
    Asset.objects.all().delete()
    AssetType.objects.all().delete()
    configuration.load(text)
    assert configuration.dump() == text


def test_order_of_entries_does_not_matter():
    head, rest = SMALL.split("\nassets:\n")
    entries, sources = rest.split("sources:\n")
    blocks = ["  - code" + block for block in entries.split("  - code")[1:]]
    configuration.load(f"sources:\n{sources}assets:\n{''.join(reversed(blocks))}{head}\n")
    assert configuration.dump() == SMALL


def test_everything_of_the_file_is_in_the_database():
    configuration.load(SMALL)
    press = Asset.objects.get(code="press-01")
    assert (press.parent.code, press.type.code, press.level) == ("line-a", "press", "machine")
    temp = press.sensors.get(key="bearing-temp")
    assert (temp.range_high, temp.normal_high, temp.unit, temp.overrides) == (120.0, 70.0, "degC", ["range_high"])
    hot = press.rules.get(name="Bearing hot")
    assert (hot.limit, hot.on_delay, hot.priority, hot.overrides) == (80.0, 5.0, 1, ["limit"])
    assert Asset.objects.get(code="press-02").rules.get(name="Bearing hot").limit == 90.0
    differs = press.rules.get(name="Flow differs")
    assert [read.sensor.tag for read in differs.reads.all()] == ["press-01/flow", "press-02/flow"]
    stopped = press.rules.get(name="Hot while stopped")
    assert [(read.name, read.sensor.key) for read in stopped.reads.all()] == [("t", "bearing-temp"), ("s", "state")]
    assert Source.objects.get().token_hash == ""


def test_import_reports_sources_that_nobody_can_send_as():
    assert configuration.load(SMALL).without_token == ["edge-1"]


def test_what_the_file_does_not_mention_stays():
    configuration.load(SMALL)
    configuration.load("assets:\n  - {code: site-1, name: Works, level: site}\n")
    assert configuration.dump() == SMALL.replace("name: Northern works", "name: Works")


def test_prune_takes_away_what_the_file_does_not_mention():
    configuration.load(SMALL)
    shorter = SMALL.replace("        range: [0, 120]\n", "").replace(
        "      - key: bearing-temp\n      - key: flow", "      - key: flow"
    )
    shorter = shorter[: shorter.index("      - name: Flow differs")] + shorter[shorter.index("sources:") :]
    report = configuration.load(shorter, prune=True)
    assert configuration.dump() == shorter
    assert report.deleted == {"rules": 2, "sensors": 1, "assets": 1}
    assert not Sensor.objects.filter(asset__code="press-02").exists()
    assert Sensor.objects.get(asset__code="press-01", key="bearing-temp").overrides == []


def test_asset_that_writes_out_its_type_s_fields_overrides_nothing():
    same = SMALL.replace("        range: [0, 120]\n", "        range: [0, 150]\n        unit: degC\n")
    configuration.load(same)
    assert Sensor.objects.get(asset__code="press-01", key="bearing-temp").overrides == []


def test_dropping_an_override_from_the_entry_takes_the_type_s_value_back():
    configuration.load(SMALL)
    configuration.load(SMALL.replace("        range: [0, 120]\n", ""))
    assert Sensor.objects.get(asset__code="press-01", key="bearing-temp").range_high == 150.0


def test_asset_that_leaves_its_type_keeps_what_the_file_gives_it():
    configuration.load(large(2, per=2, by_type=True))
    before = set(Sensor.objects.values_list("id", flat=True))
    text = large(2, per=2)
    configuration.load(text, prune=True)
    assert set(Sensor.objects.values_list("id", flat=True)) == before
    assert configuration.dump() == text
    assert configuration.load(text, prune=True).nothing


def test_where_an_asset_stands_goes_in_and_out():
    placed = SMALL.replace(
        "    position: 1\n", "    position: 1\n    location: [53.5512, -0.25]\n    plan: [120, 45.5]\n"
    )
    configuration.load(placed)
    press = Asset.objects.get(code="press-02")
    assert (press.latitude, press.longitude, press.plan_x, press.plan_y) == (53.5512, -0.25, 120.0, 45.5)
    assert configuration.dump() == placed
    assert configuration.load(placed).nothing
    configuration.load(SMALL)
    press.refresh_from_db()
    assert (press.latitude, press.longitude, press.plan_x, press.plan_y) == (None, None, None, None)
    assert configuration.dump() == SMALL


@pytest.mark.parametrize("by_type", [True, False], ids=["handed down", "written out"])
@pytest.mark.parametrize("machines", [214, 1430])
def test_large_plant_goes_in_and_out(machines, by_type, capsys):
    text = large(machines, by_type=by_type)
    began = time.perf_counter()
    configuration.load(text)
    loaded = time.perf_counter()
    out = configuration.dump()
    with capsys.disabled():
        print(
            f"\n{machines * 7} sensors and rules: in {loaded - began:.1f} s, out {time.perf_counter() - loaded:.1f} s",
            end=" ",
        )
    assert out == text
    assert Sensor.objects.count() == RuleInput.objects.count() == machines * 7


def test_what_is_known_of_an_asset_comes_out_as_it_went_in():
    text = (
        'assets:\n  - code: k-301\n    name: K-301\n    level: machine\n    manufacturer: Harrow\n    serial: "0301"\n'
        '    installed: 2018-05-14\n    attributes: {Rated power: "250 kW", "Trip, stage 2": "200: °C"}\n'
    )
    configuration.load(text)
    asset = Asset.objects.get()
    assert (asset.serial, str(asset.installed)) == ("0301", "2018-05-14")
    assert asset.attributes == {"Rated power": "250 kW", "Trip, stage 2": "200: °C"}
    assert configuration.dump() == text
    assert configuration.load(text).nothing
    configuration.load("assets: [{code: k-301, name: K-301, level: machine}]")
    asset.refresh_from_db()
    assert (asset.serial, asset.installed, asset.attributes) == ("", None, {})
