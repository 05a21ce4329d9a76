"""What is out of service past its review date: an alarm of it stands until it is returned or put off.

The day ends by the plant's clock. What one position was to look at on one day has one alarm: a line that is taken out
as a whole is no flood at midnight. One rule's stands at its own asset, that of several at what the position watches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.book import OWN, Book
from alerts.models import Alarm, Position, Priority, Suppression
from alerts.positions import Seats
from devices.models import Asset

_OCCASION = "review of rule"  # how that of an alarm of overdue reviews begins; then day and position
_NAMED = 20  # rules of one such alarm; of more it says how many
_LATER = "returned to service, or to be looked at later"


@dataclass(slots=True)
class _Overdue:
    """What one position was to look at on one day."""

    seat: str
    day: date | None
    rows: list[Suppression] = field(default_factory=list)

    @property
    def rules(self) -> list[int]:
        """Gives the rules that are out of service."""
        return [row.rule_id for row in self.rows]


def watch_reviews(*, now: datetime) -> int:
    """Raises, rewords and returns the alarms of overdue reviews. Safe with any number of workers.

    Gives: how many alarms were raised, have other words, or returned. Cost: two queries where nothing is overdue.
    """
    overdue = _overdue(timezone.localdate(now, timezone.get_default_timezone()))
    said = Alarm.objects.filter(OWN, closed=None, active=True, frozen__occasion__startswith=_OCCASION).order_by("pk")
    standing = dict(said.values_list("frozen__occasion", "frozen__rules"))
    news = {occasion for occasion, mine in overdue.items() if standing.get(occasion) != mine.rules}
    changed = sorted(news | (standing.keys() - overdue.keys()))
    if not changed:
        return 0
    with transaction.atomic():
        book = Book(now)
        book.load()
        for occasion in changed:
            if occasion in overdue:
                _say(book, occasion, overdue[occasion])
            else:
                book.system_over(occasion, _LATER)
        book.write()
    return len(changed)


def _overdue(today: date) -> dict[str, _Overdue]:
    """Gives what is out of service past its review date, by occasion. Cost: one query, more where something is."""
    rows = Suppression.objects.filter(out_at__isnull=False, review__lt=today).select_related("rule__asset")
    found: dict[str, _Overdue] = {}
    seats: Seats | None = None
    for row in rows.order_by("rule_id"):
        seats = seats or Seats.load()
        seat = seats.of(row.rule.asset_id)
        occasion = f"{_OCCASION}s of {row.review} at {seat}"
        found.setdefault(occasion, _Overdue(seat, row.review)).rows.append(row)
    return found


def _say(book: Book, occasion: str, overdue: _Overdue) -> None:
    """Raises the alarm of an occasion, or gives the one that stands its new words."""
    message, details = _review(overdue.rows)
    reason = f"to be looked at again on {overdue.day}"
    alarm = book.standing(occasion)
    if alarm is None or not alarm.active:
        asset = overdue.rows[0].rule.asset if len(overdue.rows) == 1 else _watched(overdue.seat)
        book.system(occasion, message, priority=Priority.MEDIUM, reason=reason, asset=asset, details=details)
        return
    named = alarm.frozen.get("rules", [])
    if named == overdue.rules:
        return  # somebody was quicker
    book.reworded(alarm, message, reason=_LATER if set(overdue.rules) <= set(named) else reason, details=details)


def _review(rows: Sequence[Suppression]) -> tuple[str, dict[str, Any]]:
    """Gives what the alarm of overdue reviews says, and what it carries."""
    names = [f"{row.rule.asset.code} {row.rule.name}" for row in rows]
    whys = [", ".join(filter(None, (row.out_reason, row.work_order))) for row in rows]
    if len(rows) == 1:
        message = _("Out of service past its review date: %(asset)s %(rule)s")
        words = message % {"asset": rows[0].rule.asset.code, "rule": rows[0].rule.name}
        cause, consequence = whys[0], _("Its alarm is presented to nobody.")
    else:
        words = _("%(count)s rules out of service past their review date: %(names)s")
        words %= {"count": len(rows), "names": ", ".join(names[:_NAMED])}
        lines = [f"{name}: {why}" for name, why in zip(names, whys, strict=True)][:_NAMED]
        if len(rows) > _NAMED:
            lines.append(_("And %(count)s more.") % {"count": len(rows) - _NAMED})
        cause, consequence = "\n".join(lines), _("Their alarms are presented to nobody.")
    action = _("Return it to service, or put the review off and say why.")
    rules = [row.rule_id for row in rows]
    return words, {"cause": cause, "consequence": consequence, "action": action, "rules": rules}


def _watched(seat: str) -> Asset | None:
    """Gives what a position watches; the whole plant has no asset. Cost: one query."""
    position = Position.objects.filter(code=seat).select_related("scope").first()
    return position.scope if position is not None else None
