"""The demo's plant.yaml: how large it is, how its rules are spread, and that it can be taken as it stands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from alerts.first_out import group_of
from alerts.models import Kind, Priority
from alerts.rationalisation import suggested
from devices.configuration import read_plant
from devices.models import Level
from plant.demo.layout import FILE, RECORDED, read
from tests.plant.demo_judge import rulebook

PLAN = yaml.safe_load(FILE.read_text(encoding="utf-8"))
RULES = rulebook().rules


def test_the_works_has_four_areas_thirteen_lines_and_two_hundred_machines_of_eight_types() -> None:
    levels = Counter(asset["level"] for asset in PLAN["assets"])
    assert (levels[Level.AREA], levels[Level.LINE]) == (4, 13)
    types = Counter(asset.get("type") for asset in PLAN["assets"] if asset["level"] == Level.MACHINE)
    assert types.pop("gateway") == 4
    assert types.pop(RECORDED) == 1
    assert types.pop("vehicle") == 2
    assert (len(types), sum(types.values())) == (8, 200)
    # What is read before the first start is what the overview then counts.
    assert f"plant of {levels[Level.MACHINE]} machines" in Path(settings.BASE_DIR, "README.md").read_text("utf-8")


def test_it_is_taken_without_a_complaint_and_has_about_fifteen_hundred_sensors() -> None:
    read_plant(FILE.read_text(encoding="utf-8"))
    assert len(rulebook().sensors) == 1549
    assert len(read().tags) == 1548  # the recorded machine is fed from its recording


def test_it_sends_fewer_than_a_thousand_readings_a_second() -> None:
    assert 300 < (1 / read().interval).sum() < 1000


def test_every_machine_tells_its_state() -> None:
    machines = [asset for asset in PLAN["assets"] if asset["level"] == Level.MACHINE]
    tags = rulebook().sensors
    assert all(f"{machine['code']}/state" in tags for machine in machines if machine["type"] != RECORDED)


def test_priorities_are_a_pyramid() -> None:
    spread = Counter(values["priority"] for _, _, values in RULES)
    assert spread[Priority.CRITICAL] / len(RULES) < 0.06
    assert spread[Priority.HIGH] / len(RULES) < 0.22
    assert spread[Priority.LOW] > spread[Priority.MEDIUM] > spread[Priority.HIGH] > spread[Priority.CRITICAL]


def test_a_lost_gateway_raises_one_alarm_and_not_one_for_each_sensor() -> None:
    assert Counter(asset for asset, _, values in RULES if values["kind"] == Kind.STALE) == {
        "gw-press": 1,
        "gw-heat": 1,
        "gw-utilities": 1,
        "gw-tanks": 1,
    }


def test_the_kinds_of_rules_are_all_to_be_seen_but_those_that_a_plant_seldom_needs() -> None:
    assert {values["kind"] for _, _, values in RULES} == set(Kind.values) - {Kind.NOT_EQUALS}


def test_every_rule_belongs_to_a_class() -> None:
    assert [(asset, name) for asset, name, values in RULES if not values["alarm_class"]] == []


def test_a_higher_rule_hides_the_lower_one_of_the_same_value() -> None:
    names = {(asset, name) for asset, name, _ in RULES}
    for asset, name, values in RULES:
        lower = name.removesuffix("-high").removesuffix("-low")
        if lower != name and (asset, lower) in names:
            assert values["hides"] == lower


def test_what_alarm_management_offers_is_to_be_seen() -> None:
    def names(field: str) -> set[str]:
        return {name for _, name, values in RULES if values[field] not in (None, "", [], False)}

    assert names("latching") == {"Zone temperature high-high"}
    assert names("realarm") == {"Cooling water supply pressure low"}
    assert names("longest_shelving") == {"Inlet filter pressure drop high", "Power factor low"}
    groups = {group_of(values["group"], asset) for asset, _, values in RULES} - {""}
    assert {"compressed-air/trip", "hardening-1/overheating"} <= groups
    whiles = [one for _, _, values in RULES for one in values["suppress_when"]]
    assert {tuple(one) for one in whiles} == {("sensor", "equals"), ("alarm",)}
    assert {position["scope"] for position in PLAN["positions"]} == {"aldermoor", "tank-farm"}
    assert {one["code"] for one in PLAN["alarm_classes"]} == {values["alarm_class"] for _, _, values in RULES}


def test_urgent_alarms_have_the_priority_that_follows_and_a_few_lower_ones_not() -> None:
    others = {
        (values["priority"], name)
        for _, name, values in RULES
        if suggested(values["severity"], values["time_to_respond"]) not in (None, values["priority"])
    }
    assert min(priority for priority, _ in others) > Priority.HIGH
    assert 2 <= len(others) <= 6


FIELDS = ["cause", "consequence", "action", "confirmation", "time_to_respond", "severity"]


@pytest.mark.parametrize("field", FIELDS)
def test_who_is_called_is_told_what_to_do(field: str) -> None:
    urgent = [
        (asset, name) for asset, name, values in RULES if values["priority"] <= Priority.HIGH and not values[field]
    ]
    assert urgent == []


def test_messages_are_short_and_say_thing_quantity_condition() -> None:
    names = {name for _, name, _ in RULES}
    assert max(map(len, names)) < 60
    assert not [name for name in names if "alarm" in name.lower() or "!" in name or "/" in name]
    endings = ("high", "high-high", "low", "low-low", "fault", "flat", "dry", "not responding", "tripped", "the band")
    assert not [name for name in names if not name.endswith(endings)]
