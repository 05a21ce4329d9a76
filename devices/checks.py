"""What must hold for assets, types, sensors and sources before they are written, said in words."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError

from devices import units
from devices.models import Level

CODE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
CODE_WORDS = "use letters, digits, - and _ only, 64 at most"
MAX_SECONDS = 315_360_000.0  # ten years: longer is a slip of the pen, and fits 64 bits of microseconds with ease

MOST_LATITUDE = 85.0  # degrees: a Mercator map ends there
MOST_METRES = 100_000.0  # of a site plan
# Where an asset stands on the map.
LOCATION = ("latitude", "longitude", "plan_x", "plan_y")
MOST_ATTRIBUTES = 60  # of an asset

# A sensor's fields beside its key: what a type hands down and an asset may override.
MEASUREMENT = (
    "name",
    "quantity",
    "unit",
    "range_low",
    "range_high",
    "normal_low",
    "normal_high",
    "interval",
    "decimals",
    "labels",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the model field it belongs to, and the words for it."""

    field: str
    words: str


def refuse(problems: Iterable[Problem]) -> None:
    """Raises ValidationError with every problem under its field; does nothing when there is none."""
    fields: dict[str, list[str]] = {}
    for problem in problems:
        fields.setdefault(problem.field, []).append(problem.words)
    if fields:
        raise ValidationError(fields)


def check_code(field: str, value: object) -> list[Problem]:
    """Gives what is wrong with a code or key."""
    if isinstance(value, str) and CODE.match(value):
        return []
    return [Problem(field, f"{value!r} cannot be a {field}: {CODE_WORDS}.")]


def check_source(silent_after: object) -> list[Problem]:
    """Gives what is wrong with the time after which a source's sensors may be called silent."""
    if silent_after is None or (isinstance(silent_after, int | float) and 1 <= silent_after < float("inf")):
        return []
    return [Problem("silent_after", f"silent_after is at least 1 second, not {silent_after!r}.")]


def check_location(values: Mapping[str, Any]) -> list[Problem]:
    """Gives what is wrong with where an asset stands: degrees on the earth, metres on the site plan."""
    problems = [
        *check_number("latitude", values["latitude"], least=-MOST_LATITUDE, most=MOST_LATITUDE),
        *check_number("longitude", values["longitude"], least=-180.0, most=180.0),
        *check_number("plan_x", values["plan_x"], least=-MOST_METRES, most=MOST_METRES),
        *check_number("plan_y", values["plan_y"], least=-MOST_METRES, most=MOST_METRES),
    ]
    for one, other in (("latitude", "longitude"), ("plan_x", "plan_y")):
        if (values[one] is None) != (values[other] is None):
            missing = one if values[one] is None else other
            problems.append(Problem(missing, f"{missing} is missing: {one} and {other} stand together."))
    return problems


def check_asset_data(manufacturer: object, serial: object, installed: object, attributes: object) -> list[Problem]:
    """Gives what is wrong with what is known of an asset beside its place."""
    problems = [*check_text("manufacturer", manufacturer, 120), *check_text("serial", serial, 120)]
    if installed is not None and not isinstance(installed, date):
        problems.append(Problem("installed", f"installed is a date, for example 2018-05-14, not {installed!r}."))
    if not isinstance(attributes, Mapping) or len(attributes) > MOST_ATTRIBUTES:
        problems.append(Problem("attributes", f"attributes are pairs, at most {MOST_ATTRIBUTES}: Rated power: 250 kW."))
        return problems
    for key, value in attributes.items():
        problems += check_text("attributes", key, 60, needed=True) or check_text("attributes", value, 200, needed=True)
    return problems


def check_text(field: str, value: object, longest: int, *, needed: bool = False) -> list[Problem]:
    """Gives what is wrong with a text."""
    if not isinstance(value, str):
        return [Problem(field, f"{field} is a text, not {value!r}.")]
    if needed and not value.strip():
        return [Problem(field, f"{field} is missing.")]
    if "\0" in value:
        return [Problem(field, f"{field} holds a NUL character, which no database keeps.")]
    if len(value) > longest:
        return [Problem(field, f"{field} has {len(value)} characters; {longest} is the most.")]
    return []


