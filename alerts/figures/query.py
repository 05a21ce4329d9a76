"""The journal read for the figures: of an operator position, or of the whole plant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Case, CharField, F, Func, Q, QuerySet, When
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from alerts import journal, lifecycle
from alerts.figures.events import KINDS, Events, Kind
from alerts.figures.summary import Figures, Hidden, compute
from alerts.instants import from_us, to_us
from alerts.models import Alarm, JournalEntry, Position, Rule, Suppression
from alerts.positions import Seats

_SWITCHED = ("shelve", "suppress", "out_of_service")


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a source by its newest occurrence."""

    rule: int | None
    name: str
    tag: str
    asset: str
    priority: int


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a position and period, with the names of what they point at."""

    position: Position | None  # none: the whole plant
    start: datetime
    end: datetime
    figures: Figures
    sources: dict[int, Source]


def report(*, position: Position | None, start: datetime, end: datetime, now: datetime) -> Report:
    """Gives the figures of [start, end), cut off at now.

    Takes: a position, or None for the whole plant, staffed always.
    Cost: eight queries for any number of events, two more for each where a position hides rules.
    """
    current = end >= now
    end = max(start + timedelta(microseconds=1), min(end, now))
    first = JournalEntry.objects.order_by("id").values_list("time", flat=True).first()
    counted = compute(
        _events(position, start, end),
        start=to_us(start),
        end=to_us(end),
        week=position.staffed if position is not None else None,
        zone=timezone.get_default_timezone(),
        recorded_from=None if first is None else to_us(first),
        hidden=_hidden(position) if current else None,
    )
    return Report(position, start, end, counted, _sources(counted))


def _events(position: Position | None, start: datetime, end: datetime) -> Events:
    """Gives the rows of the period, and the earlier ones of alarms that were open at its start. Cost: five queries."""
    alarms = Alarm.objects.order_by() if position is None else Alarm.objects.filter(position=position.code).order_by()
    carried = alarms.filter(Q(closed=None) | Q(closed__gte=start), raised__lt=start)
    rows = [
        *_about(position).filter(time__lt=start, alarm__in=carried.values("pk")),
        *_about(position).filter(time__gte=start, time__lt=end),
    ]
    known = [
        *carried.values_list(*_OF_ALARMS),
        *alarms.filter(raised__gte=start, raised__lt=end).values_list(*_OF_ALARMS),
    ]
    bare = _changes().filter(alarm=None, event__in=_SWITCHED, time__gte=start, time__lt=end)
    hidden = list(bare.values_list(*_COLUMNS))
    if position is not None and hidden:
        answered = rules_of(position, {row[6] for row in hidden if row[6] is not None})
        hidden = [row for row in hidden if row[6] in answered]
    return _as_events([*rows, *hidden], known)


class _Clock(Func):
    """A moment in UTC as text, which NumPy reads faster than Django makes datetimes."""

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS TEXT)", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        return self.as_sql(compiler, connection, template=template, **context)


_COLUMNS = ("id", "at", "event", "from_state", "to_state", "alarm_id", "rule_id", "quiet")
_OF_ALARMS = ("pk", "priority", KeyTextTransform("time_to_respond", "frozen"))


def _changes() -> QuerySet[JournalEntry, JournalEntry]:
    """Gives rows that changed something."""
    rows = JournalEntry.objects.exclude(reason__startswith=journal.REFUSED, from_state=F("to_state"), actor__gt="")
    quiet = Case(When(event="raise", reason__endswith=journal.ANNOUNCED_BEFORE, then=1), default=0)
    return rows.order_by().annotate(at=_Clock("time"), quiet=quiet)


def _about(position: Position | None) -> QuerySet[JournalEntry, tuple[Any, ...]]:
    """Gives rows about a position's alarms."""
    rows = _changes().exclude(event__in=("comment", "silence"))
    rows = rows.filter(alarm__isnull=False) if position is None else rows.filter(alarm__position=position.code)
    return rows.values_list(*_COLUMNS)


