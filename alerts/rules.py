"""Changes of rules, and what the engine and alarms are given of them.

A rule belongs to an asset and reads its sensors; a type's rule is handed down to every asset of the type. Services own
their transaction or join `devices.services.change()`; all raise ValidationError to refuse, in words.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings

from alerts import by_design
from alerts.catalogue import known
from alerts.checks import CONDITION, DEFAULTS, EXPLAINED, Facts, as_number, check_named, check_rule, reads
from alerts.engine.rules import Kind as EngineKind
from alerts.engine.rules import RuleSpec, seconds
from alerts.models import AlarmClass, Priority, Rule, RuleInput, TypeRule
from alerts.wiring import RULES, facts_for, points, values_of
from devices.changes import change
from devices.checks import Problem, check_text, number, refuse
from devices.models import Asset, AssetType, Sensor
from devices.records import LONGEST_REASON, because

_FLOATS = (
    "limit", "deadband", "low", "high", "value", "window", "per", "timeout", "duration", "tolerance", "on_delay",
    "off_delay", "time_to_respond", "realarm", "longest_shelving",
)  # fmt: skip


def create_rule(*, asset: Asset, name: str, kind: str, reason: str = "", **fields: Any) -> Rule:
    """Gives an asset a rule of its own. Takes: the sensor as `sensor_key`, a key of the asset; durations in seconds."""
    with change() as pending, because(reason):
        refuse(check_reason(reason))
        rule = Rule(asset=asset, name=name, **_filled(kind, fields))
        refuse(check(rule))
        if Rule.objects.filter(asset=asset, name=name).exists():
            refuse([Problem("name", f"{asset.code} has a rule {name!r} already.")])
        rule.save()
        pending.mark("rules", [asset.pk])
        pending.revisions.add("rules")
    rule.refresh_from_db(fields=["shard", "version"])
    return rule


def update_rule(*, rule: Rule, reason: str = "", **changes: Any) -> Rule:
    """Changes a rule; one that comes with the asset's type overrides it in the fields that differ.

    Takes: why, without which no field of `checks.EXPLAINED` changes.
    """
    with change() as pending, because(reason):
        pending.explain(reason)
        changes = tidy(changes)
        if rule.origin_id and changes.get("name", rule.name) != rule.name:
            refuse([Problem("name", f"the name comes with the type {rule.asset.type}: change it there.")])
        touched = RULES.override(rule, rule.origin, changes)
        if touched:
            refuse([*check(rule), *unexplained(touched, reason)])
            RULES.changed(rule, touched)
            rule.save()
            pending.mark("rules", [rule.asset_id])
            pending.revisions.add("rules")
    rule.refresh_from_db(fields=["shard", "version"])
    return rule


def delete_rule(*, rule: Rule, reason: str = "") -> None:
    """Takes a rule of the asset's own away; what stands of its alarms returns to normal with the next drain."""
    with change() as pending, because(reason):
        if rule.origin_id:
            words = (
                f"{rule.name!r} comes with the type {rule.asset.type}: take it from the type, or put it out of force."
            )
            refuse([Problem("__all__", words)])
        pending.mark("rules", [rule.asset_id])
        pending.revisions.add("rules")
        Rule.objects.filter(pk=rule.pk).delete()


def create_type_rule(*, type: AssetType, name: str, kind: str, reason: str = "", **fields: Any) -> TypeRule:
    """Gives a type a rule; every asset of the type gets it. Takes: sensors as keys of the type, or tags."""
    with change() as pending, because(reason):
        refuse(check_reason(reason))
        pending.explain(reason)
        rule = TypeRule(type=type, name=name, **_filled(kind, fields))
        refuse(check_type_rule(rule))
        if TypeRule.objects.filter(type=type, name=name).exists():
            refuse([Problem("name", f"{type.code} has a rule {name!r} already.")])
        rule.save()
        pending.types.add(type.pk)
        pending.revisions.add("rules")
    return rule


def update_type_rule(*, rule: TypeRule, reason: str = "", **changes: Any) -> TypeRule:
    """Changes a type's rule, and with it every copy that does not override the field.

    Takes: why, without which no field of `checks.EXPLAINED` changes.
    """
    with change() as pending, because(reason):
        pending.explain(reason)
        changes = {field: value for field, value in tidy(changes).items() if getattr(rule, field) != value}
        if changes:
            for field, value in changes.items():
                setattr(rule, field, value)
            refuse([*check_type_rule(rule), *unexplained(changes, reason)])
            rule.save()
            pending.types.add(rule.type_id)
            pending.revisions.add("rules")
    return rule


def delete_type_rule(*, rule: TypeRule, reason: str = "") -> None:
    """Takes a rule from a type and from its assets; an asset that overrides it keeps its own."""
    with change() as pending, because(reason):
        pending.explain(reason)
        pending.mark("rules", RULES.release([rule]))
        pending.types.add(rule.type_id)
        pending.revisions.add("rules")
        TypeRule.objects.filter(pk=rule.pk).delete()


def unexplained(touched: Iterable[str], reason: str) -> list[Problem]:
    """Gives what is wrong with the reason of a change of some fields."""
    needing = [field for field in CONDITION if field in EXPLAINED and field in set(touched)]
    if needing and not reason.strip():
        words = f"a change of {' and '.join(needing)} needs a reason: it is kept with the old value and your name."
        return [Problem("reason", words)]
    return check_reason(reason)


def check_reason(reason: str) -> list[Problem]:
    """Gives what is wrong with a reason."""
    return check_text("reason", reason, LONGEST_REASON)


