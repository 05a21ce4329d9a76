"""Instants between the engine's µs since the epoch and Django's datetimes, exact to the microsecond."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """Gives µs since the epoch as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=us)


def to_us(moment: datetime) -> int:
    """Gives an aware datetime as µs since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND
