"""Whatever may change of an alarm has a past, and the other way round."""

import pytest
from django.db import models

from alerts.book import held
from alerts.flood import services as flood
from alerts.models import Alarm, AlarmPast, FloodLoad, FloodLoadPast, Suppression, SuppressionPast
from alerts.models.past import WORDS, kept
from alerts.past import stepping

# What an occurrence is, from its raise on: nothing changes it. `closed` is told from the time at which it was.
NEVER_CHANGED = {
    Alarm: {
        "id", "version", "rule", "rule_name", "sensor", "tag", "asset", "asset_code", "priority", "alarm_class",
        "position", "group", "raised", "value", "limit", "unit", "closed", *WORDS,
    },
    Suppression: {"id", "version", "rule"},
    FloodLoad: {"id", "position"},
}  # fmt: skip
TABLES = pytest.mark.parametrize(
    ("model", "past"), [(Alarm, AlarmPast), (Suppression, SuppressionPast), (FloodLoad, FloodLoadPast)]
)


@TABLES
def test_a_field_that_may_change_has_a_past(model: type[models.Model], past: type[models.Model]) -> None:
    fields = {field.name for field in model._meta.concrete_fields}
    assert fields - NEVER_CHANGED[model] == set(kept(past)), "Keep it in alerts/models/past.py, or say that it stays"


@TABLES
def test_a_past_is_of_the_same_kind_as_what_it_is_of(model: type[models.Model], past: type[models.Model]) -> None:
    for name, attribute in kept(past).items():
        now, then = model._meta.get_field(name), past._meta.get_field(name)
        assert (now.attname, type(now), now.null) == (attribute, type(then), then.null), name
        assert getattr(now, "max_length", None) == getattr(then, "max_length", None), name


def test_who_writes_and_who_reads_the_past_take_its_fields_from_the_tables() -> None:
    assert set(held._ALARM_FIELDS) == {*kept(AlarmPast), "closed"}
    assert set(held._SUPPRESSION_FIELDS) == set(kept(SuppressionPast))
    assert set(stepping._SAME) == set(kept(AlarmPast).values())
    assert set(flood._FIELDS) == set(kept(FloodLoadPast))