def _as_events(rows: Sequence[tuple[Any, ...]], known: Sequence[tuple[Any, ...]]) -> Events:
    """Gives rows as columns, in the order of their numbers.

    Takes: besides the rows, their alarms with priority and time to respond.
    """
    number, time, event, before, after, alarm, rule, quiet = zip(*rows, strict=True) if rows else ((),) * 8
    of = np.array([pk or 0 for pk in alarm], np.int64)
    pks, levels, times = zip(*sorted(known), strict=True) if known else ((0,), (0,), (None,))
    place = np.minimum(np.searchsorted(pks, of), len(pks) - 1)
    found = np.array(pks)[place] == of
    limits = np.array([np.nan if limit in (None, "null") else float(limit) for limit in times], np.float64)
    events = Events(
        number=np.array(number, np.int64),
        time=np.array(time, "datetime64[us]").astype(np.int64),
        kind=np.array([KINDS.get(word, Kind.OTHER) for word in event], np.uint8),
        before=np.frombuffer("".join(before).encode("ascii"), np.uint8),
        after=np.frombuffer("".join(after).encode("ascii"), np.uint8),
        alarm=of,
        rule=np.array([pk or 0 for pk in rule], np.int64),
        priority=np.where(found, np.array(levels, np.uint8)[place], 0).astype(np.uint8),
        respond=np.where(found, limits[place], np.nan),
        quiet=np.array(quiet, np.bool_),
    )
    return events.take(np.argsort(events.number))


def rules_of(position: Position, among: Iterable[int] | None = None) -> set[int]:
    """Gives the rules whose alarms a position answers: those that name it, and unnamed ones in its part of the plant.

    Takes: ids to keep to. Cost: two queries.
    """
    rules = Rule.objects.order_by()
    if among is not None:
        rules = rules.filter(pk__in=among)
    seats = Seats.load()
    rows = rules.values_list("pk", "position", "asset_id")
    return {pk for pk, named, asset in rows if (named or seats.of(asset)) == position.code}


def _hidden(position: Position | None) -> Hidden:
    """Counts what is not presented now. Cost: one query for the whole plant, three for a position."""
    rows = Suppression.objects.exclude(switches=[]).order_by().values_list("rule_id", "switches")
    hidden = dict(rows)
    if position is not None and hidden:
        answered = rules_of(position, hidden)
        hidden = {rule: switches for rule, switches in hidden.items() if rule in answered}
    counts = {switch: sum(switch in switches for switches in hidden.values()) for switch in lifecycle.Switch}
    return Hidden(
        counts[lifecycle.Switch.SHELVED],
        counts[lifecycle.Switch.BY_DESIGN],
        counts[lifecycle.Switch.OUT_OF_SERVICE],
    )


def _sources(figures: Figures) -> dict[int, Source]:
    """Gives the names of what the figures point at. Cost: one query for each 500 of them."""
    wanted = {one.source for one in figures.top} | {one.source for one in figures.chatter}
    wanted |= {one.source for one in figures.fleeting}
    wanted |= {one.source for one in (*figures.stale, *figures.standing)}
    alarms = {figures.newest[source]: source for source in wanted}
    found = {}
    keys = sorted(alarms)
    for at in range(0, len(keys), 500):
        part = Alarm.objects.filter(pk__in=keys[at : at + 500]).order_by()
        for pk, rule, message, tag, asset, level in part.values_list(
            "pk", "rule_id", "message", "tag", "asset_code", "priority"
        ):
            found[alarms[pk]] = Source(rule, message, tag, asset, level)
    return found


def month(text: str) -> tuple[datetime, datetime]:
    """Gives the first moment of a month of the plant's clock, and of the next.

    Takes: 2026-10. Raises: ValueError, in words.
    """
    try:
        first = datetime.strptime(text.strip(), "%Y-%m")  # noqa: DTZ007  # the plant's zone follows
        following = (first + timedelta(days=32)).replace(day=1)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no month; write it as 2026-10.") from None
    zone = timezone.get_default_timezone()
    return first.replace(tzinfo=zone), following.replace(tzinfo=zone)


def moment_of(us: int) -> datetime:
    """Gives a figure's time in the plant's zone."""
    return timezone.localtime(from_us(us), timezone.get_default_timezone())
