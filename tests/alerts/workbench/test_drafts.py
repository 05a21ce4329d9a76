"""A draft changes nothing until somebody applies it; then the rule has its values, and its history the reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from alerts import rules
from alerts.models import DraftChange, Rule
from alerts.workbench import drafts
from devices import services
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.fixture
def rule():
    press = factories.plant(machines=1)[0]
    factories.sensor(press)
    return factories.rule(press)


def drafted(rule, **fields):
    values = {"changes": {"deadband": 2, "on_delay": 5}, "reason": "Chatters: 188 alarms", "now": NOW, **fields}
    return drafts.draft(rule=rule, user=values.pop("user", None) or factories.operator(), **values)


def test_a_draft_keeps_old_and_new_values_and_changes_nothing(rule):
    made = drafted(rule)
    rule.refresh_from_db()
    assert (rule.deadband, rule.version) == (0.0, 1)
    assert (made.before, made.after, made.state) == (
        {"deadband": 0.0, "on_delay": 0.0}, {"deadband": 2.0, "on_delay": 5.0}, "open",
    )  # fmt: skip


def test_applied_it_is_in_force_and_the_history_says_who_and_why(rule):
    made, engineer = drafted(rule), factories.engineer()
    drafts.apply(draft_id=made.pk, user=engineer, now=NOW)
    rule.refresh_from_db()
    made.refresh_from_db()
    assert (rule.deadband, rule.on_delay, rule.version) == (2.0, 5.0, 2)
    assert (made.state, made.decided_by, made.decided) == ("applied", engineer, NOW)
    newest = rule.history.first()
    assert (newest.history_change_reason, newest.history_user) == ("Chatters: 188 alarms", engineer)


def test_a_long_reason_is_shortened_for_the_history_and_whole_in_the_draft(rule):
    made = drafted(rule, reason="x" * 400)
    drafts.apply(draft_id=made.pk, user=factories.engineer(), now=NOW)
    column = Rule.history.model._meta.get_field("history_change_reason")
    kept = rule.history.first().history_change_reason
    assert len(kept) == min(400, column.max_length or 400)
    assert len(made.reason) == 400


def test_a_type_s_rule_is_changed_for_all_its_machines():
    services.ensure_shards()
    pump = factories.asset_type()
    services.create_type_sensor(
        type=pump, key="temp", name="Temperature", quantity="temperature", unit="degC", range_low=0.0, range_high=150.0
    )
    template = rules.create_type_rule(type=pump, name="Hot", kind="high", sensor_key="temp", limit=90.0)
    site = services.create_asset(code="works", name="Works", level="site")
    for code in ("pump-1", "pump-2"):
        services.create_asset(code=code, name=code, level="machine", parent=site, type=pump)
    made = drafted(template, changes={"off_delay": 30})
    drafts.apply(draft_id=made.pk, user=factories.engineer(), now=NOW)
    assert list(Rule.objects.values_list("off_delay", "overrides")) == [(30.0, []), (30.0, [])]
    assert template.history.first().history_change_reason == "Chatters: 188 alarms"


def test_a_rule_that_has_changed_since_is_left_alone(rule):
    made = drafted(rule)
    rules.update_rule(rule=rule, on_delay=3, reason="spikes")
    with pytest.raises(drafts.Refused, match=r"changed since this was drafted \(on_delay\)"):
        drafts.apply(draft_id=made.pk, user=factories.engineer(), now=NOW)
    rule.refresh_from_db()
    assert (rule.deadband, DraftChange.objects.get().state) == (0.0, "open")


def test_what_is_decided_is_decided_once(rule):
    made, engineer = drafted(rule), factories.engineer()
    drafts.discard(draft_id=made.pk, user=engineer, now=NOW)
    for verb in (drafts.apply, drafts.discard):
        with pytest.raises(drafts.Refused, match="This draft is discarded already, by Emil Engineer"):
            verb(draft_id=made.pk, user=engineer, now=NOW)
    rule.refresh_from_db()
    assert rule.deadband == 0.0


def test_a_rule_has_one_open_draft_at_a_time(rule):
    olga = factories.operator()
    first = drafted(rule, user=olga)
    with pytest.raises(drafts.Refused, match="There is an open draft for this rule"):
        drafted(rule, changes={"off_delay": 9}, user=olga)
    drafts.discard(draft_id=first.pk, user=olga, now=NOW)
    assert drafted(rule, user=olga).state == "open"


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"reason": "  "}, drafts.Refused, "needs a reason"),
        ({"reason": "x" * 501}, drafts.Refused, "at most 500 fit"),
        ({"changes": {"deadband": 0}}, drafts.Refused, "has these values already"),
        ({"changes": {"deadband": -1}}, ValidationError, "deadband"),
    ],
)
def test_what_cannot_be_drafted_is_refused_in_words(rule, fields, error, words):
    with pytest.raises(error, match=words):
        drafted(rule, **fields)
    assert not DraftChange.objects.exists()
