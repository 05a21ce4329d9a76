"""Template tags and filters of the operators' pages."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils.translation import gettext as _

from alerts.figures import words
from alerts.models import Alarm, JournalEntry
from alerts.queries import Tally, per_of
from alerts.sayings import said, said_of_another, why
from alerts.written import Figure, is_one_word, limit_of, reading, value_of
from devices.models import Sensor
from plant import drawing, writing

register = template.Library()

register.simple_tag(drawing.icon, name="icon")
register.simple_tag(drawing.priority, name="priority")
register.simple_tag(drawing.counts, name="alarm_counts")
register.simple_tag(drawing.state, name="machine_state")
register.simple_tag(drawing.state_icon, name="state_icon")
register.simple_tag(drawing.honeycomb, name="honeycomb")
register.simple_tag(drawing.value, name="value")
register.simple_tag(drawing.quality, name="quality")
register.simple_tag(drawing.indicator, name="indicator")
register.simple_tag(drawing.spark, name="spark")
register.simple_tag(drawing.bar, name="bar")
register.simple_tag(drawing.columns, name="columns")
register.simple_tag(drawing.shares, name="shares")
register.simple_tag(drawing.timeline, name="timeline")

register.filter("number", writing.number)
register.filter("seconds", words.seconds)
register.filter("unit", writing.unit)
register.filter("duration", writing.duration)
register.filter("age", writing.age)
register.filter("clock", writing.clock)
register.filter("day", writing.day)
register.filter("stamp", writing.stamp)
register.filter("moment", writing.moment)
register.filter("priority_word", drawing.priority_word)
register.filter("said", said)
register.filter("said_of_another", said_of_another)


@register.filter("why")
def why_of(entry: JournalEntry) -> str:
    """Gives why a row of the journal is there."""
    return why(entry.event, entry.actor, entry.reason)


@register.filter("reading")
def reading_of(entry: JournalEntry, sensors: Mapping[str, Sensor]) -> str:
    """Gives the value in a row of the journal as its sensor's values are written. Takes: the sensors by tag."""
    return writing.NO_VALUE if entry.value is None else reading(entry.value, sensors.get(entry.tag)).text


@register.simple_tag
def sparkline(line: Mapping[str, Any]) -> str:
    """Gives a sparkline of what `sparks.drawn` gave."""
    return drawing.spark(**line)


@register.simple_tag
def alarm_symbol(alarm: Alarm, size: str = "") -> str:
    """Gives an alarm's symbol as it stands now."""
    return drawing.priority(alarm.priority, drawing.look_of(alarm), size)


@register.simple_tag
def alarm_worst(tally: Tally, size: str = "") -> str:
    """Gives the symbol of the highest priority in a tally, or nothing."""
    return drawing.priority(tally.worst, tally.look(tally.worst), size) if tally.worst else ""


@register.simple_tag
def alarm_lasting(alarm: Alarm, now: datetime) -> str:
    """Gives how long an alarm has stood; of one that has cleared how long it did, and that it has."""
    stood = writing.duration(((alarm.cleared or now) - alarm.raised).total_seconds())
    return stood if alarm.cleared is None else _("cleared after %(time)s") % {"time": stood}


@register.simple_tag
def alarm_value(alarm: Alarm) -> str:
    """Gives the value that an alarm was raised with, in its sensor's decimals or label.

    A rate's is the reading at which it was met, not the rate: it says so, for its limit stands beside it.
    """
    figure = _text(value_of(alarm, alarm.sensor))
    return figure if per_of(alarm) is None or alarm.value is None else _("at %(value)s") % {"value": figure}


@register.simple_tag
def alarm_reading(alarm: Alarm) -> str:
    """Gives the value that an alarm was raised with and its unit; nothing where the rule's name says it already."""
    if alarm.value is None or is_one_word(alarm, alarm.sensor):
        return ""
    return f"{alarm_value(alarm)} {writing.unit(alarm.unit)}".strip()


@register.simple_tag
def alarm_was(alarm: Alarm) -> str:
    """Gives the same where nothing else says that it is not the present value."""
    reading = alarm_reading(alarm)
    return _("was %(value)s") % {"value": reading} if reading else ""


@register.simple_tag
def alarm_bound(alarm: Alarm) -> str:
    """Gives the limit that an alarm was raised at in a sentence; nothing where the rule's name says it already."""
    if alarm.limit is None or is_one_word(alarm, alarm.sensor):
        return ""
    return _("limit %(value)s") % {"value": alarm_limit(alarm)}


@register.simple_tag
def alarm_figures(alarm: Alarm) -> str:
    """Gives what an alarm says of its value: was 97.4 °C, limit 90.0; or nothing."""
    return ", ".join(filter(None, (alarm_was(alarm), alarm_bound(alarm))))


@register.simple_tag
def alarm_limit(alarm: Alarm) -> str:
    """Gives the limit that an alarm was raised at, in its sensor's decimals or label; a rate's is per time."""
    return _text(limit_of(alarm, alarm.sensor)) + (writing.per(per_of(alarm)) if alarm.limit is not None else "")


def _text(figure: Figure | None) -> str:
    return writing.NO_VALUE if figure is None else figure.text


@register.filter
def json_text(value: Any) -> str:
    """Gives a value as JSON for a data attribute; the template escapes it."""
    return json.dumps(value, separators=(",", ":"))


@register.filter
def at(values: Mapping[Any, Any], key: Any) -> Any:
    """Gives what stands under a key."""
    return values[key]


@register.filter
def of(values: Mapping[str, Any], name: str) -> Any:
    """Gives what a mapping holds under a name, or nothing."""
    return values.get(name, "")


@register.filter
def grouped(value: float) -> str:
    """Gives a count with thin spaces between thousands."""
    return writing.number(value, 0)


@register.filter
def look_at(tally: Tally, priority: int) -> str:
    """Gives how a priority's symbol stands in a tally."""
    return tally.look(priority)


@register.filter
def percent(share: float) -> str:
    """Gives a part of 1 in per cent, with one decimal."""
    return writing.number(share * 100, 1) if share < 1 else "100"


@register.filter
def item(values: Any, key: str) -> Any:
    """Gives an entry of a mapping by a name that the template holds."""
    return values.get(key)
