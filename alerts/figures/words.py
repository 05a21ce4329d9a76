"""The figures in sentences: value, unit, target and difference, for pages, mail and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.figures.summary import Figures
from alerts.figures.targets import TARGETS, Standing
from alerts.writing import number

# By key: title, unit, decimals; shares are shown in percent.
_SHOWN: dict[str, tuple[Any, Any, int]] = {
    "per_ten": (gettext_lazy("Average rate"), gettext_lazy("per 10 min"), 2),
    "per_hour": (gettext_lazy("Average per hour"), gettext_lazy("per hour"), 1),
    "per_day": (gettext_lazy("Average per day"), gettext_lazy("per 24 h"), 0),
    "peak_ten": (gettext_lazy("Peak 10 min"), "", 0),
    "busy_hours": (gettext_lazy("Hours with more than 30"), "%", 1),
    "busy_tens": (gettext_lazy("10 min with more than 10"), "%", 1),
    "flood_share": (gettext_lazy("Time in flood"), "%", 1),
    "top_ten_share": (gettext_lazy("Top 10 share"), "%", 0),
    "chattering": (gettext_lazy("Chattering alarms"), "", 0),
    "fleeting": (gettext_lazy("Fleeting alarms"), "", 0),
    "stale": (gettext_lazy("Stale over 24 h, worst day"), "", 0),
    "standing": (gettext_lazy("Standing at the end"), "", 0),
    "shelved": (gettext_lazy("Shelved at the end"), "", 0),
    "critical_share": (gettext_lazy("Critical share"), "%", 1),
    "high_share": (gettext_lazy("High share"), "%", 1),
    "medium_share": (gettext_lazy("Medium share"), "%", 1),
    "low_share": (gettext_lazy("Low share"), "%", 1),
    "late_share": (gettext_lazy("Acknowledged too late"), "%", 1),
}
_STANDINGS = {
    Standing.MET: gettext_lazy("met"),
    Standing.MANAGEABLE: gettext_lazy("manageable"),
    Standing.MISSED: gettext_lazy("missed"),
    Standing.UNKNOWN: gettext_lazy("nothing to judge"),
}
_LEVELS = {
    "predictive": gettext_lazy("predictive"),
    "robust": gettext_lazy("robust"),
    "stable": gettext_lazy("stable"),
    "reactive": gettext_lazy("reactive"),
    "overloaded": gettext_lazy("overloaded"),
    "unknown": gettext_lazy("not known"),
}
_TARGET_WORDS = {
    "per_day": gettext_lazy("at most 144 (IEC 62682), 150 (ISA-18.2); manageable to 288, 300"),
    "per_hour": gettext_lazy("at most 6; manageable to 12"),
    "per_ten": gettext_lazy("at most 1; manageable to 2"),
    "peak_ten": gettext_lazy("at most 10"),
    "busy_hours": gettext_lazy("under 1 %"),
    "busy_tens": gettext_lazy("under 1 %"),
    "flood_share": gettext_lazy("under 1 %"),
    "top_ten_share": gettext_lazy("1 %, at most 5 % with a plan for each"),
    "chattering": gettext_lazy("none"),
    "fleeting": gettext_lazy("none"),
    "stale": gettext_lazy("under 5 on any day"),
    "standing": gettext_lazy("under 10"),
    "shelved": gettext_lazy("under 30"),
    "critical_share": gettext_lazy("under 1 %"),
    "high_share": gettext_lazy("about 5 %"),
    "medium_share": gettext_lazy("about 15 %"),
    "low_share": gettext_lazy("about 80 % or more"),
    "late_share": gettext_lazy("none"),
}
_BY = {
    "critical_share": gettext_lazy("common practice for four levels"),
    "late_share": gettext_lazy("the rule’s time to respond"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure with its target."""

    key: str
    title: str
    value: str
    unit: str
    target: str
    by: str
    standing: str  # met, manageable, missed, unknown
    word: str
    said: str  # how it stands against the target, with the difference

    @property
    def met(self) -> bool:
        """Tells whether the target is met, as far as it is known."""
        return self.standing == Standing.MET

    @property
    def judged(self) -> bool:
        """Tells whether it is known how it stands."""
        return self.standing != Standing.UNKNOWN


def lines(figures: Figures, keys: Sequence[str] = tuple(_SHOWN)) -> list[Line]:
    """Gives figures as lines, all of them in their usual order."""
    return [_line(figures, key) for key in keys]


def level(figures: Figures) -> str:
    """Gives EEMUA's word."""
    return str(_LEVELS[figures.level])


def seconds(value: float | None) -> str:
    """Gives a duration as people say it: 4 s, 2 min 05 s, 3 h 10 min, 2 d 04 h."""
    if value is None:
        return "–"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s" if whole % 60 else f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def _line(figures: Figures, key: str) -> Line:
    title, unit, decimals = _SHOWN[key]
    value, standing = figures.value(key), figures.standing_of(key)
    percent = unit == "%"
    why = _why_unknown(figures, key, value) if standing is Standing.UNKNOWN else ""
    if why and key != "top_ten_share":
        value = None  # a nought that nobody counted
    return Line(
        key=key,
        title=str(title),
        value="–" if value is None else _number(value * 100 if percent else value, decimals),
        unit=str(unit) if value is not None else "",
        target=str(_TARGET_WORDS[key]),
        by=str(_BY.get(key, TARGETS[key].by)),
        standing=str(standing),
        word=_("not known") if why and value is None else str(_STANDINGS[standing]),
        said=why or _said(key, value, standing, decimals, percent),
    )


def _why_unknown(figures: Figures, key: str, value: float | None) -> str:
    """Gives why a figure is not judged; nothing where there is none of it though the journal is there."""
    if not figures.recorded:
        return _("not known: no journal of this time")
    if value is None:
        return ""
    if key == "top_ten_share":
        return _("not judged: of ten or fewer it is always 100 %")
    if not figures.staffed_hours:
        return _("not known: the position was not staffed")
    return _("not known: next to no journal of this time")


def _said(key: str, value: float | None, standing: Standing, decimals: int, percent: bool) -> str:
    target = TARGETS[key]
    scale = 100 if percent else 1
    most = _number(target.most * scale, 0) + (" %" if percent else "")
    words = {"most": _("under %(most)s") % {"most": most} if target.below else most}
    if value is None or standing in (Standing.MET, Standing.UNKNOWN):
        return _("target %(most)s") % words
    if target.least:
        words["under"] = _("%(under)s points") % {"under": _number((target.most - value) * scale, decimals)}
        if standing is Standing.MANAGEABLE:
            return _("%(under)s under target %(most)s, manageable") % words
        return _("%(under)s under target %(most)s") % words
    over = _number((value - target.most) * scale, decimals)
    words["over"] = _("%(over)s points") % {"over": over} if percent else over
    if standing is Standing.MANAGEABLE:
        return _("%(over)s over target %(most)s, manageable") % words
    if target.below and value == target.most:
        return _("target %(most)s") % words
    return _("%(over)s over target %(most)s") % words


def _number(value: float, decimals: int) -> str:
    return number(value, decimals)
