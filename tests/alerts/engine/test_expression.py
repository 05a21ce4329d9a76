"""Expressions: Python's precedence, no surprises, and words for the person who mistypes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.engine.expression import Code, ExpressionError, compile_expression
from alerts.engine.program import Program
from alerts.engine.rules import Kind, RuleSpec
from alerts.engine.run import replay
from tests.alerts.engine.plays import columns, many
from tests.reference import Reading, worth

NAMES = ("a", "b", "t_in")


def judged(expression: str, *values: float) -> bool | None:
    """Gives what the engine makes of an expression: whether it raises, or, not raised, whether its opposite does."""
    readings = [Reading(place, 0, value, 0, 0) for place, value in enumerate(values)]
    batch, _ = columns(readings)
    inputs = tuple(range(len(values)))
    raised = []
    for text in (expression, f"not ({expression})"):
        spec = RuleSpec(id=1, version=1, kind=Kind.EXPRESSION, inputs=inputs, names=NAMES, expression=text)
        raised.append(len(replay(Program.build([spec]), [batch])) == 1)
    assert raised != [True, True]
    return raised[0] if any(raised) else None


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("a > 1", True),
        ("a < b", True),
        ("a <b<= t_in", True),
        ("1 < a < 2", False),
        ("a + b * t_in == 17", True),
        ("(a + b) * t_in == 25", True),
        ("t_in - b - a == 0", True),
        ("12 / b / a == 2", True),
        ("-a + b == 1", True),
        ("--a == 2", True),
        ("abs(a - t_in) == 3", True),
        ("min(t_in, b, a) == 2", True),
        ("max(a, b, t_in) == 5", True),
        ("not a == 2", False),
        ("not a == 2 or b == 3", True),
        ("a == 2 or b == 0 and t_in == 0", True),
        ("(a == 2 or b == 0) and t_in == 0", False),
        (".5 < a and 1e1 > a and 2.0 == a", True),
        ("a != b", True),
        ("a / (b - 3) > 1", None),
        ("a > 1 or a / (b - 3) > 1", None),
        ("a * 1e308 * 10 > 1", None),
        ("0 / (a - 2) == 0", None),
    ],
)
def test_means_what_it_says(expression: str, holds: bool | None) -> None:
    assert judged(expression, 2.0, 3.0, 5.0) is holds


@pytest.mark.parametrize(
    ("expression", "position", "words"),
    [
        ("", 0, "Expected a number or an input, found the end."),
        ("a >", 3, "Expected a number or an input, found the end."),
        ("a > 1 b", 6, "Here 'b' does not fit."),
        ("a", 0, "The expression is a number; it needs a comparison such as < or >=."),
        ("a + 1 > speed", 8, "Unknown input 'speed'; the inputs are: a, b, t_in."),
        ("a > $", 4, "The character '$' has no meaning here."),
        ("a = 1", 2, "The character '=' has no meaning here."),
        ("(a > 1", 6, "Expected ')', found the end."),
        ("a > 1 and b", 10, "'and' joins comparisons; here stands a number."),
        ("not a", 4, "'not' joins comparisons; here stands a number."),
        ("(a > 1) + 1 > 0", 1, "'+' takes numbers; here stands a comparison."),
        ("-(a > 1) > 0", 2, "'-' takes numbers; here stands a comparison."),
        ("abs(a > 1) > 0", 4, "'abs' takes numbers; here stands a comparison."),
        ("(a > 1) == (b > 1)", 1, "'==' takes numbers; here stands a comparison."),
        ("abs(a, b) > 1", 0, "abs takes one number."),
        ("max(a) > 1", 0, "max takes two numbers or more."),
        ("abs > 1", 4, "Expected '(', found '>'."),
        ("a > 1e999", 4, "The number 1e999 is too large."),
        ("a.real > 1", 1, "The character '.' has no meaning here."),
        ("__import__('os') > 1", 11, "The character ''' has no meaning here."),
        ("__import__(a) > 1", 0, "Unknown input '__import__'; the inputs are: a, b, t_in."),
        ("a ** 2 > 1", 3, "Expected a number or an input, found '*'."),
        ("a > 1 if b > 1 else a", 6, "Here 'if' does not fit."),
    ],
)
def test_what_is_wrong_is_named_with_its_place(expression: str, position: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(expression, NAMES)
    assert (caught.value.position, caught.value.words) == (position, words)
    assert str(caught.value) == f"{words} (at character {position + 1})"


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 200 + "a" + ")" * 200 + " > 1",
        "-" * 400 + "a > 1",
        "not " * 100 + "a > 1",
        "abs(" * 100 + "a" + ")" * 100 + " > 1",
        "a > 1 and " * 60 + "a > 1",
    ],
)
def test_hostile_expressions_are_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(expression, NAMES)


def test_a_stack_that_would_not_fit_is_refused() -> None:
    assert len(compile_expression("a+(" * 39 + "a" + ")" * 39 + " > 1", NAMES).ops) == 81
    with pytest.raises(ExpressionError, match="Too many brackets"):
        compile_expression("a+(" * 40 + "a" + ")" * 40 + " > 1", NAMES)


def test_a_name_given_twice_means_the_first() -> None:
    assert compile_expression("a > b", ("a", "b", "a")) == Code((1, 1, 13), (0.0, 1.0, 0.0))


numbers = st.recursive(
    st.sampled_from(["a", "b", "t_in", "0", "1", "2.5", "1e200"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("{} {} {}".format, st.sampled_from(["a", "3"]), st.sampled_from("+-*/"), inner),
        st.builds("-{}".format, inner),
        st.builds("abs({})".format, inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
    ),
    max_leaves=6,
)
comparison = st.builds(
    "{} {} {} {} {}".format, numbers, st.sampled_from(["<", "<=", "=="]), numbers, st.sampled_from([">", "!="]), numbers
)
truths = st.recursive(
    comparison,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=3,
)
values = st.sampled_from([0.0, 1.0, 2.5, -3.0, 1e200])


@many
@given(truths.filter(lambda text: len(text) < 400), values, values, values)
def test_any_expression_means_what_python_says(text: str, a: float, b: float, t_in: float) -> None:
    assert judged(text, a, b, t_in) is worth(text, {"a": a, "b": b, "t_in": t_in})