def check(rule: Rule) -> list[Problem]:
    """Gives what is wrong with a rule that is about to be written. Cost: one query, 3 with a class or a position."""
    values = values_of(rule)
    problems = check_rule(rule.name, values, asset=rule.asset.code, sensors=facts_for(values, rule.asset))
    return problems + check_listed(values)


def check_listed(values: Mapping[str, Any]) -> list[Problem]:
    """Gives what is wrong with the class and the position of a rule. Cost: 2 queries, none where it names neither."""
    return check_named(values, known()) if values["alarm_class"] or values["position"] else []


def check_type_rule(rule: TypeRule) -> list[Problem]:
    """Gives what is wrong with a type's rule that is about to be written. Cost: 2 queries, 4 with a class."""
    own = rule.type.sensors.values_list("key", "range_low", "range_high")
    texts = [rule.reference, *(str(text) for text in dict(rule.inputs).values())]
    codes = {text.partition("/")[0] for text in texts if "/" in text}
    sensors = {tag: point.facts for tag, point in points([], codes).items()}
    sensors |= {f"/{key}": Facts(low, high) for key, low, high in own}
    values = values_of(rule)
    return check_rule(rule.name, values, asset="", sensors=sensors) + check_listed(values)


def _filled(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(fields) - set(CONDITION)):
        raise TypeError(f"a rule has no {', '.join(unknown)}")
    return {**DEFAULTS, "inputs": {}, "suppress_when": [], **tidy({"kind": kind, **fields})}


def tidy(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a rule's fields in canonical form: floats, a reference as text, a priority by number."""
    values = dict(fields)
    for field in _FLOATS:
        if isinstance(values.get(field), int) and not isinstance(values[field], bool):
            values[field] = float(values[field])
    reference = values.get("reference")
    if isinstance(reference, int | float) and not isinstance(reference, bool):
        values["reference"] = number(reference)
    priority = values.get("priority")
    if isinstance(priority, str) and priority.upper() in Priority.__members__:
        values["priority"] = Priority[priority.upper()].value
    elif isinstance(priority, Priority):
        values["priority"] = priority.value
    if "kind" in values:
        values["kind"] = str(values["kind"])
    return values


# --- What the engine and alarms are given --------------------------------------------------------------------------


def specs(shard: int) -> list[RuleSpec]:
    """Gives the rules in force that are judged in a shard, and the states that suppress them. Cost: 3 queries."""
    inputs: dict[int, list[tuple[str, int, float | None]]] = {}
    for rule_id, name, sensor_id, interval in (
        RuleInput.objects.filter(rule__shard=shard, rule__enabled=True)
        .order_by("rule_id", "place")
        .values_list("rule_id", "name", "sensor_id", "sensor__interval")
    ):
        inputs.setdefault(rule_id, []).append((name, sensor_id, interval))
    rows = Rule.objects.filter(shard=shard, enabled=True).order_by("id").values("id", "version", *CONDITION)
    judged = [build_spec(row["id"], row["version"], row, inputs[row["id"]]) for row in rows if row["id"] in inputs]
    return by_design.specs(shard) + judged


def draft_spec(*, asset: Asset, name: str, kind: str, **fields: Any) -> RuleSpec:
    """Gives the engine's form of a rule that is not stored; its number is 0.

    Raises: ValidationError with what is wrong with it.
    Cost: 3 queries.
    """
    rule = Rule(asset=asset, name=name, **_filled(kind, fields))
    refuse(check(rule))
    inputs = []
    for word, tag in reads(values_of(rule), asset.code):
        code, _, key = tag.partition("/")
        sensor = Sensor.objects.get(asset__code=code, key=key)
        inputs.append((word, sensor.pk, sensor.interval))
    return build_spec(0, 1, values_of(rule), inputs)


def build_spec(
    number: int, version: int, values: Mapping[str, Any], inputs: Sequence[tuple[str, int, float | None]]
) -> RuleSpec:
    """Gives the engine's form of a rule.

    Takes: its fields, and its inputs as (name, sensor id, expected interval in seconds), the alarm's sensor first.
    """

    def figure(value: float | None) -> float:
        return math.nan if value is None else float(value)

    reference = as_number(values["reference"]) if values["reference"] else None
    return RuleSpec(
        id=number,
        version=version,
        kind=EngineKind[str(values["kind"]).upper()],
        inputs=tuple(sensor_id for _, sensor_id, _ in inputs),
        names=tuple(name for name, _, _ in inputs),
        limit=figure(values["limit"]),
        deadband=figure(values["deadband"]),
        low=figure(values["low"]),
        high=figure(values["high"]),
        value=figure(values["value"]),
        reference=figure(reference),
        tolerance=figure(values["tolerance"]),
        window=seconds(values["window"] or 0.0),
        per=seconds(values["per"]),
        timeout=seconds(values["timeout"] or 0.0),
        duration=seconds(values["duration"] or 0.0),
        on_delay=seconds(values["on_delay"]),
        off_delay=seconds(values["off_delay"]),
        expression=values["expression"],
        intervals=tuple(seconds(interval or 0.0) for _, _, interval in inputs),
    )


def freeze(rule: Rule, alarm_class: AlarmClass | None = None) -> dict[str, Any]:
    """Gives the rule as an alarm carries it from its raise on, with what its class and the plant add to it."""
    longest = rule.longest_shelving or (alarm_class.longest_shelving if alarm_class is not None else None)
    return {
        "name": rule.name,
        "version": rule.version,
        **values_of(rule),
        "shelvable": rule.shelvable and (alarm_class is None or alarm_class.shelvable),
        "longest_shelving": longest or settings.LONGEST_SHELVING[rule.priority],
        "reset_before_ack": settings.RESET_BEFORE_ACK,
    }
