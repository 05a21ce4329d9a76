"""What a rule asks for, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from alerts.checks import as_number
from alerts.models import Alarm
from alerts.writing import decimals_in
from alerts.written import Scale, decimals_of
from devices.labels import word_of
from plant import writing

_READ = ("limit", "low", "high", "value")  # in the sensor's unit
_TIMES = ("timeout", "duration")


def condition_of(alarm: Alarm) -> str:
    """Gives in words what its rule asked for when the alarm was raised."""
    labels = alarm.sensor.labels if alarm.sensor is not None else {}
    return condition_words(alarm.frozen, alarm.unit, labels, alarm.sensor)


def condition_words(
    rule: Mapping[str, Any], unit_code: str, labels: Mapping[str, Any], scale: Scale | None = None
) -> str:
    """Gives in words what a rule asks for.

    Takes: its fields; the code of its sensor's unit, and what that sensor's values are called; the sensor, where its
    values stand beside the words: then they have its decimals, and more only where a setting has more.
    """
    unit = writing.unit(unit_code)
    kind = rule.get("kind", "")
    sentences = {
        "high": _("at or over %(limit)s %(unit)s"),
        "low": _("at or under %(limit)s %(unit)s"),
        "outside": _("outside %(low)s to %(high)s %(unit)s"),
        "equals": _("equal to %(value)s"),
        "not_equals": _("different from %(value)s"),
        "rate_high": _("rising by %(limit)s %(unit)s%(per)s or more"),
        "rate_low": _("changing by %(limit)s %(unit)s%(per)s or less"),
        "deviation": _("%(limit)s %(unit)s or more away from %(reference)s"),
        "expression": _("%(expression)s"),
        "stale": _("no reading for %(timeout)s\u00a0s"),
        "flatline": _("no change for %(duration)s\u00a0s"),
    }
    if kind not in sentences:
        return ""
    found: dict[str, Any] = {"unit": unit, "per": writing.per(rule.get("per") or 60.0)}
    least = 0 if scale is None else decimals_of(scale)
    found |= {name: _figure(rule[name], least) for name in _READ if rule.get(name) is not None}
    found |= {name: writing.plain(rule[name]) for name in _TIMES if rule.get(name) is not None}
    if (word := word_of(labels, rule.get("value"))) is not None:
        found["value"] = word
    reference = as_number(rule.get("reference", ""))
    found["reference"] = rule.get("reference", "") if reference is None else _figure(reference, least)
    found["expression"] = rule.get("expression", "")
    words = sentences[kind] % found
    if not (delay := rule.get("on_delay")):
        return words
    return _("%(condition)s for %(delay)s\u00a0s") % {"condition": words, "delay": writing.plain(delay)}


def _figure(value: float, least: int) -> str:
    return writing.number(value, max(least, decimals_in(value)))
