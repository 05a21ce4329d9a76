"""The scale of a moving analog indicator."""

import pytest

from alerts.models import Rule
from devices.models import Sensor
from plant.drawing import Scale, Shown, indicator, limits_of, scale_of, spark, value


def rule(kind: str, limit: float | None = None, **fields: float) -> Rule:
    return Rule(name=f"{kind} {limit}", kind=kind, limit=limit, priority=2, **fields)


FULL = [rule("high", 7.8), rule("high", 8.2), rule("low", 6.2), rule("low", 5.8)]
PRESSURE = Sensor(key="p", normal_low=6.6, normal_high=7.4)


def test_the_second_limit_of_a_side_is_the_thick_one() -> None:
    assert [(limit.value, limit.side, limit.outer) for limit in limits_of(FULL)] == [
        (6.2, "low", False), (5.8, "low", True), (7.8, "high", False), (8.2, "high", True),
    ]  # fmt: skip


def test_a_rule_that_is_off_draws_no_limit() -> None:
    assert limits_of([rule("high", 7.8, enabled=False)]) == ()


def test_a_band_draws_a_limit_on_each_side() -> None:
    limits = limits_of([Rule(name="band", kind="outside", low=1.0, high=2.0, priority=1)])
    assert [(limit.value, limit.side) for limit in limits] == [(1.0, "low"), (2.0, "high")]


def test_the_scale_begins_a_fifth_of_the_span_outside_the_outermost_limits() -> None:
    scale = scale_of(PRESSURE, FULL)
    assert scale is not None
    assert (round(scale.low, 2), round(scale.high, 2)) == (5.32, 8.68)


def test_the_scale_stays_inside_the_range() -> None:
    scale = scale_of(Sensor(key="p", range_low=5.5, range_high=8.5), FULL)
    assert scale is not None
    assert (scale.low, scale.high) == (5.5, 8.5)


def test_no_scale_without_anything_to_go_by() -> None:
    assert scale_of(Sensor(key="p")) is None
    assert scale_of(Sensor(key="p"), [rule("high", 7.8)]) is None


def test_a_value_beyond_a_limit_is_measured_from_the_first_limit() -> None:
    scale = scale_of(PRESSURE, FULL)
    assert scale is not None
    assert [scale.beyond(at) for at in (7.0, 7.9, 8.5, 6.0, 5.0)] == [None, 7.8, 7.8, 6.2, 6.2]


def test_off_scale_the_number_says_so() -> None:
    shown = Shown("k/p", "Pressure", 4.0, "bar", 0, scale=Scale(5.0, 9.0))
    assert shown.text == "under 5"


def test_a_bad_value_is_a_dash_and_the_pointer_goes() -> None:
    shown = Shown("k/p", "Pressure", 7.0, "bar", 2, quality="bad", scale=Scale(5.0, 9.0))
    assert "–" in value(shown)
    assert "7.00" not in value(shown)
    assert 'class="mai none"' in indicator(shown)


def test_a_discrete_value_is_its_word() -> None:
    shown = Shown("k/state", "State", 1.0, labels={"1": "running"})
    assert shown.text == "running"
    assert indicator(shown) == ""


def test_an_alarm_colours_only_the_piece_beyond_the_limit() -> None:
    scale = scale_of(Sensor(key="t", range_low=0.0, range_high=100.0), [rule("low", 20.0), rule("high", 80.0)])
    drawn = indicator(Shown("k/t", "Temperature", 90.0, "degC", 1, priority=2, scale=scale))
    assert 'class="mai al p2"' in drawn
    assert '<rect class="over" x="85.71%" y="3" width="11.91%" height="8"/>' in drawn
    assert "high, limit 80.0" in drawn


@pytest.mark.parametrize(
    ("value", "words"),
    [(20.0, "low, limit 20.0"), (19.0, "low, limit 20.0"), (80.0, "high, limit 80.0"), (81.0, "high, limit 80.0")],
)
def test_a_value_that_is_a_limit_is_past_it_on_the_limits_own_side(value: float, words: str) -> None:
    scale = scale_of(Sensor(key="t", range_low=0.0, range_high=100.0), [rule("low", 20.0), rule("high", 80.0)])
    drawn = indicator(Shown("k/t", "Temperature", value, "degC", 1, priority=2, scale=scale))
    assert f'aria-valuetext="{value} °C, {words}"' in drawn


def test_below_a_limit_that_is_one_of_both_sides_it_is_low() -> None:
    scale = scale_of(Sensor(key="t", range_low=0.0, range_high=100.0), [rule("low", 50.0), rule("high", 50.0)])
    drawn = indicator(Shown("k/t", "Temperature", 40.0, "degC", 1, priority=2, scale=scale))
    assert "low, limit 50.0" in drawn


def test_a_gap_in_a_sparkline_stays_a_gap() -> None:
    assert spark([1.0, 2.0, None, 2.0, 1.0]).count("M") == 2
    assert spark([None, 1.0]) == ""
