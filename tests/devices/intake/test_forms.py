"""The three forms of a body, and what is none of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from devices.intake.forms import Columns, Malformed, TooMany, columns

ONE = {"sensor": "a/x", "time": 5, "value": 1.5}


def decoded(body: Any, most: int = 100) -> Columns:
    return columns(body if isinstance(body, bytes) else json.dumps(body).encode(), most)


def flat(found: Columns) -> list[tuple[str, Any, float]]:
    """Gives (sensor, time, value) of each reading."""
    tags = [tag for tag, n in zip(found.tags, found.tag_counts or [1] * len(found.tags), strict=True) for _ in range(n)]
    times = [
        time for time, n in zip(found.times, found.time_counts or [1] * len(found.times), strict=True) for _ in range(n)
    ]
    return list(zip(tags, times, found.values, strict=True))


def test_readings_are_columns_in_their_order() -> None:
    found = decoded({"readings": [ONE, {"sensor": "b/y", "value": 2, "quality": "bad"}]})
    assert flat(found) == [("a/x", 5, 1.5), ("b/y", UNSET, 2.0)]
    assert found.words == [UNSET, "bad"]


@pytest.mark.parametrize("listed", [False, True])
def test_values_share_their_time(listed: bool) -> None:
    moment = {"time": 5, "values": {"a/x": 1.5, "b/y": 2}}
    assert flat(decoded([moment] if listed else moment)) == [("a/x", 5, 1.5), ("b/y", 5, 2.0)]


def test_a_list_of_moments_is_taken_in_order() -> None:
    found = decoded([{"time": 5, "values": {"a/x": 1}}, {"values": {"a/x": 2, "b/y": 3}}, {"values": {}}])
    assert flat(found) == [("a/x", 5, 1.0), ("a/x", UNSET, 2.0), ("b/y", UNSET, 3.0)]


def test_series_are_taken_one_after_the_other() -> None:
    found = decoded({"series": [{"sensor": "a/x", "times": [5, 6], "values": [1, 2]}, {"sensor": "b/y", "times": [5], "values": [3]}]})  # fmt: skip  # noqa: E501
    assert flat(found) == [("a/x", 5, 1.0), ("a/x", 6, 2.0), ("b/y", 5, 3.0)]


def test_true_and_false_count_as_one_and_zero() -> None:
    assert flat(decoded({"values": {"a/x": True, "b/y": False}})) == [("a/x", UNSET, 1.0), ("b/y", UNSET, 0.0)]


BIG = b"1" + b"0" * 400


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b'"1.5"', 'must be a number, not text ("1.5")'),
        (b"null", "not null"),
        (b"[1]", "not a list"),
        (b'{"a": 1}', "not an object"),
        (b"1e999", "beyond the range of float64"),
        (b"-1e999", "beyond the range of float64"),
        (BIG, "beyond the range of float64"),
        (b"9" * 5000, "beyond the range of float64"),
        (b'"' + b"long" * 1000 + b'"', "not text"),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        b'{"readings": [{"sensor": "a/x", "value": 1}, {"sensor": "b/y", "value": %s}, {"sensor": "a/x", "value": 3}]}',
        b'{"values": {"a/x": 1, "b/y": %s, "c/z": 3}}',
        b'[{"values": {"a/x": 1}}, {"values": {"b/y": %s}}, {"values": {"a/x": 3}}]',
        b'{"series": [{"sensor": "a/x", "times": [1], "values": [1]}, {"sensor": "b/y", "times": [1, 2], "values": [%s, 3]}]}',  # noqa: E501
    ],
)
def test_a_value_that_is_no_number_costs_its_reading_only(form: bytes, value: bytes, words: str) -> None:
    found = decoded(form % value)
    assert found.values == [1.0, 3.0]
    assert found.index == [0, 2]
    (bad,) = found.rejected
    assert (bad.number, bad.sensor) == (1, "b/y")
    assert words in bad.error
    assert len(bad.error) < 200


@pytest.mark.parametrize(
    ("reading", "sensor", "words"),
    [
        ({"value": 1}, "", "no sensor"),
        ({"sensor": 7, "value": 1}, "", "sensor must be text, not a number"),
        ({"sensor": "b/y"}, "b/y", "no value"),
        ({"sensor": "b/y", "value": 1, "qualty": "bad"}, "b/y", "unknown field qualty"),
        ({"sensor": "b/y", "value": 1, "quality": 3}, "b/y", "good, uncertain or bad, not a number"),
        ({"sensor": "b/y", "value": 1, "time": None}, "b/y", "leave it out"),
        ({"sensor": "b/y", "value": 1, "time": True}, "b/y", "not true or false"),
        (5, "", "must be an object"),
        (None, "", "must be an object"),
    ],
)
def test_a_reading_of_another_shape_is_left_out(reading: Any, sensor: str, words: str) -> None:
    found = decoded({"readings": [ONE, reading, ONE]})
    assert found.index == [0, 2]
    (bad,) = found.rejected
    assert (bad.number, bad.sensor) == (1, sensor)
    assert words in bad.error


@pytest.mark.parametrize(
    ("body", "words", "where"),
    [
        (b"", "not JSON", "end"),
        (b"{", "not JSON", "end"),
        (b'{"readings": [}', "not JSON", "byte 14"),
        (b'{"values": {"a/x": NaN}}', "not JSON", "byte 19"),
        (b'{"values": {"a/x": Infinity}}', "not JSON", "byte 19"),
        (b'{"values": {"a/x": -Infinity}}', "not JSON", "byte"),
        (b'{"values": {"a/x": "\xff"}}', "not JSON", ""),
        (b'{"values": {"a/x": 1}} {}', "not JSON", "byte 2"),
        (b"\xef\xbb\xbf{}", "not JSON", "byte 0"),
        (b"hello", "not JSON", "byte 0"),
        (b"null", "expected one of the forms", "$"),
        (b"5", "expected one of the forms", "$"),
        (b'"x"', "expected one of the forms", "$"),
        (b"{}", "expected one of the forms", "$"),
        (b'{"time": 5}', "expected one of the forms", "$"),
        (b'{"reading": []}', "unknown field `reading`", "$"),
        (b'{"readings": {}}', "expected one of the forms", "$.readings"),
        (b'{"values": []}', "expected one of the forms", "$.values"),
        (b"[5]", "expected one of the forms", "$[0]"),
        (b'[{"values": {}}, {"time": 5}]', "`values`", "$[1]"),
        (b'{"readings": [], "values": {}}', "readings and values together", "$"),
        (b'{"readings": [], "time": 5}', "time does not stand beside readings", "$.time"),
        (b'{"series": [{"sensor": "a/x", "times": [1, 2], "values": [1]}]}', "2 times and 1 values", "$.series[0]"),
        (b'{"series": [{"sensor": "a/x", "times": [1, 2], "values": ["x"]}]}', "2 times and 1 values", "$.series[0]"),
        (b'{"series": [{"sensor": "a/x", "values": [1]}]}', "`times`", "$.series[0]"),
        (b"[" * 100_000, "expected one of the forms", "$[0]"),
        (b"[" * 100_000 + b"]" * 100_000, "expected one of the forms", "$[0]"),
        (b'{"values":' * 100_000, "", "$"),
        (b'{"values": {"a/x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "nested too deep", "$"),
        (b'{"readings": [{"sensor": ' + b'{"a":' * 100_000, "nested too deep", "$"),
    ],
)
def test_what_is_none_of_the_forms_says_where(body: bytes, words: str, where: str) -> None:
    with pytest.raises(Malformed) as error:
        decoded(body)
    assert words in error.value.error
    assert error.value.where.startswith(where)


@pytest.mark.parametrize(
    "body",
    [
        {"readings": [ONE] * 4},
        {"readings": [ONE] * 3 + [{}]},
        {"values": {f"a/{n}": n for n in range(4)}},
        {"values": {f"a/{n}": "x" for n in range(4)}},
        [{"values": {"a/x": 1, "b/y": 1}}] * 2,
        {"series": [{"sensor": "a/x", "times": [1] * 4, "values": [1] * 4}]},
        {"series": [{"sensor": "a/x", "times": [1] * 4, "values": ["x"] * 4}]},
    ],
)
def test_more_readings_than_allowed_are_too_many(body: Any) -> None:
    with pytest.raises(TooMany):
        decoded(body, most=3)
    decoded(body, most=4)
