"""Times of senders, to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from devices.intake.times import NotATime, column_us, to_us

INSTANT = 1_772_344_800_250_000


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-03-01T06:00:00.250Z", INSTANT),
        ("2026-03-01T06:00:00.25Z", INSTANT),
        ("2026-03-01T06:00:00,250Z", INSTANT),
        ("2026-03-01t06:00:00.250z", INSTANT),
        ("2026-03-01 07:00:00.250+01:00", INSTANT),
        ("2026-03-01T00:30:00.250-0530", INSTANT),
        ("20260301T060000.250Z", INSTANT),
        ("2026-03-01T06:00:00.250000999Z", INSTANT),
        ("2026-03-01T06:00:00.250001Z", INSTANT + 1),
        ("2026-03-01T06:00Z", INSTANT - 250_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        (1_772_344_800_250, INSTANT),
        (1_772_344_800_250.0, INSTANT),
        (1_772_344_800_250.125, INSTANT + 125),
        (0, 0),
        (-1, -1000),
    ],
)
def test_a_time_is_exact_to_the_microsecond(sent: object, expected: int) -> None:
    assert to_us(sent) == expected
    assert column_us([sent], 0)[0].tolist() == [expected]
    assert column_us([sent, 0, UNSET], 7)[0].tolist() == [expected, 0, 7]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("2026-03-01T06:00:00", "no offset"),
        ("2026-03-01", "not ISO 8601"),
        ("yesterday", "not ISO 8601"),
        ("", "not ISO 8601"),
        ("1772344800250", "not ISO 8601"),
        ("2026-02-29T06:00:00Z", "not ISO 8601"),
        ("2026-03-01T24:00:01Z", "not ISO 8601"),
        ("2026-03-01T06:00:60Z", "not ISO 8601"),
        ("２026-03-01T06:00:00Z", "not ISO 8601"),
        ("2026-03-01T06:00:00Z ", "not ISO 8601"),
        ("NaT", "not ISO 8601"),
        ("x" * 100_000, "not ISO 8601"),
        ("0001-01-01T00:00:00+05:00", "before the year 1900"),
        ("1899-12-31T23:59:59Z", "before the year 1900"),
        (1e300, "milliseconds since 1970"),
        (10**400, "milliseconds since 1970"),
        (-(10**15), "milliseconds since 1970"),
        (True, "must be ISO 8601 text"),
        (None, "must be ISO 8601 text"),
    ],
)
def test_what_is_no_time_is_named(sent: object, words: str) -> None:
    with pytest.raises(NotATime) as error:
        to_us(sent)
    assert words in str(error.value)
    assert len(str(error.value)) < 200
    for column in ([sent], [sent] * 3, ["2026-03-01T06:00:00Z", sent]):
        assert set(column_us(column, 0)[1]) == {place for place, time in enumerate(column) if time is sent}


moments = st.datetimes(datetime(1900, 1, 2), datetime(9998, 1, 1))  # noqa: DTZ001  # zones are drawn beside it
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.lists(moments, min_size=2, max_size=20), zones, st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_texts_of_one_layout_are_read_together_as_one_by_one(
    drawn: list[datetime], zone: timezone, precision: str
) -> None:
    texts = [moment.replace(tzinfo=zone).isoformat(timespec=precision) for moment in drawn]
    expected = [
        (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for text in texts
    ]
    found, errors = column_us(texts, 0)
    assert not errors
    assert found.tolist() == expected == [to_us(text) for text in texts]


digits = st.text("0123456789", min_size=1, max_size=1)
near_misses = st.builds(
    lambda text, place, letter: text[:place] + letter + text[place + 1 :],
    st.just("2026-03-01T06:00:00.250Z"),
    st.integers(0, 23),
    st.sampled_from("0123456789-:.TZ+ xé"),
)


@given(st.lists(near_misses, min_size=2, max_size=6))
def test_a_damaged_text_is_refused_or_read_the_same_in_company(texts: list[str]) -> None:
    found, errors = column_us(["2026-03-01T06:00:00.250Z", *texts], 0)
    for place, text in enumerate(texts, 1):
        try:
            expected = to_us(text)
        except NotATime:
            assert place in errors
        else:
            assert place not in errors
            assert found[place] == expected


@given(st.lists(st.integers(-2_208_988_800_000, 253_402_214_400_000), min_size=1))
def test_whole_milliseconds_are_exact(sent: list[int]) -> None:
    assert column_us(sent, 0)[0].tolist() == [ms * 1000 for ms in sent]
