"""Changes of the plant model: the only way in which assets, types, sensors and sources are written.

Every verb owns its transaction, or joins `change()` around several; what follows from it (copies of a type's sensors
and rules, shards, routes, revisions) is settled at the end of the outermost. All raise ValidationError to refuse, in
words.
"""

from collections.abc import Mapping
from typing import Any

from devices.changes import SENSORS, bump, change, ensure_shards, shard_of
from devices.checks import (
    LOCATION,
    MEASUREMENT,
    Problem,
    check_asset_data,
    check_code,
    check_location,
    check_measurement,
    check_source,
    check_text,
    refuse,
)
from devices.intake.tokens import hash_token, hint, new_token
from devices.labels import label_key
from devices.models import Asset, AssetType, Level, Sensor, Source, TypeSensor
from devices.units import code as unit_code

__all__ = [
    "bump",
    "change",
    "create_asset",
    "create_asset_type",
    "create_sensor",
    "create_source",
    "create_type_sensor",
    "delete_asset",
    "delete_asset_type",
    "delete_sensor",
    "delete_source",
    "delete_type_sensor",
    "ensure_shards",
    "move_asset",
    "rotate_token",
    "update_asset",
    "update_asset_type",
    "update_sensor",
    "update_source",
    "update_type_sensor",
]

ASSET_DATA = ("manufacturer", "serial", "installed", "attributes")

# --- Assets --------------------------------------------------------------------------------------------------------


def create_asset(
    *,
    code: str,
    name: str,
    level: str,
    parent: Asset | None = None,
    type: AssetType | None = None,
    description: str = "",
    position: int = 0,
    latitude: float | None = None,
    longitude: float | None = None,
    plan_x: float | None = None,
    plan_y: float | None = None,
    **data: Any,
) -> Asset:
    """Puts an asset into the tree; the sensors and rules of its type come with it.

    Takes: where it stands on the map, in degrees (WGS 84) or in metres on the site plan, if that is known; and of it
    beside: manufacturer, serial, installed (a date), attributes (words with values).
    """
    if unknown := sorted(set(data) - set(ASSET_DATA)):
        raise TypeError(f"an asset has no {', '.join(unknown)}")
    asset = Asset(
        code=code, name=name, level=level, parent=parent, type=type, description=description, position=position,
        latitude=latitude, longitude=longitude, plan_x=plan_x, plan_y=plan_y, **data,
    )  # fmt: skip
    with change() as pending:
        refuse(check_asset(asset))
        if Asset.objects.filter(code=code).exists():
            refuse([Problem("code", f"there is an asset {code} already.")])
        asset.shard = shard_of(code, ensure_shards())
        asset.save()
        pending.assets.add(asset.pk)
        pending.places.add(asset.pk)
        pending.revisions.add("plant")
    asset.refresh_from_db(fields=["shard"])
    return asset


def update_asset(*, asset: Asset, **changes: Any) -> Asset:
    """Changes an asset: name, level, parent, type, description, position, where it stands, what is known of it beside.

    Its code stays: senders and rules use it.
    """
    with change() as pending:
        touched = _apply(asset, changes, fixed={"code": "senders and rules call the asset by it"})
        if not touched:
            return asset
        refuse(check_asset(asset))
        asset.save()
        pending.revisions.add("plant")
        if touched & {"parent", "level"}:
            pending.places.add(asset.pk)
        if "type" in touched:
            pending.assets.add(asset.pk)
    asset.refresh_from_db(fields=["shard"])
    return asset


def move_asset(*, asset: Asset, parent: Asset | None, position: int | None = None) -> Asset:
    """Puts an asset, with all below it, under another."""
    changes: dict[str, Any] = {"parent": parent}
    if position is not None:
        changes["position"] = position
    return update_asset(asset=asset, **changes)


def delete_asset(*, asset: Asset) -> None:
    """Takes an asset and all below it out of the plant, with their sensors, rules and stored readings."""
    with change() as pending:
        gone = list(Asset.objects.descendants(asset, include_self=True).values_list("id", flat=True))
        sources = Source.objects.filter(scope__in=gone).values_list("name", flat=True)
        if sources:
            words = f"{asset} is the scope of {', '.join(sources)}: give these sources another scope first."
            refuse([Problem("__all__", words)])
        Asset.objects.filter(pk__in=gone).delete()
        pending.marks.setdefault("gone", set()).update(gone)
        pending.revisions.add("plant")


