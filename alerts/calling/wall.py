"""Clocks on the wall: weekly hours and times of day as instants, on days of 23, 24 and 25 hours too.

A time of day means the first instant at which the wall shows it or a later one. So one that daylight saving leaves out
is the moment of the change, one that comes twice is its first coming, and spans that touch on paper touch in time.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Seven lists, Monday first, of [from, to] in minutes of the day, `to` excluded.
Hours = Sequence[Sequence[Sequence[int]]]

SUNDAY = 6
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Gives the first instant at which a wall shows `local`, a time without zone, or a later one; in UTC."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(first, zone) == local:
        return first
    # Left out by a change: the clock jumps over it somewhere between its two readings.
    early, late = local.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    if early > late:
        early, late = late, early
    while late - early > _SECOND:
        middle = early + timedelta(seconds=(late - early) // _SECOND // 2)
        if _wall(middle, zone) >= local:
            late = middle
        else:
            early = middle
    return late


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Gives the instant at which a day begins."""
    return instant(datetime.combine(day, time()), zone)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """Gives the date that a wall shows."""
    return moment.astimezone(zone).date()


def spans(
    hours: Hours, zone: ZoneInfo, start: datetime, end: datetime, *, as_sunday: frozenset[date] = frozenset()
) -> Iterator[tuple[datetime, datetime]]:
    """Gives the stretches of weekly hours that meet [start, end), whole, in order; what touches is one.

    Takes: dates that count as Sundays.
    """
    open_from: datetime | None = None
    open_to = start
    # A day more on either side: a wall may be a day ahead or behind, and a stretch is given whole up to its midnight.
    day, last = day_of(start, zone) - _DAY, day_of(end, zone) + _DAY
    while day <= last:
        weekday = SUNDAY if day in as_sunday else day.weekday()
        for first, to in sorted((int(first), int(to)) for first, to in hours[weekday]):
            opens, closes = _at(day, first, zone), _at(day, to, zone)
            if closes <= opens:
                continue  # the change of the clock left nothing of it
            if open_from is not None and opens <= open_to:
                open_to = max(open_to, closes)
                continue
            if open_from is not None and open_to > start and open_from < end:
                yield open_from, open_to
            open_from, open_to = opens, closes
        day += _DAY
    if open_from is not None and open_to > start and open_from < end:
        yield open_from, open_to


def closes(hours: Hours, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Gives when weekly hours that are open at a moment close next: None where they are closed, or never close."""
    moment = last = moment.astimezone(UTC)
    for begins, ends in spans(hours, zone, moment, moment + timedelta(days=8)):
        if begins > last:
            break
        last = max(last, ends)
    if last == moment or last > moment + timedelta(days=7, hours=12):
        return None
    return last


def is_open(hours: Hours, zone: ZoneInfo, moment: datetime) -> bool:
    """Tells whether a moment lies in weekly hours."""
    moment = moment.astimezone(UTC)
    return any(True for _ in spans(hours, zone, moment, moment + timedelta(microseconds=1)))


def next_hour(moment: datetime, zone: ZoneInfo) -> datetime:
    """Gives the next instant at which a wall's minutes are nought."""
    wall = _wall(moment, zone)
    past = timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
    return moment.astimezone(UTC) + timedelta(hours=1) - past


def _at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return instant(datetime.combine(day, time()) + timedelta(minutes=minute), zone)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)
