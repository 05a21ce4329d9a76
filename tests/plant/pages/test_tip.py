"""The tip of a machine: its key values, never fresher than they are, and since when its state has lasted."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alarm
from devices import services
from devices.models import Asset, Sensor
from tests import factories
from tests.devices.telemetry.history.keeping import append

BUDGET = 12
ADDRESS = "/a/hall/line-1/press-1-1/?tip"
STATES = {"1": "running", "2": "idle"}

RaiseAlarm = Callable[..., Alarm]


@pytest.fixture
def press(browser: Client) -> Asset:
    """Gives a machine that tells its state, with four figures; a rule reads the third."""
    machine = factories.plant(machines=2)[0]
    labels = {"quantity": "state", "unit": "", "range_low": None, "range_high": None, "labels": STATES}
    factories.sensor(machine, "state", **labels)
    for key in ("oil", "flow", "temp", "zinc"):
        factories.sensor(machine, key)
    factories.rule(machine)
    return machine


def show(client: Any, sensor: Sensor, value: float, *, seconds_ago: float = 0.5, quality: int = 0) -> None:
    """Writes a newest reading as a drain does."""
    at = int((time.time() - seconds_ago) * 1e6)
    client.hset(f"andon:latest:{sensor.asset.shard}", str(sensor.pk), struct.pack("<qdB", at, value, quality))


def tip(browser: Client, address: str = ADDRESS) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def values(text: str) -> list[tuple[str, str, str, str]]:
    """Gives each line's name, its value, the classes of that, and the word of its mark."""
    line = r'<span class="trunc">([^<]*)</span>.*?<span class="(val[^"]*)".*?class="v"[^>]*>([^<]*)<.*?<title>([^<]*)<'
    return [(name, value, classes, word) for name, classes, value, word in re.findall(line, text)]


def test_the_tip_has_three_figures_those_with_rules_first(press: Asset, browser: Client, clean_redis: Any) -> None:
    for sensor in press.sensors.all():
        show(clean_redis, sensor, 51.26)
    text = tip(browser)
    assert "<html" not in text
    assert values(text) == [("Temp", "51.3", "val", ""), ("Oil", "51.3", "val", ""), ("Flow", "51.3", "val", "")]
    assert '<span class="u">°C</span>' in text


def test_a_figure_in_an_alarm_is_among_them_and_looks_so(
    press: Asset, browser: Client, clean_redis: Any, raise_alarm: RaiseAlarm
) -> None:
    for sensor in press.sensors.all():
        show(clean_redis, sensor, 51.26)
    zinc = press.sensors.get(key="zinc")
    raise_alarm(press, sensor=zinc, tag=zinc.tag)
    assert values(tip(browser))[2] == ("Zinc", "51.3", "val al p2", "")


def test_what_is_old_bad_or_missing_never_looks_fresh(press: Asset, browser: Client, clean_redis: Any) -> None:
    show(clean_redis, press.sensors.get(key="temp"), 51.26, seconds_ago=60)
    show(clean_redis, press.sensors.get(key="oil"), 51.26, quality=2)
    assert values(tip(browser)) == [
        ("Temp", "51.3", "val stale", "stale"),
        ("Oil", "–", "val bad", "bad"),
        ("Flow", "–", "val bad", ""),
    ]


def test_nothing_is_known_of_a_part_that_is_not_heard(press: Asset, browser: Client, clean_redis: Any) -> None:
    show(clean_redis, press.sensors.get(key="temp"), 51.26)
    silent = {"silent": [press.code], "silent_name": "Gateway", "silent_since": timezone.now().isoformat()}
    Alarm.objects.create(
        asset=press, rule_name="No data", tag="", asset_code=press.code, priority=2, state="B", active=True,
        raised=timezone.now(), message="No data", frozen=silent,
    )  # fmt: skip
    assert values(tip(browser))[0] == ("Temp", "–", "val bad stale", "no data")


def test_the_values_are_of_the_moment_that_is_looked_at(press: Asset, browser: Client, clean_redis: Any) -> None:
    temp = press.sensors.get(key="temp")
    show(clean_redis, temp, 99.0)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    us = int(at.timestamp() * 1e6)
    append([(temp.pk, us - 1_000_000, 42.0, 0, False), (temp.pk, us + 1_000_000, 43.0, 0, False)])
    assert values(tip(browser, f"{ADDRESS}&at={at:%Y-%m-%dT%H:%M:%SZ}"))[0] == ("Temp", "42.0", "val", "")


def told(press: Asset, *readings: tuple[float, float]) -> int:
    """Writes the state's history, (minutes ago, value). Gives: now, in s since the epoch."""
    state = press.sensors.get(key="state")
    now = int(time.time())
    append([(state.pk, int((now - ago * 60) * 1e6), value, 0, False) for ago, value in readings])
    return now


def test_the_tip_says_since_when_the_state_has_lasted(press: Asset, browser: Client) -> None:
    browser.cookies["language"] = "de"  # which writes numbers otherwise
    now = told(press, *((ago, 2.0) for ago in range(200, 134, -1)), *((ago, 1.0) for ago in range(134, -1, -1)))
    assert f'data-kind="running" data-since="{now - 134 * 60}">' in tip(browser)


def test_a_state_that_was_so_before_anything_is_known_has_lasted_longer(press: Asset, browser: Client) -> None:
    now = told(press, *((ago, 1.0) for ago in range(134, -1, -1)))
    assert f'data-kind="running" data-since="{now - 134 * 60}" data-longer>' in tip(browser)


def test_a_state_of_more_than_a_day_has_no_beginning(press: Asset, browser: Client) -> None:
    told(press, *((ago, 1.0) for ago in range(1440, -1, -1)))
    assert 'data-kind="running" data-longer>' in tip(browser)


def test_without_a_state_nothing_is_said_of_it(browser: Client) -> None:
    factories.plant(machines=1)
    text = tip(browser)
    assert "<div data-tip>" in text
    assert "No figures" in text


def test_a_machine_that_is_not_there_has_no_tip_and_a_stranger_is_sent_to_the_door(
    press: Asset, browser: Client, client: Client
) -> None:
    assert browser.get("/a/hall/line-1/no-such/?tip").status_code == 404
    assert Client().get(ADDRESS).status_code == Client().get("/").status_code == 302


def test_the_tip_costs_the_same_number_of_queries_in_a_large_plant_with_many_sensors(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    def queries() -> list[str]:
        tip(browser)
        with CaptureQueriesContext(connection) as captured:
            tip(browser)
        return [query["sql"][:160] for query in captured.captured_queries]

    raise_alarm(press)
    few = queries()
    Asset.objects.bulk_create(
        Asset(code=f"more-{n}", name=f"More {n}", level="machine", parent=press.parent) for n in range(300)
    )
    Sensor.objects.bulk_create(
        Sensor(asset=one, key=f"more-{n}", name=f"More {n}", interval=1.0)
        for one in Asset.objects.filter(level="machine")
        for n in range(20)
    )
    for sensor in press.sensors.filter(key__in=("more-1", "more-2")):
        factories.rule(press, f"{sensor.name} high", sensor_key=sensor.key)
    services.bump("plant")
    many = queries()
    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= BUDGET, "\n".join(many)
