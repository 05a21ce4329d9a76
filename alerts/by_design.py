"""Suppression by design: which alarms are not presented while which state or other alarm holds.

It comes from the configuration only: from a rule's `suppress_when`, and from the `hides` of a higher rule of the same
asset. A state is judged by the engine itself, by a rule of its own beside the one it suppresses (its id is that of the
Suppressor, below zero), so that it takes effect at the very reading, in stream order, however the stream is cut.
"""

import difflib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.db.models import F, Q

from alerts.checks import check_whiles, tag_of
from alerts.engine.rules import Kind, RuleSpec
from alerts.models import Alarm, Held, Rule, Suppression, Suppressor
from devices.checks import Problem, number, refuse

Key = tuple[str, str]  # an asset's code and a rule's name
SILENT: Mapping[str, Any] = {"hides": "", "suppress_when": []}  # a rule that may be named and names none
_WORDS_LENGTH = 300  # Suppressor.words


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that suppresses a rule's alarms: another rule's alarm, or a sensor's state."""

    rule: Key
    words: str
    by: Key | None = None
    hides: bool = False
    sensor: str = ""
    equals: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a rule's suppression."""

    rule: Key
    problem: Problem


# --- From the configuration ----------------------------------------------------------------------------------------


def causes(rules: Mapping[Key, Mapping[str, Any]], sensors: Collection[str]) -> tuple[list[Cause], list[Fault]]:
    """Gives what suppresses what, and what of it cannot be.

    Takes: every rule that may be named, with `hides` and `suppress_when`; the sensors by tag.
    """
    found: dict[tuple[Key, str], Cause] = {}
    faults: list[Fault] = []
    names: dict[str, list[str]] = defaultdict(list)
    for asset, name in rules:
        names[asset].append(name)
    for key, values in rules.items():
        asset, name = key
        if values["hides"]:
            lower = (asset, values["hides"])
            if lower in rules:
                cause = Cause(lower, _fitting(f"hidden by {asset}: {name}"), by=key, hides=True)
                found[lower, cause.words] = cause
            else:
                words = f"hides: {_missing(lower, names)}"
                faults.append(Fault(key, Problem("hides", words)))
        for one in values["suppress_when"] if not check_whiles(values["suppress_when"]) else ():
            made = _state(key, one, sensors) if "sensor" in one else _parent(key, one["alarm"], rules, names)
            if isinstance(made, Cause):
                found[key, made.words] = made
            else:
                faults.append(Fault(key, Problem("suppress_when", made)))
    return list(found.values()), faults + _circles(found.values())


def _state(key: Key, one: Mapping[str, Any], sensors: Collection[str]) -> Cause | str:
    """Gives the cause of a sensor's state, or what is wrong with it."""
    tag = tag_of(key[0], one["sensor"])
    if tag not in sensors:
        code, _, word = tag.partition("/")
        near = difflib.get_close_matches(
            word, [other.partition("/")[2] for other in sensors if other.startswith(f"{code}/")], n=1
        )
        return f"suppress_when: {code or 'the type'} has no sensor {word!r}.{_hint(near)}"
    equals = tuple(sorted({float(value) for value in one["equals"]}))
    return Cause(key, _fitting(f"{tag} is {' or '.join(map(number, equals))}"), sensor=tag, equals=equals)


def _parent(key: Key, text: str, rules: Mapping[Key, Any], names: Mapping[str, Sequence[str]]) -> Cause | str:
    """Gives the cause of another rule's alarm, or what is wrong with it."""
    by = next((one for one in _meant(key[0], text) if one in rules), None)
    if by is None:
        return f"suppress_when: {_missing(_meant(key[0], text)[-1], names)}"
    return Cause(key, _fitting(f"{by[0]}: {by[1]} stands"), by=by)


def _meant(asset: str, text: str) -> list[Key]:
    """Gives the rules that a text may name: one of the asset's own, or ASSET/RULE."""
    code, slash, name = text.partition("/")
    return [(asset, text), (code, name)] if slash else [(asset, text)]


