"""The journal as columns, and which of its rows presented an alarm to the operator."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

SECOND = 1_000_000  # µs, as all times here
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Kind(IntEnum):
    """What a row tells of, as far as figures ask for it."""

    OTHER = 0
    RAISE = 1
    CLEAR = 2
    ACK = 3
    REALARM = 4
    SHELVE = 5
    SUPPRESS = 6
    OUT_OF_SERVICE = 7


# The journal's words; all others are OTHER.
KINDS = {
    "raise": Kind.RAISE,
    "clear": Kind.CLEAR,
    "ack": Kind.ACK,
    "realarm": Kind.REALARM,
    "shelve": Kind.SHELVE,
    "suppress": Kind.SUPPRESS,
    "out_of_service": Kind.OUT_OF_SERVICE,
}
# States as the journal writes them: what is shown, hidden ones as G, H, I.
ACTIVE = np.array([ord(letter) for letter in "BC"], np.uint8)
WAITING = np.array([ord(letter) for letter in "BDE"], np.uint8)
HIDDEN = np.array([ord(letter) for letter in "GHI"], np.uint8)
_B, _C, _D, _E = (ord(letter) for letter in "BCDE")


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Rows of the journal in the order of their numbers: those of a period, and what led up to it.

    Takes: rows of the period, and of every alarm that was open when it began, all earlier ones. Refused attempts are
    left out. Times in µs since the epoch. `rule` 0 is an alarm of Andon itself, `alarm` 0 a row about a rule of which
    no alarm was open. `respond` is the time to respond in seconds, NaN where none is laid down.
    """

    number: Int64
    time: Int64
    kind: UInt8
    before: UInt8  # letters
    after: UInt8
    alarm: Int64
    rule: Int64
    priority: UInt8
    respond: Float64
    quiet: Bool  # a raise that was not announced: what it hides had been, with no lower a priority

    def __len__(self) -> int:
        return len(self.number)

    @property
    def source(self) -> Int64:
        """Gives what the row is about: the rule, or, below zero, one alarm of Andon itself."""
        return np.where(self.rule > 0, self.rule, -self.alarm)

    def take(self, rows: Any) -> Events:
        """Gives some of the rows."""
        return Events(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})


def annunciations(events: Events) -> Bool:
    """Tells which rows presented an alarm: a raise into B or C, a re-alarm, a return from being hidden.

    Into D is raised what happened and is over, of Andon itself: it is presented, too.
    What comes back into B is always presented; into C or E only if nobody had heard of this occurrence before.
    Source: ISA-18.2 / IEC 62682 count annunciations; see alerts/lifecycle.py, RELEASE.
    """
    kind, after = events.kind, events.after
    back = np.isin(events.before, HIDDEN) & (kind != Kind.RAISE)
    sure: Bool = (kind == Kind.RAISE) & (np.isin(after, ACTIVE) | (after == _D)) & ~events.quiet
    sure |= (kind == Kind.REALARM) & (after == _B)
    sure |= back & (after == _B)
    unheard = back & ((after == _C) | (after == _E))
    if unheard.any():
        found = np.flatnonzero(sure | unheard)
        found = found[np.lexsort((events.number[found], events.alarm[found]))]
        first = np.ones(len(found), np.bool_)
        first[1:] = events.alarm[found[1:]] != events.alarm[found[:-1]]
        sure[found[first]] = True
    return sure
