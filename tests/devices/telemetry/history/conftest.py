"""Sensors to keep readings of, and a layout so small that few readings go through all its levels."""

from __future__ import annotations

import pytest

from devices.models import Asset, AssetType, Level, Sensor
from devices.telemetry.history import layout


@pytest.fixture
def sensors(db) -> list[Sensor]:
    """Gives three sensors of one machine, one reading a second."""
    machine = Asset.objects.create(
        code="press", name="Press", level=Level.MACHINE, type=AssetType.objects.create(code="press", name="Press")
    )
    return [
        Sensor.objects.create(asset=machine, key=f"s{n}", name=f"S{n}", unit="degC", interval=1.0) for n in range(3)
    ]


@pytest.fixture
def small_layout(monkeypatch) -> None:
    """Four readings fill a chunk, three chunks one of the next level; none holds more than 40."""
    monkeypatch.setattr(layout, "ENOUGH", 4)
    monkeypatch.setattr(layout, "FAN", 3)
    monkeypatch.setattr(layout, "MOST_READINGS", 40)
