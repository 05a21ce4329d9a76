"""Long work done in parts: whoever drives it may tell how far it is, and stop between two of them."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


def retold(
    parts: Generator[A, None, T], tell: Callable[[A], B], *, going_on: Callable[[], None] = lambda: None
) -> Generator[B, None, T]:
    """Does work in parts, telling of each in other words; at the end it gives what the work comes to.

    Takes: what tells of a part, and what is called before the next; each may raise to end the work.
    """
    while True:
        try:
            part = next(parts)
        except StopIteration as done:
            found: T = done.value
            return found
        yield tell(part)
        going_on()


def drained(parts: Generator[Any, None, T]) -> T:
    """Gives what work done in parts comes to."""
    while True:
        try:
            next(parts)
        except StopIteration as done:
            found: T = done.value
            return found
