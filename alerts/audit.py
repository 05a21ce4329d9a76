"""Is the journal still as it was written? Its chain is worked out again, row by row, and it is given out for others.

What the database itself cannot prove, that nobody wrote the whole chain anew, an anchor proves: the number and hash of
a row, noted elsewhere.
"""

import csv
import io
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Subquery

from alerts import chain
from alerts.models import JournalEntry, JournalHead
from alerts.queries import iso

_PAGE = 2_000  # rows in memory at once
# What a column raises that was filled behind the back of its type.
_UNREADABLE = (ValueError, TypeError, AttributeError, struct.error)
_ANCHOR = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row's number and hash, to be kept where nobody who can write the database can write."""

    number: int
    hash: str

    @classmethod
    def read(cls, text: str) -> "Anchor":
        """Reads NUMBER:HASH. Raises: ValueError."""
        found = _ANCHOR.match(text.strip().lower())
        if found is None:
            raise ValueError(f"{text!r} is no anchor: a number, a colon and 64 hexadecimal digits.")
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Finding:
    """The first row that is not as it was written, and what is wrong with it."""

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the journal found."""

    rows: int  # that were worked out
    last: int  # the newest of them
    finding: Finding | None


def anchor() -> Anchor:
    """Gives the newest row's number and hash. Cost: one query."""
    return Anchor(*_head())


def _head() -> tuple[int, str]:
    return JournalHead.objects.values_list("last", "hash").first() or (0, chain.GENESIS)


