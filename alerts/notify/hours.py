"""Weekly hours: how a person writes them, how they are stored, and what they say in words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from alerts.writing import DAYS

__all__ = ["DAYS"]

DAY = 1440  # minutes
WEEK = tuple(range(7))  # Monday is 0

# As Subscription.hours holds them: seven lists, Monday first, of [from, to] in minutes of the day.
Hours = list[list[list[int]]]

_CLOCK = re.compile(r"([0-9]{1,2})(?:[:.h]?([0-9]{2}))?\Z")


class NoClock(ValueError):
    """A text is no time of day; the words say what was expected."""


@dataclass(frozen=True, slots=True)
class Span:
    """The same hours on some weekdays; an end at or before the start lies on the next day."""

    days: tuple[int, ...]
    start: int
    end: int


_NIGHT_FROM, _NIGHT_TO = 22, 6  # o'clock

PRESETS: dict[str, tuple[Span, ...]] = {
    "work": (Span((0, 1, 2, 3, 4), 6 * 60, 18 * 60),),
    "nights": (Span(WEEK, _NIGHT_FROM * 60, _NIGHT_TO * 60),),
}


def is_night(local: datetime) -> bool:
    """Tells whether a message comes at night. Takes: its moment, in the zone of whoever reads it."""
    return local.hour >= _NIGHT_FROM or local.hour < _NIGHT_TO


def minute_of(text: str, *, ends: bool = False) -> int:
    """Reads 6, 6:00, 0600 or 24:00 as minutes of the day.

    Takes: whether it ends a span, where midnight is the end of the day, not its beginning.
    Raises: NoClock.
    """
    found = _CLOCK.match(text.strip())
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
    if minute > 59 or hour * 60 + minute > (DAY if ends else DAY - 1):
        raise NoClock(
            _("“%(text)s” is no time of day. Write one from 00:00 to %(last)s.")
            % {"text": text.strip(), "last": "24:00" if ends else "23:59"}
        )
    return (hour * 60 + minute) or (DAY if ends else 0)


def clock(minute: int) -> str:
    """Gives minutes of the day as 06:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def hours_of(spans: Iterable[Span]) -> Hours:
    """Gives the week that spans cover, cut at midnight; what overlaps or touches is one."""
    week: Hours = [[] for _day in WEEK]
    for span in spans:
        for day in span.days:
            if span.end > span.start:
                week[day].append([span.start, span.end])
            else:
                week[day].append([span.start, DAY])
                week[(day + 1) % 7].append([0, span.end])
    return [_joined(spans) for spans in week]


def _joined(spans: list[list[int]]) -> list[list[int]]:
    found: list[list[int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return found


def spans_of(hours: Sequence[Sequence[Sequence[int]]]) -> list[Span]:
    """Gives a week as a person would write it: days with the same hours together, a night in one piece."""
    week = [[(int(start), int(end)) for start, end in day] for day in hours]
    for day in WEEK:
        after = (day + 1) % 7
        if not week[day] or not week[after]:
            continue
        (start, end), (first, until) = week[day][-1], week[after][0]
        # A whole day is no end of a night.
        if end == DAY and first == 0 and until < start:
            week[day][-1] = (start, until)
            week[after] = week[after][1:]
    days: dict[tuple[int, int], list[int]] = {}
    for day in WEEK:
        for span in week[day]:
            days.setdefault(span, []).append(day)
    found = [Span(tuple(on), start, end) for (start, end), on in days.items()]
    return sorted(found, key=lambda span: (span.days[0], span.start))


def is_always(hours: Sequence[Sequence[Sequence[int]]]) -> bool:
    """Tells whether a week has no gap."""
    return all(list(map(list, day)) == [[0, DAY]] for day in hours)


def preset_of(hours: Hours | None) -> str:
    """Gives the name of the hours that a week has: always, work, nights, or own."""
    if hours is None:
        return "always"
    return next((name for name, spans in PRESETS.items() if hours_of(spans) == hours), "own")


def in_words(hours: Hours | None) -> str:
    """Gives "at any time", "Mon to Fri 06:00 to 14:00", "Sat and Sun all day", or "never"."""
    if hours is None or is_always(hours):
        return _("at any time")
    parts = []
    for span in spans_of(hours):
        if (span.start, span.end) == (0, DAY):
            times = _("all day")
        else:
            times = _("%(start)s to %(end)s") % {"start": clock(span.start), "end": clock(span.end)}
        parts.append(f"{days_in_words(span.days)} {times}")
    return listed(parts) or _("never")


def days_in_words(days: Sequence[int]) -> str:
    """Gives "every day", "Mon to Fri", or "Mon, Wed and Sun"."""
    if len(days) == len(WEEK):
        return _("every day")
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    words: list[str] = []
    for run in runs:
        if len(run) > 2:
            words.append(_("%(first)s to %(last)s") % {"first": DAYS[run[0]], "last": DAYS[run[-1]]})
        else:
            words += [str(DAYS[day]) for day in run]
    return listed(words)


def listed(words: Sequence[str]) -> str:
    """Gives "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return _("%(some)s and %(last)s") % {"some": ", ".join(words[:-1]), "last": words[-1]}
