"""The value that an alarm was raised with never looks like the present one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.html import strip_tags

from alerts.models import Alarm
from devices.models import Asset

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