def check_asset(asset: Asset) -> list[Problem]:
    """Gives what is wrong with an asset's own fields; its place in the tree is checked when the change settles."""
    problems = [
        *check_code("code", asset.code),
        *check_text("name", asset.name, 120, needed=True),
        *check_text("description", asset.description, 10_000),
        *check_asset_data(asset.manufacturer, asset.serial, asset.installed, asset.attributes),
    ]
    if not asset.level:
        problems.append(Problem("level", f"level is missing: one of {', '.join(Level.values)}."))
    elif asset.level not in Level.values:
        problems.append(Problem("level", f"unknown level {asset.level!r}; it is one of {', '.join(Level.values)}."))
    if not isinstance(asset.position, int) or not 0 <= asset.position <= 1_000_000:
        problems.append(Problem("position", "position is a whole number from 0 to 1000000."))
    return problems + check_location({field: getattr(asset, field) for field in LOCATION})


# --- Types ---------------------------------------------------------------------------------------------------------


def create_asset_type(*, code: str, name: str, description: str = "", retention_days: int | None = None) -> AssetType:
    """Describes a kind of equipment."""
    kind = AssetType(code=code, name=name, description=description, retention_days=retention_days)
    with change() as pending:
        refuse(check_asset_type(kind))
        if AssetType.objects.filter(code=code).exists():
            refuse([Problem("code", f"there is an asset type {code} already.")])
        kind.save()
        pending.revisions.add("plant")
    return kind


def update_asset_type(*, type: AssetType, **changes: Any) -> AssetType:
    """Changes a type: name, description, retention_days."""
    with change() as pending:
        if _apply(type, changes, fixed={"code": "plant.yaml calls the type by it"}):
            refuse(check_asset_type(type))
            type.save()
            pending.revisions.add("plant")
    return type


def delete_asset_type(*, type: AssetType) -> None:
    """Takes a type away that no asset is of."""
    with change() as pending:
        users = list(type.assets.values_list("code", flat=True)[:4])
        if users:
            some = ", ".join(users[:3]) + (" and others" if len(users) > 3 else "")
            refuse([Problem("__all__", f"{some} are of type {type.code}: give them another type first.")])
        AssetType.objects.filter(pk=type.pk).delete()
        pending.revisions.add("plant")


def check_asset_type(type: AssetType) -> list[Problem]:
    """Gives what is wrong with a type's own fields."""
    problems = [
        *check_code("code", type.code),
        *check_text("name", type.name, 120, needed=True),
        *check_text("description", type.description, 10_000),
    ]
    days = type.retention_days
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 36_500):
        problems.append(Problem("retention_days", f"retention_days is a whole number from 1 to 36500, not {days!r}."))
    return problems


def create_type_sensor(*, type: AssetType, key: str, name: str, **fields: Any) -> TypeSensor:
    """Gives a type a sensor; every asset of the type gets it."""
    sensor: TypeSensor
    with change() as pending:
        sensor = _new_sensor(TypeSensor, {"type": type}, key=key, name=name, **fields)
        pending.types.add(type.pk)
    return sensor


def update_type_sensor(*, sensor: TypeSensor, **changes: Any) -> TypeSensor:
    """Changes a type's sensor, and with it every copy that does not override the field."""
    with change() as pending:
        touched = _apply(sensor, tidy(changes), fixed={"key": "senders and rules call the sensor by it"})
        if touched:
            refuse(check_measurement(values_of(sensor)))
            sensor.save()
            pending.types.add(sensor.type_id)
            pending.revisions.add("plant")
            if "interval" in touched:
                pending.intervals.update(sensor.copies.values_list("id", flat=True))
    return sensor


def delete_type_sensor(*, sensor: TypeSensor) -> None:
    """Takes a sensor from a type and from its assets, with their readings; an asset that overrides it keeps its own."""
    with change() as pending:
        pending.assets.update(SENSORS.release([sensor]))
        pending.types.add(sensor.type_id)
        pending.revisions.add("plant")
        TypeSensor.objects.filter(pk=sensor.pk).delete()


# --- Sensors -------------------------------------------------------------------------------------------------------


def create_sensor(*, asset: Asset, key: str, name: str, **fields: Any) -> Sensor:
    """Gives an asset a sensor of its own."""
    sensor: Sensor
    with change() as pending:
        sensor = _new_sensor(Sensor, {"asset": asset}, key=key, name=name, **fields)
        pending.assets.add(asset.pk)
        pending.revisions.add("plant")
    return sensor


