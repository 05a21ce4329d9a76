"""The demo's plant.yaml: how large it is, how its rules are spread, and that it can be taken as it stands."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml

from alerts.models import Kind, Priority
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
    assert (len(types), sum(types.values())) == (8, 200)


def test_it_is_taken_without_a_complaint_and_has_about_fifteen_hundred_sensors() -> None:
    read_plant(FILE.read_text(encoding="utf-8"))
    assert len(rulebook().sensors) == 1539
    assert len(read().tags) == 1538  # the recorded machine is fed from its recording


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


@pytest.mark.parametrize("field", ["cause", "consequence", "action", "time_to_respond"])
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
