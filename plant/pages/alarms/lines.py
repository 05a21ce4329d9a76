"""One row of a list: an alarm with where it is, how it stands in words, and what stands under it in a flood."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from alerts import queries
from alerts.flood.causes import Cause, causes
from alerts.flood.queries import floods
from alerts.models import Alarm
from devices.models import Level
from plant.pages.tree import Node, Tree
from plant.templatetags.andon import alarm_limit

_WIDE = {Level.AREA, Level.SITE, Level.ENTERPRISE}  # wider than what one cause is looked for in
_SIGNS = {"high": "≥", "low": "≤", "rate_high": "≥", "rate_low": "≤", "deviation": "±"}


@dataclass(frozen=True, slots=True)
class Line:
    """An alarm with where it is and how long it stands."""

    alarm: Alarm
    node: Node | None
    seconds: float
    waits: bool  # for an acknowledgement
    word: str
    limit: str  # with its sign
    silent: bool  # it comes from a part of the plant that is not heard: nobody knows whether it still holds
    under: int | None = None  # in a flood: the alarm of its cause
    others: int = 0  # in a flood: how many stand under it
    priorities: Sequence[tuple[int, int]] = ()  # how many of each, itself among them


def line_of(alarm: Alarm, plant: Tree, now: datetime, silent: Collection[str]) -> Line:
    """Gives an alarm's row. Takes: the parts of the plant that are not heard."""
    ended = alarm.cleared or alarm.closed
    return Line(
        alarm,
        plant.nodes.get(alarm.asset_id) if alarm.asset_id else None,
        ((ended or now) - alarm.raised).total_seconds(),
        waits=alarm.closed is None and not alarm.suppressed and alarm.state in queries.UNACKED_STATES,
        word=state_word(alarm),
        limit=limit_words(alarm),
        silent=alarm.closed is None and alarm.rule_id is not None and bool({alarm.asset_code, alarm.tag} & set(silent)),
    )


def state_word(alarm: Alarm) -> str:
    """Gives how an alarm stands, in a word."""
    if alarm.closed is not None:
        return _("Over") if alarm.acked or not alarm.frozen.get("ack_required", True) else _("Over, never acked")
    if alarm.state == "D":
        return _("Cleared")
    if alarm.state == "E":
        return _("Latched, unacked")
    if alarm.state == "F":
        return _("Latched, acked")
    if alarm.state in queries.UNACKED_STATES:
        return _("Unacked")
    return _("Acked") if alarm.acked else _("Active")


def limit_words(alarm: Alarm) -> str:
    """Gives the limit with the side on which it alarms."""
    if alarm.limit is None:
        return ""
    kind, figure = alarm.frozen.get("kind", ""), alarm_limit(alarm)
    return f"{_SIGNS[kind]} {figure}" if kind in _SIGNS else str(figure)


# Any: mypy knows a model's fields too late to hold them against what a cause asks of an alarm.
def by_cause(alarms: Collection[Any], plant: Tree, now: datetime) -> list[Cause[Any]] | None:
    """Gives alarms by cause while a position that answers some of them is in a flood; else None. Cost: one query."""
    flooded = {flood.position for flood in floods(now)}
    if not flooded:
        return None

    def place(alarm: Alarm) -> int | None:
        at = plant.nodes.get(alarm.asset_id) if alarm.asset_id else None
        while at is not None and at.level != Level.LINE and at.parent is not None and at.parent.level not in _WIDE:
            at = at.parent
        return at.pk if at is not None else None

    return causes(alarms, place, lambda alarm: alarm.position in flooded)


def heading(line: Line, cause: Cause[Any]) -> Line:
    """Gives a cause's row with what stands under it."""
    return replace(line, others=len(cause.others), priorities=cause.priorities)


def below(line: Line, cause: Cause[Any]) -> Line:
    """Gives the row of what came of a cause."""
    return replace(line, under=cause.first.pk)
