"""The durable hand-over between intake and workers: one Redis stream a shard, its bell, its epoch and its margin.

An entry carries a packed batch (`b`), how many readings its shard had accepted before it (`t`), its number in its
stream (`n`), and `c` where it is a copy for a rule of another shard. A shard's stream is trimmed only behind what the
database has committed, and there only behind a margin, so that a database a little behind is healed by reading on from
its own checkpoint; one further behind notices by the numbers.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import structlog
from celery import current_app
from django.conf import settings
from redis import Redis
from redis import asyncio as redis_asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from devices.models import Checkpoint
from devices.telemetry import codec, stream_scripts
from devices.telemetry.batch import Batch

log = structlog.get_logger(__name__)

EPOCH = "andon:epoch"
# hash: shard → readings accepted; "n" and shard → entries appended; "bytes" → bytes appended to all shards
TOTALS = "andon:totals"
MARKS = "andon:marks"  # sorted set: instant in ms → bytes appended before it; about one a second
GATE = "andon:gate"  # who is changing the number of shards; nothing is appended while it is there
LAYOUT = "andon:layout"  # the newest layout by which anything was appended; counts the changes of that number
GATE_MS = 60_000  # whoever closed the gate and died leaves it closed for so long
START = "0-0"
BELL_SECONDS = 3
DRAIN = "devices.tasks.drain"
DRAIN_SECONDS = 10  # a bell that no worker heard by then is void; beat rings again
ENTRY_READINGS = 16_384  # no entry is larger, so that a page of a stream stays small
TRIM_US = 1_000_000  # a process trims a shard at most once in this time

_FIRST_PAGE = 64
_PAGE = 2_000
_PAGE_BYTES = 8 * 1024 * 1024


class Entry(NamedTuple):
    """One entry of a stream: its position, its readings, whether it is a copy for a rule of this shard, its number.

    Entries of a stream are numbered from 0 on, in order and without gaps; those of an older Andon have no number.
    """

    id: str
    batch: Batch
    copy: bool
    number: int | None = None

    @property
    def arrival(self) -> int:
        """Gives the moment at which the stream took it, in µs since the epoch, by Redis's clock."""
        return entry_time_us(self.id)


class Parcel(NamedTuple):
    """Readings on their way into one shard's stream, packed."""

    shard: int
    packed: bytes
    readings: int
    copy: bool = False


class Appended(NamedTuple):
    """What became of an append: each parcel's position, and the shards whose bell was silent before."""

    ids: list[str]
    rung: list[int]


@dataclass(frozen=True, slots=True)
class Lag:
    """What a shard has accepted and not yet judged: readings, and the seconds that the oldest of them waits."""

    readings: int = 0
    seconds: float = 0.0


def stream_key(shard: int) -> str:
    """Gives the key of a shard's stream."""
    return f"andon:stream:{shard}"


def bell_key(shard: int) -> str:
    """Gives the key of a shard's bell."""
    return f"andon:bell:{shard}"


# --- Clients ---------------------------------------------------------------------------------------------------------


def connect() -> Redis:
    """Gives the process's Redis client, which is safe to share between threads."""
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> Redis:
    # What is asked through this client may be asked twice; an append is done by its caller once.
    retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3)
    return Redis.from_url(url, socket_timeout=10, socket_connect_timeout=2, retry=retry)


def connect_async() -> redis_asyncio.Connection:
    """Gives a connection for `append_async` in the running event loop; it is opened with the first append.

    It never repeats a command by itself: only the sender may send again what was perhaps taken.
    """
    pool: Any = redis_asyncio.ConnectionPool.from_url(
        settings.REDIS_URL, socket_timeout=None, socket_connect_timeout=2, retry=AsyncRetry(NoBackoff(), 0)
    )
    connection: redis_asyncio.Connection = pool.make_connection()
    return connection


# --- Appending -------------------------------------------------------------------------------------------------------


def parcels(shard: int, batch: Batch, *, copy: bool = False) -> list[Parcel]:
    """Gives a shard's readings packed, in parcels of a size that the stream takes well."""
    if len(batch) <= ENTRY_READINGS:
        return [Parcel(shard, codec.pack(batch), len(batch), copy)]
    rows = np.arange(len(batch))
    parts = (batch.take(rows[at : at + ENTRY_READINGS]) for at in range(0, len(batch), ENTRY_READINGS))
    return [Parcel(shard, codec.pack(part), len(part), copy) for part in parts]


