"""What must hold for a rule before it is written, said in words."""

import difflib
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alerts.engine.expression import ExpressionError, compile_expression
from alerts.limits import has_limits, limits_of
from alerts.models import Kind, Priority, Severity
from devices.checks import MAX_SECONDS, Problem, check_number, check_text, number, within

# A rule's fields beside its name: what a type hands down and an asset may override.
CONDITION = (
    "kind",
    "sensor_key",
    "limit",
    "deadband",
    "low",
    "high",
    "value",
    "reference",
    "window",
    "per",
    "timeout",
    "duration",
    "tolerance",
    "expression",
    "inputs",
    "on_delay",
    "off_delay",
    "priority",
    "alarm_class",
    "position",
    "ack_required",
    "latching",
    "realarm",
    "group",
    "hides",
    "suppress_when",
    "shelvable",
    "longest_shelving",
    "cause",
    "consequence",
    "action",
    "confirmation",
    "time_to_respond",
    "severity",
    "enabled",
)
# A change of one of these starts the rule anew.
JUDGED = frozenset(CONDITION[: CONDITION.index("priority")]) | {"enabled"}
# A change of one of these says why: what is judged, how urgent it is, and when it is kept from the operator.
EXPLAINED = JUDGED | {"priority", "hides", "suppress_when", "shelvable", "longest_shelving"}
# Kinds that may read several sensors.
SEVERAL = (Kind.DEVIATION, Kind.EXPRESSION)

