"""The journal: numbered in the order of commits, chained by hash, written once, never changed."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F

from alerts import chain
from alerts.models import JournalEntry, JournalHead

_HEAD = 1
_REASON_LENGTH = 300  # JournalEntry.reason
REFUSED = "refused: "  # how the reason of an attempt begins that was not possible
ANNOUNCED_BEFORE = "was announced before it"  # how the reason of a raise ends that was not announced for it


class OutsideTransaction(Exception):
    """A row's number is only safe while the head is locked to the commit of what the row tells of."""


def lock() -> None:
    """Takes the head's lock to the end of the transaction, before any alarm is locked.

    Whoever steps alarms takes it first, so that two who lock the same alarms do not wait for each other.
    Raises: OutsideTransaction.
    Cost: one query.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction("The head is locked in the transaction whose rows it will number.")
    if not JournalHead.objects.filter(pk=_HEAD).update(last=F("last")):
        JournalHead.objects.bulk_create([JournalHead(pk=_HEAD)], ignore_conflicts=True)
        JournalHead.objects.filter(pk=_HEAD).update(last=F("last"))


def write(entries: Sequence[JournalEntry], now: datetime) -> list[int]:
    """Numbers, chains and stores rows, in the order given, in the running transaction.

    The head's row stays locked to the commit: whoever reads a number has nothing smaller still to come.
    Takes: unsaved rows; their alarms must be stored.
    Gives: the numbers, which the rows carry too.
    Raises: OutsideTransaction.
    Cost: three queries, none for no rows; SQLite stores about 60 rows a statement. The hashes take about 10 µs a
    row, a twentieth of the whole.
    """
    if not entries:
        return []
    if not connection.in_atomic_block:
        raise OutsideTransaction("Journal rows are written in the transaction of what they tell of.")
    last, before = _head()
    numbers = list(range(last + 1, last + 1 + len(entries)))
    for number, entry in zip(numbers, entries, strict=True):
        entry.pk = number
        entry.recorded = now
        entry.reason = _shortened(entry.reason)
        # What is hashed is what the database will give back.
        entry.value = chain.plain(entry.value)
        entry.hash = before = chain.link(before, entry)
    JournalEntry.objects.bulk_create(entries)
    JournalHead.objects.filter(pk=_HEAD).update(last=numbers[-1], hash=before)
    return numbers


def _head() -> tuple[int, str]:
    """Gives the newest number and its hash, locked to the commit (on SQLite the transaction holds the only lock)."""
    head = JournalHead.objects.select_for_update().filter(pk=_HEAD).values_list("last", "hash")
    found = head.first()
    if found is None:
        # An emptied database; whoever comes second finds the other's row.
        JournalHead.objects.bulk_create([JournalHead(pk=_HEAD)], ignore_conflicts=True)
        found = head.get()
    return found


def _shortened(text: str) -> str:
    return text if len(text) <= _REASON_LENGTH else text[: _REASON_LENGTH - 1] + "…"