def check_number(
    field: str, value: object, *, least: float | None = None, above: float | None = None, most: float | None = None
) -> list[Problem]:
    """Gives what is wrong with a number; None is nothing wrong."""
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [Problem(field, f"{field} is a number, not {value!r}.")]
    if not math.isfinite(value):
        return [Problem(field, f"{field} must be a finite number, not {value}.")]
    if least is not None and value < least:
        words = "must not be negative" if least == 0 else f"must be at least {number(least)}"
        return [Problem(field, f"{field} {words}, not {number(value)}.")]
    if above is not None and value <= above:
        return [Problem(field, f"{field} must be above {number(above)}, not {number(value)}.")]
    if most is not None and value > most:
        return [Problem(field, f"{field} must be at most {number(most)}, not {number(value)}.")]
    return []


def number(value: float | None) -> str:
    """Gives the shortest text of a number: 90, not 90.0."""
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))


def check_measurement(values: Mapping[str, Any]) -> list[Problem]:
    """Gives what is wrong with a sensor's fields (all of them, with defaults filled in)."""
    problems = [
        *check_text("name", values["name"], 120, needed=True),
        *check_text("quantity", values["quantity"], 40),
        *check_number("interval", values["interval"], least=0.001, most=MAX_SECONDS),
        *check_number("decimals", values["decimals"], least=0, most=9),
        *_check_unit(values["unit"]),
    ]
    if not problems and values["decimals"] is not None and int(values["decimals"]) != values["decimals"]:
        problems.append(Problem("decimals", "decimals is a whole number."))
    problems += _check_band("range", values["range_low"], values["range_high"], whole=True)
    problems += _check_band("normal", values["normal_low"], values["normal_high"], whole=False)
    if not problems:
        for field in ("normal_low", "normal_high"):
            if not within(values[field], values["range_low"], values["range_high"]):
                problems.append(
                    Problem(
                        field,
                        f"normal {number(values[field])} lies outside the range "
                        f"{number(values['range_low'])} to {number(values['range_high'])}.",
                    )
                )
    return problems + _check_labels(values["labels"])


def within(value: float | None, low: float | None, high: float | None) -> bool:
    """Gives whether a value, if there is one, lies in a band; the ends belong to it and may be open."""
    return value is None or ((low is None or value >= low) and (high is None or value <= high))


def _check_unit(unit: object) -> list[Problem]:
    if not isinstance(unit, str):
        return [Problem("unit", f"unit is a text, not {unit!r}.")]
    if not unit or units.find(unit):
        return []
    near = units.nearest(unit)
    hint = f" Did you mean {' or '.join(near)}?" if near else " See docs/units.md for the known ones."
    return [Problem("unit", f"unknown unit {unit!r}.{hint}")]


def _check_band(name: str, low: Any, high: Any, *, whole: bool) -> list[Problem]:
    problems = [*check_number(f"{name}_low", low), *check_number(f"{name}_high", high)]
    if problems:
        return problems
    if whole and (low is None) != (high is None):
        return [Problem(f"{name}_low", f"{name} needs both ends.")]
    if low is not None and high is not None and low >= high:
        return [Problem(f"{name}_low", f"{name} must rise: {number(low)} is not below {number(high)}.")]
    return []


def _check_labels(labels: Any) -> list[Problem]:
    if not isinstance(labels, Mapping):
        return [Problem("labels", "labels pair values with words, for example {0: stopped, 1: running}.")]
    problems = []
    for key, word in labels.items():
        try:
            finite = math.isfinite(float(key))
        except (TypeError, ValueError):
            finite = False
        if not finite:
            problems.append(Problem("labels", f"label {key!r}: what is labelled is a number."))
        if not isinstance(word, str) or not word.strip() or len(word) > 60:
            problems.append(Problem("labels", f"label {key}: its word is a text of 1 to 60 characters, not {word!r}."))
    return problems


def check_place(*, name: str, level: str, above_name: str, above_level: str) -> list[Problem]:
    """Gives what is wrong with an asset's level below another; levels may be skipped, never turned round."""
    own, above = Level(level), Level(above_level)
    if own.rank > above.rank or own is above is Level.MODULE:
        return []
    fitting = [str(item.label).lower() for item in Level if item.rank < own.rank]
    where = f"below {_one_of(fitting)}" if fitting else "at the top"
    return [
        Problem(
            "parent",
            f"{_a(own)} cannot stand below {_a(above)}: {name} is {_a(own)}, {above_name} above it is {_a(above)}. "
            f"{_a(own).capitalize()} belongs {where}.",
        )
    ]


def _a(level: Level) -> str:
    word = str(level.label).lower()
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"


def _one_of(words: list[str]) -> str:
    articled = [f"{'an' if word[0] in 'aeio' else 'a'} {word}" for word in reversed(words)]
    return articled[0] if len(articled) == 1 else f"{', '.join(articled[:-1])} or {articled[-1]}"
