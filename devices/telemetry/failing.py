"""Which shards cannot be drained, since when and why: kept in Redis, since the database may be what is ill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis import Redis

from devices.telemetry import stream

FAILING = "andon:failing"  # hash: shard → the newest error's words; "since" and shard → the first one's instant in µs
LASTING_SECONDS = (
    30.0  # a database that is locked, restored or restarted comes back within it; what lasts needs a person
)
_WORDS_LENGTH = 120


class Failure(NamedTuple):
    """A shard's drains fail: since when, in µs by Redis's clock, and the newest error's words."""

    since: int
    words: str

    def lasts(self, now: int, seconds: float = LASTING_SECONDS) -> bool:
        """Tells whether it has gone on for some seconds; `now` in µs."""
        return now - self.since >= seconds * 1_000_000


class Lasting(NamedTuple):
    """A shard's drains have failed for so many seconds; the newest error's words."""

    seconds: int
    words: str


def mark(client: Redis, shard: int, error: Exception, now: int) -> None:
    """Notes that a drain failed; the first of several in a row keeps its time. Cost: one round trip."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    with client.pipeline(transaction=True) as pipe:
        pipe.hsetnx(FAILING, f"since{shard}", str(now))
        pipe.hset(FAILING, str(shard), words if len(words) <= _WORDS_LENGTH else words[: _WORDS_LENGTH - 1] + "…")
        pipe.execute()


def ask(pipe: Any, shards: Sequence[int]) -> None:
    """Asks, in a pipeline, for the marks of shards: bytes, or None of a shard that is well."""
    pipe.hmget(FAILING, [str(shard) for shard in shards])


def clear(pipe: Any, shard: int) -> None:
    """Takes a shard's mark away, in a pipeline."""
    pipe.hdel(FAILING, str(shard), f"since{shard}")


def read(client: Redis) -> dict[int, Failure]:
    """Gives the shards whose last drain failed, in order. Cost: one round trip."""
    found: Any = client.hgetall(FAILING)
    marks = {field.decode(): value.decode() for field, value in found.items()}
    return {
        shard: Failure(int(marks[f"since{shard}"]), marks[str(shard)])
        for shard in sorted(int(field) for field in marks if field.isdecimal())
        if f"since{shard}" in marks
    }


def lasting(client: Redis, seconds: float = LASTING_SECONDS) -> dict[int, Lasting]:
    """Gives the shards whose drains have failed for some seconds, in order.

    Cost: one round trip, two while a drain fails.
    """
    failures = read(client)
    if not failures:
        return {}
    now = stream.server_time_us(client)
    return {
        shard: Lasting((now - failure.since) // 1_000_000, failure.words)
        for shard, failure in failures.items()
        if failure.lasts(now, seconds)
    }
