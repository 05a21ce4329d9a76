"""The console in a flood: a few causes with counts; nothing is dropped, the highest priority stands alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts.flood.counter import interval_of
from alerts.models import Alarm, FloodLoad
from plant import journal_tail
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


def indicator(browser: Any) -> str:
    page = browser.get("/").content.decode()
    return page[page.index('<div class="flood') : page.index('<form class="horn"')]


def test_the_indicator_counts_what_decides_on_a_flood_and_says_so(browser: Client, raise_alarm: RaiseAlarm) -> None:
    press = factories.plant(machines=1)[0]
    # Of two intervals and three positions: no flood, though the last ten minutes had more than ten.
    for number in range(16):
        raise_alarm(press, minutes=number / 2)
    present = interval_of(timezone.now().timestamp())
    since = timezone.localtime(datetime.fromtimestamp(present * 600, UTC)).strftime("%H:%M")
    for position, count in (("desk-1", 8), ("desk-2", 3)):
        FloodLoad.objects.create(position=position, interval=present, count=count)
    FloodLoad.objects.create(position="desk-3", interval=present - 1, count=9)  # of the interval that is over
    drawn = indicator(browser)
    assert 'class="flood"' in drawn and f'aria-label="8 alarms since {since}, flood from 11"' in drawn
    assert f'<b>8</b> <span class="since">since {since}</span>' in drawn and drawn.count('class="on"') == 8
    assert "From 11 in one interval it is a flood" in drawn and "the whole plant got 16." in drawn
    # A flood lasts through an interval of fewer, and is said as long as it does.
    FloodLoad.objects.filter(position="desk-1").update(count=2, since=present - 1, before=20)
    drawn = indicator(browser)
    assert 'class="flood is-flood"' in drawn and "FLOOD 22 alarms" in drawn
    assert 'aria-label="Alarm flood, 22 alarms so far"' in drawn


def test_the_beat_tells_what_the_indicator_counts(browser: Client) -> None:
    present = interval_of(timezone.now().timestamp())
    assert journal_tail.load() == {"floods": [], "counted": [present * 600_000, 0]}
    FloodLoad.objects.create(position="", interval=present, count=4)
    assert journal_tail.load()["counted"] == [present * 600_000, 4]


def test_every_page_announces_the_flood(flooded: Any) -> None:
    for address in ("/", "/alarms/", "/a/hall/line-1/press-1-1/"):
        page = flooded.get(address).content.decode()
        assert re.search(r'id="floods" data-positions=",">', page)
        assert "Works: 80 alarms since" in page
    FloodLoad.objects.update(since=None)
    assert 'id="floods" data-positions="" hidden' in flooded.get("/").content.decode()
