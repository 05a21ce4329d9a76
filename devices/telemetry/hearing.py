"""What Andon could hear, and what it heard last: without it nobody's silence means anything.

An intake marks each second that it listens; a drain marks up to when its shard's stream has been read. Both by Redis's
clock, in µs since the epoch, as arrivals are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from redis import Redis

from devices.models import Checkpoint
from devices.telemetry import snapshot, stream_scripts

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

CLOCKS = "andon:heard"  # hash: shard → up to when its stream has been read
LISTENING = "andon:listening"  # hash: since, last
DEAF_AFTER = 3_000_000  # µs without a mark after which nobody was listening

# devices.telemetry.admission writes the cursors; it brings the compiled engine along, which only those that drain need.
_CURSORS_VERSION = 1


class _State(msgspec.Struct, array_like=True):
    """The first part of a checkpoint's state; the stages' own is not looked at."""

    cursors: bytes = b""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Takes: the present clock; since when an intake listens without a break (None: none does, or none ever did)."""

    now: int
    since: int | None
    known: bool  # an intake has listened at some time
    clocks: dict[int, int]


def note(pipe: Any, shard: int, clock: int) -> None:
    """Marks, in a pipeline, that a shard's stream has been read to its end."""
    pipe.hset(CLOCKS, str(shard), str(clock))


def listen(client: Redis) -> None:
    """Marks that an intake listens. Raises: RedisError. Cost: one round trip."""
    stream_scripts.LISTENS.call(client, [LISTENING], [DEAF_AFTER])


def hearing(client: Redis, *, clock: int | None = None) -> Hearing:
    """Gives what could be heard. Takes: another clock than Redis's. Raises: RedisError. Cost: one round trip."""
    with client.pipeline(transaction=True) as pipe:
        pipe.time()
        pipe.hgetall(CLOCKS)
        pipe.hgetall(LISTENING)
        (seconds, micros), clocks, marks = pipe.execute()
    now = int(seconds) * 1_000_000 + int(micros) if clock is None else clock
    listens = bool(marks) and now - int(marks[b"last"]) <= DEAF_AFTER
    since = int(marks[b"since"]) if listens else None
    return Hearing(now, since, bool(marks), {int(shard): int(value) for shard, value in clocks.items()})


def arrivals() -> tuple[Int32, Int64, Int32]:
    """Gives the sensors that ever spoke, when the newest reading of each arrived, and the shard that says so.

    A sensor whose readings are copied to other shards stands there too. Cost: one query, which reads the checkpoints.
    """
    ids: list[Int32] = []
    times: list[Int64] = []
    places: list[Int32] = []
    for shard, state in Checkpoint.objects.order_by("shard").values_list("shard", "state"):
        if not state:
            continue
        cursors = msgspec.msgpack.decode(bytes(state), type=_State).cursors
        if not cursors:
            continue
        steps, _, _, _, arrival, *_ = snapshot.unpack(_CURSORS_VERSION, cursors)
        ids.append(np.cumsum(steps).astype(np.int32))
        times.append(arrival)
        places.append(np.full(len(arrival), shard, np.int32))
    if not ids:
        return np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int32)
    return np.concatenate(ids), np.concatenate(times), np.concatenate(places)
