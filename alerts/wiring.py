"""Which sensors rules read, in which shard they are judged, and which readings are copied there for it.

All of it follows from the rules and the plant; it is worked out at the end of every change of either.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q

from alerts import by_design
from alerts.checks import CONDITION, JUDGED, SEVERAL, Facts, check_rule, reads
from alerts.models import AlarmClass, Position, Rule, RuleInput, TypeRule
from devices.changes import Change
from devices.checks import Problem, refuse
from devices.inheritance import Line
from devices.models import Asset, Route, Sensor
from devices.records import BATCH


def _renew(row: Rule, fields: set[str]) -> set[str]:
    """Gives a changed rule its next version where the change matters to judging."""
    if fields & JUDGED:
        row.version += 1
        return {"version"}
    return set()


RULES = Line(template=TypeRule, copy=Rule, identity="name", fields=CONDITION, changed=_renew)


# Lists whose entries rules name, by the mark of a change.
_LISTS: dict[str, tuple[Any, str]] = {
    "alarm_classes": (AlarmClass, "alarm_class"),
    "positions": (Position, "position"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """A sensor as wiring sees it."""

    id: int
    shard: int
    facts: Facts


def values_of(rule: Rule | TypeRule) -> dict[str, Any]:
    """Gives a rule's fields beside its name."""
    return {field: getattr(rule, field) for field in CONDITION}


def points(asset_ids: Collection[int], codes: Collection[str]) -> dict[str, Point]:
    """Gives the sensors of some assets, by tag. Cost: one query."""
    rows = Sensor.objects.values_list("id", "asset__code", "key", "asset__shard", "range_low", "range_high")
    if len(asset_ids) + len(codes) < 5000:  # beyond that the whole table is the smaller question
        rows = rows.filter(Q(asset__in=asset_ids) | Q(asset__code__in=codes))
    return {f"{code}/{key}": Point(pk, shard, Facts(low, high)) for pk, code, key, shard, low, high in rows}


def facts_for(values: dict[str, Any], asset: Asset) -> dict[str, Facts]:
    """Gives what a check of one rule has to know of sensors. Cost: one query."""
    tags = [tag for _, tag in reads(values, asset.code)] if isinstance(values["inputs"], dict) else []
    found = points([asset.pk], {tag.partition("/")[0] for tag in tags})
    return {tag: point.facts for tag, point in found.items()}


def follow(change: Change) -> None:
    """Brings rules in line with what changed. Raises: ValidationError when a rule would be left without its sensor."""
    if change.marks.keys() & {"gone", *_LISTS}:
        _keep_named()
    affected = change.assets | change.marks.get("rules", set())
    if not (affected or change.intervals or change.marks.get("gone")):
        return
    if change.marks.get("gone"):
        # Their rules went with them: workers must stop judging them, and return what stands of their alarms.
        change.revisions.add("rules")
    types = dict(Asset.objects.filter(id__in=affected).values_list("id", "type_id"))
    if RULES.hand_down(types):
        change.revisions.add("rules")
    if _wire(affected, change.intervals):
        change.revisions.add("rules")
    if by_design.wire(_sensors_of):
        change.revisions.add("rules")
    if _route():
        change.revisions.add("plant")


def _sensors_of(codes: Collection[str]) -> dict[str, int]:
    return {tag: point.id for tag, point in points([], codes).items()}


def _keep_named() -> None:
    """Refuses a change that would leave a rule without the class or the position that it names. Cost: 6 queries."""
    for model, field in _LISTS.values():
        codes = model.objects.values_list("code", flat=True)
        for rules, owner in ((TypeRule, "type"), (Rule, "asset")):
            lost = rules.objects.exclude(**{field: ""}).exclude(**{f"{field}__in": codes}).select_related(owner).first()
            if lost is not None:
                words = f"{lost} names the {model._meta.verbose_name} {getattr(lost, field)!r}: change the rule first."
                refuse([Problem("__all__", words)])


def _wire(affected: set[int], intervals: set[int]) -> bool:
    """Sets the inputs and shards of rules of some assets, and of all rules that may read other assets' sensors."""
    rows = Rule.objects.filter(Q(asset__in=affected) | Q(kind__in=SEVERAL)).order_by("id")
    rules = list(rows.values("id", "name", "shard", "asset_id", "asset__code", *CONDITION))
    wanted = {rule["id"]: reads(rule, rule["asset__code"]) for rule in rules}
    codes = {tag.partition("/")[0] for inputs in wanted.values() for _, tag in inputs}
    sensors = points({rule["asset_id"] for rule in rules}, codes)
    facts = {tag: point.facts for tag, point in sensors.items()}
    problems = [
        Problem("__all__", f"{rule['asset__code']}, rule {rule['name']!r}: {problem.words}")
        for rule in rules
        for problem in check_rule(rule["name"], rule, asset=rule["asset__code"], sensors=facts)
    ]
    refuse(problems)

    present: dict[int, list[tuple[str, int]]] = {}
    for rule_id, name, sensor_id in (
        RuleInput.objects.filter(rule__in=[rule["id"] for rule in rules])
        .order_by("rule_id", "place")
        .values_list("rule_id", "name", "sensor_id")
    ):
        present.setdefault(rule_id, []).append((name, sensor_id))
    made: list[RuleInput] = []
    stale: list[int] = []
    changed: dict[tuple[int, int], list[int]] = {}
    for rule in rules:
        number, inputs = rule["id"], [(name, sensors[tag].id) for name, tag in wanted[rule["id"]]]
        shard = sensors[wanted[number][0][1]].shard
        had = present.get(number)
        rewired = had != inputs
        if rewired:
            made += [
                RuleInput(rule_id=number, place=place, name=name, sensor_id=sensor_id)
                for place, (name, sensor_id) in enumerate(inputs)
            ]
            if had:
                stale.append(number)
        repaced = len(inputs) > 1 and any(sensor_id in intervals for _, sensor_id in inputs)
        if shard != rule["shard"] or (rewired and had) or repaced:
            # A rule that has been judged in another shard, from other sensors or at another pace starts anew.
            changed.setdefault((shard, 1 if had else 0), []).append(number)
    RuleInput.objects.filter(rule__in=stale).delete()
    RuleInput.objects.bulk_create(made, batch_size=BATCH)
    for (shard, step), numbers in changed.items():
        Rule.objects.filter(pk__in=numbers).update(shard=shard, version=F("version") + step)
    return bool(made or changed)


def _route() -> bool:
    """Sets the routes: a copy of every reading that a rule needs in a shard not its own. Cost: 3 queries."""
    needed = set(
        RuleInput.objects.filter(rule__enabled=True)
        .exclude(sensor__asset__shard=F("rule__shard"))
        .values_list("sensor_id", "rule__shard")
    )
    needed |= by_design.routes()
    present = {(sensor_id, shard): pk for pk, sensor_id, shard in Route.objects.values_list("id", "sensor_id", "shard")}
    gone = [pk for pair, pk in present.items() if pair not in needed]
    new = sorted(needed - set(present))
    Route.objects.filter(pk__in=gone).delete()
    Route.objects.bulk_create([Route(sensor_id=sensor_id, shard=shard) for sensor_id, shard in new], batch_size=BATCH)
    return bool(gone or new)
