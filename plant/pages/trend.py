"""What the pages' scripts need to draw a sensor's trend."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from alerts.instants import to_us
from alerts.limits import limits_of as limits_in
from alerts.models import Alarm, Rule
from alerts.wiring import values_of
from devices.models import Sensor
from plant import writing


def trend_of(sensor: Sensor, limits: list[dict[str, Any]]) -> dict[str, Any]:
    """Gives a sensor's trend without its readings, which the script fetches. Cost: none when the asset is loaded."""
    return {
        "tag": sensor.tag,
        "name": sensor.name,
        "unit": writing.unit(sensor.unit),
        "decimals": writing.decimals_for(sensor.range_low, sensor.range_high, sensor.decimals),
        "interval": sensor.interval,
        "labels": sensor.labels,
        "history": reverse("api:get_history", kwargs={"code": sensor.asset.code, "key": sensor.key}),
        "normal": sensor.normal,
        "limits": limits,
    }


def explorer(tags: Iterable[str], start: datetime, end: datetime | None, now: datetime) -> str:
    """Gives the address of the trend explorer for some sensors and a time; without an end it follows the present."""
    if end is None or end >= now:
        span = [("t", f"{max(1, ceil((now - start) / timedelta(hours=1)))}h")]
    else:
        moments = (("from", start), ("to", end))
        span = [(name, f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}") for name, moment in moments]
    query = urlencode([*(("s", tag) for tag in tags), *span], safe="/:")
    return f"{reverse('trends')}?{query}"


def limits_of(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Gives the lines that rules draw into a trend."""
    return [
        {"value": value, "priority": rule.priority, "name": rule.name}
        for rule in rules
        for value in limits_in(values_of(rule)).values()
    ]


def limits_when_raised(alarm: Alarm) -> list[dict[str, Any]]:
    """Gives the lines of an alarm's rule as it was when the alarm was raised."""
    levels = limits_in(alarm.frozen).values()
    return [{"value": value, "priority": alarm.priority, "name": alarm.rule_name} for value in levels]


def mark_of(alarm: Alarm) -> dict[str, Any]:
    """Gives an alarm's mark in a trend."""
    return {"id": alarm.pk, "time": to_us(alarm.raised) / 1e6, "priority": alarm.priority, "message": alarm.message}


def return_of(alarm: Alarm) -> dict[str, Any]:
    """Gives the mark of an alarm's return to normal."""
    assert alarm.cleared is not None
    return {**mark_of(alarm), "time": to_us(alarm.cleared) / 1e6, "over": True}
