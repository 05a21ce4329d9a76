"""Settings that are tried: few, never weaker than what the rule has."""

from __future__ import annotations

import pytest

from alerts.checks import DEFAULTS
from alerts.workbench.grid import deadbands, single, together


@pytest.mark.parametrize(
    ("values", "scale", "sizes"),
    [
        ({"kind": "high", "limit": 90.0}, (0.0, 150.0), [0.75, 1.5, 3.0, 4.5, 7.5]),
        ({"kind": "high", "limit": 90.0, "deadband": 3.0}, (0.0, 150.0), [4.5, 7.5]),
        ({"kind": "low", "limit": -0.0123}, (None, None), [0.000062, 0.00012, 0.00025, 0.00037, 0.00062]),
        ({"kind": "low", "limit": 0.0}, (None, None), []),
        ({"kind": "rate_high", "limit": 10.0}, (0.0, 150.0), [0.5, 1.0, 2.0, 5.0]),
        ({"kind": "outside", "low": 10.0, "high": 30.0}, (0.0, 150.0), [0.1, 0.2, 0.4, 0.6, 1.0]),
        ({"kind": "stale", "timeout": 60.0}, (0.0, 150.0), []),
    ],
)
def test_deadbands_follow_the_range_or_the_limit_and_are_wider_than_the_rules(values, scale, sizes):
    assert deadbands({**DEFAULTS, **values}, *scale) == sizes


def test_delays_are_longer_than_the_rules():
    values = {**DEFAULTS, "kind": "high", "limit": 90.0, "on_delay": 10.0, "off_delay": 120.0}
    found = single(values, 0.0, 150.0)
    assert [change["on_delay"] for change in found["on_delay"]] == [20.0, 30.0, 60.0]
    assert [change["off_delay"] for change in found["off_delay"]] == [300.0]
    assert all(len(change) > 1 and "off_delay" not in change for change in together(values, 0.0, 150.0))


def test_a_month_is_tried_with_no_more_than_sixty_settings():
    values = {**DEFAULTS, "kind": "high", "limit": 90.0}
    count = sum(map(len, single(values, 0.0, 150.0).values())) + len(together(values, 0.0, 150.0))
    assert 30 < count <= 60
