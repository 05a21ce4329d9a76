"""What the journal says since a socket last looked: read once for all sockets of the process."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.db.models import Q

from alerts import queries as alarms
from alerts.events import comment_frame, frame, of_asset, suppression_frames
from alerts.flood import queries as flood_queries
from alerts.lifecycle import Event
from alerts.models import JournalEntry, JournalHead
from devices import moment
from devices.topology import topology

MOST_MISSED = 500  # rows fetched at once; a browser that missed more is closed and takes a snapshot
KEPT = 0.5  # seconds for which the newest number counts as the newest


class JournalTail:
    """The newest journal number, read once a second for all sockets of the process."""

    def __init__(self) -> None:
        self._read_at = 0.0
        self._head = 0
        self._load: dict[str, list[Any]] = {}
        self._lock = asyncio.Lock()
        self._rows: deque[tuple[int, int | None, str]] = deque(maxlen=4 * MOST_MISSED)

    async def head(self) -> int:
        """Gives the newest journal number, at most half a beat old."""
        async with self._lock:
            if time.monotonic() - self._read_at > KEPT:
                self._head = await database_sync_to_async(journal_head)()
                self._load = await database_sync_to_async(load)()
                self._read_at = time.monotonic()
            return self._head

    @property
    def load(self) -> dict[str, list[Any]]:
        """Gives what the beat tells of floods, as it was when the head was read."""
        return self._load

    async def many(self, after: int, upto: int, *, suppressions: bool) -> bool:
        """Tells whether (after, upto] holds more rows for a socket than are fetched at once."""
        if upto - after <= MOST_MISSED:
            return False
        # What one parent alarm suppresses may be thousands of rows, of which most sockets are shown none.
        return suppressions or await database_sync_to_async(_alarm_rows)(after, upto) > MOST_MISSED

    async def rows(self, after: int, upto: int) -> list[tuple[int, int | None, str]]:
        """Gives (journal id, asset id, frame) of the rows in (after, upto], read once for all sockets."""
        async with self._lock:
            have = self._rows[-1][0] if self._rows else None
            start = after if have is None or have < after or self._rows[0][0] > after + 1 else have
            if start == after:
                self._rows.clear()
            if start < upto:
                self._rows.extend(await database_sync_to_async(_journal_frames)(start, upto))
            return [row for row in self._rows if after < row[0] <= upto]


_tails: WeakKeyDictionary[asyncio.AbstractEventLoop, JournalTail] = WeakKeyDictionary()


def tail() -> JournalTail:
    """Gives the running loop's tail."""
    return _tails.setdefault(asyncio.get_running_loop(), JournalTail())


def journal_head() -> int:
    """Gives the newest journal number. Cost: one query."""
    return JournalHead.objects.values_list("last", flat=True).first() or 0


def load() -> dict[str, list[Any]]:
    """Gives what the beat tells of floods. Cost: one query, three in a flood.

    Gives: `floods` that last: position, name, since, how many alarms; `counted`: since when the interval of ten minutes
    runs, and how many alarms the busiest position got in it. Times in ms.
    """
    found = flood_queries.present(moment.now())
    floods = [[flood.position, flood.name, _ms(flood.since), flood.total] for flood in found.floods]
    return {"floods": floods, "counted": [_ms(found.since), found.most]}


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _alarm_rows(after: int, upto: int) -> int:
    return JournalEntry.objects.filter(id__gt=after, id__lte=upto, alarm__isnull=False).count()


def suppression_rows(after: int, upto: int) -> list[tuple[int, int, str]]:
    """Gives (journal id, asset id, frame) of the rules whose suppression changed. Cost: at most five queries."""
    entries = JournalEntry.objects.filter(id__gt=after, id__lte=upto, rule_id__isnull=False).order_by("id")
    return suppression_frames(entries)


# Of alarms, and what is said of an asset.
_TOLD = Q(alarm__isnull=False) | Q(alarm=None, rule_id=None, event=Event.COMMENT)


def _journal_frames(after: int, upto: int) -> list[tuple[int, int | None, str]]:
    """Gives the frames of journal rows, in order. Cost: three queries."""
    entries = (
        JournalEntry.objects.filter(_TOLD, id__gt=after, id__lte=upto)
        .select_related("alarm", "alarm__sensor", "alarm__asset", "alarm__acked_by")
        .order_by("id")[: MOST_MISSED + 1]
    )
    alarms.with_shelving([entry.alarm for entry in entries if entry.alarm])
    plant = topology()
    found: list[tuple[int, int | None, str]] = []
    for entry in entries:
        if entry.alarm is not None:
            found.append((entry.pk, entry.alarm.asset_id, frame(entry.pk, alarms.as_json(entry.alarm))))
        elif (place := of_asset(plant, entry)) is not None:
            found.append((entry.pk, place, comment_frame(entry)))
    return found
