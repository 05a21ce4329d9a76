"""The chain of the journal: each row's hash covers the row and the hash before it.

The form is documented byte for byte in docs/operating.md. It never changes: hashes that somebody has kept elsewhere
are worth only what can be worked out again.
"""

import hashlib
import json
import struct
from datetime import UTC, datetime
from typing import Protocol

# Before the first row.
GENESIS = "0" * 64
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class Row(Protocol):
    """What the chain reads of a row of the journal; read only."""

    id: int
    time: datetime
    recorded: datetime
    event: str
    from_state: str
    to_state: str
    alarm_id: int | None
    rule_id: int | None
    rule_name: str
    tag: str
    value: float | None
    reason: str
    actor: str
    clock_from: datetime | None


def canonical(row: Row) -> bytes:
    """Gives a row's content in its one form: a JSON list in ASCII, without blanks."""
    return _encode(
        [
            int(row.id),
            _instant(row.time),
            _instant(row.recorded),
            str(row.event),
            str(row.from_state),
            str(row.to_state),
            row.alarm_id,
            row.rule_id,
            row.rule_name,
            row.tag,
            _double(row.value),
            row.reason,
            row.actor,
            _instant(row.clock_from),
        ]
    ).encode("ascii")


def link(before: str, row: Row) -> str:
    """Gives the hash of a row that follows the one whose hash is `before`."""
    return hashlib.sha256(before.encode("ascii") + b"\n" + canonical(row)).hexdigest()


def plain(value: float | None) -> float | None:
    """Gives a value as every database gives it back: no minus zero, nothing for what is no number."""
    if value is None or value != value:
        return None
    return float(value) + 0.0


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _double(value: float | None) -> str | None:
    """Gives the sixteen hexadecimal digits of the IEEE 754 double, sign first: no two programs write it differently."""
    return None if value is None else struct.pack(">d", value).hex()
