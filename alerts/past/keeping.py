"""What stood before a change, kept in its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from alerts.models import Alarm, AlarmPast, FloodLoad, FloodLoadPast, Suppression, SuppressionPast
from alerts.models.past import kept

Fields = Mapping[str, Any]

_ALARM, _SUPPRESSION = kept(AlarmPast), kept(SuppressionPast)


def alarms(
    changes: Iterable[tuple[Alarm, Fields, Fields]], words: Mapping[int, tuple[str, dict[str, Any]]], now: datetime
) -> None:
    """Keeps how alarms stood.

    Takes: each alarm with its fields before and after; the message and the frozen rule, as they were, of those that may
    be given other words. Cost: one query; none where nothing changed.
    """
    rows = []
    for alarm, before, after in changes:
        message, frozen = words.get(alarm.pk, (None, None))
        reworded = message is not None and (message, frozen) != (alarm.message, alarm.frozen)
        if before["closed"] is None and (before != after or reworded):
            fields = {attribute: before[name] for name, attribute in _ALARM.items()}
            rows.append(AlarmPast(alarm=alarm, until=now, message=message, frozen=frozen, **fields))
    AlarmPast.objects.bulk_create(rows)


def suppressions(changes: Iterable[tuple[Suppression, Fields | None, Fields]], now: datetime) -> None:
    """Keeps how rules' suppressions stood; before there was any row the rule was presented. Cost: as `alarms`."""
    rows = []
    for row, before, after in changes:
        if before != after:
            fields = {} if before is None else {attribute: before[name] for name, attribute in _SUPPRESSION.items()}
            rows.append(SuppressionPast(rule_id=row.rule_id, until=now, **fields))
    SuppressionPast.objects.bulk_create(rows)


def loads(before: Mapping[str, Fields], after: Iterable[FloodLoad], now: datetime) -> None:
    """Keeps the loads of operator positions. Cost: as `alarms`."""
    rows = []
    for row in after:
        fields = before.get(row.position, {})
        if any(getattr(row, name) != value for name, value in fields.items()) or not fields:
            rows.append(FloodLoadPast(position=row.position, until=now, **fields))
    FloodLoadPast.objects.bulk_create(rows)
