"""Alarm classes and operator positions by their services: what a rule names stays."""

import pytest
from django.core.exceptions import ValidationError

from alerts import catalogue, rules
from alerts.models import AlarmClass, Position
from alerts.staffing import pairs_of, week_of
from devices import services
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def press():
    machine = factories.plant()[0]
    factories.sensor(machine)
    return machine


def test_a_rule_names_a_class_and_a_position_that_there_are(press):
    with pytest.raises(ValidationError, match="unknown alarm class 'safety': there is none yet"):
        factories.rule(press, alarm_class="safety")
    catalogue.create_class(code="safety", name="Safety")
    with pytest.raises(ValidationError, match="unknown alarm class 'safty'; did you mean safety"):
        factories.rule(press, alarm_class="safty")
    rule = factories.rule(press, alarm_class="safety")
    with pytest.raises(ValidationError, match="unknown position"):
        rules.update_rule(rule=rule, position="desk")


def test_a_class_that_a_rule_names_is_not_deleted(press):
    safety = catalogue.create_class(code="safety", name="Safety")
    factories.rule(press, alarm_class="safety")
    with pytest.raises(ValidationError, match=r"press-1-1: Temperature high names the alarm class 'safety'"):
        catalogue.delete_class(alarm_class=safety)
    assert AlarmClass.objects.exists()


def test_a_position_goes_with_its_part_of_the_plant_unless_a_rule_elsewhere_names_it(press):
    other = factories.Asset.objects.get(code="press-1-2")
    catalogue.create_position(code="desk", name="Desk", scope=other)
    rule = factories.rule(press, position="desk")
    with pytest.raises(ValidationError, match="names the operator position 'desk'"):
        services.delete_asset(asset=other)
    rules.update_rule(rule=rule, position="")
    services.delete_asset(asset=other)
    assert not Position.objects.exists()


def test_codes_stay_and_stand_once():
    safety = catalogue.create_class(code="safety", name="Safety")
    with pytest.raises(ValidationError, match="already"):
        catalogue.create_class(code="safety", name="Other")
    with pytest.raises(ValidationError, match="the code stays"):
        catalogue.update_class(alarm_class=safety, code="other")


def test_what_is_wrong_with_an_entry_is_said():
    with pytest.raises(ValidationError, match="longest_shelving"):
        catalogue.create_class(code="c", name="C", longest_shelving=5.0)
    with pytest.raises(ValidationError, match="seven lists"):
        catalogue.create_position(code="p", name="P", staffed=[[[0, 1441]]] * 7)


def test_the_reason_of_a_change_is_in_the_history():
    safety = catalogue.create_class(code="safety", name="Safety")
    catalogue.update_class(alarm_class=safety, reason="audit of May", shelvable=False)
    assert safety.history.latest().history_change_reason == "audit of May"


@pytest.mark.parametrize(
    "pairs",
    [
        {},
        {"mon-sun": "00:00-24:00"},
        {"mon-fri": "06:00-14:00, 14:00-22:00", "sun": "10:00-12:00"},
        {"tue": "06:00-07:00", "thu-fri": "06:00-07:00"},
    ],
)
def test_staffed_hours_come_back_as_they_were_written(pairs):
    assert pairs_of(week_of(pairs)) == pairs


def test_a_run_of_days_may_pass_the_end_of_the_week():
    assert pairs_of(week_of({"sat-mon": "8-16"})) == {"mon": "08:00-16:00", "sat-sun": "08:00-16:00"}
