"""Backtests take turns: one in a process, one for a person, the newest."""

from __future__ import annotations

import threading

import pytest

from alerts.workbench.turn import Busy, Superseded, own_turn, turn


def test_a_persons_newer_backtest_ends_the_one_before() -> None:
    begun, ended = threading.Event(), threading.Event()
    said: list[str] = []

    def work() -> None:
        try:
            with own_turn(7, patience=5, still=60) as go_on:
                begun.set()
                while not ended.wait(0.01):
                    go_on()
        except Superseded:
            said.append("superseded")

    other = threading.Thread(target=work)
    other.start()
    assert begun.wait(5)
    with own_turn(7, patience=5, still=60) as go_on:
        go_on()
    other.join(5)
    ended.set()
    assert said == ["superseded"]
    assert not turn.locked()


def test_another_persons_backtest_waits_for_its_turn_and_gives_up_in_words() -> None:
    with (
        own_turn(7, patience=5, still=60) as go_on,
        pytest.raises(Busy, match="Other backtests are under way"),
        own_turn(8, patience=0.0, still=60),
    ):
        pytest.fail("It has no turn.")
    with pytest.raises(Superseded):
        go_on()  # its turn is over
    with own_turn(8, patience=0.0, still=60):
        assert turn.locked()


def test_a_turn_that_ends_in_an_error_is_given_back() -> None:
    with pytest.raises(ValueError, match="broken"), own_turn(7, patience=5, still=60):
        raise ValueError("broken")
    assert not turn.locked()


def test_one_that_stands_still_loses_the_turn_to_whoever_waits_and_gives_back_nothing_that_it_has_not() -> None:
    with own_turn(7, patience=5, still=0.2) as slow:
        slow()
        with own_turn(8, patience=5, still=0.2) as waiter:
            with pytest.raises(Superseded, match="read too slowly"):
                slow()
            waiter()
            assert turn.locked()
        assert not turn.locked()
        with pytest.raises(Superseded):
            slow()
    assert not turn.locked()


def test_one_that_goes_on_keeps_the_turn_and_one_that_does_not_say_so_does_too() -> None:
    with own_turn(7, patience=5, still=60) as go_on:
        with pytest.raises(Busy), own_turn(8, patience=0.3, still=60):
            pytest.fail("It has no turn.")
        go_on()
    with turn, pytest.raises(Busy), own_turn(8, patience=0.3, still=0.0):  # as the API holds it
        pytest.fail("It has no turn.")
    assert not turn.locked()


def test_the_slow_one_that_ends_first_leaves_the_turn_with_the_one_that_took_it() -> None:
    slow, waiter = own_turn(7, patience=5, still=0.2), own_turn(8, patience=5, still=0.2)
    slow.__enter__()
    go_on = waiter.__enter__()
    slow.__exit__(None, None, None)
    assert turn.locked()
    go_on()
    waiter.__exit__(None, None, None)
    assert not turn.locked()