def append(client: Redis, parcels: Sequence[Parcel], layout: int | None = None) -> Appended:
    """Appends parcels to their shards' streams, all or none, and rings the silent bells among them.

    Takes: the layout (revision "shards") by which the parcels were made; an older one than the streams' is refused.
    Gives: the positions, and the shards for which `publish` must now call a worker.
    Raises: RedisError; the parcels may then be in the streams or not.
    Cost: one round trip.
    """
    return _appended(stream_scripts.APPEND.call(client, *_append_arguments(parcels, layout)))


async def append_async(
    connection: redis_asyncio.Connection, parcels: Sequence[Parcel], layout: int | None = None
) -> Appended:
    """Does the same as `append` from an event loop, one append at a time.

    Raises: RedisError, OSError, TimeoutError.
    """
    return _appended(await stream_scripts.APPEND.call_async(connection, *_append_arguments(parcels, layout)))


def _append_arguments(parcels: Sequence[Parcel], layout: int | None) -> tuple[list[str], list[Any]]:
    """Gives the keys and arguments of the append script."""
    keys = [EPOCH, TOTALS, MARKS, GATE, LAYOUT]
    # Taken only where there is no epoch: a stream that was lost begins a new one.
    args: list[Any] = [secrets.token_hex(8), BELL_SECONDS, "" if layout is None else layout]
    for parcel in parcels:
        keys += (stream_key(parcel.shard), bell_key(parcel.shard))
        args += (parcel.shard, parcel.readings, "1" if parcel.copy else "", parcel.packed)
    return keys, args


def _appended(answer: Any) -> Appended:
    ids, rung = answer
    return Appended([position.decode() for position in ids], list(rung))


# --- Bells -----------------------------------------------------------------------------------------------------------


def ring(shards: Iterable[int]) -> None:
    """Calls a worker to the shards whose bell is silent.

    Raises: RedisError, or the broker's error.
    Cost: one round trip, and one message.
    """
    publish(silent(shards))


def silent(shards: Iterable[int]) -> list[int]:
    """Rings the bells that are silent, and gives their shards: whoever asked now drains them. Cost: one round trip."""
    wanted = list(shards)
    with connect().pipeline(transaction=False) as pipe:
        for shard in wanted:
            pipe.set(bell_key(shard), b"1", nx=True, ex=BELL_SECONDS)
        answers = pipe.execute()
    return [shard for shard, rang in zip(wanted, answers, strict=True) if rang]


def publish(shards: Sequence[int]) -> None:
    """Sends one drain task for shards whose bells have just been rung. Raises: the broker's error.

    One message, not one a shard: each costs the broker several synced writes.
    """
    if shards:
        current_app.send_task(DRAIN, args=(list(shards),), expires=DRAIN_SECONDS, ignore_result=True)


def silence(pipe: Any, shards: Sequence[int]) -> None:
    """Silences bells, in a pipeline: before their streams are read, so that what comes later rings again."""
    pipe.delete(*(bell_key(shard) for shard in shards))


# --- Reading ---------------------------------------------------------------------------------------------------------


