"""How an alarm's value and limit are written: alike on the pages, by the socket and in messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from alerts.limits import is_reading, is_time
from alerts.models import Alarm, Kind
from alerts.writing import decimals_for, decimals_in, number
from devices.labels import word_of


class Scale(Protocol):
    """How a sensor's values are written: a `Sensor`, or its `topology.Place`."""

    @property
    def range_low(self) -> float | None: ...
    @property
    def range_high(self) -> float | None: ...
    @property
    def decimals(self) -> int | None: ...
    @property
    def labels(self) -> Mapping[str, str] | None: ...


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, ready to be written."""

    value: float
    decimals: int
    word: str | None = None  # in the number's place
    unit: str | None = None  # where it is not the alarm's own

    @property
    def text(self) -> str:
        """Gives it in the reader's language; with its unit where that is not the alarm's."""
        if self.word is not None:
            return self.word
        return number(self.value, self.decimals) + (f"\u00a0{self.unit}" if self.unit else "")


def decimals_of(scale: Scale | None) -> int:
    """Gives the decimals with which a sensor's values are written."""
    return 1 if scale is None else decimals_for(scale.range_low, scale.range_high, scale.decimals)


def value_of(alarm: Alarm, scale: Scale | None, value: float | None = None) -> Figure | None:
    """Gives a value of an alarm's sensor: that which it was raised with, or another."""
    value = alarm.value if value is None else value
    return None if value is None else reading(value, scale)


def limit_of(alarm: Alarm, scale: Scale | None) -> Figure | None:
    """Gives the limit that an alarm was raised at.

    Only what its sensor may read has the sensor's words. A time has the digits that it has, in seconds; a rate and a
    distance have the sensor's decimals, and more where they are set to more.
    """
    if alarm.limit is None:
        return None
    kind = alarm.frozen.get("kind", Kind.HIGH)
    if is_reading(kind):
        return reading(alarm.limit, scale)
    if is_time(kind):
        return Figure(alarm.limit, decimals_in(alarm.limit), unit="s")
    return Figure(alarm.limit, max(decimals_of(scale), decimals_in(alarm.limit)))


def is_one_word(alarm: Alarm, scale: Scale | None) -> bool:
    """Tells whether an alarm's value and limit are one word, as of "fault" that is fault: neither tells anything."""
    value, limit = value_of(alarm, scale), limit_of(alarm, scale)
    return value is not None and limit is not None and value.word is not None and value.word == limit.word


def reading(value: float, scale: Scale | None) -> Figure:
    """Gives what a sensor may read: in its decimals, or as its word."""
    return Figure(value, decimals_of(scale), word_of(scale.labels if scale is not None else None, value))
