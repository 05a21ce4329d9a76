"""What a rule asks for, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from alerts.models import Alarm
from plant import writing


def condition_of(alarm: Alarm) -> str:
    """Gives in words what its rule asked for when the alarm was raised."""
    return condition_words(alarm.frozen, alarm.unit)


def condition_words(rule: Mapping[str, Any], unit_code: str) -> str:
    """Gives in words what a rule asks for. Takes: its fields; the code of its sensor's unit."""
    unit = writing.unit(unit_code)
    kind = rule.get("kind", "")
    sentences = {
        "high": _("at or over %(limit)s %(unit)s"),
        "low": _("at or under %(limit)s %(unit)s"),
        "outside": _("outside %(low)s to %(high)s %(unit)s"),
        "equals": _("equal to %(value)s"),
        "not_equals": _("different from %(value)s"),
        "rate_high": _("rising by %(limit)s %(unit)s or more in %(per)s s"),
        "rate_low": _("changing by %(limit)s %(unit)s or less in %(per)s s"),
        "deviation": _("%(limit)s %(unit)s or more away from %(reference)s"),
        "expression": _("%(expression)s"),
        "stale": _("no reading for %(timeout)s\u00a0s"),
        "flatline": _("no change for %(duration)s\u00a0s"),
    }
    if kind not in sentences:
        return ""
    figures = {key: f"{value:g}" if isinstance(value, float) else value for key, value in rule.items()}
    words = sentences[kind] % {**figures, "unit": unit}
    delay = rule.get("on_delay") or 0
    return _("%(condition)s for %(delay)s\u00a0s") % {"condition": words, "delay": f"{delay:g}"} if delay else words
