"""A person changes a whole rule; who is second is told what the first has changed."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts import editing, rules
from alerts.models import Rule, TypeRule
from alerts.wiring import values_of
from devices import services
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule() -> Rule:
    press = factories.plant(machines=1)[0]
    factories.sensor(press)
    return factories.rule(press)


def test_a_whole_rule_is_saved_with_its_reason_as_one_version(rule: Rule) -> None:
    seen = editing.newest(rule)
    values = {**values_of(rule), "limit": 95.0, "cause": "Dry"}
    saved = editing.save(rule=rule, seen=seen, reason="too many alarms", name="Hot", values=values)
    assert saved is not None
    rule.refresh_from_db()
    assert (rule.name, rule.limit, rule.cause) == ("Hot", 95.0, "Dry")
    assert rule.history.first().history_change_reason == "too many alarms"
    assert editing.versions(Rule, [rule.pk])[rule.pk].number == 2


def test_who_is_second_is_told_what_the_first_changed_and_nothing_is_lost(rule: Rule) -> None:
    seen = editing.newest(rule)
    rules.update_rule(rule=rule, reason="new bearings", limit=93.0)
    with pytest.raises(editing.Overtaken) as caught:
        editing.save(rule=rule, seen=seen, reason="mine", name=rule.name, values={**values_of(rule), "limit": 95.0})
    assert [(one.field, one.old, one.new) for one in caught.value.changes[0].fields] == [("limit", 90.0, 93.0)]
    assert caught.value.changes[0].why == "new bearings"
    rule.refresh_from_db()
    assert rule.limit == 93.0
    # Who has read that and saves again means it.
    values = {**values_of(rule), "limit": 95.0}
    assert editing.save(rule=rule, seen=caught.value.seen, reason="mine", name=rule.name, values=values) is not None


def test_a_row_of_the_history_that_changed_nothing_of_the_rule_is_no_version_and_overtakes_nobody(rule: Rule) -> None:
    seen = editing.newest(rule)
    rule.save()
    assert editing.newest(rule) > seen
    assert editing.versions(Rule, [rule.pk])[rule.pk].number == 1
    values = {**values_of(rule), "limit": 95.0}
    assert editing.save(rule=rule, seen=seen, reason="mine", name=rule.name, values=values) is not None


def test_what_is_as_it_was_is_not_written_and_what_is_wrong_is_refused(rule: Rule) -> None:
    seen = editing.newest(rule)
    assert editing.save(rule=rule, seen=seen, reason="why", name=rule.name, values=values_of(rule)) is None
    assert editing.newest(rule) == seen
    with pytest.raises(ValidationError, match="lies outside the sensor's range"):
        editing.save(rule=rule, seen=seen, reason="why", name=rule.name, values={**values_of(rule), "limit": 500.0})


def test_a_types_rule_is_saved_likewise(rule: Rule) -> None:
    kind = factories.asset_type()
    services.create_type_sensor(type=kind, key="heat", name="Heat", range_low=0.0, range_high=150.0)
    made = rules.create_type_rule(type=kind, name="Hot", kind="high", sensor_key="heat", limit=90.0)
    seen = editing.newest(made)
    assert editing.save(rule=made, seen=seen, reason="why", name="Hot", values={**values_of(made), "limit": 91.0})
    assert editing.versions(TypeRule, [made.pk])[made.pk].number == 2


def test_the_versions_of_three_rules_and_of_thirty_cost_one_query(rule: Rule) -> None:
    made = [rule, *(factories.rule(rule.asset, f"Further {number}") for number in range(29))]
    for some in (made[:3], made):
        with CaptureQueriesContext(connection) as caught:
            found = editing.versions(Rule, [one.pk for one in some])
        assert (len(caught), len(found)) == (1, len(some))
