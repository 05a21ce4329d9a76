"""What time brings to alarms: shelving that runs out, alarms that are announced anew.

Each is safe with any number of workers, and costs one indexed query where nothing is due.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from alerts.book import Book
from alerts.lifecycle import Event
from alerts.models import Alarm, Suppression

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
