"""Alarms that waste attention: chattering, fleeting, stale; and how long each stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from alerts.figures.events import ACTIVE, DAY, HIDDEN, MINUTE, SECOND, Bool, Events, Int64, Kind

CHATTER_RAISES = 3
CHATTER_WITHIN = MINUTE
CHATTER_INDEX = 0.05  # per second. Source: Kondaveeti et al.
FLEETING_BELOW = MINUTE  # an operator cannot act in less
STALE_ABOVE = DAY


@dataclass(frozen=True, slots=True)
class Chatter:
    """How one source repeats."""

    source: int
    raises: int
    worst: int  # raises within a minute
    index: float  # 1/s
    chatters: bool


def chatter(times: Int64, sources: Int64) -> tuple[list[Chatter], Bool]:
    """Gives how each source repeats, and which raises are part of a burst.

    Takes: presented raises in any order.
    Gives: sources in ascending order. A source chatters with three raises in a minute, or an index of 0.05 per second.
    The index is the mean of 1/r over the runs r, the whole seconds from raise to raise, at least one.
    """
    member = np.zeros(len(times), np.bool_)
    if not len(times):
        return [], member
    order = np.lexsort((times, sources))
    at, of = times[order], sources[order]
    names, place, counts = np.unique(of, return_inverse=True, return_counts=True)
    # One ascending key over all sources: within a minute of a raise lie only raises of its own source.
    width = int(at.max() - at.min()) + CHATTER_WITHIN + 1
    key = place.astype(np.int64) * width + (at - at.min())
    until = np.searchsorted(key, key + CHATTER_WITHIN, side="right")
    size = until - np.arange(len(key))
    worst = np.zeros(len(names), np.int64)
    np.maximum.at(worst, place, size)
    burst = np.flatnonzero(size >= CHATTER_RAISES)
    edges = np.zeros(len(key) + 1, np.int64)
    np.add.at(edges, burst, 1)
    np.add.at(edges, until[burst], -1)
    member[order] = np.cumsum(edges[:-1]) > 0
    same = place[1:] == place[:-1]
    runs = np.maximum(1, np.rint((at[1:] - at[:-1])[same] / SECOND))
    where = place[1:][same]
    total = np.bincount(where, 1.0 / runs, minlength=len(names))
    index = total / np.maximum(1, np.bincount(where, minlength=len(names)))
    found = [
        Chatter(int(name), int(raises), int(most), float(psi), bool(most >= CHATTER_RAISES or psi >= CHATTER_INDEX))
        for name, raises, most, psi in zip(names, counts, worst, index, strict=True)
    ]
    return found, member


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """How long conditions held, one row for each raise; one that still holds ends with the period."""

    source: Int64
    alarm: Int64
    row: Int64  # of its raise
    start: Int64
    end: Int64
    open: Bool  # it held at the period's end
    shown: Bool  # it was presented when it ended, or at the period's end


def spans(events: Events, end: int) -> Spans:
    """Gives each raise with its return, hidden ones too."""
    order = np.lexsort((events.number, events.alarm))
    order = order[events.alarm[order] > 0]
    alarm, kind, after = events.alarm[order], events.kind[order], events.after[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = alarm[1:] != alarm[:-1]
    ends_at = np.flatnonzero(last)
    final = ends_at[np.searchsorted(ends_at, np.arange(len(order)))]  # the last row of each row's alarm
    turns = np.flatnonzero((kind == Kind.RAISE) | (kind == Kind.CLEAR))
    raises = np.flatnonzero(kind[turns] == Kind.RAISE)
    following = np.minimum(raises + 1, len(turns) - 1)
    rows, nexts = turns[raises], turns[following]
    closed = (nexts > rows) & (alarm[nexts] == alarm[rows]) & (kind[nexts] == Kind.CLEAR)
    times, before = events.time[order], events.before[order]
    return Spans(
        source=events.source[order][rows],
        alarm=alarm[rows],
        row=order[rows],
        start=times[rows],
        end=np.where(closed, times[nexts], end),
        open=~closed,
        shown=np.where(closed, np.isin(before[nexts], ACTIVE), ~np.isin(after[final[rows]], HIDDEN)),
    )


def stale_by_day(found: Spans, edges: Sequence[int], start: int, end: int) -> list[int]:
    """Counts, for each day between edges, the presented alarms that had stood for over 24 h at some time of it."""
    counts = []
    stale = found.shown & (found.end - found.start > STALE_ABOVE)
    since, until, source = found.start[stale] + STALE_ABOVE, found.end[stale], found.source[stale]
    for first, last in pairwise(edges):
        on = (since < min(last, end)) & (until > max(first, start))
        counts.append(len(np.unique(source[on])))
    return counts
