"""The limits on a sensor's own scale, which every trend and sparkline draws."""

import pytest

from alerts.limits import has_limits, is_lower, limits_of
from alerts.models import Kind


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        (Kind.HIGH, {"limit": 1.0}), (Kind.LOW, {"limit": 1.0}), (Kind.OUTSIDE, {"low": 2.0, "high": 3.0}),
        *((kind, {}) for kind in Kind if kind not in (Kind.HIGH, Kind.LOW, Kind.OUTSIDE)),
    ],
)  # fmt: skip
def test_only_limits_of_the_sensors_own_scale_are_drawn(kind: Kind, limits: dict[str, float]) -> None:
    rule = {"kind": kind.value, "limit": 1.0, "low": 2.0, "high": 3.0, "value": 4.0, "reference": "5"}
    assert (limits_of(rule), has_limits(kind)) == (limits, bool(limits))
    assert limits_of({"kind": kind.value, "limit": None}) == {}


def test_under_a_low_limit_a_value_is_past_it() -> None:
    assert is_lower({"kind": "low"}, 1.0)
    assert not is_lower({"kind": "high"}, 1.0)
    assert [is_lower({"kind": "outside", "low": 2.0, "high": 3.0}, limit) for limit in (2.0, 3.0)] == [True, False]
