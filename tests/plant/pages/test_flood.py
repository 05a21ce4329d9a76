"""The console in a flood: a few causes with counts; nothing is dropped, the highest priority stands alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts.flood.counter import interval_of
from alerts.models import Alarm, FloodLoad
from tests import factories

RaiseAlarm = Callable[..., Alarm]


@pytest.fixture
def flooded(browser: Client, raise_alarm: RaiseAlarm) -> Client:
    """Two lines with forty alarms each, one of them critical, in a flood of no position's."""
    for place, machine in enumerate(factories.plant(lines=2, machines=2)):
        factories.sensor(machine)
        for number in range(20):
            rule = factories.rule(machine, f"Rule {number}", limit=50.0 + number)
            raise_alarm(
                machine, rule=rule, rule_name=rule.name, message=rule.name, priority=1 if place + number == 0 else 3,
                minutes=5 - number * 0.1 - place * 0.01,
            )  # fmt: skip
    FloodLoad.objects.create(position="", interval=interval_of(timezone.now().timestamp()), count=80,
                             since=interval_of(timezone.now().timestamp()))  # fmt: skip
    return browser


def rows(page: str) -> list[tuple[bool, str]]:
    """Gives of each row whether it stands under another, and the words of its button."""
    found = re.findall(r"<tr class=\"click[^\"]*\"( data-under=\"\d+\")? data-alarm.*?</tr>", page, re.S)
    parts = page.split('<tr class="click')[1:]
    words = [re.search(r'data-act="cause"[^>]*>([^<]*)<', part) for part in parts]
    return [(bool(under), word.group(1) if word else "") for under, word in zip(found, words, strict=True)]


def test_alarms_stand_under_their_causes_and_none_is_dropped(flooded: Any) -> None:
    heads = [(False, ""), (False, "and 38 more"), (False, "and 39 more")]
    assert rows(flooded.get("/alarms/?fragment").content.decode()) == heads
    # What stands under a cause is written for whoever asks for it: as a page, or alone.
    cause = re.search(r'data-cause="(\d+)"', flooded.get("/alarms/").content.decode())
    assert cause is not None
    unfolded = rows(flooded.get(f"/alarms/?cause={cause.group(1)}").content.decode())
    assert [row for row in unfolded if not row[0]] == heads and len(unfolded) == 3 + 38
    alone = rows(flooded.get(f"/alarms/?fragment=consequences&cause={cause.group(1)}").content.decode())
    assert len(alone) == 38 and all(under for under, _ in alone)
    assert rows(flooded.get("/alarms/?fragment=consequences&cause=0").content.decode()) == []


def test_list_is_flat_when_that_is_asked_for_or_no_flood_lasts(flooded: Any) -> None:
    assert not any(under for under, _ in rows(flooded.get("/alarms/?fragment&flat=1").content.decode()))
    FloodLoad.objects.update(since=None)
    assert not any(under for under, _ in rows(flooded.get("/alarms/?fragment").content.decode()))


def test_every_page_announces_the_flood(flooded: Any) -> None:
    for address in ("/", "/alarms/", "/a/hall/line-1/press-1-1/"):
        page = flooded.get(address).content.decode()
        assert re.search(r'id="floods" data-positions=",">', page)
        assert "Works: 80 alarms since" in page
    FloodLoad.objects.update(since=None)
    assert 'id="floods" data-positions="" hidden' in flooded.get("/").content.decode()
