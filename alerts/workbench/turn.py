"""One backtest at a time and process: it is heavy, and the process has operators to serve."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOKS_EVERY = 0.1  # seconds, while it waits

turn = threading.Lock()
_newest: dict[int, object] = {}  # each person's newest backtest in this process


class Busy(Exception):
    """Another backtest is under way in this process."""


class Overtaken(Exception):
    """The same person has asked for another backtest since; nobody waits for this one any more."""


@contextmanager
def own_turn(person: int, *, patience: float) -> Iterator[Callable[[], None]]:
    """Waits for the turn and holds it. A person has one backtest: the newest, which ends the one before.

    Takes: for how many seconds it may wait.
    Gives: what the work calls between its parts; it raises Overtaken.
    Raises: Busy; Overtaken.
    """
    mine = object()
    _newest[person] = mine

    def go_on() -> None:
        if _newest.get(person) is not mine:
            raise Overtaken

    until = time.monotonic() + patience
    try:
        while not turn.acquire(timeout=_LOOKS_EVERY):
            go_on()
            if time.monotonic() >= until:
                raise Busy("Other backtests are under way; try again when they are done.")
        try:
            go_on()
            yield go_on
        finally:
            turn.release()
    finally:
        if _newest.get(person) is mine:
            del _newest[person]