def assets_named(asset: str, values: Mapping[str, Any]) -> set[str]:
    """Gives the codes of the assets whose rules or sensors a rule's suppression names."""
    texts = [str(one.get("alarm") or one.get("sensor")) for one in values["suppress_when"]]
    return {asset, *(text.partition("/")[0] for text in texts if "/" in text)}


def _missing(key: Key, names: Mapping[str, Sequence[str]]) -> str:
    asset, name = key
    near = difflib.get_close_matches(name, names.get(asset, ()), n=1)
    return f"{asset or 'the type'} has no rule {name!r}.{_hint(near)}"


def _hint(near: Sequence[str]) -> str:
    return f" Did you mean {near[0]!r}?" if near else ""


def _fitting(words: str) -> str:
    return words if len(words) <= _WORDS_LENGTH else words[: _WORDS_LENGTH - 1] + "…"


def _circles(found: Iterable[Cause]) -> list[Fault]:
    """Gives a circle of rules that would suppress each other, if there is one."""
    above: dict[Key, set[Key]] = defaultdict(set)
    for cause in found:
        if cause.by is not None:
            above[cause.rule].add(cause.by)
    try:
        TopologicalSorter(above).prepare()
    except CycleError as error:
        circle: list[Key] = error.args[1]
        said = " → ".join(f"{asset}: {name}" for asset, name in circle)
        return [Fault(circle[0], Problem("suppress_when", f"alarms would suppress each other: {said}."))]
    return []


# --- In the database -----------------------------------------------------------------------------------------------


def wire(sensors_of: Callable[[Collection[str]], Mapping[str, int]]) -> bool:
    """Sets the suppressors as the rules ask for them; those that stay keep their number, and so the engine's state.

    Takes: what gives the sensors of some assets, by tag.
    Gives: whether something changed.
    Raises: ValidationError, in words.
    Cost: two queries where no rule suppresses; else four.
    """
    given = Rule.objects.exclude(Q(suppress_when=[]) & Q(hides="")).order_by("id")
    rows = list(given.values_list("asset__code", "name", "hides", "suppress_when"))
    wanted: dict[tuple[Any, ...], Suppressor] = {}
    if rows:
        codes = {code for asset, _, _, whiles in rows for code in assets_named(asset, {"suppress_when": whiles})}
        known = Rule.objects.filter(asset__code__in=codes).order_by("id")
        ids = {(asset, name): pk for pk, asset, name in known.values_list("id", "asset__code", "name")}
        rules: dict[Key, Mapping[str, Any]] = dict.fromkeys(ids, SILENT)
        rules |= {(asset, name): {"hides": hides, "suppress_when": whiles} for asset, name, hides, whiles in rows}
        sensors = sensors_of(codes)
        found, faults = causes(rules, sensors)
        refuse(
            Problem("__all__", f"{fault.rule[0]}, rule {fault.rule[1]!r}: {fault.problem.words}") for fault in faults
        )
        for cause in found:
            row = Suppressor(
                rule_id=ids[cause.rule],
                by_id=ids[cause.by] if cause.by is not None else None,
                hides=cause.hides,
                sensor_id=sensors[cause.sensor] if cause.sensor else None,
                equals=list(cause.equals),
                words=cause.words,
            )
            wanted[_identity(row)] = row
    present = {_identity(row): row.pk for row in Suppressor.objects.all()}
    gone = [pk for identity, pk in present.items() if identity not in wanted]
    new = [row for identity, row in wanted.items() if identity not in present]
    Suppressor.objects.filter(pk__in=gone).delete()
    Suppressor.objects.bulk_create(new)
    return bool(gone or new)


def _identity(row: Suppressor) -> tuple[Any, ...]:
    return (row.rule_id, row.by_id, row.hides, row.sensor_id, tuple(row.equals), row.words)


