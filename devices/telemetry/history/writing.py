"""How a drain's readings come into the history: one segment, one row."""

from __future__ import annotations

from devices.models import Segment
from devices.telemetry.batch import Batch
from devices.telemetry.codec import Bool, pack_segment


def prepare(shard: int, batch: Batch, late: Bool) -> Segment:
    """Packs one drain's readings; the caller saves what it gives, within its own transaction.

    Takes: at least one reading, no two of one sensor and time, none that is already kept; which of them are late.
    Gives: an unsaved segment. Cost: no query; about 60 µs for 60 readings, 9 ms for 200,000.
    """
    index, data = pack_segment(batch, late)
    return Segment(
        shard=shard,
        count=len(batch),
        first_time=int(batch.time.min()),
        last_time=int(batch.time.max()),
        sensors=index,
        data=data,
    )


def append(shard: int, batch: Batch, late: Bool) -> None:
    """Keeps one drain's readings; nothing where there are none. Cost: one INSERT."""
    if len(batch):
        prepare(shard, batch, late).save(force_insert=True)
