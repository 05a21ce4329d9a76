"""What a rule asks for, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from alerts.checks import as_number
from alerts.models import Alarm
from devices.labels import word_of
from plant import writing

_FIGURES = ("limit", "low", "high", "value", "timeout", "duration")


def condition_of(alarm: Alarm) -> str:
    """Gives in words what its rule asked for when the alarm was raised."""
    labels = alarm.sensor.labels if alarm.sensor is not None else {}
    return condition_words(alarm.frozen, alarm.unit, labels)


def condition_words(rule: Mapping[str, Any], unit_code: str, labels: Mapping[str, Any]) -> str:
    """Gives in words what a rule asks for.

    Takes: its fields; the code of its sensor's unit, and what that sensor's values are called.
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
    found |= {name: writing.plain(rule[name]) for name in _FIGURES if rule.get(name) is not None}
    if (word := word_of(labels, rule.get("value"))) is not None:
        found["value"] = word
    reference = as_number(rule.get("reference", ""))
    found["reference"] = rule.get("reference", "") if reference is None else writing.plain(reference)
    found["expression"] = rule.get("expression", "")
    words = sentences[kind] % found
    if not (delay := rule.get("on_delay")):
        return words
    return _("%(condition)s for %(delay)s\u00a0s") % {"condition": words, "delay": writing.plain(delay)}
