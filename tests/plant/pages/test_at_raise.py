"""The value that an alarm was raised with never looks like the present one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.html import strip_tags

from alerts.models import Alarm
from devices.models import Asset
from tests import factories

MACHINE = "/a/hall/line-1/press-1-1/"


def words(browser: Client, address: str, begins: str, ends: str) -> str:
    """Gives what a part of a page says."""
    page = browser.get(address).content.decode()
    start = page.index(begins)
    text = strip_tags(page[start : page.index(ends, start)].partition(">")[2]).replace("\xa0", " ")
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("address", "begins", "ends", "said"),
    [
        ("/", 'id="attention"', "</section>", "Temperature high, was 91.5 °C, limit 90.0"),
        (MACHINE, 'id="mine"', "</ul>", "was 91.5 °C, limit 90.0, 5:0"),
        (MACHINE, 'id="why"', "</section>", "At raise91.5 °C, limit 90.0"),
        ("/rules/", 'class="reading"', "</a>", "was 91.5 °Climit 90.0"),
        ("/rules/", "muted short", "</a>", "press-1-1, was 91.5 °C"),
        ("/alarms/", "<thead", "</thead>", "MessageAt raiseLimit"),
        ("/alarms/", '<small class="short"', "</small>", "press-1-1, was 91.5 °C (≥ 90.0), 5:0"),
    ],
)
def test_the_value_at_the_raise_is_told_as_that(
    browser: Client,
    press: Asset,
    raise_alarm: Callable[..., Alarm],
    address: str,
    begins: str,
    ends: str,
    said: str,
) -> None:
    raise_alarm(press, frozen={"kind": "high", "limit": 90.0})
    assert said in words(browser, address, begins, ends)


@pytest.mark.parametrize(
    ("address", "begins", "ends", "said"),
    [
        ("/", 'id="attention"', "</section>", "Pump fault "),
        (MACHINE, 'id="mine"', "</ul>", "Pump fault"),
        ("/rules/", 'id="banner"', "</form>", "Pump fault"),
        ("/rules/", "muted short", "</a>", "press-1-1"),
        ("/alarms/", '<small class="short"', "</small>", "press-1-1, 5:0"),
    ],
)
def test_of_a_fault_that_is_fault_neither_value_nor_limit_is_told(
    browser: Client,
    press: Asset,
    raise_alarm: Callable[..., Alarm],
    address: str,
    begins: str,
    ends: str,
    said: str,
) -> None:
    labels = {"0": "stopped", "3": "fault"}
    state = factories.sensor(press, "state", quantity="state", unit="", labels=labels)
    frozen = {"kind": "equals", "value": 3.0}
    alarm = raise_alarm(press, sensor=state, value=3.0, limit=3.0, unit="", message="Pump fault", frozen=frozen)
    shown = words(browser, address, begins, ends)
    assert said in shown
    assert "was" not in shown and "limit" not in shown and ", fault" not in shown
    detail = words(browser, f"/alarms/{alarm.pk}/?fragment=1", "Why it fired", "</div>")
    assert detail.endswith(": equal to fault.")


def test_a_word_that_differs_is_told_without_a_gap(
    browser: Client, press: Asset, raise_alarm: Callable[..., Alarm]
) -> None:
    state = factories.sensor(press, "state", quantity="state", unit="", labels={"0": "stopped", "1": "running"})
    frozen = {"kind": "not_equals", "value": 1.0}
    alarm = raise_alarm(press, sensor=state, value=0.0, limit=1.0, unit="", message="Not running", frozen=frozen)
    detail = words(browser, f"/alarms/{alarm.pk}/?fragment=1", "Why it fired", "</div>")
    assert detail.endswith(": different from running. It was stopped.")
    assert "Not running, was stopped, limit running" in words(browser, "/", 'id="attention"', "</section>")
