"""How soon alarms were acknowledged, and how long the longest waited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alerts.figures.events import SECOND, WAITING, Bool, Events, Kind


@dataclass(frozen=True, slots=True)
class Answers:
    """Times from an annunciation to its acknowledgement, in seconds; None where there was none."""

    count: int
    median: float | None
    p95: float | None
    timed: int  # of alarms with a time to respond
    late: int  # of those, after it

    @property
    def late_share(self) -> float | None:
        """Gives the part that came after the time to respond, of alarms that have one."""
        return self.late / self.timed if self.timed else None


def answers(events: Events, presented: Bool, start: int) -> Answers:
    """Gives how soon alarms were acknowledged, each counted from its newest annunciation."""
    order = np.lexsort((events.number, events.alarm))
    place = np.arange(len(order))
    newest = np.maximum.accumulate(np.where(presented[order], place, -1)) if len(order) else place
    acks = (events.kind[order] == Kind.ACK) & (events.before[order] != events.after[order])
    acks &= (events.time[order] >= start) & (newest >= 0)
    rows, heard = order[acks], order[newest[acks]]
    same = events.alarm[rows] == events.alarm[heard]
    rows, heard = rows[same], heard[same]
    took = (events.time[rows] - events.time[heard]) / SECOND
    if not len(took):
        return Answers(0, None, None, 0, 0)
    respond = events.respond[rows]
    timed = ~np.isnan(respond)
    return Answers(
        count=len(took),
        median=float(np.median(took)),
        p95=float(np.percentile(took, 95)),
        timed=int(timed.sum()),
        late=int((took[timed] > respond[timed]).sum()),
    )


def longest_wait(events: Events, presented: Bool, start: int, end: int) -> int:
    """Gives the longest that an annunciation waited for an answer within the period, in µs.

    Of one that was followed by a newer annunciation, the newer one waits from then on. Andon's own alarms are left out.
    """
    mine = events.rule > 0
    events, presented = events.take(mine), presented[mine]
    source = events.source
    order = np.lexsort((events.number, source))
    if not len(order):
        return 0
    of, times, shown = source[order], events.time[order], presented[order]
    over = shown | ~np.isin(events.after[order], WAITING)
    place = np.where(over, np.arange(len(order)), len(order))
    following = np.append(np.minimum.accumulate(place[::-1])[::-1][1:], len(order))  # the next row that ends a wait
    at = np.flatnonzero(shown & np.isin(events.after[order], WAITING))
    ends = np.minimum(following[at], len(order) - 1)
    ended = (following[at] < len(order)) & (of[ends] == of[at])
    until = np.where(ended, times[ends], end)
    in_period = until >= start
    waited = (until - times[at])[in_period]
    return int(waited.max()) if len(waited) else 0
