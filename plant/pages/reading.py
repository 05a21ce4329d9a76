"""A sensor's newest reading, ready to be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import redis
import structlog

from alerts.instants import to_us
from alerts.models import Alarm
from devices.models import Sensor
from devices.telemetry import latest
from devices.telemetry.batch import Quality
from plant import writing
from plant.drawing import Shown, look_of
from plant.drawing.scale import Scale
from plant.machines import stale_after

log = structlog.get_logger(__name__)


def newest(sensors: Iterable[Sensor]) -> dict[int, latest.Latest]:
    """Gives the newest readings by sensor; none while Redis does not answer.

    Cost: one round trip to Redis when the assets are loaded.
    """
    by_shard: dict[int, list[int]] = {}
    for sensor in sensors:
        by_shard.setdefault(sensor.asset.shard, []).append(sensor.pk)
    try:
        return latest.read_shards(by_shard)
    except redis.RedisError as error:
        log.warning("latest values not read", error=str(error))
        return {}


def shown(
    sensor: Sensor,
    reading: latest.Latest | None,
    now: datetime,
    *,
    scale: Scale | None = None,
    alarm: Alarm | None = None,
    unknown: bool = False,
) -> Shown:
    """Gives a sensor's reading with what is drawn around it.

    Takes: the worst alarm that stands on it; whether it lies below a part of the plant that is not heard.
    """
    limit = stale_after(sensor.interval)
    active = alarm if alarm is not None and alarm.state != "D" and alarm.closed is None else None
    return Shown(
        tag=sensor.tag,
        name=sensor.name,
        value=reading.value if reading else None,
        unit=sensor.unit,
        decimals=writing.decimals_for(sensor.range_low, sensor.range_high, sensor.decimals),
        quality=Quality(reading.quality).name.lower() if reading else "good",
        stale=reading is not None and limit is not None and to_us(now) - reading.time > limit * 1e6,
        time_ms=reading.time // 1000 if reading else None,
        interval=sensor.interval,
        unknown=unknown,
        priority=active.priority if active else None,
        look=look_of(active) if active else "ack",
        labels=sensor.labels,
        scale=scale,
    )
