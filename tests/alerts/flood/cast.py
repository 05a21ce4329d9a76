"""The times of these tests, and alarms as the evaluation raises and clears them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction

from alerts.book import Book
from alerts.models import Alarm, Delivery

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)  # an interval begins


def at(minutes: float) -> datetime:
    """Gives a moment, in minutes from the interval's beginning."""
    return START + timedelta(minutes=minutes)


def raised(rules, now: datetime, *, hidden: bool = False) -> None:
    """Raises an alarm of each rule as the evaluation does; `hidden` ones are suppressed by design."""
    with transaction.atomic():
        book = Book(now)
        book.load(rules=[rule.pk for rule in rules])
        for rule in rules:
            known = book.rule(rule.pk)
            if hidden:
                book.designed(rule.pk, {"the unit is down"}, at=now)
            book.raised(known, at=now, value=99.0)
        book.write()


def cleared(alarm: Alarm, now: datetime) -> None:
    """Lets an alarm return to normal as the evaluation does."""
    with transaction.atomic():
        book = Book(now)
        book.load(alarms=[alarm.pk])
        book.cleared(book.alarms[alarm.pk], at=now)
        book.write()


def messages() -> list[tuple[str, datetime]]:
    """Gives what became of each message, and when it is due."""
    return list(Delivery.objects.order_by("pk").values_list("outcome", "due"))