def verify(*, start: int = 1, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Works the chain out anew and stops at the first row that does not fit.

    Finds what was changed, taken out, added or put in another order, and a head that was set back. Rows written while
    it runs are left to the next check.
    Takes: the number to begin at; the rows before it are taken on trust.
    Cost: memory for 2,000 rows; about 20,000 rows a second.
    """
    last, newest = _head()
    expected, before = start, chain.GENESIS
    kept = {one.number: one.hash for one in anchors}
    if finding := _trusted(start, last, anchors):
        return Verdict(0, 0, finding)
    if start > 1:
        before = JournalEntry.objects.filter(pk=start - 1).values_list("hash", flat=True).get()
    # Numbers begin at one: what stands before it was added.
    found = rows(JournalEntry.objects.filter(pk__lte=last), after=None if start <= 1 else start - 1)
    try:
        for row in found:
            if finding := _fits(row, expected, before, kept):
                return Verdict(expected - start, expected - 1, finding)
            expected, before = expected + 1, row.hash
    except _UNREADABLE:
        finding = Finding(expected, f"row {expected} was changed: a column holds what it cannot hold.")
        return Verdict(expected - start, expected - 1, finding)
    return Verdict(expected - start, expected - 1, _end(expected - 1, before, last, newest))


def _trusted(start: int, last: int, anchors: Sequence[Anchor]) -> Finding | None:
    """Gives what is wrong with the anchors outside the rows that are worked out, and with the row before these."""
    for one in sorted(anchors, key=lambda anchor: anchor.number):
        if one.number > last:
            return Finding(last + 1, f"the anchor names row {one.number}, the journal ends at {last}: it was cut back.")
        found = JournalEntry.objects.filter(pk=one.number).values_list("hash", flat=True).first()
        if one.number == 0:
            found = chain.GENESIS
        if one.number < start and found != one.hash:
            return Finding(one.number, f"row {one.number} is not the one that the anchor was taken of.")
    if start > 1 and not JournalEntry.objects.filter(pk=start - 1).exists():
        return Finding(start - 1, f"row {start - 1} is missing: the check cannot begin behind it.")
    return None


def _fits(row: JournalEntry, expected: int, before: str, kept: Mapping[int, str]) -> Finding | None:
    if row.pk < expected:
        return Finding(row.pk, f"row {row.pk} was added: row {expected} is the next.")
    if row.pk > expected:
        gap = f"row {expected} is" if row.pk == expected + 1 else f"rows {expected} to {row.pk - 1} are"
        return Finding(expected, f"{gap} missing.")
    if chain.link(before, row) != row.hash:
        words = f"row {row.pk} does not fit: it was changed or stood elsewhere"
        return Finding(row.pk, f"{words}{'' if row.pk == 1 else ', or the one before it was'}.")
    if kept.get(row.pk, row.hash) != row.hash:
        return Finding(row.pk, f"row {row.pk} is not the one that the anchor was taken of: the chain was written anew.")
    return None


def _end(reached: int, before: str, last: int, newest: str) -> Finding | None:
    """Gives what is wrong between the last row and the head."""
    if reached < last:
        gap = f"row {last} is" if last == reached + 1 else f"rows {reached + 1} to {last} are"
        return Finding(reached + 1, f"{gap} missing at the end.")
    if before != newest:
        return Finding(last, f"the head carries another hash than row {last}: one of them was changed.")
    # In one statement: rows may be written meanwhile, together with the head.
    head = Subquery(JournalHead.objects.order_by("pk").values("last")[:1])
    beyond = JournalEntry.objects.filter(pk__gt=head).order_by("pk").values_list("pk", flat=True).first()
    if beyond is not None:
        return Finding(beyond, f"row {beyond} stands behind the head: the head was set back, or the row was added.")
    return None


def rows(found: QuerySet[JournalEntry], *, after: int | None = None) -> Iterator[JournalEntry]:
    """Gives rows in order of their numbers, a page at a time: no long transaction, little memory."""
    while True:
        following = (found if after is None else found.filter(pk__gt=after)).order_by("pk")[:_PAGE]
        try:
            page = list(following)
        except _UNREADABLE:
            # One of them: those before it first, then its error.
            for number in following.values_list("pk", flat=True):
                yield found.get(pk=number)
            raise
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].pk


# --- Out -----------------------------------------------------------------------------------------------------------

COLUMNS = (
    "id", "time", "recorded", "event", "from", "to", "alarm", "rule_id", "rule", "sensor", "value", "reason", "actor",
    "clock_from", "hash",
)  # fmt: skip


def as_json(entry: JournalEntry) -> dict[str, Any]:
    """Gives a row as the API and the exports write it: with all that its hash covers."""
    return {
        "id": entry.pk,
        "time": iso(entry.time),
        "recorded": iso(entry.recorded),
        "event": entry.event,
        "from": entry.from_state,
        "to": entry.to_state,
        "alarm": entry.alarm_id,
        "rule_id": entry.rule_id,
        "rule": entry.rule_name,
        "sensor": entry.tag,
        "value": entry.value,
        "reason": entry.reason,
        "actor": entry.actor,
        "clock_from": iso(entry.clock_from),
        "hash": entry.hash,
    }


def _json_lines(part: Sequence[JournalEntry]) -> str:
    return "".join(json.dumps(as_json(entry), ensure_ascii=False, separators=(",", ":")) + "\n" for entry in part)


def _csv_lines(part: Sequence[JournalEntry]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for entry in part:
        writer.writerow(_safe(value) for value in as_json(entry).values())
    return text.getvalue()


def _safe(value: Any) -> Any:
    """Gives what a spreadsheet will not run as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


_FORMS: dict[str, tuple[str, Callable[[Sequence[JournalEntry]], str]]] = {
    "csv": (",".join(COLUMNS) + "\r\n", _csv_lines),
    "jsonl": ("", _json_lines),
}
FORMATS = tuple(_FORMS)


def export(*, form: str, start: datetime | None = None, end: datetime | None = None) -> Iterator[str]:
    """Gives the journal as text, piece by piece.

    Takes: csv or jsonl; the times between which rows were recorded, the end not included.
    """
    found = JournalEntry.objects.all()
    if start is not None:
        found = found.filter(recorded__gte=start)
    if end is not None:
        found = found.filter(recorded__lt=end)
    head, lines = _FORMS[form]
    if head:
        yield head
    part: list[JournalEntry] = []
    for entry in rows(found):
        part.append(entry)
        if len(part) == 500:
            yield lines(part)
            part = []
    if part:
        yield lines(part)
