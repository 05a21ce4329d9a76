"""What is right about a rule and worth a second look."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.advice import Band, advice
from alerts.checks import DEFAULTS

BAND = (17.0, 20.0)


def found(kind: str, normal: Band = BAND, **fields: Any) -> list[tuple[str, str]]:
    values = {**DEFAULTS, "inputs": {}, "suppress_when": [], "kind": kind, **fields}
    return [(one.field, one.words) for one in advice(values, normal)]


@pytest.mark.parametrize(
    ("kind", "fields", "warned"),
    [
        ("high", {"limit": 21.0}, []),
        ("high", {"limit": 20.0}, ["limit"]),
        ("low", {"limit": 16.9}, []),
        ("low", {"limit": 17.0}, ["limit"]),
        ("outside", {"low": 16.0, "high": 21.0}, []),
        ("outside", {"low": 18.0, "high": 19.0}, ["low", "high"]),
        ("deviation", {"reference": "18.5", "limit": 2.0}, []),
        ("deviation", {"reference": "18.5", "limit": 1.0}, ["limit", "limit"]),
        ("deviation", {"reference": "other", "limit": 1.0}, []),
        ("rate_high", {"limit": 1.0, "window": 10.0}, []),
        ("high", {"limit": 21.0, "deadband": 2.0}, ["deadband"]),
        ("low", {"limit": 16.0, "deadband": 1.5}, ["deadband"]),
    ],
)
def test_a_limit_in_the_normal_range_and_a_deadband_that_reaches_into_it_are_told(
    kind: str, fields: dict[str, Any], warned: list[str]
) -> None:
    assert sorted(name for name, _ in found(kind, **fields)) == sorted(warned)


def test_a_sensor_without_a_normal_range_warns_of_nothing_and_half_a_range_of_its_half() -> None:
    assert found("high", (None, None), limit=5.0) == []
    assert found("high", (None, 20.0), limit=5.0)[0][1].startswith("5 lies within the normal range, up to 20:")
    assert found("low", (None, 20.0), limit=5.0) == []


def test_the_record_of_an_urgent_alarm_and_another_priority_than_the_matrix_suggests_are_told() -> None:
    record = {"cause": "Dry", "consequence": "Seizes", "action": "Grease it", "time_to_respond": 1200.0}
    assert [name for name, _ in found("high", limit=30.0, priority=1)] == ["cause"]
    words = found("high", limit=30.0, priority=1, severity="major", **record)
    assert words == [("priority", "Severity and time to respond suggest the priority Low.")]
    assert found("high", limit=30.0, priority=4, severity="minor", **{**record, "time_to_respond": 3600.0}) == [
        ("priority", "By its severity and the time to respond it need not be an alarm.")
    ]
