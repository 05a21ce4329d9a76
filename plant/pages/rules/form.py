"""The form of a rule: what was typed, what is wrong with it, and the rule that it means."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.changes import label_of, while_text
from alerts.checks import DEFAULTS, PARAMETERS, levels_of
from alerts.models import Kind, Priority, Severity
from devices.checks import number, within
from plant import writing
from plant.pages.rules.target import Target

SPARE = 2  # lines beyond those that are filled in
MOST_LINES = 12
_LONGEST = 4000  # characters of a field: what is longer is cut, and refused by its check where it matters
MINUTE = 60.0

# The numbers: whether each is in the sensor's unit, a difference in it, in seconds or in minutes.
_NUMBERS = {
    "limit": "unit",
    "low": "unit",
    "high": "unit",
    "value": "unit",
    "deadband": "difference",
    "window": "s",
    "per": "s",
    "timeout": "s",
    "duration": "s",
    "tolerance": "unit",
    "on_delay": "s",
    "off_delay": "s",
    "time_to_respond": "min",
    "realarm": "min",
    "longest_shelving": "min",
}
_TEXTS = (
    "name", "kind", "sensor_key", "reference", "expression", "priority", "alarm_class", "position", "severity", "group",
    "hides", "cause", "consequence", "action", "confirmation",
)  # fmt: skip
_FLAGS = ("ack_required", "latching", "shelvable", "enabled")
_MISSING: dict[str, Any] = {
    "reference": gettext_lazy("Write a number, or choose a sensor."),
    "inputs": gettext_lazy("Name the sensors that it reads."),
    "expression": gettext_lazy("Write what is to hold, such as s == 1 and f < 0.5."),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the form as the page shows it."""

    name: str
    label: str
    text: str
    unit: str
    follows: str  # unit or difference: how it goes by the sensor's unit, which the script follows; empty: it does not
    kinds: str  # with which it is shown; empty: all
    shown: bool


@dataclass(slots=True)
class Line:
    """A line of a list: an expression's input, or what suppresses the rule."""

    number: int
    name: str = ""
    text: str = ""


