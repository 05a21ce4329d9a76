"""What a shard's stream let go before the shard came to it: told by the numbers that its entries carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from devices.telemetry.stream import Entry, entry_time_us


class Gap(NamedTuple):
    """Entries that were gone when they would have been judged.

    Takes: the arrival in µs of the last entry before them, 0 where there was none; of the first one after them, or
    the clock.
    """

    since: int
    until: int


def find_gap(
    entries: Iterable[Entry], position: str, done: int | None, given: int | None, clock: int
) -> tuple[Gap | None, int | None]:
    """Gives what is missing behind a position, and how many entries are done once these are.

    Numbers tell, not readings: they count duplicates and copies, and are the same whatever was trimmed before. One
    below those done is of a Redis that fell back; what that lost had been judged, or nobody can tell.
    Takes: how many entries were done up to the position, None if unknown; how many the stream was given before it was
    read, None where it was not read to its end; the clock in µs.
    """
    missing: list[Gap] = []
    since = entry_time_us(position)
    for entry in entries:
        if entry.number is not None:
            if done is not None and entry.number > done:
                missing.append(Gap(since, entry.arrival))
            done = entry.number + 1
        since = entry.arrival
    if given is not None and given > (done or 0):
        if done is not None:
            missing.append(Gap(since, clock))
        done = given
    return (Gap(missing[0].since, missing[-1].until) if missing else None), done
