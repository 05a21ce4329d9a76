"""What is right about a rule and still worth a second look: told, never refused; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from alerts.checks import as_number
from alerts.models import Kind, Priority
from alerts.rationalisation import NO_ALARM, missing, suggested
from devices.checks import Problem, number

Band = tuple[float | None, float | None]


def advice(values: Mapping[str, Any], normal: Band) -> list[Problem]:
    """Gives what a rule's author may want to think about.

    Takes: a rule in which nothing is wrong; the normal range of its sensor.
    """
    return [*_overlap(values, normal), *_clearing(values, normal), *_record(values)]


def _said(normal: Band) -> str:
    low, high = normal
    if low is None:
        return _("up to %(high)s") % {"high": number(high)}
    if high is None:
        return _("from %(low)s") % {"low": number(low)}
    return _("%(low)s to %(high)s") % {"low": number(low), "high": number(high)}


def _overlap(values: Mapping[str, Any], normal: Band) -> list[Problem]:
    """Gives the limits that values of the normal range meet."""
    low, high = normal
    kind = values["kind"]
    uppers: list[tuple[str, float]] = []
    lowers: list[tuple[str, float]] = []
    if kind == Kind.HIGH:
        uppers.append(("limit", values["limit"]))
    elif kind == Kind.LOW:
        lowers.append(("limit", values["limit"]))
    elif kind == Kind.OUTSIDE:
        lowers.append(("low", values["low"]))
        uppers.append(("high", values["high"]))
    elif kind == Kind.DEVIATION and (reference := as_number(values["reference"])) is not None:
        uppers.append(("limit", reference + values["limit"]))
        lowers.append(("limit", reference - values["limit"]))
    met = [(field, level) for field, level in uppers if high is not None and level <= high]
    met += [(field, level) for field, level in lowers if low is not None and level >= low]
    words = _("%(limit)s lies within the normal range, %(normal)s: it raises alarms while all is well.")
    return [Problem(field, words % {"limit": number(level), "normal": _said(normal)}) for field, level in met]


def _clearing(values: Mapping[str, Any], normal: Band) -> list[Problem]:
    """Gives a deadband so wide that an alarm stands in the normal range."""
    low, high = normal
    kind, deadband = values["kind"], values["deadband"]
    words = _("The alarm returns only %(where)s %(level)s: it stands within the normal range, %(normal)s.")
    if kind == Kind.HIGH and high is not None and high < values["limit"] and values["limit"] - deadband < high:
        said = {"where": _("under"), "level": number(values["limit"] - deadband), "normal": _said(normal)}
        return [Problem("deadband", words % said)]
    if kind == Kind.LOW and low is not None and low > values["limit"] and values["limit"] + deadband > low:
        said = {"where": _("over"), "level": number(values["limit"] + deadband), "normal": _said(normal)}
        return [Problem("deadband", words % said)]
    return []


def _record(values: Mapping[str, Any]) -> list[Problem]:
    """Gives what the record of an urgent alarm lacks, and a priority that the matrix does not suggest."""
    found = []
    if lacking := missing(values):
        words = _("An urgent alarm tells its cause, what happens if nobody acts, what to do, and in which time.")
        found.append(Problem(lacking[0], words))
    proposal = suggested(values["severity"], values["time_to_respond"])
    if proposal == NO_ALARM:
        found.append(Problem("priority", _("By its severity and the time to respond it need not be an alarm.")))
    elif proposal is not None and proposal != values["priority"]:
        words = _("Severity and time to respond suggest the priority %(priority)s.")
        found.append(Problem("priority", words % {"priority": Priority(proposal).label}))
    return found
