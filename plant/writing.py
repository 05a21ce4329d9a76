"""How numbers, units, times and ages are written on the screens; static/js/state/writing.js is its twin."""

from datetime import date, datetime, timedelta
from math import isfinite

from django.utils import timezone
from django.utils.formats import get_format

from alerts import writing as lower
from alerts.writing import NO_VALUE, decimals_for, number, plain
from devices.units import difference, display

__all__ = ["NO_VALUE", "decimals_for", "difference", "number", "plain"]  # as alerts and devices write them

_PER = {1.0: "s", 60.0: "min", 3600.0: "h"}


def unit(text: str) -> str:
    """Gives a unit as it is shown: m3/h becomes m³/h."""
    return display(text)


def per(seconds: float | None) -> str:
    """Gives what a rate is per, after its figure: " /min"; nothing for none."""
    return "" if seconds is None else f"\u00a0/{_PER.get(seconds, f'{plain(seconds)} s')}"


def duration(seconds: float) -> str:
    """Gives 5:35 under an hour, 1 h 24 under a day, then 2 d 04 h."""
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d}"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def age(seconds: float) -> str:
    """Gives how old data is: 0.4 s, 12 s, 9 min 58 s, 3 h 05 min, 2 d 04 h."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s".replace(".", str(get_format("DECIMAL_SEPARATOR")))
    whole = max(10, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def clock(moment: datetime) -> str:
    """Gives the time of day in the current time zone."""
    return timezone.localtime(moment).strftime("%H:%M:%S")


def moment(when: datetime, now: datetime) -> str:
    """Gives the time of day, with the date before it when it is not today, and the year when it is not this one."""
    local, today = timezone.localtime(when), timezone.localtime(now)
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    written = lower.day(local, today.year)
    return f"{written}, {local:%H:%M}" if abs(today - local) < timedelta(days=300) else written


def day(when: datetime | date) -> str:
    """Gives a day by the reader's clock, with the year when it is not this one."""
    local = timezone.localtime(when) if isinstance(when, datetime) else when
    return lower.day(local, timezone.localdate().year)


def stamp(when: datetime) -> str:
    """Gives a day with its time to the minute, by the reader's clock: Tue 17 Mar 18:36."""
    return lower.stamp(timezone.localtime(when))


def seconds_attribute(value: float | None) -> str:
    """Gives seconds for a data attribute; nothing for none or for ever."""
    return "" if value is None or not isfinite(value) else f"{value:g}"
