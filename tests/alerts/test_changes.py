"""Every change of a rule is kept with who, when, why and the old value, and can be taken back."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from simple_history.models import HistoricalRecords

from alerts import rules
from alerts.changes import changes_of, take_back
from alerts.checks import EXPLAINED
from alerts.models import Rule, TypeRule
from devices import services
from tests import factories

pytestmark = pytest.mark.django_db

OTHER = {
    "kind": "low", "sensor_key": "flow", "limit": 80.0, "deadband": 2.0, "on_delay": 5.0, "off_delay": 5.0,
    "priority": 2, "hides": "Other", "suppress_when": [{"alarm": "Other"}], "shelvable": False,
    "longest_shelving": 600.0, "enabled": False,
}  # fmt: skip


@pytest.fixture
def rule():
    machine = factories.plant()[0]
    factories.sensor(machine)
    factories.sensor(machine, "flow")
    factories.rule(machine, "Other", priority=4, limit=70.0)
    return factories.rule(machine)


@pytest.fixture
def somebody():
    """Makes the changes of a test those of a person who is signed in."""
    request = RequestFactory().get("/")
    request.user = factories.engineer()
    HistoricalRecords.context.request = request
    yield request.user
    del HistoricalRecords.context.request


@pytest.mark.parametrize("field", sorted(OTHER))
def test_what_is_judged_and_when_it_is_shown_changes_with_a_reason_only(rule, field):
    assert field in EXPLAINED
    with pytest.raises(ValidationError, match=f"a change of {field} needs a reason"):
        rules.update_rule(rule=rule, reason="  ", **{field: OTHER[field]})
    fresh = Rule.objects.get(pk=rule.pk)
    rules.update_rule(rule=fresh, reason="trial", **{field: OTHER[field]})
    assert changes_of(fresh)[0].why == "trial"


def test_a_text_changes_without_a_reason(rule):
    rules.update_rule(rule=rule, cause="Lack of grease")
    assert changes_of(rule)[0].why == ""


def test_a_reason_has_an_end(rule):
    with pytest.raises(ValidationError, match="300"):
        rules.update_rule(rule=rule, reason="x" * 301, limit=80.0)


def test_changes_say_who_and_what_and_why_the_newest_first(rule, somebody):
    rules.update_rule(rule=rule, reason="too many alarms", limit=95, on_delay=10, cause="Lack of grease")
    rules.update_rule(rule=rule, reason="it is critical no more", priority="high")
    newest, first, made = changes_of(rule)
    assert (newest.who, newest.why) == ("Emil Engineer", "it is critical no more")
    assert [(one.label, one.old_text, one.new_text) for one in newest.fields] == [("priority", "Critical", "High")]
    assert {one.field: (one.old_text, one.new_text) for one in first.fields} == {
        "limit": ("90", "95"),
        "on_delay": ("0 s", "10 s"),
        "cause": ("–", "Lack of grease"),
    }
    assert (made.kind, made.fields) == ("+", ())
    assert newest.time - first.time < timedelta(minutes=1)


def test_a_change_is_taken_back_as_a_change_of_its_own(rule):
    rules.update_rule(rule=rule, reason="too many alarms", limit=95.0, on_delay=10.0)
    done = changes_of(rule)[0]
    take_back(rule=rule, number=done.number)
    rule.refresh_from_db()
    assert (rule.limit, rule.on_delay) == (90.0, 0.0)
    back, done, _made = changes_of(rule)
    assert back.why.startswith("Takes back the change of ")
    assert back.returnable and not done.returnable
    take_back(rule=rule, number=back.number, reason="it was right")
    rule.refresh_from_db()
    assert (rule.limit, changes_of(rule)[0].why) == (95.0, "it was right")


def test_a_change_whose_field_was_changed_again_is_not_taken_back(rule):
    rules.update_rule(rule=rule, reason="first", limit=95.0)
    first = changes_of(rule)[0]
    rules.update_rule(rule=rule, reason="second", limit=97.0)
    assert not changes_of(rule)[1].returnable
    with pytest.raises(ValidationError, match="Limit was changed again since"):
        take_back(rule=rule, number=first.number)
    rule.refresh_from_db()
    assert rule.limit == 97.0


def test_an_earlier_change_of_another_field_is_taken_back_alone(rule):
    rules.update_rule(rule=rule, reason="first", limit=95.0)
    first = changes_of(rule)[0]
    rules.update_rule(rule=rule, reason="second", deadband=2.0)
    take_back(rule=rule, number=first.number)
    rule.refresh_from_db()
    assert (rule.limit, rule.deadband) == (90.0, 2.0)


def test_a_change_of_another_rule_is_not_taken_back_here(rule):
    other = Rule.objects.get(name="Other")
    rules.update_rule(rule=other, reason="first", limit=95.0)
    with pytest.raises(ValidationError, match="no such change"):
        take_back(rule=rule, number=changes_of(other)[0].number)


def test_a_type_s_change_is_taken_back_for_every_asset_and_its_reason_is_with_each():
    pump = factories.asset_type()
    services.create_type_sensor(type=pump, key="temp", name="Temperature", range_low=0.0, range_high=150.0)
    template = rules.create_type_rule(type=pump, name="Hot", kind="high", sensor_key="temp", limit=90.0)
    machine = factories.plant()[0]
    services.update_asset(asset=machine, type=pump)
    rules.update_type_rule(rule=template, reason="new bearings", limit=95.0)
    copy = machine.rules.get()
    assert (copy.limit, changes_of(copy)[0].why) == (95.0, "new bearings")
    take_back(rule=template, number=changes_of(template)[0].number)
    copy.refresh_from_db()
    assert (TypeRule.objects.get().limit, copy.limit, copy.overrides) == (90.0, 90.0, [])


def test_an_override_that_is_taken_back_follows_the_type_again():
    pump = factories.asset_type()
    services.create_type_sensor(type=pump, key="temp", name="Temperature", range_low=0.0, range_high=150.0)
    rules.create_type_rule(type=pump, name="Hot", kind="high", sensor_key="temp", limit=90.0)
    machine = factories.plant()[0]
    services.update_asset(asset=machine, type=pump)
    copy = machine.rules.get()
    rules.update_rule(rule=copy, reason="an older one", limit=80.0)
    assert copy.overrides == ["limit"]
    take_back(rule=copy, number=changes_of(copy)[0].number)
    copy.refresh_from_db()
    assert (copy.limit, copy.overrides) == (90.0, [])
