"""Long work done in parts: whoever drives it may tell how far it is, and stop between two of them."""

from collections.abc import Generator
from typing import Any, TypeVar

T = TypeVar("T")


def drained(parts: Generator[Any, None, T]) -> T:
    """Gives what work done in parts comes to."""
    while True:
        try:
            next(parts)
        except StopIteration as done:
            found: T = done.value
            return found