def update_sensor(*, sensor: Sensor, **changes: Any) -> Sensor:
    """Changes a sensor; one that comes with the asset's type overrides it in the fields that differ."""
    with change() as pending:
        changes = tidy(changes)
        if changes.pop("key", sensor.key) != sensor.key:
            refuse([Problem("key", "the key stays: senders and rules call the sensor by it.")])
        touched = SENSORS.override(sensor, sensor.origin, changes)
        if touched:
            refuse(check_measurement(values_of(sensor)))
            sensor.save()
            pending.assets.add(sensor.asset_id)
            pending.revisions.add("plant")
            if "interval" in touched:
                pending.intervals.add(sensor.pk)
    return sensor


def delete_sensor(*, sensor: Sensor) -> None:
    """Takes a sensor of the asset's own away, with its stored readings."""
    with change() as pending:
        if sensor.origin_id:
            words = f"{sensor.key} comes with the type {sensor.asset.type}: take it from the type."
            refuse([Problem("__all__", words)])
        pending.assets.add(sensor.asset_id)
        pending.revisions.add("plant")
        Sensor.objects.filter(pk=sensor.pk).delete()


def tidy(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a sensor's fields in canonical form: the unit's code, labels with text keys, numbers as floats."""
    values = dict(fields)
    for field in ("range_low", "range_high", "normal_low", "normal_high", "interval"):
        if isinstance(values.get(field), int) and not isinstance(values[field], bool):
            values[field] = float(values[field])
    if isinstance(values.get("unit"), str):
        values["unit"] = unit_code(values["unit"])
    if isinstance(values.get("labels"), Mapping):
        values["labels"] = {_label(key): word for key, word in values["labels"].items()}
    return values


def _label(key: object) -> str:
    try:
        return label_key(key)
    except (TypeError, ValueError, OverflowError):
        return str(key)  # check_measurement will say what is wrong with it


def values_of(sensor: Sensor | TypeSensor) -> dict[str, Any]:
    """Gives a sensor's fields beside its key."""
    return {field: getattr(sensor, field) for field in MEASUREMENT}


def _new_sensor(model: Any, owner: Mapping[str, Any], *, key: str, **fields: Any) -> Any:
    if unknown := sorted(set(fields) - set(MEASUREMENT)):
        raise TypeError(f"a sensor has no {', '.join(unknown)}")
    sensor = model(**owner, key=key, **tidy(fields))
    refuse([*check_code("key", key), *check_measurement(values_of(sensor))])
    if model.objects.filter(**owner, key=key).exists():
        refuse([Problem("key", f"there is a sensor {key} already.")])
    sensor.save()
    return sensor


# --- Sources -------------------------------------------------------------------------------------------------------


def create_source(
    *, name: str, scope: Asset, enabled: bool = True, silent_after: float | None = None, priority: int = 2
) -> tuple[Source, str]:
    """Admits a data source below an asset. Gives: the source and its token, which is kept only as a hash."""
    with change() as pending:
        refuse([*check_code("name", name), *check_source(silent_after)])
        if Source.objects.filter(name=name).exists():
            refuse([Problem("name", f"there is a source {name} already.")])
        source = Source(name=name, scope=scope, enabled=enabled, silent_after=silent_after, priority=priority)
        token = _give_token(source)
        source.save()
        pending.revisions.add("plant")
    return source, token


def update_source(*, source: Source, **changes: Any) -> Source:
    """Changes a source: scope, enabled, what is said of its silence."""
    with change() as pending:
        refuse(check_source(changes.get("silent_after", source.silent_after)))
        if _apply(source, changes, fixed={"name": "plant.yaml calls the source by it"}):
            source.save()
            pending.revisions.add("plant")
    return source


def rotate_token(*, source: Source) -> str:
    """Gives a source a new token; the old one ends at once. Gives: the token, once."""
    with change() as pending:
        token = _give_token(source)
        source.save()
        pending.revisions.add("plant")
    return token


def delete_source(*, source: Source) -> None:
    """Ends a source and its token."""
    with change() as pending:
        Source.objects.filter(pk=source.pk).delete()
        pending.revisions.add("plant")


def _give_token(source: Source) -> str:
    token: str = new_token()
    source.token_hash, source.token_hint = hash_token(token), hint(token)
    return token


def _apply(row: Any, changes: Mapping[str, Any], *, fixed: Mapping[str, str]) -> set[str]:
    """Sets fields in memory. Gives: those that changed. Raises: ValidationError for one that stays as it is."""
    touched = {field for field, value in changes.items() if getattr(row, field) != value}
    refuse([Problem(field, f"the {field} stays: {fixed[field]}.") for field in sorted(touched & set(fixed))])
    for field in touched:
        setattr(row, field, changes[field])
    return touched
