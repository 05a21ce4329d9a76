"""Which shift it is, by the wall's clock, on every day of the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings

from plant import checks, shifts

BERLIN = ZoneInfo("Europe/Berlin")
THREE = shifts.parse(["Early 06:00-14:00", "Late 14:00-22:00", "Night 22:00-06:00"])


def name(day: int, hour: int, minute: int = 0, month: int = 3) -> str | None:
    found = shifts.at(THREE, BERLIN, datetime(2026, month, day, hour, minute, tzinfo=BERLIN))
    return found.name if found else None


def test_a_shift_begins_and_ends_by_the_wall() -> None:
    assert [name(17, hour) for hour in (5, 6, 13, 14, 21, 22, 23, 0)] == [
        "Night", "Early", "Early", "Late", "Late", "Night", "Night", "Night",
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "month", "hours"), [(28, 3, 7), (24, 10, 9), (17, 3, 8)])
def test_the_night_of_the_change_of_clocks_is_an_hour_shorter_or_longer(day: int, month: int, hours: int) -> None:
    night = shifts.at(THREE, BERLIN, datetime(2026, month, day, 23, tzinfo=BERLIN))
    assert night is not None
    assert (night.name, night.end - night.start) == ("Night", timedelta(hours=hours))


def test_no_instant_of_a_year_is_without_its_shift() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment.year == 2026:
        assert shifts.at(THREE, BERLIN, moment) is not None
        moment += timedelta(hours=5, minutes=17)


def test_between_shifts_there_is_none() -> None:
    day = shifts.parse(["Day 07:30-16:00"])
    assert shifts.at(day, BERLIN, datetime(2026, 3, 17, 17, tzinfo=BERLIN)) is None
    assert shifts.at((), BERLIN, datetime(2026, 3, 17, 17, tzinfo=BERLIN)) is None


@pytest.mark.parametrize("text", ["Early", "06:00-14:00", "Early 6-14", "Early 06:00-25:00", "Early 06:00"])
def test_what_is_no_shift_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is no shift; write them as Early 06:00-14:00"):
        shifts.parse([text])
    with override_settings(SHIFTS=[text]):
        assert "andon.E006" in [found.id for found in checks.safe_together(None)]
