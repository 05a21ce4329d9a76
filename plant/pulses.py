"""Signs of life: each worker leaves a pulse in Redis, and the calls have one as long as every call goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis

WORKERS = ("telemetry", "work")  # by the queue each takes from
CALLS = "calls"  # a pulse as long as the auditor finds that every call goes out
EVERY = 5.0  # seconds
_MISSED = 6  # pulses in a row, then the worker counts as gone; a long drain may hold up two or three


def key(name: str) -> str:
    """Gives where a worker's last pulse, or that of the calls, stands in Redis."""
    return f"andon:pulse:{name}"


def show(client: Redis, name: str) -> None:
    """Leaves a pulse. Cost: one round trip."""
    client.set(key(name), 1, ex=int(EVERY * _MISSED))


def silent(client: Redis, names: Sequence[str]) -> set[str]:
    """Gives those who have left no pulse for a while. Cost: one round trip."""
    shown: Any = client.mget([key(name) for name in names])
    return {name for name, pulse in zip(names, shown, strict=True) if pulse is None}
