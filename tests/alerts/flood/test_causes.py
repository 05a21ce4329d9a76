"""Many alarms as a few causes; none is lost, and none of the highest priority stands under another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.flood.causes import causes

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    pk: int
    priority: int = 2
    second: float = 0.0
    group: str = ""
    first_out: bool = False
    line: str | None = "line-1"

    @property
    def raised(self) -> datetime:
        return START + timedelta(seconds=self.second)


def shape(rows: list[Row]) -> list[tuple[int, list[int]]]:
    found = causes(rows, lambda row: row.line)
    return [(cause.first.pk, [row.pk for row in cause.others]) for cause in found]


def test_alarms_of_one_line_stand_under_the_first():
    rows = [Row(1, second=5), Row(2, second=1), Row(3, second=9), Row(4, line="line-2")]
    assert shape(rows) == [(4, []), (2, [1, 3])]


def test_alarms_of_one_group_stand_under_its_first_out_wherever_they_are():
    rows = [Row(1, group="feeder/trip"), Row(2, group="feeder/trip", first_out=True, second=1, line="line-2")]
    assert shape(rows) == [(2, [1])]


def test_highest_priority_is_never_put_under_another():
    assert shape([Row(1, second=0), Row(2, priority=1, second=1), Row(3, second=2)]) == [(2, []), (1, [3])]


def test_what_comes_after_a_quiet_time_is_another_cause():
    assert shape([Row(1, second=0), Row(2, second=30), Row(3, second=1000)]) == [(1, [2]), (3, [])]


def test_alarm_of_no_place_stands_by_itself():
    assert shape([Row(1, line=None), Row(2, line=None)]) == [(1, []), (2, [])]


def test_counts_say_how_many_of_each_priority():
    found = causes([Row(1, 3), Row(2, 2), Row(3, 3)], lambda row: row.line)
    assert found[0].priorities == [(2, 1), (3, 2)]


ROWS = st.builds(
    Row,
    st.integers(1, 1000),
    st.integers(1, 4),
    st.integers(0, 5000),
    st.sampled_from(["", "a", "b"]),
    st.booleans(),
    st.sampled_from([None, "x", "y"]),
)


@given(st.lists(ROWS, unique_by=lambda row: row.pk, max_size=12))
def test_every_alarm_stands_exactly_once(rows: list[Row]) -> None:
    found = causes(rows, lambda row: row.line)
    assert sorted(row.pk for cause in found for row in cause.alarms) == sorted(row.pk for row in rows)
    assert all(row.priority > 1 for cause in found for row in cause.others)
