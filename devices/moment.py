"""The moment that is looked at: now, or a past one for as long as somebody looks back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from django.utils import timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_past: ContextVar[datetime | None] = ContextVar("past", default=None)


def past() -> datetime | None:
    """Gives the past moment that is looked at; None: the present."""
    return _past.get()


def past_us() -> int | None:
    """Gives the same as µs since the epoch."""
    at = past()
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def now() -> datetime:
    """Gives the moment that is looked at. What writes reads the clock itself."""
    return _past.get() or timezone.now()


@contextmanager
def looking_back(at: datetime) -> Iterator[None]:
    """Lets newest readings be those of a past moment, within the block."""
    before = _past.set(at)
    try:
        yield
    finally:
        _past.reset(before)
