"""An alarm that has returned to normal says so wherever it is listed, and its time stands still."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts.models import Alarm, JournalEntry, State, Suppression
from devices.models import Asset

MACHINE = "/a/hall/line-1/press-1-1/"
SINCE = re.compile(r'data-since="[^"]*"')


@pytest.fixture
def cleared(press: Asset, raise_alarm: Callable[..., Alarm]) -> Alarm:
    """Gives an alarm that cleared after 4:42, twenty minutes ago, and that nobody has acknowledged."""
    alarm = raise_alarm(press, minutes=25, state=State.RETURNED)
    alarm.cleared = alarm.raised + timedelta(minutes=4, seconds=42)
    alarm.save()
    return alarm


def part(browser: Client, address: str, begins: str, ends: str) -> str:
    page = browser.get(address).content.decode()
    start = page.index(begins)
    return page[start : page.index(ends, start)]


@pytest.mark.parametrize(
    ("address", "begins", "ends", "words"),
    [
        ("/", 'id="attention"', "</section>", "cleared after 4:42"),
        (MACHINE, 'id="mine"', "</ul>", "cleared after 4:42"),
        (MACHINE, 'id="why"', "</section>", "cleared after 4:42"),
        ("/rules/", 'id="banner"', "</form>", '<b class="cleared">cleared</b>'),
    ],
)
def test_a_cleared_alarm_says_so_and_counts_no_further(
    browser: Client, cleared: Alarm, address: str, begins: str, ends: str, words: str
) -> None:
    shown = part(browser, address, begins, ends)
    assert words in shown
    assert SINCE.findall(shown) == []


def test_the_line_of_an_area_says_it_too(browser: Client, cleared: Alarm) -> None:
    assert "press-1-1 Temperature high (cleared)" in part(browser, "/a/hall/", "data-told>", "<")


@pytest.mark.parametrize(
    ("address", "begins", "ends"),
    [("/", 'id="attention"', "</section>"), (MACHINE, 'id="mine"', "</ul>"), ("/rules/", 'id="banner"', "</form>")],
)
def test_one_that_stands_counts_on(
    browser: Client, press: Asset, raise_alarm: Callable[..., Any], address: str, begins: str, ends: str
) -> None:
    raise_alarm(press)
    shown = part(browser, address, begins, ends)
    assert "cleared</b>" not in shown and "cleared after" not in shown
    assert len(SINCE.findall(shown)) == 1


def test_where_none_is_open_it_is_said_since_when_and_what_else_there_is(
    browser: Client, press: Asset, raise_alarm: Callable[..., Any]
) -> None:
    for address in ("/", "/alarms/"):
        assert "<p>No alarm has cleared yet.</p>" in browser.get(address).content.decode()
    at = timezone.localtime(timezone.now() - timedelta(seconds=3))
    for number, event in enumerate(("raise", "clear", "comment"), start=1):
        JournalEntry.objects.create(id=number, time=at, recorded=at, event=event, from_state="B", to_state="A")
    rule = press.rules.get()
    Suppression.objects.create(rule=rule, switches=["shelved"], shelved_at=at, shelve_reason="Work")
    for address in ("/", "/alarms/"):
        text = browser.get(address).content.decode()
        assert f"<p>The last one cleared at {at:%H:%M:%S}. Shelved: 1.</p>" in text
