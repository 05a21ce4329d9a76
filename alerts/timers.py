"""What time brings to alarms: shelving that runs out, alarms that are announced anew, reviews that are overdue.

Each is safe with any number of workers, and costs one indexed query where nothing is due.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.book import OWN, Book
from alerts.lifecycle import Event
from alerts.models import Alarm, Position, Priority, Suppression
from alerts.positions import Seats
from devices.models import Asset

MOST_AT_ONCE = 500  # of one transaction; the next tick takes the rest
UNKNOWN_END = "shelved until an unknown time: unshelved"


def expire_shelving(*, now: datetime) -> int:
    """Presents again what was shelved until now. A shelving whose end is not known is over. Gives: how many."""
    over = Q(shelved_until__lte=now) | Q(shelved_until=None)
    rows = Suppression.objects.filter(over, shelved_at__isnull=False).order_by("shelved_until", "pk")
    due = list(rows.values_list("rule", flat=True)[:MOST_AT_ONCE])
    if not due:
        return 0
    with transaction.atomic():
        book = Book(now)
        book.load(rules=due)
        for rule in due:
            row = book.suppressions.get(rule)
            if row is None or row.shelved_at is None or (row.shelved_until is not None and row.shelved_until > now):
                continue  # somebody was quicker
            reason = "" if row.shelved_until is not None else UNKNOWN_END
            at = row.shelved_until = row.shelved_until or now
            book.put(Event.EXPIRE, rule=rule, reason=reason, at=at)
        return len(book.write())


def realarm(*, now: datetime) -> int:
    """Announces anew what still stands after its re-alarm period. Gives: how many."""
    rows = Alarm.objects.filter(realarm_due__lte=now).order_by("realarm_due", "pk")
    due = list(rows.values_list("pk", flat=True)[:MOST_AT_ONCE])
    if not due:
        return 0
    with transaction.atomic():
        book = Book(now)
        book.load(alarms=due)
        for pk in due:
            alarm = book.alarms.get(pk)
            if alarm is None or alarm.closed is not None or alarm.realarm_due is None or alarm.realarm_due > now:
                continue  # somebody was quicker
            book.put(Event.REALARM, alarm=alarm, at=alarm.realarm_due)
        return len(book.write())


_REVIEW = "review of rule"  # how the occasion of an alarm of overdue reviews begins; then position and day
_NAMED = 20  # rules of one such alarm; of more it says how many


def watch_reviews(*, now: datetime) -> int:
    """Says of what is out of service after its review date that somebody must look, until it is returned or put off.

    The day ends by the plant's clock. What one position was to look at on one day has one alarm: a line that is taken
    out as a whole is no flood at midnight. One rule's stands at its own asset, that of several at what the position
    watches.
    Gives: how many alarms were raised, have other words, or returned. Cost: two queries where nothing is overdue.
    """
    today = timezone.localdate(now, timezone.get_default_timezone())
    rows = Suppression.objects.filter(out_at__isnull=False, review__lt=today).select_related("rule__asset")
    overdue: dict[str, list[Suppression]] = defaultdict(list)
    where: dict[str, str] = {}
    found = list(rows.order_by("rule_id"))
    seats = Seats.load() if found else None
    for row in found:
        assert seats is not None
        seat = seats.of(row.rule.asset_id)
        occasion = f"{_REVIEW}s of {row.review} at {seat}"
        overdue[occasion].append(row)
        where[occasion] = seat
    said = Alarm.objects.filter(OWN, closed=None, active=True, frozen__occasion__startswith=_REVIEW).order_by("pk")
    standing = dict(said.values_list("frozen__occasion", "frozen__rules"))
    wanted = {occasion: [row.rule_id for row in rows_of] for occasion, rows_of in overdue.items()}
    changed = sorted({one for one in wanted if standing.get(one) != wanted[one]} | standing.keys() - wanted.keys())
    if not changed:
        return 0
    with transaction.atomic():
        book = Book(now)
        book.load()
        for occasion in changed:
            mine = overdue.get(occasion)
            if mine is None:
                book.system_over(occasion, _LATER)
                continue
            message, details = _review(mine)
            alarm = book.standing(occasion)
            if alarm is not None and alarm.active:
                if alarm.frozen.get("rules") == wanted[occasion]:
                    continue  # somebody was quicker
                fewer = set(wanted[occasion]) <= set(alarm.frozen.get("rules", ()))
                reason = _LATER if fewer else f"to be looked at again on {mine[0].review}"
                book.reworded(alarm, message, reason=reason, details=details)
                continue
            book.system(
                occasion,
                message,
                priority=Priority.MEDIUM,
                reason=f"to be looked at again on {mine[0].review}",
                asset=mine[0].rule.asset if len(mine) == 1 else _watched(where[occasion]),
                details=details,
            )
        book.write()
    return len(changed)


_LATER = "returned to service, or to be looked at later"


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
