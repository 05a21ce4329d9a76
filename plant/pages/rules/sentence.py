"""A rule as one sentence whose parts are the fields of its form; static/js/state/sentence.js fills the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from alerts.models import Kind
from plant.pages.rules.form import Form

_FIELD = re.compile(r"%\((\w+)\)s")
MISSING = "…"


def words() -> dict[str, str]:
    """Gives the sentence of each kind, and the parts that it has only where they are set."""
    raise_it = _("%(delay)s%(unless)s, raise a %(priority)s alarm.")
    tests = {
        Kind.HIGH: _("When %(sensor_key)s is at or over %(limit)s"),
        Kind.LOW: _("When %(sensor_key)s is at or under %(limit)s"),
        Kind.OUTSIDE: _("When %(sensor_key)s is outside %(low)s to %(high)s"),
        Kind.EQUALS: _("When %(sensor_key)s is %(value)s"),
        Kind.NOT_EQUALS: _("When %(sensor_key)s is not %(value)s"),
        Kind.RATE_HIGH: _("When %(sensor_key)s rises by %(limit)s or more in %(per)s, taken over %(window)s"),
        Kind.RATE_LOW: _("When %(sensor_key)s changes by %(limit)s or less in %(per)s, taken over %(window)s"),
        Kind.DEVIATION: _("When %(sensor_key)s is %(limit)s or more away from %(reference)s"),
        Kind.EXPRESSION: _("When %(expression)s"),
        Kind.STALE: _("When %(sensor_key)s has not reported for %(timeout)s"),
        Kind.FLATLINE: _("When %(sensor_key)s has moved by no more than %(tolerance)s for %(duration)s"),
    }
    return {
        **{kind.value: text + raise_it for kind, text in tests.items()},
        "delay": _(" for %(on_delay)s"),
        "unless": _(", unless %(suppress_when)s"),
    }


def sentence(form: Form) -> list[tuple[str, str]]:
    """Gives the parts of a form's sentence, each with the field that it stands for, or nothing."""
    known = words()
    if form.kind not in known:
        return []
    shown = _shown(form)
    delayed = form.texts.get("on_delay", "").strip() not in ("", "0")
    text = known[form.kind].replace("%(delay)s", known["delay"] if delayed else "")
    text = text.replace("%(unless)s", known["unless"] if form.whiles else "")
    parts: list[tuple[str, str]] = []
    at = 0
    for found in _FIELD.finditer(text):
        if found.start() > at:
            parts.append((text[at : found.start()], ""))
        parts.append((shown.get(found[1]) or MISSING, found[1]))
        at = found.end()
    return [*parts, (text[at:], "")]


def _shown(form: Form) -> Mapping[str, str]:
    """Gives what stands for each field."""
    found: dict[str, Any] = {
        name: f"{one.text} {one.unit}".strip() if one.text else "" for name, one in form.numbers.items()
    }
    sensor = form.target.sensor(form.texts.get("sensor_key", ""))
    if sensor is not None and (word := sensor.labels.get(form.texts.get("value", ""))):
        found["value"] = word
    return {
        **found,
        "sensor_key": sensor.name if sensor is not None else form.texts.get("sensor_key", ""),
        "reference": form.texts.get("reference", ""),
        "expression": form.texts.get("expression", ""),
        "suppress_when": _(" or ").join(form.whiles),
        "priority": next((word.lower() for _value, word, chosen in form.priorities if chosen), ""),
    }