def read(client: Redis, shard: int, after: str, most: int) -> tuple[list[Entry], bool]:
    """Gives the entries behind a position, in order, up to about `most` readings, and whether there may be more.

    An entry that cannot be unpacked is logged and given empty: one broken entry must not hold up a shard for ever.
    Cost: one round trip for what a shard gets in normal times.
    """
    entries: list[Entry] = []
    readings = 0
    page = _FIRST_PAGE
    while True:
        answer: Any = client.xrange(stream_key(shard), min=f"({after}", max="+", count=page)
        size = 0
        for place, (raw_id, fields) in enumerate(answer, 1):
            position = raw_id.decode()
            packed = fields[b"b"]
            size += len(packed)
            batch = _unpack(shard, position, packed)
            number = fields.get(b"n")
            entries.append(Entry(position, batch, b"c" in fields, None if number is None else int(number)))
            readings += len(batch)
            if readings >= most:
                return entries, place < len(answer) or len(answer) == page
        if len(answer) < page:
            return entries, False
        after = entries[-1].id
        page = max(1, min(_PAGE, _PAGE_BYTES * len(answer) // max(size, 1)))


def _unpack(shard: int, position: str, packed: bytes) -> Batch:
    try:
        return codec.unpack(packed)
    except codec.CorruptBatch as error:
        log.error("entry of a stream not readable", shard=shard, position=position, error=str(error))
        return Batch.empty()


def ask_numbers(pipe: Any, shards: Sequence[int]) -> None:
    """Asks, in a pipeline, how many entries each shard's stream was given: as bytes, None before the first."""
    pipe.hmget(TOTALS, [f"n{shard}" for shard in shards])


def entry_time_us(position: str) -> int:
    """Gives the moment at which the stream took an entry, in µs since the epoch (Redis counts ms)."""
    return int(position.partition("-")[0]) * 1000


def epoch(client: Redis) -> str:
    """Gives the name of the present streams, or an empty text before the first append."""
    found: Any = client.get(EPOCH)
    return found.decode() if found else ""


def server_time_us(client: Redis) -> int:
    """Gives Redis's clock in µs since the epoch."""
    seconds, micros = client.time()  # type: ignore[misc]  # redis-py types its sync answer as maybe awaitable
    return int(seconds) * 1_000_000 + int(micros)


# --- The gate: what `devices.resharding` needs --------------------------------------------------------------------


def close_gate(client: Redis, who: str) -> bool:
    """Keeps everybody from appending; tells whether it was open. It opens by itself where nobody holds it."""
    return bool(client.set(GATE, who, nx=True, px=GATE_MS))


def hold_gate(client: Redis, who: str) -> bool:
    """Keeps the gate closed for a while longer; tells whether it has been closed all the time."""
    return bool(stream_scripts.HOLD.call(client, [GATE], [who, GATE_MS]))


def open_gate(client: Redis, who: str) -> None:
    """Lets appends in again, unless the gate is another's by now."""
    stream_scripts.OPEN.call(client, [GATE], [who])


def agree(client: Redis, layout: int) -> None:
    """Brings the streams' layout to the database's, which may have been put back. Cost: one round trip."""
    stream_scripts.AGREE.call(client, [GATE, LAYOUT], [layout])


def ends(client: Redis, shards: Sequence[int]) -> tuple[dict[int, str], dict[int, int]]:
    """Gives the position of each stream's last entry (START of none), and how many entries it was given."""
    with client.pipeline(transaction=True) as pipe:
        for shard in shards:
            pipe.xrevrange(stream_key(shard), count=1)
        ask_numbers(pipe, shards)
        *last, given = pipe.execute()
    positions = {shard: found[0][0].decode() if found else START for shard, found in zip(shards, last, strict=True)}
    return positions, {shard: int(number or 0) for shard, number in zip(shards, given, strict=True)}


# --- Margin and backlog ----------------------------------------------------------------------------------------------

_trimmed: dict[int, int] = {}


def trim(client: Redis, shard: int, position: str, now: int) -> int:
    """Lets go of what lies behind the committed position and behind the margin of all shards together.

    Takes: the position that the database has committed; Redis's clock in µs.
    Gives: how many entries went. A process looks once a second and shard.
    """
    if abs(now - _trimmed.get(shard, 0)) < TRIM_US:
        return 0
    _trimmed[shard] = now
    oldest_ms = max(0, now // 1000 - round(settings.TELEMETRY_MARGIN_SECONDS * 1000))
    keys = [stream_key(shard), TOTALS, MARKS]
    return int(stream_scripts.TRIM.call(client, keys, [position, oldest_ms, settings.TELEMETRY_MARGIN_BYTES]))


def backlog(client: Redis, positions: Mapping[int, str]) -> dict[int, Lag]:
    """Gives of each shard what lies behind its position. Cost: two round trips, however long the streams are."""
    if not positions:
        return {}
    keys = [TOTALS, *(stream_key(shard) for shard in positions)]
    args = [part for pair in positions.items() for part in pair]
    answers = stream_scripts.BACKLOG.call(client, keys, args)
    now = server_time_us(client)
    return {
        shard: Lag(readings, max(0, now - entry_time_us(first.decode())) / 1e6) if first else Lag()
        for shard, (readings, first) in zip(positions, answers, strict=True)
    }


def checkpoints(client: Redis) -> dict[int, str]:
    """Gives the committed position of every shard in the present streams. Cost: one query, one round trip."""
    now = epoch(client)
    rows = Checkpoint.objects.order_by("shard").values_list("shard", "epoch", "position")
    return {shard: position if known == now else START for shard, known, position in rows}


def lag(client: Redis) -> dict[int, Lag]:
    """Gives what every shard has accepted and not yet judged. Cost: one query, three round trips."""
    return backlog(client, checkpoints(client))


def lag_of_all(client: Redis) -> Lag:
    """Gives it over all shards: readings, and how long the oldest waits. Cost: one query, three round trips."""
    shards = lag(client).values()
    return Lag(sum(shard.readings for shard in shards), max((shard.seconds for shard in shards), default=0.0))
