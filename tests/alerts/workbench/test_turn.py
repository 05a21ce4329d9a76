"""Backtests take turns: one in a process, one for a person, the newest."""

from __future__ import annotations

import threading

import pytest

from alerts.workbench.turn import Busy, Overtaken, own_turn, turn


def test_a_persons_newer_backtest_ends_the_one_before() -> None:
    begun, ended = threading.Event(), threading.Event()
    said: list[str] = []

    def work() -> None:
        try:
            with own_turn(7, patience=5) as go_on:
                begun.set()
                while not ended.wait(0.01):
                    go_on()
        except Overtaken:
            said.append("overtaken")

    other = threading.Thread(target=work)
    other.start()
    assert begun.wait(5)
    with own_turn(7, patience=5) as go_on:
        go_on()
    other.join(5)
    ended.set()
    assert said == ["overtaken"]
    assert not turn.locked()


def test_another_persons_backtest_waits_for_its_turn_and_gives_up_in_words() -> None:
    with (
        own_turn(7, patience=5) as go_on,
        pytest.raises(Busy, match="Other backtests are under way"),
        own_turn(8, patience=0.0),
    ):
        pytest.fail("It has no turn.")
    with pytest.raises(Overtaken):
        go_on()  # its turn is over
    with own_turn(8, patience=0.0):
        assert turn.locked()


def test_a_turn_that_ends_in_an_error_is_given_back() -> None:
    with pytest.raises(ValueError, match="broken"), own_turn(7, patience=5):
        raise ValueError("broken")
    assert not turn.locked()
