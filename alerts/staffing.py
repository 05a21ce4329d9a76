"""Staffed hours of an operator position as a person writes them: mon-fri: 06:00-22:00."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from alerts.notify.hours import DAY, WEEK, Hours, NoClock, clock, minute_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE = "mon-fri: 06:00-22:00, sat: 06:00-14:00"


def week_of(pairs: Mapping[str, str]) -> Hours:
    """Gives a week from days (mon, mon-fri) with their hours (06:00-14:00, 22:00-24:00); other days have none.

    Raises: ValueError, in words.
    """
    week: Hours = [[] for _ in WEEK]
    given: set[int] = set()
    for days, text in pairs.items():
        spans = _spans(text)
        for day in _days(days):
            if day in given:
                raise ValueError(_("%(days)s stands twice.") % {"days": DAYS[day]})
            given.add(day)
            week[day] = [list(span) for span in spans]
    return week


def _days(text: str) -> list[int]:
    first, dash, last = text.strip().lower().partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        words = _("%(text)s is no day: it is one of %(days)s, or two of them, for example mon-fri.")
        raise ValueError(words % {"text": repr(text), "days": ", ".join(DAYS)})
    start = DAYS.index(first)
    return [(start + step) % 7 for step in range((DAYS.index(last or first) - start) % 7 + 1)]


def _spans(text: str) -> list[tuple[int, int]]:
    spans = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        start, dash, end = part.partition("-")
        try:
            span = (minute_of(start), minute_of(end, ends=True))
        except NoClock as error:
            raise ValueError(f"{part!r}: {error}") from None
        if not dash or span[0] >= span[1]:
            words = _("%(text)s: hours go from an earlier to a later time of the same day.")
            raise ValueError(words % {"text": repr(part)})
        spans.append(span)
    spans.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise ValueError(_("%(text)s: hours overlap.") % {"text": repr(text)})
    return spans


def pairs_of(week: Hours) -> dict[str, str]:
    """Gives a week's days with their hours, days with the same hours together where they follow each other."""
    texts = [", ".join(f"{clock(start)}-{clock(end)}" for start, end in spans) for spans in week]
    pairs: dict[str, str] = {}
    day = 0
    while day < len(WEEK):
        last = day
        while last + 1 < len(WEEK) and texts[last + 1] == texts[day]:
            last += 1
        if texts[day]:
            pairs[DAYS[day] if last == day else f"{DAYS[day]}-{DAYS[last]}"] = texts[day]
        day = last + 1
    return pairs


def check_week(week: Any) -> str:
    """Gives what is wrong with a week, or nothing. Null is always."""
    if week is None:
        return ""
    try:
        for day in week:
            free = 0
            for start, end in day:
                if not (isinstance(start, int) and isinstance(end, int) and free <= start < end <= DAY):
                    raise ValueError
                free = end
        if len(week) != len(WEEK):
            raise ValueError
    except (TypeError, ValueError):
        return _("staffed hours are seven lists of [from, to] in minutes of the day, Monday first.")
    return ""
