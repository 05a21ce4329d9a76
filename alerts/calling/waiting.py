"""What is held back for digests, told as its time comes: what alerts.calling.digests does to the outbox; pure.

Whoever looks ahead, or back on a week as it would have been, has a list of its own and a ledger of what it sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from alerts.calling.decision import Held, Ledger, Person, digest_waits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """One message that is held back for one person and channel, and what it is about."""

    person: int
    channel: str
    due: datetime
    held: Held
    about: T


@dataclass(frozen=True, slots=True)
class Digest(Generic[T]):
    """One message that tells of all that was held back for a person and channel."""

    person: int
    channel: str
    at: datetime
    holds: list[T]


def release(
    waiting: list[Waiting[T]],
    *,
    until: datetime,
    people: Mapping[int, Person],
    ledger: Ledger,
    is_over: Callable[[T, datetime], bool] = lambda about, at: False,
) -> Iterator[Digest[T]]:
    """Gives the digests whose time comes up to a moment, that included, in order of time, person and channel.

    What is over by then is left out, and a digest of nothing is not sent. One that a person's quiet hours or limit hold
    waits on, all of it until the same moment.

    Takes: what waits, which is changed; the ledger, in which each digest is counted.
    """
    while waiting and (at := min(one.due for one in waiting)) <= until:
        for person, channel in sorted({(one.person, one.channel) for one in waiting if one.due <= at}):
            digest = _digest(waiting, person, channel, at, people[person], ledger, is_over)
            if digest is not None:
                yield digest


def _digest(
    waiting: list[Waiting[T]],
    person: int,
    channel: str,
    at: datetime,
    whom: Person,
    ledger: Ledger,
    is_over: Callable[[T, datetime], bool],
) -> Digest[T] | None:
    mine = [one for one in waiting if one.due <= at and (one.person, one.channel) == (person, channel)]
    left = [one for one in mine if not is_over(one.about, at)]
    waiting[:] = [one for one in waiting if not (one.due <= at and (one.person, one.channel) == (person, channel))]
    if not left:
        return None
    until = digest_waits(whom, [one.held for one in left], at, ledger)
    if until is not None:
        waiting += [replace(one, due=until) for one in left]
        return None
    ledger.add(person, at)
    return Digest(person, channel, at, [one.about for one in left])
