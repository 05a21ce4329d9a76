"""How numbers and days are written in the reader's language: 41 288, 17 Mar; static/js/state/writing.js is its twin."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NO_VALUE = "–"
_THIN_SPACE = "\u2009"
_MINUS = "\u2212"
MONTHS = (
    gettext_lazy("Jan"),
    gettext_lazy("Feb"),
    gettext_lazy("Mar"),
    gettext_lazy("Apr"),
    gettext_lazy("May"),
    gettext_lazy("Jun"),
    gettext_lazy("Jul"),
    gettext_lazy("Aug"),
    gettext_lazy("Sep"),
    gettext_lazy("Oct"),
    gettext_lazy("Nov"),
    gettext_lazy("Dec"),
)
DAYS = (
    gettext_lazy("Mon"),
    gettext_lazy("Tue"),
    gettext_lazy("Wed"),
    gettext_lazy("Thu"),
    gettext_lazy("Fri"),
    gettext_lazy("Sat"),
    gettext_lazy("Sun"),
)


def number(value: float | None, decimals: int = 1) -> str:
    """Gives a number with thin spaces between thousands, the locale's decimal sign and a real minus."""
    if value is None or not isfinite(value):
        return NO_VALUE
    # Halves up, as the browser's toFixed does.
    rounded = Decimal(abs(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{rounded:,f}"
    negative = value < 0 and any(digit in text for digit in "123456789")
    text = text.replace(",", _THIN_SPACE).replace(".", str(get_format("DECIMAL_SEPARATOR")))
    return _MINUS + text if negative else text


def plain(value: float) -> str:
    """Gives a setting with the digits that it has: 2, 0.75."""
    return number(value, decimals_in(value))


def decimals_in(value: float) -> int:
    """Gives how many decimals a number has: 2 has none, 0.75 has two."""
    return max(0, -int(Decimal(repr(value)).normalize().as_tuple().exponent))


def decimals_for(low: float | None, high: float | None, wanted: int | None = None) -> int:
    """Gives how many decimals a sensor shows: its own, else by the span of its range."""
    if wanted is not None:
        return wanted
    if low is None or high is None:
        return 1
    span = abs(high - low)
    if span >= 500:
        return 0
    if span >= 50:
        return 1
    return 2 if span >= 5 else 3


def day(local: date, this_year: int | None = None) -> str:
    """Gives a day by its own clock: 17 Mar; with the year where it is another than `this_year`."""
    if this_year is None or local.year == this_year:
        return _("%(day)s %(month)s") % {"day": local.day, "month": MONTHS[local.month - 1]}
    return _("%(day)s %(month)s %(year)s") % {
        "day": local.day,
        "month": MONTHS[local.month - 1],
        "year": local.year,
    }


def weekday(local: date) -> str:
    """Gives the day of the week: Tue."""
    return str(DAYS[local.weekday()])


def stamp(local: datetime) -> str:
    """Gives a day with its time to the minute: Tue 17 Mar 18:36. Takes: a moment with the zone to write it in."""
    return f"{weekday(local)} {day(local)} {local:%H:%M}"
