"""The form of a rule: every kind is written, read back, and said in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation

from alerts.changes import label_of
from alerts.checks import CONDITION, PARAMETERS
from alerts.models import Kind, Rule
from alerts.wiring import values_of
from devices.models import Asset
from plant.pages.drafts import setting
from plant.pages.rules.form import Form, read_number, read_while
from plant.pages.rules.sentence import sentence
from plant.pages.rules.target import Target
from tests import factories

pytestmark = pytest.mark.django_db

# By kind: its fields, and its sentence.
RULES: dict[str, tuple[dict[str, Any], str]] = {
    "high": ({"limit": 90.5, "deadband": 2.0}, "When Temp is at or over 90.5 °C for 5 s, raise a high alarm."),
    "low": ({"limit": -4.0}, "When Temp is at or under -4 °C for 5 s, raise a high alarm."),
    "outside": ({"low": 10.0, "high": 90.0}, "When Temp is outside 10 °C to 90 °C for 5 s, raise a high alarm."),
    "equals": ({"value": 3.0}, "When Temp is 3 °C for 5 s, raise a high alarm."),
    "not_equals": ({"value": 3.0}, "When Temp is not 3 °C for 5 s, raise a high alarm."),
    "rate_high": (
        {"limit": 2.0, "window": 30.0, "per": 60.0},
        "When Temp rises by 2 °C or more in 60 s, taken over 30 s for 5 s, raise a high alarm.",
    ),
    "rate_low": (
        {"limit": -2.0, "window": 30.0},
        "When Temp changes by -2 °C or less in 60 s, taken over 30 s for 5 s, raise a high alarm.",
    ),
    "deviation": (
        {"reference": "oil", "limit": 5.0},
        "When Temp is 5 °C or more away from oil for 5 s, raise a high alarm.",
    ),
    "expression": (
        {"sensor_key": "", "inputs": {"t": "temp", "o": "oil"}, "expression": "t > 90 and o < 40"},
        "When t > 90 and o < 40 for 5 s, raise a high alarm.",
    ),
    "stale": ({"timeout": 30.0}, "When Temp has not reported for 30 s for 5 s, raise a high alarm."),
    "flatline": (
        {"duration": 600.0, "tolerance": 0.5},
        "When Temp has moved by no more than 0.5 °C for 600 s for 5 s, raise a high alarm.",
    ),
}


@pytest.fixture
def press() -> Asset:
    made = factories.plant(machines=1)[0]
    factories.sensor(made, range_low=-20.0)
    factories.sensor(made, "oil")
    factories.sensor(made, "state", range_high=5.0, labels={0: "stopped"})
    return made


def sent(form: Form) -> QueryDict:
    """Gives what a browser sends of a form."""
    post = QueryDict(mutable=True)
    post.update({name: one.text for name, one in form.numbers.items()})
    post.update(form.texts)
    for line in form.input_lines:
        post.update({f"input-{line.number}": line.name, f"tag-{line.number}": line.text})
    for line in form.while_lines:
        post[f"while-{line.number}"] = line.text
    post.update({name: "on" for name, on in form.flags.items() if on})
    return post


@pytest.mark.parametrize("kind", Kind.values)
def test_a_rule_of_every_kind_goes_through_the_form_unchanged_and_is_said_in_a_sentence(
    press: Asset, kind: str
) -> None:
    fields, said = RULES[kind]
    whiles = [{"sensor": "state", "equals": [0.0, 4.0]}]
    rule = factories.rule(press, kind=kind, priority=2, on_delay=5.0, time_to_respond=300.0, **fields)
    target = Target.rule_of_asset(rule.pk)
    form = Form.of(target, 0)
    assert "".join(text for text, _field in sentence(form)) == said
    again = Form.sent(target, sent(form))
    assert again.values() == {field: getattr(rule, field) for field in CONDITION}
    again.whiles = ["state = 0 (stopped), 4"]
    assert again.values() == {**values_of(rule), "suppress_when": whiles}
    assert "unless state = 0 (stopped), 4, raise" in "".join(text for text, _field in sentence(again))


def test_the_underlined_parts_of_the_sentence_are_the_fields(press: Asset) -> None:
    form = Form.of(Target.rule_of_asset(factories.rule(press, priority=1).pk), 0)
    parts = [(text, field) for text, field in sentence(form) if field]
    assert parts == [("Temp", "sensor_key"), ("90 °C", "limit"), ("critical", "priority")]
    form.texts["limit"] = ""
    assert ("…", "limit") in sentence(form)


def test_what_another_kind_had_is_gone_when_the_kind_is_changed(press: Asset) -> None:
    rule = factories.rule(press, deadband=2.0)
    target = Target.rule_of_asset(rule.pk)
    post = sent(Form.of(target, 0))
    post.update({"kind": "stale", "timeout": "30"})
    post.setlist("kind", ["stale"])
    post.setlist("timeout", ["30"])
    values = Form.sent(target, post).values()
    assert values is not None
    assert (values["kind"], values["timeout"], values["limit"], values["deadband"]) == ("stale", 30.0, None, 0.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [("14.5", 14.5), ("14,5", 14.5), ("−3", -3.0), (" 1 200 ", 1200.0), ("1e3", 1000.0), ("1_0", None), ("nan", None),
     ("inf", None), ("1,000.5", None), ("soon", None), ("", None)],
)  # fmt: skip
def test_numbers_are_read_with_a_point_or_a_comma(text: str, value: float | None) -> None:
    assert read_number(text) == value


@pytest.mark.parametrize(
    ("line", "meant"),
    [("state = 0, 4", {"sensor": "state", "equals": [0.0, 4.0]}),
     ("alarm: Motor trip", {"alarm": "Motor trip"}),
     ("state = 0 (stopped)", {"sensor": "state", "equals": [0.0]}),
     ("state", None), ("state =", None), ("= 4", None), ("alarm:", None), ("state = off", None)],
)  # fmt: skip
def test_what_suppresses_is_read_from_a_line(line: str, meant: dict[str, Any] | None) -> None:
    assert read_while(line) == meant


def test_what_cannot_be_read_is_said_at_its_field(press: Asset) -> None:
    target = Target.rule_of_asset(factories.rule(press).pk)
    post = sent(Form.of(target, 0))
    for name, text in {"limit": "warm", "while-0": "off", "priority": "9", "on_delay": "5 min"}.items():
        post.setlist(name, [text])
    form = Form.sent(target, post)
    assert form.values() is None
    assert form.errors["limit"] == "Limit: “warm” is no number. Write one such as 14.5."
    assert form.errors.keys() == {"limit", "suppress_when", "priority", "on_delay"}
    with translation.override("de"):
        form.errors.clear()
        form.values()
        assert "14,5" in form.errors["limit"]


def test_a_number_is_written_with_the_decimal_sign_of_the_page(press: Asset) -> None:
    rule = factories.rule(press, limit=90.5)
    with translation.override("de"):
        assert Form.of(Target.rule_of_asset(rule.pk), 0).texts["limit"] == "90,5"


def test_a_deadband_is_a_difference_of_temperatures_in_kelvin(press: Asset) -> None:
    form = Form.of(Target.rule_of_asset(factories.rule(press, deadband=1.5).pk), 0)
    numbers = {name: (one.unit, one.follows) for name, one in form.numbers.items()}
    assert (numbers["limit"], numbers["deadband"]) == (("°C", "unit"), ("K", "difference"))
    assert numbers["on_delay"] == ("s", "")
    assert setting("deadband", 1.5, "degC") == "deadband 1.5 K"
    assert setting("deadband", 1.5, "bar") == "deadband 1.5 bar"


def test_every_parameter_of_every_kind_has_a_field() -> None:
    shown = {"limit", "low", "high", "value", "deadband", "window", "per", "timeout", "duration", "tolerance",
             "reference", "expression", "inputs"}  # fmt: skip
    assert {name for needed, taken in PARAMETERS.values() for name in (*needed, *taken)} == shown


def test_a_new_rule_begins_with_the_sensor_that_was_named(press: Asset) -> None:
    form = Form.of(Target(None, asset=press), 0, sensor="oil")
    assert (form.kind, form.texts["sensor_key"], form.texts["name"]) == ("high", "oil", "")
    assert Form.of(Target(None, asset=press), 0, sensor="elsewhere").texts["sensor_key"] == "temp"
    assert not Rule.objects.exists()


def test_kinds_and_fields_have_the_words_of_the_rules_page(clean_redis: Any) -> None:
    machine = factories.plant(machines=1)[0]
    factories.sensor(machine)
    with translation.override("en"):
        form = Form.of(Target.rule_of_asset(factories.rule(machine).pk), 0)
        assert form.kinds == [(kind.value, kind.label) for kind in Kind]
        labels = {name: one.label for name, one in form.numbers.items()}
        assert {name: word.lower() for name, word in labels.items()} == {name: label_of(name) for name in labels}
        assert (labels["on_delay"], labels["realarm"]) == ("On-delay", "Re-alarm after")
    with translation.override("de"):
        assert form.numbers["on_delay"].label == "Einschaltverzögerung"
