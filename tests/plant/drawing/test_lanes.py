"""A sensor's trend as it is drawn without a script."""

import re

import pytest

from plant.drawing.lanes import Lane, lane


@pytest.mark.parametrize(
    ("normal", "top", "foot"),
    [
        ((20.0, 80.0), 38.5, 99.5),
        ((20.0, None), 10.0, 99.5),  # up to the upper edge
        ((None, 80.0), 38.5, 128.0),  # down to the lower one
    ],
)
def test_an_open_end_of_the_normal_band_reaches_to_the_edge(
    normal: tuple[float | None, float | None], top: float, foot: float
) -> None:
    drawn = lane(Lane(0.0, 2.0, [0.0, 1.0], [0.0, 100.0], normal, [], [], 1), "Pressure")
    (found,) = re.findall(r'class="band" x="64" y="([0-9.]+)" width="[0-9]+" height="([0-9.]+)"', drawn)
    assert (float(found[0]), round(float(found[0]) + float(found[1]), 1)) == (top, foot)


def test_without_a_normal_band_none_is_drawn() -> None:
    assert "band" not in lane(Lane(0.0, 2.0, [0.0, 1.0], [1.0, 2.0], None, [], [], 1), "Pressure")


def _scale(values: list[float], decimals: int) -> list[tuple[float, float, str]]:
    drawn = lane(Lane(0.0, 2.0, [0.0, 1.0], values, None, [], [], decimals), "Level")
    found = re.findall(r'<text class="axis" x="([0-9]+)" y="([0-9.]+)" text-anchor="end">([^<]+)</text>', drawn)
    return [(float(x), float(y), text) for x, y, text in found]


def test_a_sensor_of_whole_numbers_has_no_value_twice_on_its_scale_and_each_where_it_is() -> None:
    scale = _scale([0.0, 1.0], 0)
    assert [text for _x, _y, text in scale] == ["0", "1"]
    # The lane is 118 high under a margin of 10, and reaches 0.08 further: 1 and 0 stand where the line has them.
    assert [round(y - 4, 1) for _x, y, _text in scale] == [
        round(10 + 118 * 1.08 / 1.16, 1),
        round(10 + 118 * 0.08 / 1.16, 1),
    ]


def test_the_scale_is_as_wide_as_its_widest_value() -> None:
    wide = _scale([10_000_000.0, 12_000_000.0], 1)
    assert all(x - len(text) * 6.6 >= 0 for x, _y, text in wide)
    assert {x for x, _y, _text in _scale([0.0, 10.0], 1)} == {58.0}
