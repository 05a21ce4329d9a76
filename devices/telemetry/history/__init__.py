"""The history: every accepted reading, once, compressed where it lands.

A drain appends a segment; `fold` packs segments into chunks, one row per sensor and span, and small chunks into bigger
ones; `read` and its kin look into both, so that nobody else knows where a reading lies.
"""

from devices.telemetry.codec import Columns
from devices.telemetry.history.drawing import Points, read_points
from devices.telemetry.history.folding import Folded, fold
from devices.telemetry.history.moments import readings_at, steps
from devices.telemetry.history.reading import (
    Reading,
    held,
    known,
    last_readings,
    neighbours,
    read,
    read_many,
    scan,
    windows,
)
from devices.telemetry.history.retention import forget
from devices.telemetry.history.summing import Summary, summarise
from devices.telemetry.history.writing import append, prepare

__all__ = [
    "Columns",
    "Folded",
    "Points",
    "Reading",
    "Summary",
    "append",
    "fold",
    "forget",
    "held",
    "known",
    "last_readings",
    "neighbours",
    "prepare",
    "read",
    "read_many",
    "read_points",
    "readings_at",
    "scan",
    "steps",
    "summarise",
    "windows",
]
