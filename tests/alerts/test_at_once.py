"""What two processes do at the same moment comes out as if one had waited for the other, on PostgreSQL too."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from alerts import journal, services
from alerts.engine.program import Program
from alerts.engine.state import EngineState
from alerts.evaluation import Judgement
from alerts.models import Alarm
from devices import services as plant
from devices.changes import ensure_shards
from devices.models import Checkpoint, Sensor
from devices.telemetry.admission import Cursors
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

LONG_ENOUGH = 0.3  # seconds; what does not wait is done within


def another(work: Callable[[], object]) -> threading.Thread:
    """Starts work on a connection of its own, and gives it the time to come as far as it can."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LONG_ENOUGH)
    return thread


def test_an_asset_made_while_its_type_gets_a_sensor_has_the_sensor() -> None:
    ensure_shards()
    pump = factories.asset_type()
    with transaction.atomic():
        plant.create_type_sensor(type=pump, key="temp", name="Temperature")
        other = another(lambda: plant.create_asset(code="p-1", name="Pump 1", level="machine", type=pump))
    other.join()
    assert Sensor.objects.filter(asset__code="p-1", key="temp").exists()


def test_a_drain_commits_after_the_change_that_is_under_way() -> None:
    ensure_shards()
    machine = factories.plant()[0]
    with transaction.atomic():
        plant.update_asset(asset=machine, name="Press")
        drain = another(lambda: Checkpoint.objects.filter(shard=0).update(turn=1))
        assert drain.is_alive()
    drain.join()
    assert Checkpoint.objects.get(shard=0).turn == 1


def test_who_acknowledges_waits_for_a_drain_without_holding_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.events.announce", lambda entries: None)
    olga = factories.operator("olga")
    now = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    made = Alarm.objects.create(rule_name="Hot", priority=1, state="B", raised=now, message="Hot")
    with transaction.atomic():
        journal.lock()
        other = another(lambda: services.acknowledge(alarm_id=made.pk, user=olga, now=now))
        assert Alarm.objects.select_for_update().get(pk=made.pk).acked is None
    other.join()
    made.refresh_from_db()
    assert made.acked_by == olga


def test_two_shards_that_meet_new_streams_at_once_raise_one_alarm() -> None:
    def commit(shard: int) -> None:
        program = Program.build([])
        state = EngineState.empty(program)
        with transaction.atomic():
            Judgement(shard, 0, program, state, [], [], set(), "new", None, None, Cursors.empty()).commit()

    with transaction.atomic():
        commit(0)
        other = another(lambda: commit(1))
    other.join()
    assert Alarm.objects.filter(rule=None).count() == 1
