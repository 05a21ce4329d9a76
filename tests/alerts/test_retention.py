"""What is kept of readings goes with them, and what is asked for often is found without reading everything."""

import pytest

from alerts import retention
from alerts.models import JournalEntry, LeftOut
from plant.celery import app
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db

_DAY = 86_400


def test_mark_of_a_reading_left_out_goes_when_no_history_can_hold_the_reading(settings):
    settings.HISTORY_RETENTION_DAYS = 100
    factories.asset_type(retention_days=200)
    press = factories.plant()[0]
    temp = factories.sensor(press)
    rule = factories.rule(press)
    for days in (10, 210, 240):
        time = Scenario.us(-days * _DAY)
        LeftOut.objects.create(rule=rule, version=1, sensor_id=temp.pk, time=time)
    assert retention.forget_left_out(Scenario.us(0)) == 1
    assert list(LeftOut.objects.values_list("time", flat=True)) == [Scenario.us(-days * _DAY) for days in (10, 210)]
    assert "alerts.tasks.forget_left_out" in {entry["task"] for entry in app.conf.beat_schedule.values()}


def test_what_the_clock_judged_of_a_rule_is_found_without_reading_the_journal():
    fired = JournalEntry.objects.filter(rule_id=1, clock_from__isnull=False, time__gte=Scenario.at(0))
    assert "journal_by_clock" in fired.order_by().explain()
