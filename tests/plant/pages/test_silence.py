"""What every screen shows of a part of the plant that is not heard: that nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts import queries
from alerts.models import Alarm, State
from devices.models import Asset
from plant.machines import Kind
from plant.pages.machine import Machine
from plant.pages.overview import Board
from plant.pages.tree import tree
from tests import factories
from tests.plant.pages.test_machine import show

RaiseAlarm = Callable[..., Alarm]


@pytest.fixture
def presses(browser: Client) -> list[Asset]:
    """Two presses whose temperature has just been read."""
    machines = factories.plant(machines=2)
    for machine in machines:
        factories.sensor(machine)
        factories.rule(machine)
    return machines


def silence(parts: list[str], **fields: Any) -> Alarm:
    """Writes the alarm that tells of a silence, as the judge does."""
    since = timezone.now() - timedelta(minutes=3)
    values: dict[str, Any] = {
        "rule": None, "rule_name": "", "tag": "", "asset_code": "line-1", "priority": 2, "state": State.UNACKED,
        "raised": timezone.now(), "message": "No data from source edge-1",
        "asset": Asset.objects.get(code="line-1"),
        "frozen": {"silent": parts, "silent_name": "source edge-1", "silent_since": queries.iso(since)}, **fields,
    }  # fmt: skip
    return Alarm.objects.create(**values)


def cells(plant: Any) -> dict[str, Any]:
    board = Board(plant, timezone.now())
    return {cell.code: cell for area in board.areas for line in area.lines for cell in line.cells}


def test_machine_below_a_silent_part_is_unknown_on_the_overview_however_fresh_it_looks(clean_redis, presses):
    for press in presses:
        show(clean_redis, press.sensors.get(), 55.0)
    assert cells(tree())["press-1-1"].kind == Kind.REPORTING
    silence(["press-1-1"])
    found = cells(tree())
    assert (found["press-1-1"].kind, found["press-1-1"].word) == (Kind.OFFLINE, "no data")
    assert found["press-1-2"].kind == Kind.REPORTING
    assert Board(tree(), timezone.now()).freshness == (1, 1)


def test_machine_page_names_the_part_that_failed_and_shows_no_value(browser, clean_redis, presses):
    show(clean_redis, presses[0].sensors.get(), 55.0)
    silence(["press-1-1"])
    machine = Machine(tree(), tree().nodes[presses[0].pk], timezone.now())
    assert machine.state.kind == Kind.OFFLINE
    assert machine.lines[0].shown.text == "–"
    words = browser.get("/a/hall/line-1/press-1-1/").content.decode()
    assert "No data since" in words
    assert "from source edge-1." in words
    assert "No data since" not in browser.get("/a/hall/line-1/press-1-2/").content.decode()


def test_single_sensor_that_is_not_heard_leaves_its_machine_known(clean_redis, presses):
    show(clean_redis, presses[0].sensors.get(), 55.0)
    silence(["press-1-1/temp"])
    machine = Machine(tree(), tree().nodes[presses[0].pk], timezone.now())
    assert machine.state.kind == Kind.REPORTING
    assert machine.lines[0].shown.worst_quality == "unknown"


def test_console_marks_alarms_that_nobody_can_vouch_for(
    browser: Client, presses: list[Asset], raise_alarm: RaiseAlarm
) -> None:
    raise_alarm(presses[0])
    raise_alarm(presses[1])
    silence(["press-1-1"])
    rows = browser.get("/alarms/?fragment").content.decode().split("<tr ")
    marked = {row.split('nowrap c-tag">')[1].split("<")[0]: 'stalev" hidden' not in row for row in rows[1:]}
    assert marked == {"press-1-1": True, "press-1-2": False, "line-1": False}


def test_silence_is_over_on_every_screen_when_its_alarm_has_returned(clean_redis, presses):
    for press in presses:
        show(clean_redis, press.sensors.get(), 55.0)
    alarm = silence(["press-1-1"], state=State.RETURNED, active=False)
    assert cells(tree())["press-1-1"].kind == Kind.REPORTING
    assert queries.as_json(alarm)["silent"] is None
