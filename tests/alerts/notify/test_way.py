"""From the reading to the message: what a drain leaves in the outbox after an outage of months."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.utils import timezone

from alerts.models import Delivery
from alerts.notify import backlog
from tests import factories
from tests.scenario import Scenario

from .cast import person, send, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_a_backlog_only_what_still_stands_is_told(clean_redis: redis.Redis, settings: Any, tmp_path: Any) -> None:
    settings.OUTBOX_DIR = tmp_path
    short, standing = factories.plant(machines=2)
    sensors = [factories.sensor(asset) for asset in (short, standing)]
    for asset in (short, standing):
        factories.rule(asset)
    subscribe(person(), "sms", also_clear=True)
    scene = Scenario(clean_redis)
    for sensor in sensors:
        scene.send(sensor, 0, 95.0)
    scene.send(sensors[0], 60, 70.0)
    scene.send(sensors[1], 60, 96.0)
    scene.drain(120)
    assert set(Delivery.objects.values_list("outcome", flat=True)) == {"due"}
    later = timezone.now() + backlog.PATIENCE + timedelta(seconds=10)
    send(later)
    send(later + timedelta(seconds=10))
    found = {(d.alarm.asset_code, d.event): (d.outcome, d.reason) for d in Delivery.objects.all() if d.alarm}
    assert found == {
        (short.code, "raise"): ("withheld", "over before it could be sent"),
        (short.code, "clear"): ("withheld", "you were not told of the alarm"),
        (standing.code, "raise"): ("sent", "your subscription: the whole plant, 4 Low and above"),
    }
    (text,) = [file.read_text() for file in (tmp_path / "sms").iterdir()]
    assert f"1 CRITICAL {standing.code} temperature high 95.0 degC" in text
    assert "1 Mar 06:00." in text