@dataclass(slots=True)
class Form:
    """The fields of a rule as a person wrote them."""

    target: Target
    texts: dict[str, str] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    inputs: list[tuple[str, str]] = field(default_factory=list)
    whiles: list[str] = field(default_factory=list)
    reason: str = ""
    seen: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    advice: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, target: Target, seen: int, *, sensor: str = "") -> Form:
        """Gives the form of what is stored, or of a new rule on a sensor."""
        form = cls(target, seen=seen)
        form.set(target.values)
        form.texts["name"] = target.name
        if target.rule is None:
            keys = [one.key for one in target.sensors]
            form.texts |= {"kind": Kind.HIGH.value, "sensor_key": sensor if sensor in keys else (keys or [""])[0]}
        return form

    def set(self, values: Mapping[str, Any]) -> None:
        """Writes fields as a person would."""
        for name, value in values.items():
            if name in _NUMBERS:
                self.texts[name] = _typed(value, _NUMBERS[name])
            elif name in _FLAGS:
                self.flags[name] = bool(value)
            elif name == "inputs":
                self.inputs = [(str(word), str(tag)) for word, tag in dict(value).items()]
            elif name == "suppress_when":
                self.whiles = [while_text(one) for one in value]
            else:
                self.texts[name] = str(value)

    @classmethod
    def sent(cls, target: Target, post: QueryDict) -> Form:
        """Gives the form as it was sent."""
        form = cls(target)
        form.texts = {name: post.get(name, "")[:_LONGEST].replace("\r\n", "\n") for name in (*_TEXTS, *_NUMBERS)}
        if target.named_by_type:
            form.texts["name"] = target.name
        form.flags = {name: name in post for name in _FLAGS}
        for place in range(MOST_LINES):
            pair = post.get(f"input-{place}", "").strip()[:64], post.get(f"tag-{place}", "").strip()[:140]
            if any(pair):
                form.inputs.append(pair)
            if line := post.get(f"while-{place}", "").strip()[:300]:
                form.whiles.append(line)
        form.reason = post.get("reason", "")[:_LONGEST]
        seen = post.get("seen", "")
        form.seen = int(seen) if seen.isdecimal() and len(seen) < 19 else 0
        return form

    # --- What it means -----------------------------------------------------------------------------------------------

    def values(self) -> dict[str, Any] | None:
        """Gives the rule's fields, or None with the errors set. What its kind does not take has its default."""
        kind = self.texts["kind"]
        if kind not in Kind.values:
            self.errors["kind"] = _("Choose what the rule looks for.")
            return None
        needed, taken = PARAMETERS[kind]
        own = {*needed, *taken}
        values = {**self.target.values}
        for name in ("sensor_key", "alarm_class", "position", "severity", "group", "hides"):
            values[name] = self.texts[name].strip()
        for name in ("cause", "consequence", "action", "confirmation"):
            values[name] = self.texts[name].strip()
        values |= self.flags
        for name in _NUMBERS:
            of_a_kind = any(name in (*needs, *takes) for needs, takes in PARAMETERS.values())
            values[name] = self._number(name) if name in own or not of_a_kind else DEFAULTS[name]
        values["reference"] = _plain(self.texts["reference"]) if "reference" in own else ""
        values["expression"] = self.texts["expression"].strip() if "expression" in own else ""
        values["inputs"] = self._inputs() if "inputs" in own else {}
        values["suppress_when"] = self._whiles()
        values["kind"] = kind
        values["priority"] = self._priority()
        self._need(needed, values)
        return None if self.errors else values

    def _need(self, needed: Iterable[str], values: Mapping[str, Any]) -> None:
        """Takes note of what is missing, and of a limit that its sensor could never reach."""
        for name in needed:
            if not self.errors.get(name) and values[name] in (None, "", {}):
                self.errors[name] = _MISSING[name] if name in _MISSING else _("Write a number.")
        sensor = self.target.sensor(values["sensor_key"])
        if sensor is None:
            if values["kind"] != Kind.EXPRESSION:
                self.errors.setdefault("sensor_key", _("Choose a sensor."))
            return
        for name, level in levels_of(values).items():
            if not within(level, sensor.range_low, sensor.range_high):
                words = _("%(level)s lies outside the sensor’s range, %(low)s to %(high)s.")
                said = {"level": number(level), "low": number(sensor.range_low), "high": number(sensor.range_high)}
                self.errors.setdefault(name, words % said)

    def _number(self, name: str) -> float | None:
        text = self.texts[name].strip()
        if not text:
            default: float | None = DEFAULTS[name]
            return default
        value = read_number(text)
        if value is None:
            self.errors[name] = _("%(field)s: “%(text)s” is no number. Write one such as %(example)s.") % {
                "field": label(name),
                "text": text[:40],
                "example": f"14{get_format('DECIMAL_SEPARATOR')}5",
            }
            return None
        return value * MINUTE if _NUMBERS[name] == "min" else value

    def _priority(self) -> int:
        if self.texts["priority"] not in map(str, Priority.values):
            self.errors["priority"] = _("Choose how important the alarm is.")
            return Priority.MEDIUM.value
        return int(self.texts["priority"])

    def _inputs(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for word, tag in self.inputs:
            if not word or not tag:
                self.errors["inputs"] = _("Each line needs a name and a sensor.")
            elif word in found:
                self.errors["inputs"] = _("“%(name)s” stands twice.") % {"name": word}
            found[word] = tag
        return found

    def _whiles(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for line in self.whiles:
            one = read_while(line)
            if one is None:
                words = _("“%(line)s”: write state = 0, 4, or alarm: Motor trip.")
                self.errors["suppress_when"] = words % {"line": line[:60]}
            else:
                found.append(one)
        return found

    def refuse(self, error: ValidationError) -> None:
        """Takes what is wrong with the rule that it means."""
        fields = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
        for name, words in fields.items():
            self.errors.setdefault(name, " ".join(words))

    # --- What the page shows -----------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """Gives the kind that is chosen."""
        return self.texts.get("kind", "")

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Gives the kinds, value and word."""
        return [(kind.value, str(kind.label)) for kind in Kind]

    @property
    def numbers(self) -> dict[str, Figure]:
        """Gives its numbers by name."""
        sensor = self.target.sensor(self.texts.get("sensor_key", ""))
        unit = writing.unit(sensor.unit) if sensor is not None else ""
        difference = writing.difference(sensor.unit) if sensor is not None else ""
        found = {}
        for name, of in _NUMBERS.items():
            kinds = with_field(name)
            own = {"unit": unit, "difference": difference}.get(of, of)
            shown = not kinds or self.kind in kinds
            text = self.texts.get(name, "")
            follows = of if of in ("unit", "difference") else ""
            found[name] = Figure(name, label(name), text, own, follows, " ".join(kinds), shown)
        return found

    @property
    def shows(self) -> dict[str, tuple[str, bool]]:
        """Gives for the fields that are no numbers with which kinds they are shown, and whether now."""
        return {
            name: (" ".join(kinds), self.kind in kinds)
            for name, kinds in {one: with_field(one) for one in ("reference", "inputs")}.items()
        }

    @property
    def input_lines(self) -> list[Line]:
        """Gives the lines of an expression's inputs, with room for more."""
        filled = [Line(place, name, text) for place, (name, text) in enumerate(self.inputs)]
        return _roomy(filled)

    @property
    def while_lines(self) -> list[Line]:
        """Gives the lines of what suppresses the rule, with room for more."""
        return _roomy([Line(place, text=text) for place, text in enumerate(self.whiles)], spare=1)

    @property
    def whiles_known(self) -> list[str]:
        """Gives what may be written into such a line."""
        found = [f"alarm: {name}" for name in self.target.others]
        for sensor in self.target.sensors:
            found += [f"{sensor.key} = {value} ({word})" for value, word in sensor.labels.items()]
        return found

    @property
    def priorities(self) -> list[tuple[int, str, bool]]:
        """Gives the priorities: value, word, and whether it is chosen."""
        return [(one.value, str(one.label), str(one.value) == self.texts.get("priority")) for one in Priority]

    @property
    def severities(self) -> list[tuple[str, str]]:
        """Gives the severities, value and word."""
        return [(one.value, str(one.label)) for one in Severity]

    @property
    def general(self) -> str:
        """Gives what is wrong with the rule as a whole."""
        return self.errors.get("__all__", "")

    @property
    def recorded(self) -> bool:
        """Tells whether something is wrong in the folded part, so that it is to be open."""
        return bool(
            self.errors.keys()
            & {"cause", "consequence", "confirmation", "severity", "time_to_respond", "alarm_class", "position",
               "group", "hides", "realarm", "longest_shelving"}
        )  # fmt: skip


def label(name: str) -> str:
    """Gives a field's name as its label: that of the rule's page and of its changes, which begins a line here."""
    word = label_of(name)
    return word[:1].upper() + word[1:]


def with_field(name: str) -> list[str]:
    """Gives the kinds that take a field; none where all do."""
    return [str(kind) for kind, (needed, taken) in PARAMETERS.items() if name in (*needed, *taken)]


def read_number(text: str) -> float | None:
    """Reads a number with a point or a comma; None where it is none."""
    plain = _plain(text)
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in plain else None


def _plain(text: str) -> str:
    """Gives a number's text as Python reads it; any other text as it is."""
    plain = text.strip().replace("\u2212", "-")
    bare = "".join(plain.split())
    if bare.count(",") == 1 and "." not in bare:
        bare = bare.replace(",", ".")
    try:
        float(bare)
    except ValueError:
        return plain
    return bare


def read_while(line: str) -> dict[str, Any] | None:
    """Reads a line of `suppress_when`: alarm: Motor trip, or state = 0, 4; words in brackets are passed over."""
    word, colon, name = line.partition(":")
    if colon and word.strip().lower() == "alarm":
        return {"alarm": name.strip()} if name.strip() else None
    sensor, sign, numbers = line.partition("=")
    parts = [read_number(part.partition("(")[0]) for part in numbers.split(",")]
    if not sign or not sensor.strip() or None in parts:
        return None
    return {"sensor": sensor.strip(), "equals": parts}


def _typed(value: float | None, of: str) -> str:
    if value is None:
        return ""
    text = number(value / MINUTE if of == "min" else value)
    return text.replace(".", str(get_format("DECIMAL_SEPARATOR")))


def _roomy(lines: Iterable[Line], spare: int = SPARE) -> list[Line]:
    """Leaves lines to write into."""
    found = list(lines)
    return found + [Line(place) for place in range(len(found), min(MOST_LINES, len(found) + spare))]
