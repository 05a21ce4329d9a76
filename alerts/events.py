"""What the journal tells the screens and the workers, after the commit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from alerts import queries
from alerts.lifecycle import NOT_PRESENTED, SWITCHES, Event
from alerts.models import JournalEntry, Suppression
from devices import events
from devices.topology import Topology, topology

# The group of those who see the whole plant's alarms, whatever part they look at.
ALL_ALARMS = "alarms"


def announce(entries: Sequence[JournalEntry]) -> None:
    """Tells the screens of journal rows whose alarms are loaded with them.

    Cost: none; one query where an alarm is shelved, four where a rule's suppression changed.
    """
    plant = topology()
    queries.with_shelving([entry.alarm for entry in entries if entry.alarm is not None])
    for entry in entries:
        alarm = entry.alarm
        if alarm is None:
            if (place := of_asset(plant, entry)) is not None:
                said = {"type": "live.comment", "journal": entry.pk, "frame": comment_frame(entry)}
                _send(plant, place, said)
            continue
        text = frame(entry.pk, queries.as_json(alarm))
        _send(plant, alarm.asset_id, {"type": "live.alarm", "journal": entry.pk, "frame": text})
    for number, asset, text in suppression_frames(entries):
        _send(plant, asset, {"type": "live.suppression", "journal": number, "frame": text})


def _send(plant: Topology, asset: int | None, message: dict[str, Any]) -> None:
    area = plant.area.get(asset) if asset else None
    # An alarm of no asset concerns everybody.
    groups = [f"area.{area}"] if area is not None else [f"area.{area}" for area in set(plant.area.values())]
    for group in [ALL_ALARMS, *groups]:
        events.send(group, {**message, "asset": asset})


def frame(journal: int, alarm: dict[str, Any]) -> str:
    """Gives the text of an alarm frame."""
    return json.dumps({"type": "alarm", "journal": journal, "alarm": alarm}, separators=(",", ":"))


def of_asset(plant: Topology, entry: JournalEntry) -> int | None:
    """Gives the asset that a row is a comment about, of no alarm and no rule; None for another row."""
    if entry.event != Event.COMMENT or entry.alarm_id is not None or entry.rule_id is not None:
        return None
    return next((pk for pk, code in plant.code.items() if code == entry.tag), None)


def comment_frame(entry: JournalEntry) -> str:
    """Gives the text of the frame that says that somebody wrote about an asset; its page reads what."""
    return json.dumps({"type": "comment", "journal": entry.pk, "asset": entry.tag}, separators=(",", ":"))


def suppression_frames(entries: Iterable[JournalEntry]) -> list[tuple[int, int, str]]:
    """Gives (journal id, asset id, frame) of the rules whose suppression journal rows may have changed.

    One frame stands for all rows of a rule: it says how the rule stands now.
    Cost: none where there is no such row; else four queries.
    """
    newest = {entry.rule_id: entry.pk for entry in entries if entry.rule_id is not None and turns(entry)}
    if not newest:
        return []
    found = queries.suppressions_as_json(Suppression.objects.filter(rule__in=newest))
    return [
        (
            newest[rule],
            asset,
            json.dumps({"type": "suppression", "journal": newest[rule], "suppression": said}, separators=(",", ":")),
        )
        for rule, asset, said in found
    ]


def turns(entry: JournalEntry) -> bool:
    """Tells whether a row may have turned a switch: some end by themselves with an alarm that is not presented."""
    return entry.event in SWITCHES or entry.from_state in NOT_PRESENTED


def announce_on_commit(journal_ids: list[int]) -> None:
    """Tells the screens of rows written in the running transaction, once it is committed. Cost: one query."""

    def tell() -> None:
        rows = JournalEntry.objects.filter(pk__in=journal_ids).order_by("pk")
        announce(list(rows.select_related("alarm", "alarm__sensor", "alarm__asset", "alarm__acked_by")))

    transaction.on_commit(tell)
