"""The assets on which a rule that need not be stored would be judged, with all that its backtest reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q

from alerts import by_design
from alerts.checks import CONDITION, JUDGED, check_rule, reads
from alerts.instants import to_us
from alerts.models import Alarm, Rule, TypeRule
from alerts.rules import check_listed
from alerts.wiring import points
from devices.checks import refuse
from devices.models import Asset, AssetType, Sensor

Span = tuple[int, int]  # from, to, in µs


@dataclass(frozen=True, slots=True)
class Subject:
    """A rule on one asset. Sensors are ids; an input is (name, sensor, expected interval)."""

    asset: int
    code: str
    rule: int | None  # as it is stored
    values: Mapping[str, Any]
    inputs: Sequence[tuple[str, int, float | None]]
    scale: tuple[float | None, float | None]  # of the alarm's own sensor
    states: Sequence[tuple[int, tuple[float, ...]]] = ()  # sensors with the values that suppress it
    own: Mapping[str, Any] = field(default_factory=dict)  # what of its condition it does not take from its type
    hidden: Sequence[Span] = ()  # while an alarm stood that suppresses or hides it


@dataclass(slots=True)
class Cast:
    """The subjects of a rule, and the assets that lack a sensor it reads."""

    subjects: list[Subject] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)


class _Row(NamedTuple):
    asset: int
    code: str
    rule: int | None
    was: str  # the stored rule's name
    values: Mapping[str, Any]
    own: Mapping[str, Any]


def of_asset(
    *, asset: Asset, rule: Rule | None, name: str, values: Mapping[str, Any], start: datetime, end: datetime
) -> Cast:
    """Gives a rule of one asset.

    Takes: all its fields; the range within which other alarms may suppress it.
    Raises: ValidationError with what is wrong with it.
    Cost: 3 queries, one more where other alarms suppress it, 2 more with a class or a position.
    """
    tags = [tag for _, tag in reads(values, asset.code)] if isinstance(values["inputs"], dict) else []
    known = points([asset.pk], {tag.partition("/")[0] for tag in tags})
    facts = {tag: point.facts for tag, point in known.items()}
    refuse([*check_rule(name, values, asset=asset.code, sensors=facts), *check_listed(values)])
    row = _Row(asset.pk, asset.code, rule.pk if rule else None, rule.name if rule else name, values, {})
    return _cast([row], name, start, end, strict=True)


def of_type(
    *, type: AssetType, rule: TypeRule | None, name: str, values: Mapping[str, Any], start: datetime, end: datetime
) -> Cast:
    """Gives a type's rule on every asset of the type, each with the fields in which it overrides the type.

    Takes: as `of_asset`; the rule is one that alerts.rules.check_type_rule found right.
    Cost: 4 queries for any number of assets, one more where other alarms suppress it.
    """
    copies = {copy.asset_id: copy for copy in rule.copies.all()} if rule is not None else {}
    rows = []
    for pk, code in Asset.objects.filter(type=type).order_by("code").values_list("pk", "code"):
        copy = copies.get(pk)
        own = {one: getattr(copy, one) for one in copy.overrides if one in CONDITION} if copy is not None else {}
        number, was = (copy.pk, copy.name) if copy is not None else (None, name)
        judged = {one: value for one, value in own.items() if one in JUDGED}
        rows.append(_Row(pk, code, number, was, {**values, **own}, judged))
    return _cast(rows, name, start, end, strict=False)


def _cast(rows: Sequence[_Row], name: str, start: datetime, end: datetime, *, strict: bool) -> Cast:
    codes = {row.code for row in rows}
    for row in rows:
        codes |= {tag.partition("/")[0] for _, tag in reads(row.values, row.code)}
        codes |= by_design.assets_named(row.code, row.values)
    sensors = {
        f"{code}/{key}": (pk, interval, low, high)
        for pk, code, key, interval, low, high in Sensor.objects.filter(asset__code__in=codes).values_list(
            "pk", "asset__code", "key", "interval", "range_low", "range_high"
        )
    }
    causes, faults = _causes(rows, name, codes, sensors)
    if strict:
        refuse(fault.problem for fault in faults if fault.rule == (rows[0].code, name))
    stood = _stood({by for found in causes.values() for _, by in found if by is not None}, start, end)
    made = Cast()
    for row in rows:
        inputs = reads(row.values, row.code)
        if any(tag not in sensors for _, tag in inputs):
            made.lacking.append(row.code)
            continue
        found = causes.get((row.code, name), [])
        _pk, _interval, low, high = sensors[inputs[0][1]]
        made.subjects.append(
            Subject(
                asset=row.asset,
                code=row.code,
                rule=row.rule,
                values=row.values,
                inputs=[(word, sensors[tag][0], sensors[tag][1]) for word, tag in inputs],
                scale=(low, high),
                own=row.own,
                states=[(sensors[cause.sensor][0], cause.equals) for cause, by in found if by is None],
                hidden=[span for _, by in found if by is not None for span in stood.get(by, ())],
            )
        )
    return made


def _causes(
    rows: Sequence[_Row], name: str, codes: Iterable[str], sensors: Mapping[str, Any]
) -> tuple[dict[by_design.Key, list[tuple[by_design.Cause, int | None]]], list[by_design.Fault]]:
    """Gives what suppresses each of the rules, with the other rule's id where it is an alarm. Cost: one query."""
    renamed = {(row.code, row.was) for row in rows}
    ids: dict[by_design.Key, int] = {}
    given: dict[by_design.Key, Mapping[str, Any]] = {}
    known = Rule.objects.filter(asset__code__in=list(codes)).order_by("id")
    for pk, code, other, hides in known.values_list("pk", "asset__code", "name", "hides"):
        if (code, other) not in renamed:
            ids[code, other] = pk
            given[code, other] = {**by_design.SILENT, "hides": hides}
    own = {(row.code, name): {key: row.values[key] for key in by_design.SILENT} for row in rows}
    found, faults = by_design.causes({**given, **own}, sensors)
    causes: dict[by_design.Key, list[tuple[by_design.Cause, int | None]]] = {}
    for cause in found:
        if cause.rule in own and (cause.by is None or cause.by in ids):
            causes.setdefault(cause.rule, []).append((cause, ids[cause.by] if cause.by is not None else None))
    return causes, [fault for fault in faults if fault.rule in own]


def _stood(rules: set[int], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """Gives when alarms of some rules stood. Cost: one query, none for no rules."""
    found: dict[int, list[Span]] = {}
    if rules:
        alarms = Alarm.objects.filter(Q(cleared=None) | Q(cleared__gte=start), rule__in=rules, raised__lte=end)
        for rule, raised, cleared in alarms.order_by().values_list("rule_id", "raised", "cleared"):
            if rule is not None:
                found.setdefault(rule, []).append((to_us(raised), to_us(cleared or end)))
    return found
