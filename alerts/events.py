"""What the journal tells the screens and the workers, after the commit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from alerts import queries
from alerts.models import JournalEntry
from devices import events
from devices.topology import topology

# The group of those who see the whole plant's alarms, whatever part they look at.
ALL_ALARMS = "alarms"


def announce(entries: Iterable[JournalEntry]) -> None:
    """Tells the screens of journal rows whose alarms are loaded with them. Cost: none."""
    plant = topology()
    for entry in entries:
        alarm = entry.alarm
        if alarm is None:
            continue
        text = frame(entry.pk, queries.as_json(alarm))
        message = {"type": "live.alarm", "journal": entry.pk, "asset": alarm.asset_id, "frame": text}
        area = plant.area.get(alarm.asset_id) if alarm.asset_id else None
        # An alarm of no asset concerns everybody.
        groups = [f"area.{area}"] if area is not None else [f"area.{area}" for area in set(plant.area.values())]
        for group in [ALL_ALARMS, *groups]:
            events.send(group, message)


def frame(journal: int, alarm: dict[str, Any]) -> str:
    """Gives the text of an alarm frame."""
    return json.dumps({"type": "alarm", "journal": journal, "alarm": alarm}, separators=(",", ":"))


def announce_on_commit(journal_ids: list[int]) -> None:
    """Tells the screens of rows written in the running transaction, once it is committed. Cost: one query."""

    def tell() -> None:
        rows = JournalEntry.objects.filter(pk__in=journal_ids).order_by("pk")
        announce(rows.select_related("alarm", "alarm__sensor", "alarm__asset", "alarm__acked_by"))

    transaction.on_commit(tell)
