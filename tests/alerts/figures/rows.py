"""Rows of the journal as columns, written by hand: seconds after START, event, letters from and to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from alerts.figures.events import DAY, KINDS, SECOND, Events, Kind
from alerts.figures.summary import Figures, compute

START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * SECOND  # a Monday


def rows(*table: tuple[Any, ...]) -> Events:
    """Gives rows of (second, event, "AB", alarm, rule[, priority[, time to respond]]), numbered in this order."""
    full = [(*row, *(3, None)[len(row) - 5 :]) for row in table]
    return Events(
        number=np.arange(1, len(full) + 1, dtype=np.int64),
        time=np.array([START + round(row[0] * SECOND) for row in full], np.int64),
        kind=np.array([KINDS.get(row[1], Kind.OTHER) for row in full], np.uint8),
        before=np.array([ord(row[2][0]) for row in full], np.uint8),
        after=np.array([ord(row[2][1]) for row in full], np.uint8),
        alarm=np.array([row[3] for row in full], np.int64),
        rule=np.array([row[4] for row in full], np.int64),
        priority=np.array([row[5] for row in full], np.uint8),
        respond=np.array([np.nan if row[6] is None else row[6] for row in full], np.float64),
        quiet=np.zeros(len(full), np.bool_),
    )


def raises(*seconds: float, rule: int = 1, priority: int = 3) -> list[tuple[Any, ...]]:
    """Gives a raise at each second, each with an alarm of its own number."""
    return [(second, "raise", "AB", 1000 * rule + place, rule, priority) for place, second in enumerate(seconds)]


def figures(events: Events, *, days: float = 1.0, seconds: float | None = None, **fields: Any) -> Figures:
    """Gives the figures of a period from START."""
    end = START + round(days * DAY) if seconds is None else START + round(seconds * SECOND)
    values: dict[str, Any] = {"week": None, "zone": UTC, "recorded_from": START, **fields}
    return compute(events, start=START, end=end, **values)
