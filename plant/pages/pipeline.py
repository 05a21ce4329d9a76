"""How the way of the readings is doing, for the overview and the top bar."""

from __future__ import annotations

from dataclasses import dataclass

import redis
import structlog
from django.utils.translation import gettext as _

from alerts import system
from devices.telemetry import failing, stream
from plant import writing

log = structlog.get_logger(__name__)

ILL_AFTER = 10.0  # seconds that an accepted reading waits to be judged


@dataclass(frozen=True, slots=True)
class Health:
    """What is accepted and not yet judged, and whether that is too much."""

    readings: int
    seconds: float
    reason: str = ""  # why it is ill; nothing when it is well

    @property
    def ill(self) -> bool:
        """Tells whether alarms may come late or not at all."""
        return bool(self.reason)

    @property
    def share(self) -> float:
        """Gives how much of what is allowed is used up."""
        return 1.0 if self.ill else min(1.0, self.seconds / ILL_AFTER)


def health() -> Health:
    """Gives the pipeline's health. Cost: one query, a few round trips to Redis; one query more while a drain fails."""
    client = stream.connect()
    try:
        shards = stream.lag(client).values()
        failures = failing.read(client)
        now = stream.server_time_us(client) if failures else 0
    except redis.RedisError as error:
        log.warning("pipeline lag not read", error=str(error))
        return Health(0, 0.0, _("The stream of readings cannot be reached. No reading comes in, no alarm is judged."))
    readings = sum(lag.readings for lag in shards)
    seconds = max((lag.seconds for lag in shards), default=0.0)
    lasting = {shard: failure for shard, failure in failures.items() if failure.lasts(now, ILL_AFTER)}
    if lasting:
        reason = _("Readings of %(machines)s are not judged, no alarm of theirs is raised: %(error)s")
        words = next(iter(lasting.values())).words
        return Health(readings, seconds, reason % {"machines": system.whose(lasting), "error": words})
    if seconds > ILL_AFTER:
        reason = _("Readings wait %(age)s to be judged. Alarms come late by as much.")
        return Health(readings, seconds, reason % {"age": writing.age(seconds)})
    return Health(readings, seconds)
