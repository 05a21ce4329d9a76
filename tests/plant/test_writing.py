"""Numbers, durations and ages on the screen; the browser is held to the same vectors by tests/js/writing.test.js."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from alerts import writing as words
from plant import writing

VECTORS = json.loads((Path(__file__).parent.parent / "js" / "writing.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("value", "decimals", "text"), VECTORS["number"])
def test_a_number_is_written_as_the_browser_writes_it(value: float, decimals: int, text: str) -> None:
    assert writing.number(value, decimals) == text


@pytest.mark.parametrize(("seconds", "text"), VECTORS["duration"])
def test_a_duration_is_written_as_the_browser_writes_it(seconds: float, text: str) -> None:
    assert writing.duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), VECTORS["age"])
def test_an_age_is_written_as_the_browser_writes_it(seconds: float, text: str) -> None:
    assert writing.age(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), VECTORS["per"])
def test_what_a_rate_is_per_is_written_as_the_browser_writes_it(seconds: float | None, text: str) -> None:
    assert writing.per(seconds) == text


@pytest.mark.parametrize(("value", "decimals", "text"), VECTORS["german"])
def test_german_has_a_decimal_comma_and_thin_spaces(value: float, decimals: int, text: str) -> None:
    with translation.override("de"):
        assert writing.number(value, decimals) == text


@pytest.mark.parametrize(("zone", "instant", "clock", "day"), VECTORS["instant"])
def test_clocks_and_days_are_the_readers_in_summer_time_and_out_of_it(
    zone: str, instant: str, clock: str, day: str
) -> None:
    moment = datetime.fromisoformat(instant)
    with timezone.override(ZoneInfo(zone)):
        assert writing.clock(moment) == clock
        assert words.day(timezone.localtime(moment), 2026) == day


def test_german_days_have_their_own_form() -> None:
    with translation.override("de"):
        assert words.stamp(datetime(2026, 3, 17, 18, 36, tzinfo=UTC)) == "Di 17. Mär 18:36"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_a_dash(value: float | None) -> None:
    assert writing.number(value) == "–"


@pytest.mark.parametrize(
    ("low", "high", "wanted", "decimals"),
    [(0, 1000, None, 0), (0, 150, None, 1), (0, 12, None, 2), (0, 1, None, 3), (0, 150, 3, 3), (None, None, None, 1)],
)
def test_decimals_belong_to_the_sensor(
    low: float | None, high: float | None, wanted: int | None, decimals: int
) -> None:
    assert writing.decimals_for(low, high, wanted) == decimals


def test_a_moment_of_another_day_carries_its_date() -> None:
    now = datetime(2026, 3, 17, 18, 0, tzinfo=UTC)
    assert writing.moment(datetime(2026, 3, 17, 6, 5, 9, tzinfo=UTC), now) == "06:05:09"
    assert writing.moment(datetime(2026, 3, 2, 6, 5, tzinfo=UTC), now) == "2 Mar, 06:05"
    assert writing.moment(datetime(2024, 3, 2, 6, 5, tzinfo=UTC), now) == "2 Mar 2024"
