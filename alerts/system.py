"""Alarms of Andon itself: of no rule and no asset, one for each occasion however many shards meet it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.book import OWN, Book
from alerts.instants import from_us, to_us
from alerts.models import Alarm, Priority
from devices.models import Asset, Level
from devices.telemetry.failing import LASTING_SECONDS, Failure

__all__ = ["OWN", "lost", "not_judged", "replaced", "whose"]

TOGETHER = timedelta(minutes=10)  # what shards find missing within it is one occasion; beat rings each every second
_MOST_NAMED = 8
_FAILING = "not judged"


class Written(NamedTuple):
    """What was written: rows of the journal, and messages that are to be sent."""

    rows: int
    to_send: int


def replaced(book: Book, *, epoch: str, shard: int) -> None:
    """Raises the alarm of streams that were replaced, once for their epoch. Cost: one query."""
    occasion = f"epoch {epoch}"
    if Alarm.objects.filter(OWN, frozen__occasion=occasion).exists():
        return
    book.system(
        occasion,
        _("Stream replaced: readings that were not yet judged may be lost"),
        reason=f"shard {shard} found other streams than those it had read",
        moment=True,
        details={"cause": _("Redis was replaced, or its file was lost or put back.")},
    )


def lost(book: Book, *, shard: int, since: datetime | None, until: datetime) -> None:
    """Says that a shard's readings of a time were let go unjudged, in an alarm of its own or in the one that waits.

    Cost: two queries.
    """
    alarm = book.standing("lost")
    with translation.override("en"):  # as all that the journal keeps; alerts/sayings.py
        when = _span(since, until)
    reason = f"shard {shard}: what arrived {when} was no longer in its stream"
    if alarm is None or alarm.raised < book.now - TOGETHER:
        shards = [shard]
        book.system(
            "lost",
            _lost_message(shards, since, until),
            reason=reason,
            moment=True,
            details={
                "shards": shards,
                "since": _stored(since),
                "until": _stored(until),
                "cause": _("The database was put back to before what the streams still hold, or entries were deleted."),
                "consequence": _("The history has a gap, and nobody was called for what happened in it."),
                "action": _("Have the senders send that time again: what is there already is dropped."),
            },
        )
        return
    shards = sorted({*alarm.frozen["shards"], shard})
    earliest = _earlier(_restored(alarm.frozen["since"]), since)
    latest = max(datetime.fromisoformat(alarm.frozen["until"]), until)
    details = {"shards": shards, "since": _stored(earliest), "until": _stored(latest)}
    book.reworded(alarm, _lost_message(shards, earliest, latest), reason=reason, details=details)


def not_judged(*, failures: Mapping[int, Failure], now: datetime) -> Written:
    """Raises, words anew or ends the alarm that says whose readings are not judged, because their drains fail.

    It is raised by who watches, not by the drain, whose transaction is what fails. Owns its transaction.
    Takes: the shards whose last drain failed.
    Gives: what it wrote. Cost: one query while all is well.
    """
    lasting = {shard: failure for shard, failure in failures.items() if failure.lasts(to_us(now))}
    if not lasting and not Alarm.objects.filter(OWN, closed=None, frozen__occasion=_FAILING, active=True).exists():
        return Written(0, 0)
    with transaction.atomic():
        book = Book(now)
        if lasting:
            _follow(book, lasting)
        else:
            book.system_over(_FAILING, "the shards are drained again")
        rows = book.write()
    return Written(len(rows), book.told)


def _follow(book: Book, lasting: Mapping[int, Failure]) -> None:
    """Brings the alarm to what lasts."""
    words = next(iter(lasting.values())).words
    shards = list(lasting)
    said = _("Readings of %(machines)s are not judged: %(error)s")
    message = said % {"machines": whose(shards), "error": words}
    reason = "; ".join(f"shard {shard}: {failure.words}" for shard, failure in lasting.items())
    alarm = book.standing(_FAILING)
    if alarm is not None and alarm.active:
        if alarm.frozen["shards"] != shards:  # its errors may have other words each time
            book.reworded(alarm, message, reason=reason, details={"shards": shards})
        return
    book.system(
        _FAILING,
        message,
        priority=Priority.CRITICAL,
        reason=reason,
        at=from_us(min(failure.since for failure in lasting.values())) + timedelta(seconds=LASTING_SECONDS),
        details={
            "shards": shards,
            "cause": _("Each drain of these shards fails with the error named."),
            "consequence": _("No alarm of these machines is raised. Their readings wait in the streams."),
            "action": _("Look for 'drain failed' in the log of worker-telemetry, and put right what it names."),
        },
    )


def _lost_message(shards: list[int], since: datetime | None, until: datetime) -> str:
    return _("Readings lost %(when)s: %(machines)s") % {"when": _span(since, until), "machines": whose(shards)}


def whose(shards: Iterable[int]) -> str:
    """Gives whose readings shards carry, in words: "12 machines (shards 3, 5)". Cost: one query."""
    numbers = sorted(shards)
    machines = Asset.objects.filter(level=Level.MACHINE, shard__in=numbers).count()
    all_of_them = _("%(count)s of them") % {"count": len(numbers)}
    named = ", ".join(map(str, numbers)) if len(numbers) <= _MOST_NAMED else all_of_them
    words = ngettext("shard %(names)s", "shards %(names)s", len(numbers)) % {"names": named}
    whole = ngettext("%(count)s machine (%(shards)s)", "%(count)s machines (%(shards)s)", machines)
    return whole % {"count": machines, "shards": words} if machines else words


def _span(since: datetime | None, until: datetime) -> str:
    if since is None:
        return _("before %(until)s") % {"until": _moment(until)}
    return _("from %(since)s to %(until)s") % {"since": _moment(since), "until": _moment(until)}


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else None


def _stored(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _restored(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