def routes() -> set[tuple[int, int]]:
    """Gives the sensors whose state suppresses a rule in another shard, with that shard. Cost: one query."""
    away = Suppressor.objects.filter(rule__enabled=True, sensor__isnull=False).exclude(
        sensor__asset__shard=F("rule__shard")
    )
    return {(sensor, shard) for sensor, shard in away.values_list("sensor_id", "rule__shard") if sensor is not None}


# --- For the evaluation --------------------------------------------------------------------------------------------


def specs(shard: int) -> list[RuleSpec]:
    """Gives the engine's rules that judge the states which suppress in a shard. Cost: one query."""
    states = Suppressor.objects.filter(rule__shard=shard, rule__enabled=True, sensor__isnull=False)
    return [state_spec(-row.pk, row.sensor_id, row.equals) for row in states if row.sensor_id is not None]


def state_spec(number: int, sensor: int, equals: Iterable[float]) -> RuleSpec:
    """Gives the engine's rule that is active while a sensor has one of some values."""
    return RuleSpec(
        id=number,
        version=1,
        kind=Kind.EXPRESSION,
        inputs=(sensor,),
        names=("state",),
        expression=" or ".join(f"state == {value!r}" for value in equals),
    )


def astray(shard: int, holding: Collection[int]) -> dict[int, set[str]]:
    """Gives the rules of a shard whose suppression is not what the configuration asks for, with what it ought to be.

    Takes: the suppressors by state that hold.
    Cost: four queries.
    """
    wanted: dict[int, set[str]] = defaultdict(set)
    rows = list(Suppressor.objects.filter(rule__shard=shard, rule__enabled=True))
    parents = {row.by_id for row in rows if row.by_id is not None}
    active = Alarm.objects.filter(rule__in=parents, closed=None, active=True).order_by()
    standing = set(active.values_list("rule", flat=True)) if parents else set()
    for row in rows:
        if row.pk in holding or row.by_id in standing:
            wanted[row.rule_id].add(row.words)
    held = Held.objects.filter(rule__shard=shard).exclude(words="").order_by()
    for rule, words in held.values_list("rule", "words"):
        wanted[rule].add(words)  # hidden because nothing is heard: alerts.silence ends that
    rest = Suppression.objects.filter(rule__shard=shard).exclude(designed=[]).order_by()
    present = {rule: set(designed) for rule, designed in rest.values_list("rule", "designed")}
    return {
        rule: wanted.get(rule, set())
        for rule in wanted.keys() | present.keys()
        if wanted.get(rule, set()) != present.get(rule, set())
    }


@dataclass(frozen=True, slots=True)
class Moment:
    """A transition as far as its place in the order matters."""

    rule: int
    time: int
    active: bool


def in_order(moments: Sequence[Moment], suppresses: Mapping[int, Collection[int]]) -> list[int]:
    """Gives the order in which transitions are applied: by time; of those due at once, what suppresses comes to hold
    before, and ends after, what it suppresses. A rule's own transitions keep their order.

    Takes: transitions in order of happening; the rules that a rule's alarm suppresses. A state's id is below zero.
    """
    present = {moment.rule for moment in moments}
    above: dict[int, list[int]] = defaultdict(list)
    for by, lower in suppresses.items():
        for rule in lower:
            if by in present and rule in present:
                above[rule].append(by)
    ranks: dict[int, int] = {}

    def rank(rule: int, depth: int = 0) -> int:
        if rule not in ranks:
            # Circles are refused; one that was written meanwhile only ends here.
            ranks[rule] = 1 + max((rank(by, depth + 1) for by in above[rule]), default=-1) if depth < 64 else 0
        return ranks[rule]

    counts: dict[tuple[int, int], int] = defaultdict(int)
    for moment in moments:
        counts[moment.rule, moment.time] += 1

    def place(index: int) -> tuple[int, int, int]:
        moment = moments[index]
        at = -1 if moment.rule < 0 else rank(moment.rule)
        if counts[moment.rule, moment.time] > 1 or not (moment.rule < 0 or suppresses.get(moment.rule)):
            return moment.time, 1, at
        return (moment.time, 0, at) if moment.active else (moment.time, 2, -at)

    return sorted(range(len(moments)), key=place)
