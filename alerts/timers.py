"""What time brings to alarms: shelving that runs out, alarms that are announced anew, reviews that are overdue.

Each is safe with any number of workers, and costs one indexed query where nothing is due.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.book import OWN, Book
from alerts.lifecycle import Event
from alerts.models import Alarm, Priority, Suppression

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


_REVIEW = "review of rule "  # what the alarm of an overdue review is known by, before the rule's number


def watch_reviews(*, now: datetime) -> int:
    """Says of what is out of service after its review date that somebody must look, until it is returned or put off.

    The day ends by the plant's clock. Each has one alarm, at its own asset.
    Gives: how many alarms were raised or returned. Cost: two queries where nothing is overdue.
    """
    today = timezone.localdate(now, timezone.get_default_timezone())
    rows = Suppression.objects.filter(out_at__isnull=False, review__lt=today).select_related("rule__asset", "out_by")
    overdue = {f"{_REVIEW}{row.rule_id}": row for row in rows.order_by("rule_id")}
    said = Alarm.objects.filter(OWN, closed=None, active=True, frozen__occasion__startswith=_REVIEW).order_by("pk")
    standing = set(said.values_list("frozen__occasion", flat=True))
    changed = sorted(overdue.keys() ^ standing)
    if not changed:
        return 0
    with transaction.atomic():
        book = Book(now)
        book.load()
        for occasion in changed:
            row = overdue.get(occasion)
            if row is None:
                book.system_over(occasion, "returned to service, or to be looked at later")
                continue
            book.system(
                occasion,
                _("Out of service past its review date: %(asset)s %(rule)s")
                % {"asset": row.rule.asset.code, "rule": row.rule.name},
                priority=Priority.MEDIUM,
                reason=f"to be looked at again on {row.review}",
                asset=row.rule.asset,
                details={
                    "cause": ", ".join(filter(None, (row.out_reason, row.work_order))),
                    "consequence": _("Its alarm is presented to nobody."),
                    "action": _("Return it to service, or put the review off and say why."),
                },
            )
        book.write()
    return len(changed)
