"""Which alarms were true, what a setting saves, and by how much a true alarm would have come later."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from alerts.workbench.price import SECOND, Price, Stand, price, stands, true_alarms


@dataclass
class Turn:
    time: int
    active: bool


def of(*spans: tuple[float, float]) -> list[Stand]:
    return [Stand(round(start * SECOND), round(end * SECOND)) for start, end in spans]


def test_a_raise_stands_until_its_return_and_the_last_one_until_the_end():
    turns = [Turn(1, True), Turn(5, False), Turn(9, True)]
    assert stands(turns, 20) == [(1, 5), (9, 20)]
    assert stands([Turn(3, False)], 20) == []


@pytest.mark.parametrize(
    ("alarms", "acknowledged", "true"),
    [
        ([(0, 300)], [], [(0, 300)]),
        ([(0, 299)], [], []),
        # Returns of less than a minute do not count where it held for half of the time.
        ([(0, 100), (140, 200), (220, 320)], [], [(0, 320)]),
        ([(0, 100), (160, 200), (220, 320)], [], []),
        ([(place * 30, place * 30 + 3) for place in range(40)], [], []),
        ([(place * 65, place * 65 + 25) for place in range(6)], [], []),  # held for 43 % of the time
        # A long one among short ones is true by itself.
        ([*[(place * 50, place * 50 + 1) for place in range(100)], (5040, 5400)], [], [(5040, 5400)]),
        # Somebody answered while it stood, and it stood for a minute.
        ([(0, 60), (500, 559)], [30, 530], [(0, 60)]),
        ([(0, 60)], [61], []),
        ([(0, 300)], [30], [(0, 300)]),
    ],
)
def test_a_true_alarm_stood_long_or_was_acted_upon(alarms, acknowledged, true):
    assert true_alarms(of(*alarms), [moment * SECOND for moment in acknowledged]) == of(*true)


@pytest.mark.parametrize(
    ("alarms", "expected"),
    [
        ([(1000, 1400)], (1, 0, 0)),
        ([(1030, 1400)], (1, 30, 0)),
        ([(900, 1500)], (1, 0, 0)),  # stood before already
        ([(900, 999), (1100, 1200), (1300, 1400)], (3, 100, 0)),
        ([(900, 999)], (1, 0, 1)),
        ([(1401, 1500)], (1, 0, 1)),
        ([], (0, 0, 1)),
    ],
)
def test_the_price_is_the_longest_delay_of_a_true_alarm_and_whether_one_is_lost(alarms, expected):
    found = price(of((1000, 1400)), of(*alarms))
    assert (found.alarms, found.delay // SECOND, found.missed) == expected


def test_the_longest_of_several_delays_counts():
    found = price(of((0, 400), (1000, 1400)), of((20, 400), (1045, 1400)))
    assert found == Price(2, 45 * SECOND, 0, 735 * SECOND)
