"""Many alarms as a few causes: those of one first-out group or one line, under the first of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

APART = timedelta(minutes=10)  # a quiet time after which what comes on the same line is another cause
TOP = 1  # the priority that is never put under another


class Raised(Protocol):
    """What is looked at of an alarm."""

    @property
    def pk(self) -> int: ...
    @property
    def priority(self) -> int: ...
    @property
    def raised(self) -> datetime: ...
    @property
    def group(self) -> str: ...
    @property
    def first_out(self) -> bool: ...


A = TypeVar("A", bound=Raised)


@dataclass(frozen=True, slots=True)
class Cause(Generic[A]):
    """An alarm with those that came of it, or so it seems, in the order in which they were raised."""

    first: A
    others: Sequence[A] = ()

    @property
    def alarms(self) -> list[A]:
        """Gives all of them."""
        return [self.first, *self.others]

    @property
    def priorities(self) -> list[tuple[int, int]]:
        """Gives how many of each priority there are, the highest first."""
        return sorted(Counter(alarm.priority for alarm in self.alarms).items())

    @property
    def worst(self) -> int:
        """Gives the highest priority among them."""
        return min(alarm.priority for alarm in self.alarms)


def causes(
    alarms: Iterable[A], place: Callable[[A], Hashable | None], collapses: Callable[[A], bool] = lambda alarm: True
) -> list[Cause[A]]:
    """Gives alarms by cause, each alarm once, the highest priority first, then the oldest.

    Takes: where an alarm belongs, for example its line (None: nowhere); which alarms may stand under another at all.
    """
    found: list[Cause[A]] = []
    heaps: dict[Hashable, list[A]] = {}
    for alarm in sorted(alarms, key=lambda alarm: (alarm.raised, alarm.pk)):
        key: Hashable | None = ("group", alarm.group) if alarm.group else None
        if key is None and (where := place(alarm)) is not None:
            key = ("place", where)
        if key is None or alarm.priority == TOP or not collapses(alarm):
            found.append(Cause(alarm))
            continue
        heap = heaps.get(key)
        if heap and alarm.raised - heap[-1].raised > APART:
            found.append(_cause(heap))
            heap = None
        if heap is None:
            heap = heaps[key] = []
        heap.append(alarm)
    found += map(_cause, heaps.values())
    return sorted(found, key=lambda cause: (cause.worst, cause.first.raised, cause.first.pk))


def _cause(heap: list[A]) -> Cause[A]:
    """Puts a heap under its first-out, else under the first."""
    first = next((alarm for alarm in heap if alarm.first_out), heap[0])
    return Cause(first, tuple(alarm for alarm in heap if alarm is not first))
