"""Rules over sensors of several shards: however far each is when another is drained, the journal is the history's."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from alerts import rules
from alerts.backtest import stored
from alerts.instants import to_us
from alerts.models import JournalEntry
from devices.models import Sensor
from devices.telemetry import pipeline
from devices.telemetry.batch import Quality
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db

CASES = int(os.environ.get("ANDON_EXAMPLES", "200")) // 50
MOMENTS = 60
STEP = 0.25  # s


@pytest.fixture
def shards() -> int:
    """Gives as many shards as a plant has that says nothing else."""
    return 16


@pytest.fixture
def sensors() -> list[Sensor]:
    """Gives a sensor on each of three shards; the first two machines have rules over all of them."""
    apart: dict[int, Any] = {}
    for machine in factories.plant(machines=12):
        apart.setdefault(machine.shard, machine)
    made = [factories.sensor(machine, "flow", interval=STEP) for machine in list(apart.values())[:3]]
    for one, other in ((0, 1), (1, 2)):
        factories.rule(
            made[one].asset, "Differs", kind="deviation", sensor_key="flow", reference=made[other].tag, limit=5.0
        )
    factories.rule(
        made[0].asset, "Slow", kind="deviation", sensor_key="flow", reference=made[2].tag, limit=4.0, on_delay=0.6
    )
    return [Sensor.objects.get(pk=sensor.pk) for sensor in made]


@pytest.mark.parametrize("seed", range(CASES))
def test_any_order_of_drains_gives_the_journal_that_the_history_gives(
    seed: int, clean_redis: Any, sensors: list[Sensor], settings: Any
) -> None:
    chance = random.Random(seed)
    scenario = Scenario(clean_redis)
    shards = [sensor.asset.shard for sensor in sensors]
    settings.TELEMETRY_DRAIN_READINGS = chance.choice([1, 3, 7, 1000])
    now = 0.0
    for moment in range(MOMENTS):
        now = moment * STEP
        rows = [(sensor, now, float(chance.randint(15, 25)), Quality.GOOD) for sensor in sensors]
        if chance.random() < 0.2:  # a gateway that brings what it had kept
            rows.append((chance.choice(sensors), now - STEP * chance.randint(1, 3) + 0.1, 90.0, Quality.GOOD))
        for again in range(1 + (chance.random() < 0.1)):  # the answer was lost
            scenario.send_many(rows, arrives=now + 0.01 * again)
        # Some shards are drained, or none for a while; the others are behind.
        for shard in chance.sample(shards, chance.choice([0, 0, 1, 2, 3])):
            pipeline.process_shard(shard, clock=scenario.us(now + 0.05))
        if chance.random() < 0.1:
            pipeline.forget_shards()  # a worker starts
    for shard in shards:
        while pipeline.process_shard(shard, clock=scenario.us(now + 30)).more:
            pass
    end = scenario.us(now)
    replayed = [
        (found.rule, found.time, found.active)
        for found in stored([spec for shard in range(16) for spec in rules.specs(shard)], 0, end)
        if found.time <= end
    ]
    live = [
        (entry.rule_id, to_us(entry.time), entry.event == "raise")
        for entry in JournalEntry.objects.filter(event__in=["raise", "clear"], rule_id__isnull=False)
        if to_us(entry.time) <= end
    ]
    assert sorted(live) == sorted(replayed)
    assert len(live) > 10
