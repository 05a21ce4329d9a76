"""After an outage the past comes first: nobody is called for an alarm that is over by then."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.models import Alarm, Delivery
from alerts.notify import backlog, outbox
from devices.models import Asset
from devices.telemetry import latest, stream
from tests import factories

from .cast import NOW, alarm, machine, outbox_rows, person, row, send, subscribe, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Any) -> None:
    settings.OUTBOX_DIR = tmp_path


def judged_up_to(asset: Asset, when: datetime) -> None:
    """Lets the asset's sensor have its newest judged reading at a moment."""
    sensor = asset.sensors.get()
    value = latest._VALUE.pack(int(when.timestamp() * 1e6), 97.0, 0)
    stream.connect().hset(latest._key(asset.shard), mapping={str(sensor.pk): value})


def over(made: Alarm) -> None:
    """Lets the alarm return to normal, unacknowledged."""
    made.state, made.active, made.cleared = "D", False, made.raised + SECOND
    made.save()


def test_an_alarm_that_is_over_pages_nobody(clean_redis: redis.Redis) -> None:
    subscribe(person(), "sms", also_clear=True)
    made = alarm(machine(), raised=NOW - HOUR)
    told(row(made), row(made, "clear", "B", "D"))
    over(made)
    judged_up_to(made.asset, NOW)  # type: ignore[arg-type]
    send(NOW + 2 * SECOND)
    send(NOW + 60 * SECOND)
    assert [(d.event, d.outcome, d.reason) for d in outbox_rows()] == [
        ("raise", "withheld", "over before it could be sent"),
        ("clear", "withheld", "you were not told of the alarm"),
    ]


def test_an_old_alarm_that_still_stands_is_told_once_its_sensor_has_caught_up() -> None:
    subscribe(person(), "sms")
    made = alarm(machine(), raised=NOW - HOUR)
    told(row(made))
    judged_up_to(made.asset, NOW - 61 * SECOND)  # type: ignore[arg-type]
    assert [(d.outcome, d.attempts) for d in send(NOW + 2 * SECOND)] == [("due", 0)]
    assert outbox_rows()[0].answer == "waits until the readings that came late have been judged"
    judged_up_to(made.asset, NOW)  # type: ignore[arg-type]
    assert send(NOW + 4 * SECOND)[0].outcome == "sent"


def test_a_latched_alarm_still_needs_a_hand() -> None:
    subscribe(person(), "sms")
    made = alarm(machine(), raised=NOW - HOUR, state="E", active=False)
    told(row(made))
    judged_up_to(made.asset, NOW)  # type: ignore[arg-type]
    assert send(NOW + 2 * SECOND)[0].outcome == "sent"


def test_a_silent_sensors_alarm_is_told_after_two_minutes() -> None:
    subscribe(person(), "sms")
    told(row(alarm(machine(), raised=NOW - HOUR)))
    assert send(NOW + backlog.PATIENCE - SECOND)[0].outcome == "due"
    assert send(NOW + backlog.PATIENCE + SECOND)[0].outcome == "sent"


def test_a_shard_that_is_behind_holds_its_old_alarms_however_long(clean_redis: redis.Redis) -> None:
    subscribe(person(), "sms")
    made = alarm(machine(), raised=NOW - HOUR)
    told(row(made))
    assert made.asset is not None
    judged_up_to(made.asset, NOW + HOUR)
    key = stream.stream_key(made.asset.shard)
    clean_redis.xadd(key, {"b": b"", "t": 0}, id="1000-0")  # it waits since 1970
    assert backlog.is_behind(made.asset.shard)
    assert not backlog.is_behind((made.asset.shard + 1) % 16)
    assert send(NOW + HOUR)[0].outcome == "due"
    clean_redis.delete(key)
    assert send(NOW + HOUR + 2 * SECOND)[0].outcome == "sent"


def test_the_messages_of_a_shard_that_is_behind_are_put_off_together(clean_redis: redis.Redis) -> None:
    first = machine()
    other = Asset.objects.create(code="far", name="Far", level="machine", parent=first.parent, shard=first.shard + 1)
    far = factories.sensor(other)
    subscribe(person(), "sms")
    late = [row(alarm(first, raised=NOW - HOUR, rule_name=f"Hot {number}")) for number in range(2 * outbox.ROUND)]
    here = row(alarm(first, raised=NOW - SECOND))
    there = row(alarm(other, sensor=far, raised=NOW - HOUR))
    told(*late, here, there)
    judged_up_to(other, NOW + 10 * SECOND)
    clean_redis.xadd(stream.stream_key(first.shard), {"b": b"", "t": 0}, id="1000-0")
    Delivery.objects.update(due=NOW)
    with CaptureQueriesContext(connection) as asked:
        while outbox.send_due(NOW + 10 * SECOND):
            pass
    waits = Delivery.objects.filter(outcome="due", due=NOW + 12 * SECOND, attempts=0)
    assert waits.count() == len(late)
    assert set(waits.values_list("answer", flat=True)) == {"waits until the readings that came late have been judged"}
    assert set(Delivery.objects.exclude(pk__in=waits).values_list("alarm", "outcome")) == {
        (here.alarm_id, "sent"), (there.alarm_id, "sent"),
    }  # fmt: skip
    # One was looked at; of the others the first round finds that they are no longer due.
    judged = [
        one
        for one in asked
        if one["sql"].startswith("SELECT") and "alerts_alarm" in one["sql"] and "LIMIT 21" in one["sql"]
    ]
    assert len(judged) == 3


def test_an_alarm_of_the_moment_does_not_ask_redis(clean_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "connect", lambda: pytest.fail("asked Redis"))
    subscribe(person(), "sms")
    told(row(alarm(machine())))
    assert send()[0].outcome == Delivery.Outcome.SENT


def test_without_redis_an_old_alarm_is_told_after_two_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(person(), "sms")
    told(row(alarm(machine(), raised=NOW - HOUR)))

    def gone() -> None:
        raise redis.ConnectionError("no Redis")

    monkeypatch.setattr(stream, "connect", gone)
    assert send(NOW + 2 * SECOND)[0].outcome == "due"
    assert send(NOW + backlog.PATIENCE + SECOND)[0].outcome == "sent"
