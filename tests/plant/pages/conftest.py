"""Fixtures of the pages: a signed-in browser and a plant that no other test has left behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts.models import Alarm, Rule, State
from devices.models import Asset
from tests import factories


@pytest.fixture(autouse=True)
def no_plant_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets the tree: a rolled-back test leaves its revision number behind for the next."""
    monkeypatch.setattr("devices.topology._current", None)
    monkeypatch.setattr("plant.pages.tree._current", None)
    monkeypatch.setattr("plant.pages.finding._plant", None)
    monkeypatch.setattr("plant.pages.finding._rules", None)


@pytest.fixture
def browser(client: Client, db: None, clean_redis: Any) -> Client:
    """Gives an operator's browser."""
    client.force_login(factories.operator())
    return client


@pytest.fixture
def press(browser: Client) -> Asset:
    """Gives a machine with a temperature sensor and a rule."""
    machine = factories.plant(machines=1)[0]
    factories.sensor(machine)
    factories.rule(machine)
    return machine


@pytest.fixture
def raise_alarm() -> Callable[..., Alarm]:
    """Gives a function that writes a standing alarm of an asset, as the drain would."""

    def write(asset: Asset, *, minutes: float = 5.0, **fields: Any) -> Alarm:
        rule = fields.pop("rule", None) or Rule.objects.filter(asset=asset, alarms=None).first()
        values: dict[str, Any] = {
            "rule": rule, "sensor": asset.sensors.first(), "asset": asset, "rule_name": "Temperature high",
            "tag": f"{asset.code}/temp", "asset_code": asset.code, "priority": 2, "state": State.UNACKED,
            "raised": timezone.now() - timedelta(minutes=minutes), "value": 91.5, "limit": 90.0, "unit": "degC",
            "message": "Temperature high", **fields,
        }  # fmt: skip
        return Alarm.objects.create(**values)

    return write
