"""Which shift it is, by the clock on the plant's wall; on the days on which that clock is changed too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.calling import wall

EXAMPLE = "Early 06:00-14:00, Late 14:00-22:00, Night 22:00-06:00"
_FORM = re.compile(r"(?P<name>\S.*?)\s+(?P<start>\d\d:\d\d)\s*-\s*(?P<end>\d\d:\d\d)\Z")


class Shift(NamedTuple):
    """A shift of every day; one that ends before it begins ends on the next day."""

    name: str
    start: time
    end: time


class Worked(NamedTuple):
    """A shift on one day, in instants."""

    name: str
    start: datetime
    end: datetime


def parse(words: Iterable[str]) -> tuple[Shift, ...]:
    """Reads shifts as settings have them: `Early 06:00-14:00`. Raises: ValueError, in words."""
    found = []
    for text in words:
        match = _FORM.match(text.strip())
        try:
            if match is None:
                raise ValueError
            found.append(Shift(match["name"], time.fromisoformat(match["start"]), time.fromisoformat(match["end"])))
        except ValueError:
            raise ValueError(f"{text!r} is no shift; write them as {EXAMPLE}.") from None
    return tuple(found)


def around(shifts: Sequence[Shift], zone: ZoneInfo, moment: datetime, *, days: int = 1) -> list[Worked]:
    """Gives the shifts of the day before a moment up to some days after it, in order."""
    today = wall.day_of(moment, zone)
    found = []
    for ahead in range(-1, days + 1):
        day = today + timedelta(days=ahead)
        for shift in shifts:
            last = day if shift.end > shift.start else day + timedelta(days=1)
            start = wall.instant(datetime.combine(day, shift.start), zone)
            end = wall.instant(datetime.combine(last, shift.end), zone)
            found.append(Worked(shift.name, start, end))
    return sorted(found, key=lambda worked: worked.start)


def at(shifts: Sequence[Shift], zone: ZoneInfo, moment: datetime) -> Worked | None:
    """Gives the shift at a moment; None between shifts. Of two that overlap, the one that began last."""
    found = [worked for worked in around(shifts, zone, moment) if worked.start <= moment < worked.end]
    return found[-1] if found else None
