"""What an element follows, as its attributes say; what is wrong with them, in words."""

from __future__ import annotations

import pytest

from plant.synoptic.bindings import Binding, bindings_of
from plant.synoptic.cleaning import clean
from plant.synoptic.tree import Unfit
from tests.plant.synoptic.vectors import drawing


def only(inside: str) -> Binding:
    """Gives the one binding of a drawing."""
    (found,) = clean(drawing(inside)).bindings
    return found


def test_a_text_shows_its_value_without_being_told() -> None:
    assert only('<text data-sensor="press-01/temp">x</text>').ways == ("text",)
    assert only('<text><tspan data-sensor="press-01/temp">x</tspan></text>').ways == ("text",)


@pytest.mark.parametrize(
    ("text", "tests"),
    [
        (">= 80", ((">=", 80.0, None),)),
        ("<-1.5", (("<", -1.5, None),)),
        ("20..40", (("..", 20.0, 40.0),)),
        ("0, 3", (("=", 0.0, None), ("=", 3.0, None))),
        ("running, held", (("is", "running", None), ("is", "held", None))),
        ("!= 2", (("!=", 2.0, None),)),
    ],
)
def test_conditions_are_read(text: str, tests: object) -> None:
    found = only(f'<rect data-sensor="a/b" data-bind="visible" data-when="{text.replace("<", "&lt;")}"/>')
    assert (found.when, found.problems) == (tests, ())


def test_ranges_angles_and_points_are_two_numbers_however_they_are_written() -> None:
    found = only(
        '<path data-sensor="a/b" data-bind="rotate" data-range="-20..80" data-angle="-9, 9" data-pivot="400 300.5"/>'
    )
    assert (found.range, found.angle, found.pivot) == ((-20.0, 80.0), (-9.0, 9.0), (400.0, 300.5))


def test_the_nearest_asset_around_an_element_is_the_one_that_it_is_filled_by() -> None:
    found = clean(
        drawing('<g data-asset="line"><g data-asset="pump"><rect data-bind="fill"/></g><rect data-bind="fill"/></g>')
    ).bindings
    assert [one.follows for one in found] == ["line", "pump", "pump", "line"]
    assert [code for one in found for code in one.codes] == ["line", "pump", "pump", "line"]


@pytest.mark.parametrize(
    ("named", "whose"),
    [
        ("press-01", ("press-01", "", "")),
        ("press-01/temp", ("", "press-01/temp", "")),
        ("press-01: Bearing hot", ("press-01", "", "Bearing hot")),
    ],
)
def test_an_alarm_is_an_assets_a_sensors_or_a_rules(named: str, whose: object) -> None:
    assert only(f'<rect data-alarm="{named}"/>').alarm_of == whose


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ('<text data-sensor="press">x</text>', "data-sensor=“press”: a tag is asset/key."),
        ('<rect data-asset="a b"/>', "data-asset=“a b”: an asset is named by its code."),
        ('<rect data-sensor="a/b"/>', "data-sensor without data-bind: say how it follows."),
        ('<rect data-bind="level"/>', "data-bind without data-sensor: there is nothing to follow."),
        ('<rect data-sensor="a/b" data-bind="colour"/>',
         "data-bind=“colour”: it is one or more of text, fill, level, rotate, visible."),
        ('<rect data-sensor="a/b" data-bind="text"/>', "Only a text shows a value as text."),
        ('<rect data-sensor="a/b" data-bind="visible"/>', "data-bind=“visible” needs data-when."),
        ('<rect data-sensor="a/b" data-bind="fill" data-when="> high"/>',
         "data-when=“> high”: for example “>= 80”, “20..40”, “0, 3” or “running”."),
        ('<rect data-sensor="a/b" data-bind="level" data-range="5..5"/>',
         "data-range=“5..5”: two numbers, for example “0..100”."),
        ('<rect data-sensor="a/b" data-bind="level" data-from="below"/>',
         "data-from=“below”: it is one of bottom, top, left, right."),
        ('<rect data-alarm="a b c"/>',
         "data-alarm=“a b c”: an asset’s code, a tag, or a code with a colon and a rule’s name."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(inside: str, words: str) -> None:
    assert words in only(inside).problems


def test_what_is_stored_says_the_same_as_the_file() -> None:
    cleaned = clean(
        drawing('<rect data-sensor="a/b" data-bind="fill" data-when="&gt; 5"/>\n<text data-sensor="a/c">x</text>')
    )
    stored = bindings_of(cleaned.drawing)
    assert [(one.sensor, one.ways, one.when) for one in stored] == [
        (one.sensor, one.ways, one.when) for one in cleaned.bindings
    ]


def test_a_drawing_follows_no_more_assets_than_a_page_can_hear() -> None:
    texts = "".join(f'<text data-sensor="press-{number}/temp">x</text>' for number in range(201))
    with pytest.raises(Unfit, match="more than 200 assets"):
        clean(drawing(texts))
