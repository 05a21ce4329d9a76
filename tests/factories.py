"""Plain makers of plant, rules and people; a fixed cast, nothing random."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User

from alerts import rules
from alerts.models import Priority, Rule
from devices import services
from devices.changes import change
from devices.models import Asset, AssetType, Level, Sensor


def plant(*, lines: int = 1, machines: int = 2) -> list[Asset]:
    """Makes site works, area hall, `lines` lines and `machines` machines on each; gives the machines."""
    services.ensure_shards()
    with change():  # what follows from them is worked out once
        return _plant(lines, machines)


def _plant(lines: int, machines: int) -> list[Asset]:
    site = services.create_asset(code="works", name="Works", level=Level.SITE)
    area = services.create_asset(code="hall", name="Hall", level=Level.AREA, parent=site)
    made = []
    for line in range(1, lines + 1):
        above = services.create_asset(code=f"line-{line}", name=f"Line {line}", level=Level.LINE, parent=area)
        for number in range(1, machines + 1):
            code = f"press-{line}-{number}"
            made.append(
                services.create_asset(code=code, name=f"Press {line}.{number}", level=Level.MACHINE, parent=above)
            )
    return made


def sensor(asset: Asset, key: str = "temp", **fields: Any) -> Sensor:
    """Makes a temperature sensor, 0 to 150 °C, one reading a second unless `fields` says otherwise."""
    values: dict[str, Any] = {
        "name": key.replace("-", " ").capitalize(), "quantity": "temperature", "unit": "degC",
        "range_low": 0.0, "range_high": 150.0, "interval": 1.0, **fields,
    }  # fmt: skip
    return services.create_sensor(asset=asset, key=key, **values)


def rule(asset: Asset, name: str = "Temperature high", **fields: Any) -> Rule:
    """Makes a high rule at 90 on `temp`, critical, without delays unless `fields` says otherwise."""
    values: dict[str, Any] = {"kind": "high", "sensor_key": "temp", "limit": 90.0, "priority": Priority.CRITICAL}
    if "kind" in fields and fields["kind"] not in ("high", "low", "rate_high", "rate_low", "deviation"):
        values.pop("limit")
    if fields.get("kind") == "expression":
        values.pop("sensor_key")
    values.update(fields)
    return rules.create_rule(asset=asset, name=name, **values)


def asset_type(code: str = "pump", name: str = "Pump", **fields: Any) -> AssetType:
    """Makes an asset type without sensors."""
    return services.create_asset_type(code=code, name=name, **fields)


def _person(username: str, *permissions: str, **fields: Any) -> User:
    user = User.objects.create_user(username, f"{username}@works.example", "a long enough password", **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def operator(username: str = "operator") -> User:
    """Makes somebody who may acknowledge, shelve, reset, silence and annotate."""
    permissions = ("alerts.acknowledge_alarm", "alerts.shelve_alarm", "devices.add_annotation")
    return _person(username, *permissions, first_name="Olga", last_name="Operator")


def fitter(username: str = "fitter") -> User:
    """Makes somebody who may take alarms out of service and return them."""
    return _person(username, "alerts.acknowledge_alarm", "alerts.service_alarm", first_name="Fritz", last_name="Fitter")


def engineer(username: str = "engineer") -> User:
    """Makes somebody who may change the plant model in the admin."""
    user = _person(username, "alerts.acknowledge_alarm", is_staff=True, first_name="Emil", last_name="Engineer")
    user.groups.add(*Group.objects.filter(name="engineer"))
    return user


def viewer(username: str = "viewer") -> User:
    """Makes somebody who may look."""
    return _person(username, first_name="Vera", last_name="Viewer")
