"""Any text and any number survives the way out and in."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from devices.checks import number
from devices.configuration.document import parse
from devices.configuration.fields import quote

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=60)


def value(text: str):
    return parse(text).items["key"]


@given(TEXT)
def test_any_text_comes_back(text):
    assert value(f"key: {quote(text)}\n").value == text
    assert value(f"key: {{a: {quote(text, flow=True)}}}\n").items["a"].value == text


@given(
    st.sampled_from(
        [
            "yes",
            "No",
            "on",
            "null",
            "~",
            "",
            "1",
            "1.5",
            "-",
            "a: b",
            "a #b",
            "a:",
            "'a'",
            "{a}",
            "a, b",
            "1e5",
            "=",
            "<<",
        ]
    )
)
def test_text_that_looks_like_something_else_stays_text_for_every_reader(text):
    assert value(f"key: {quote(text)}\n").value == text
    assert yaml.safe_load(f"key: {quote(text)}\n") == {"key": text}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back_to_the_last_bit(figure):
    found = value(f"key: {number(figure)}\n").value
    assert float(found) == figure


def test_numbers_have_their_shortest_form():
    assert [number(x) for x in (90.0, 0.5, -3.0, 1e20, 0.1 + 0.2, -0.0)] == [
        "90",
        "0.5",
        "-3",
        "1e+20",
        "0.30000000000000004",
        "0",
    ]
