"""What the figures count of lives that alarms really had is what was announced at the time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from alerts import services, timers
from alerts.book import Book
from alerts.figures.query import report
from alerts.models import Alarm
from tests import factories
from tests.scenario import START, Scenario

pytestmark = pytest.mark.django_db


def counted() -> int:
    day = timedelta(days=1)
    return report(position=None, start=START - day, end=START + day, now=START + 2 * day).figures.annunciations


def announced() -> int:
    return sum(Alarm.objects.values_list("annunciations", flat=True))


def test_hi_and_hihi_shelving_and_latches_count_as_they_were_announced(clean_redis):
    press = factories.plant(machines=1)[0]
    temp, oil = factories.sensor(press), factories.sensor(press, "oil")
    factories.rule(press, "Hi", limit=90.0, priority=2)
    factories.rule(press, "HiHi", limit=100.0, priority=2, hides="Hi")
    latched = factories.rule(press, "Oil", sensor_key="oil", latching=True, priority=2)
    scenario, olga = Scenario(clean_redis), factories.operator()
    seen = []

    def play(at: float, sensor, value: float) -> None:
        scenario.send(sensor, at, value)
        scenario.drain(at + 0.1)
        seen.append((counted(), announced()))

    play(0, temp, 95)
    play(10, temp, 105)  # HiHi takes over; nobody is told again
    play(20, temp, 95)  # Hi is presented again
    play(30, temp, 60)
    play(40, oil, 95)
    services.shelve(
        rule_id=latched.pk, user=olga, until=START + timedelta(seconds=400), reason="work", now=scenario.at(120)
    )
    play(130, oil, 60)
    play(140, oil, 95)
    timers.expire_shelving(now=START + timedelta(seconds=401))
    play(410, oil, 60)
    play(420, oil, 95)
    assert [one for one, _ in seen] == [other for _, other in seen]
    assert counted() == announced() == 5


def test_what_happened_to_andon_itself_counts_once(clean_redis):
    with transaction.atomic():
        book = Book(START)
        book.system("stream", "Stream replaced", moment=True)
        book.write()
    assert counted() == announced() == 1
