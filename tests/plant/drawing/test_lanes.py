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
