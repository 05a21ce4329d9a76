"""The tables that the compiled loop reads and writes: one row each of fixed width."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from devices.telemetry.snapshot import NONE

# Later than every time: a timer that does not run.
NEVER = int(np.iinfo(np.int64).max)

ACTIVE = 1
RETURN = 2

# Why a transition came about, where the readings alone do not tell.
NO_REASON = 0
RULE_EDITED = 1

RULE = np.dtype(
    [
        ("id", np.int64),
        ("version", np.int64),
        ("limit", np.float64),
        ("clear", np.float64),  # limit with its deadband
        ("low", np.float64),
        ("high", np.float64),
        ("low_clear", np.float64),
        ("high_clear", np.float64),
        ("value", np.float64),
        ("reference", np.float64),
        ("tolerance", np.float64),
        ("window", np.int64),
        ("per", np.int64),
        ("hold", np.int64),  # timeout or duration
        ("on_delay", np.int64),
        ("off_delay", np.int64),
        ("code", np.int32),  # [code, code_end) of the expressions' code
        ("code_end", np.int32),
        ("slot", np.int32),  # [slot, slot_end) of the slots: empty for a rule over one sensor
        ("slot_end", np.int32),
        ("other", np.int32),  # the slot of the reference
        ("region", np.int32),  # of the windows for a rate, of the pending readings for a rule over several sensors
        ("kind", np.int32),
    ],
    align=True,
)

STATE = np.dtype(
    [
        ("due", np.int64),  # of the next timer, from the fields below
        ("horizon", np.int64),  # judged until here: a reading at or before it comes too late for this rule
        ("last_time", np.int64),  # of the rule's last reading; over several sensors: of the last judged instant
        ("lag", np.int64),  # arrival less time of the reading that arrived last
        ("value", np.float64),  # the last one put
        ("timer", np.int64),  # start of the delay that runs
        ("anchor_time", np.int64),
        ("anchor", np.float64),
        ("active", np.uint8),
        ("holds", np.uint8),  # stale or flat, as of its own timer
        ("inherited", np.uint8),  # an alarm of the version before stands
    ],
    align=True,
)

# An input of a rule over several sensors.
SLOT = np.dtype(
    [
        ("put_time", np.int64),
        ("received", np.int64),  # the newest time that came, put or not
        ("value", np.float64),
        ("bad", np.uint8),
    ],
    align=True,
)

# A part of a pool: rows [head, tail) are used, up to `stop` is room. The last region of a table stands for the whole
# pool: from its tail on all is free.
REGION = np.dtype([("head", np.int64), ("tail", np.int64), ("stop", np.int64)], align=True)

# A reading in a pool: of a rate's window, or waiting for the other inputs.
ENTRY = np.dtype([("time", np.int64), ("value", np.float64), ("slot", np.int32), ("bad", np.int32)], align=True)

TRANSITION = np.dtype(
    [
        ("rule", np.int64),
        ("version", np.int64),
        ("time", np.int64),  # when it was due
        ("clock_from", np.int64),  # NONE where a reading brought it about
        ("value", np.float64),
        ("kind", np.uint8),
        ("reason", np.uint8),
    ],
    align=True,
)

LEFT_OUT = np.dtype(
    [("rule", np.int64), ("version", np.int64), ("time", np.int64), ("sensor", np.int32)],
    align=True,
)

Table = npt.NDArray[np.void]
Rows = npt.NDArray[np.int32]


class Tables(NamedTuple):
    """A program for the compiled loop; `reads_*` are the rules of each sensor's row, [first[row], first[row + 1])."""

    rules: Table
    first: Rows
    only: Rows  # the rule of a row that only one limit on one sensor reads, else -1
    reads_rule: Rows
    reads_slot: Rows
    interval: npt.NDArray[np.int64]  # per slot, 0: never stale
    ops: Rows
    args: npt.NDArray[np.float64]


class Memory(NamedTuple):
    """A state for the compiled loop."""

    rules: Table
    slots: Table
    windows: Table  # regions
    window_pool: Table
    pending: Table  # regions
    pending_pool: Table


class Gaps(NamedTuple):
    """What a replay leaves out: times per read (as `reads_*`), and ranges (after, until] per rule, ascending."""

    first: Rows
    time: npt.NDArray[np.int64]
    range_first: Rows
    range_after: npt.NDArray[np.int64]
    range_until: npt.NDArray[np.int64]


__all__ = ["ACTIVE", "ENTRY", "LEFT_OUT", "NEVER", "NONE", "REGION", "RETURN", "RULE", "SLOT", "STATE", "TRANSITION"]
