"""One backtest at a time and process: it is heavy, and the process has operators to serve."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils.translation import gettext as _

_LOOKS_EVERY = 0.1  # seconds, while it waits

turn = threading.Lock()


@dataclass(slots=True, eq=False)
class _Work:
    """A backtest that goes on part by part."""

    heard: float = 0.0  # when it went on last, by time.monotonic()


_guard = threading.Lock()  # of the two below
_newest: dict[int, _Work] = {}  # each person's newest backtest in this process
_holder: _Work | None = None  # who has the turn, where that is one that goes on part by part


class Busy(Exception):
    """Another backtest is under way in this process."""


class Superseded(Exception):
    """Another backtest has this one's turn: a newer one of the same person, or one that waited while it stood still."""


@contextmanager
def own_turn(person: int, *, patience: float, still: float) -> Iterator[Callable[[], None]]:
    """Waits for the turn and holds it. A person has one backtest: the newest, which ends the one before.

    Takes: for how many seconds it may wait; after how many seconds without going on it may lose the turn to whoever
    waits. It goes on when its reader has taken what it said, and so a slow one would keep all others waiting.
    Gives: what the work calls between its parts; it raises Superseded.
    Raises: Busy; Superseded.
    """
    mine = _Work()
    with _guard:
        _newest[person] = mine

    def go_on() -> None:
        with _guard:
            _still_wanted(person, mine)
            if _holder is not mine:
                raise Superseded(_("It was read too slowly: another backtest that waited has its turn."))
            mine.heard = time.monotonic()

    until = time.monotonic() + patience
    try:
        while not (_takes(mine) or _takes_over(mine, still)):
            with _guard:
                _still_wanted(person, mine)
            if time.monotonic() >= until:
                raise Busy(_("Other backtests are under way; try again when they are done."))
        try:
            go_on()
            yield go_on
        finally:
            _gives_back(mine)
    finally:
        with _guard:
            if _newest.get(person) is mine:
                del _newest[person]


def _still_wanted(person: int, mine: _Work) -> None:
    if _newest.get(person) is not mine:
        raise Superseded(_("You have asked for another backtest since."))


def _takes(mine: _Work) -> bool:
    global _holder
    if not turn.acquire(timeout=_LOOKS_EVERY):
        return False
    with _guard:
        _holder, mine.heard = mine, time.monotonic()
    return True


def _takes_over(mine: _Work, still: float) -> bool:
    """Takes the turn from one that stands still. The lock stays as it is: it belongs to whoever is the holder."""
    global _holder
    with _guard:
        if _holder is None or time.monotonic() - _holder.heard <= still:
            return False
        _holder, mine.heard = mine, time.monotonic()
        return True


def _gives_back(mine: _Work) -> None:
    global _holder
    with _guard:
        if _holder is mine:  # else it has lost the turn
            _holder = None
            turn.release()