DEFAULTS: dict[str, Any] = {
    "sensor_key": "",
    "limit": None,
    "deadband": 0.0,
    "low": None,
    "high": None,
    "value": None,
    "reference": "",
    "window": None,
    "per": 60.0,
    "timeout": None,
    "duration": None,
    "tolerance": 0.0,
    "expression": "",
    "inputs": {},
    "on_delay": 0.0,
    "off_delay": 0.0,
    "priority": Priority.MEDIUM.value,
    "alarm_class": "",
    "position": "",
    "ack_required": True,
    "latching": False,
    "realarm": None,
    "group": "",
    "hides": "",
    "suppress_when": [],
    "shelvable": True,
    "longest_shelving": None,
    "cause": "",
    "consequence": "",
    "action": "",
    "confirmation": "",
    "time_to_respond": None,
    "severity": "",
    "enabled": True,
}
# By kind: the parameters it needs, and those it takes beside them.
PARAMETERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Kind.HIGH: (("limit",), ("deadband",)),
    Kind.LOW: (("limit",), ("deadband",)),
    Kind.OUTSIDE: (("low", "high"), ("deadband",)),
    Kind.EQUALS: (("value",), ()),
    Kind.NOT_EQUALS: (("value",), ()),
    Kind.RATE_HIGH: (("limit", "window"), ("deadband", "per")),
    Kind.RATE_LOW: (("limit", "window"), ("deadband", "per")),
    Kind.DEVIATION: (("reference", "limit"), ("deadband",)),
    Kind.EXPRESSION: (("inputs", "expression"), ()),
    Kind.STALE: (("timeout",), ()),
    Kind.FLATLINE: (("duration",), ("tolerance",)),
}
_OF_A_KIND = sorted({name for needed, taken in PARAMETERS.values() for name in (*needed, *taken)})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_RESERVED = {"and", "or", "not", "abs", "min", "max", "true", "false"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule's check has to know of a sensor."""

    low: float | None
    high: float | None


def tag_of(asset: str, text: str) -> str:
    """Gives the tag that a rule of an asset means by a key of its own or by a tag."""
    return text if "/" in text else f"{asset}/{text}"


def as_number(reference: str) -> float | None:
    """Gives a deviation's reference where it is a number, none where it is a sensor."""
    try:
        return float(reference)
    except ValueError:
        return None


def reads(values: Mapping[str, Any], asset: str) -> list[tuple[str, str]]:
    """Gives the name and tag of every sensor that a rule reads, the alarm's own first."""
    if values["kind"] == Kind.EXPRESSION:
        named = [(name, tag_of(asset, str(text))) for name, text in values["inputs"].items()]
        if values["sensor_key"]:
            own = tag_of(asset, values["sensor_key"])
            named.sort(key=lambda pair: pair[1] != own)
        return named
    found = [("", tag_of(asset, values["sensor_key"]))]
    if values["kind"] == Kind.DEVIATION and as_number(values["reference"]) is None:
        found.append(("", tag_of(asset, values["reference"])))
    return found


def check_rule(name: object, values: Mapping[str, Any], *, asset: str, sensors: Mapping[str, Facts]) -> list[Problem]:
    """Gives what is wrong with a rule (all fields, with defaults filled in) of an asset.

    Takes: the sensors by tag; those of a type stand under an empty asset code, as its rules do.
    """
    problems = [*check_text("name", name, 120, needed=True)]
    if values["kind"] not in Kind.values:
        near = difflib.get_close_matches(str(values["kind"]), Kind.values, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"It is one of {', '.join(Kind.values)}."
        return [*problems, Problem("kind", f"unknown kind {values['kind']!r}. {hint}")]
    problems += _check_common(values)
    problems += _check_presentation(str(name), values)
    problems += _check_parameters(values)
    if problems:
        return problems
    return _check_sensors(values, asset, sensors)


def check_named(values: Mapping[str, Any], known: Mapping[str, Collection[str]]) -> list[Problem]:
    """Gives what is wrong with the class and the position that a rule names. Takes: the codes there are, by field."""
    problems = []
    for field, codes in known.items():
        code, word = values[field], field.replace("_", " ")
        if code and code not in codes:
            near = difflib.get_close_matches(str(code), codes, n=1, cutoff=0.5)
            some = f"; it is one of {', '.join(sorted(codes)[:12])}." if codes else ": there is none yet."
            hint = f"; did you mean {near[0]}?" if near else some
            problems.append(Problem(field, f"unknown {word} {code!r}{hint}"))
    return problems


def _check_common(values: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for field in ("on_delay", "off_delay"):
        problems += check_number(field, _set(values[field]), least=0, most=MAX_SECONDS)
    problems += check_number("time_to_respond", values["time_to_respond"], above=0, most=MAX_SECONDS)
    for field in ("cause", "consequence", "action", "confirmation"):
        problems += check_text(field, values[field], 4000)
    if values["priority"] not in Priority.values:
        problems.append(
            Problem("priority", f"unknown priority {values['priority']!r}; it is critical, high, medium or low.")
        )
    for field in ("ack_required", "latching", "shelvable", "enabled"):
        if not isinstance(values[field], bool):
            problems.append(Problem(field, f"{field} is true or false, not {values[field]!r}."))
    return problems


def _check_presentation(name: str, values: Mapping[str, Any]) -> list[Problem]:
    """Gives what is wrong with when and how long its alarms may be kept from the operator."""
    problems = [*check_number("realarm", values["realarm"], least=1, most=MAX_SECONDS)]
    problems += check_number("longest_shelving", values["longest_shelving"], least=60, most=MAX_SECONDS)
    for field, length in (("alarm_class", 64), ("position", 64), ("group", 140), ("hides", 120)):
        problems += check_text(field, values[field], length)
    if values["severity"] and values["severity"] not in Severity.values:
        words = f"unknown severity {values['severity']!r}; it is {', '.join(Severity.values)}."
        problems.append(Problem("severity", words))
    if values["hides"] and values["hides"] == name:
        problems.append(Problem("hides", "a rule cannot hide itself."))
    return problems + check_whiles(values["suppress_when"])


MOST_STATES = 12  # of one sensor: the engine's expression holds that many
_WHILE = "one of {sensor: KEY OR TAG, equals: [NUMBERS]} and {alarm: RULE, or ASSET/RULE}"


def check_whiles(whiles: Any) -> list[Problem]:
    """Gives what is wrong with the form of `suppress_when`."""
    if not isinstance(whiles, list):
        return [Problem("suppress_when", f"suppress_when is a list; each of it is {_WHILE}.")]
    problems = []
    for one in whiles:
        keys = set(one) if isinstance(one, Mapping) else set()
        if keys == {"alarm"}:
            problems += check_text("suppress_when", one["alarm"], 200, needed=True)
        elif keys == {"sensor", "equals"}:
            problems += check_text("suppress_when", one["sensor"], 140, needed=True)
            numbers = one["equals"]
            if not isinstance(numbers, list) or not numbers:
                problems.append(Problem("suppress_when", "equals is a list of the values that suppress it."))
            elif len(numbers) > MOST_STATES:
                words = f"equals has {len(numbers)} values; {MOST_STATES} are the most."
                problems.append(Problem("suppress_when", words))
            else:
                for value in numbers:
                    problems += check_number("suppress_when", _set(value))
        else:
            problems.append(Problem("suppress_when", f"{one!r} is not understood: expected {_WHILE}."))
    return problems


def _set(value: Any) -> Any:
    """Gives a value that may not be empty: an empty one is no number."""
    return "nothing" if value is None else value


def _check_parameters(values: Mapping[str, Any]) -> list[Problem]:
    kind = values["kind"]
    needed, taken = PARAMETERS[kind]
    own = (*needed, *taken)
    problems = [
        Problem(name, f"a {kind} rule has no {name}; it takes {', '.join(own)}.")
        for name in _OF_A_KIND
        if name not in own and values[name] != DEFAULTS[name]
    ]
    problems += [
        Problem(name, f"{name} is missing: a {kind} rule needs {' and '.join(needed)}.")
        for name in needed
        if values[name] is None or values[name] in ("", {})
    ]
    if kind != Kind.EXPRESSION and not values["sensor_key"]:
        problems.append(Problem("sensor_key", f"sensor is missing: a {kind} rule reads a sensor of its asset."))
    for name in ("limit", "low", "high", "value"):
        problems += check_number(name, values[name])
    for name in ("deadband", "tolerance"):
        problems += check_number(name, _set(values[name]), least=0)
    for name in ("window", "timeout", "duration"):
        problems += check_number(name, values[name], above=0, most=MAX_SECONDS)
    problems += check_number("per", _set(values["per"]), above=0, most=MAX_SECONDS)
    if problems:
        return problems
    if kind == Kind.OUTSIDE:
        if values["low"] >= values["high"]:
            words = f"low {number(values['low'])} is not below high {number(values['high'])}."
            problems.append(Problem("low", words))
        elif values["low"] + values["deadband"] >= values["high"] - values["deadband"]:
            words = f"deadband {number(values['deadband'])} leaves nothing between low and high: it would never clear."
            problems.append(Problem("deadband", words))
    if kind == Kind.DEVIATION and values["limit"] <= 0:
        problems.append(Problem("limit", f"the limit of a deviation is above 0, not {number(values['limit'])}."))
    if kind == Kind.EXPRESSION:
        problems += _check_expression(values["inputs"], values["expression"])
    return problems


def _check_expression(inputs: Any, expression: Any) -> list[Problem]:
    if not isinstance(inputs, Mapping):
        return [Problem("inputs", "inputs pair names with sensors, for example {f: press-01/flow}.")]
    problems = []
    for name, text in inputs.items():
        if not isinstance(name, str) or not _NAME.match(name) or name.lower() in _RESERVED:
            words = f"{name!r} cannot name an input: letters, digits and _, a letter first, no word of the language."
            problems.append(Problem("inputs", words))
        if not isinstance(text, str) or not text:
            problems.append(Problem("inputs", f"input {name} is a sensor's key or tag, not {text!r}."))
    problems += check_text("expression", expression, 500, needed=True)
    if not problems:
        try:
            compile_expression(expression, tuple(inputs))
        except ExpressionError as error:
            problems.append(Problem("expression", str(error)))
    return problems


def _check_sensors(values: Mapping[str, Any], asset: str, sensors: Mapping[str, Facts]) -> list[Problem]:
    problems = []
    kind = values["kind"]
    if values["sensor_key"]:
        own = tag_of(asset, values["sensor_key"])
        if not own.startswith(f"{asset}/"):
            words = f"{own} belongs to another asset: put the rule there, or name one of this asset's sensors."
            return [Problem("sensor_key", words)]
        if kind == Kind.EXPRESSION and own in sensors and own not in [tag for _, tag in reads(values, asset)]:
            return [Problem("sensor_key", f"sensor {values['sensor_key']} is not among the inputs.")]
    inputs = reads(values, asset)
    for name, tag in inputs:
        if tag not in sensors:
            field = "inputs" if name else "sensor_key" if tag == tag_of(asset, values["sensor_key"]) else "reference"
            problems.append(Problem(field, _missing(tag, asset, sensors)))
    if problems:
        return problems
    tags = [tag for _, tag in inputs]
    if len(set(tags)) < len(tags):
        twice = next(tag for tag in tags if tags.count(tag) > 1)
        field = "inputs" if kind == Kind.EXPRESSION else "reference"
        return [Problem(field, f"{twice.lstrip('/')} is read twice.")]
    return _check_limits(values, sensors[tags[0]])


def _missing(tag: str, asset: str, sensors: Iterable[str]) -> str:
    code, _, key = tag.partition("/")
    keys = [other.partition("/")[2] for other in sensors if other.startswith(f"{code}/")]
    near = difflib.get_close_matches(key, keys, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    if code != asset and not keys:
        return f"there is no sensor {tag}.{hint}"
    return f"{code or 'the type'} has no sensor {key!r}.{hint}"


def levels_of(values: Mapping[str, Any]) -> dict[str, float | None]:
    """Gives the levels that a rule names on its sensor's own scale, by field: its limits, or what it compares with."""
    kind = values["kind"]
    if has_limits(kind):
        return {**limits_of(values)}
    if kind in (Kind.EQUALS, Kind.NOT_EQUALS):
        return {"value": values["value"]}
    return {"reference": as_number(values["reference"])} if kind == Kind.DEVIATION else {}


def _check_limits(values: Mapping[str, Any], facts: Facts) -> list[Problem]:
    """Gives the limits that the sensor could never reach."""
    kind = values["kind"]
    levels = levels_of(values)
    span = f"{number(facts.low)} to {number(facts.high)}"
    problems = [
        Problem(field, f"{field} {number(level)} lies outside the sensor's range {span}.")
        for field, level in levels.items()
        if level is not None and not within(level, facts.low, facts.high)
    ]
    if kind == Kind.DEVIATION and as_number(values["reference"]) is not None:
        reference = as_number(values["reference"])
        if reference is not None and not math.isfinite(reference):
            problems.append(Problem("reference", "reference must be a finite number or a sensor."))
    return problems
