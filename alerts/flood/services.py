"""Counts annunciations by operator position, as the journal has them, and journals where a flood begins and ends."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q

from alerts import journal
from alerts.flood import queries
from alerts.flood.counter import Load, annunciated, interval_of, passed
from alerts.models import FloodLoad, FloodLoadPast, FloodMark, JournalEntry, JournalHead
from alerts.models.past import kept
from alerts.past import keeping

log = structlog.get_logger(__name__)

BEGINS, ENDS = "flood_begins", "flood_ends"  # the journal's words
_MARK = 1
_FIELDS = list(kept(FloodLoadPast))


def follow(*, now: datetime) -> int:
    """Counts what was annunciated since the last call, and lets the clock end floods.

    Gives: how many floods began or ended.
    Cost: three queries where nothing was journaled.
    """
    head = JournalHead.objects.values_list("last", flat=True).first() or 0
    mark = FloodMark.objects.filter(pk=_MARK).values_list("seen", flat=True).first()
    if mark is None:
        FloodMark.objects.bulk_create([FloodMark(pk=_MARK, seen=head)], ignore_conflicts=True)
        return 0
    present = interval_of(now.timestamp())
    if head == mark and not FloodLoad.objects.filter(Q(count__gt=0) | ~Q(since=None), interval__lt=present).exists():
        return 0
    with transaction.atomic():
        journal.lock()
        return _count(now)


def _count(now: datetime) -> int:
    mark = FloodMark.objects.get(pk=_MARK)
    rows = {row.position: row for row in FloodLoad.objects.all()}
    before = {position: queries.load_of(row) for position, row in rows.items()}
    loads = dict(before)
    begun: set[str] = set()
    news = queries.presented(JournalEntry.objects.filter(pk__gt=mark.seen)).order_by("pk")
    for recorded, position in news.values_list("recorded", "alarm__position"):
        at = recorded.timestamp()
        load = loads.get(position or "", Load(interval_of(at)))
        loads[position or ""] = annunciated(load, at)
        if loads[position or ""].in_flood and not load.in_flood:
            begun.add(position or "")
    loads = {position: passed(load, now.timestamp()) for position, load in loads.items()}
    words: list[tuple[str, str, str]] = []
    names = queries.names()
    for position in sorted(loads):
        load, was = loads[position], before.get(position)
        name = names.get(position, position)
        if was is not None and was.in_flood and (not load.in_flood or load.since != was.since):
            words.append((ENDS, name, f"{name}: fewer than five alarms in ten minutes; {was.total} since it began"))
        if position in begun:
            words.append((BEGINS, name, f"{name}: more than ten alarms in ten minutes"))
            if not load.in_flood:
                words.append((ENDS, name, f"{name}: fewer than five alarms in ten minutes"))
    _store(rows, loads, now)
    last = JournalHead.objects.values_list("last", flat=True).first() or 0
    FloodMark.objects.filter(pk=_MARK).update(seen=last + len(words))
    journal.write([_row(event, reason, now) for event, _, reason in words], now)
    for event, name, reason in words:
        log.info(event.replace("_", " "), position=name, detail=reason)
    return len(words)


def _store(rows: dict[str, FloodLoad], loads: dict[str, Load], now: datetime) -> None:
    before = {position: {name: getattr(row, name) for name in _FIELDS} for position, row in rows.items()}
    for position, load in loads.items():
        row = rows.setdefault(position, FloodLoad(position=position))
        row.interval, row.count, row.since, row.before = load.interval, load.count, load.since, load.before
    keeping.loads(before, rows.values(), now)
    new = [row for row in rows.values() if row.pk is None]
    FloodLoad.objects.bulk_update([row for row in rows.values() if row.pk is not None], _FIELDS)
    FloodLoad.objects.bulk_create(new)


def _row(event: str, reason: str, now: datetime) -> JournalEntry:
    return JournalEntry(time=now, recorded=now, event=event, from_state="", to_state="", reason=reason)
