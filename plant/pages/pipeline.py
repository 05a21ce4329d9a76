"""How the way of the readings is doing, for the overview and the top bar."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic

import redis
import structlog
from django.utils.translation import gettext as _

from alerts import system
from devices.telemetry import failing, stream
from plant import pulses, writing

log = structlog.get_logger(__name__)

ILL_AFTER = 10.0  # seconds that an accepted reading waits to be judged
COMES_UP = 120.0  # seconds that workers have at the start to show themselves; the auditor looks once a minute

_began = monotonic()


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
    """Gives the pipeline's health. Cost: one query, five round trips to Redis; one more of each while a drain fails.

    The pulses are those of /readyz, but for the first two minutes of this process: the workers may be coming up.
    """
    client = stream.connect()
    try:
        behind = stream.lag_of_all(client)
        lasting = failing.lasting(client, ILL_AFTER)
        silent = pulses.silent(client, (*pulses.WORKERS, pulses.CALLS))
    except redis.RedisError as error:
        log.warning("pipeline lag not read", error=str(error))
        return Health(0, 0.0, _("The stream of readings cannot be reached. No reading comes in, no alarm is judged."))
    readings, seconds = behind.readings, behind.seconds
    if lasting:
        reason = _("Readings of %(machines)s are not judged, no alarm of theirs is raised: %(error)s")
        words = next(iter(lasting.values())).words
        return Health(readings, seconds, reason % {"machines": system.whose(lasting), "error": words})
    if silent and monotonic() - _began >= COMES_UP:
        return Health(readings, seconds, _missing(silent))
    if seconds > ILL_AFTER:
        reason = _("Readings wait %(age)s to be judged. Alarms come late by as much.")
        return Health(readings, seconds, reason % {"age": writing.age(seconds)})
    return Health(readings, seconds)


def _missing(silent: Collection[str]) -> str:
    """Says what does not happen while some pulses are missing; beat carries them all."""
    if set(pulses.WORKERS) <= set(silent):
        return _("Neither beat nor a worker has answered for a while. Alarms may not be raised, and nobody is called.")
    if "telemetry" in silent:
        return _("No worker has judged readings for a while. No alarm is raised.")
    if "work" in silent:
        return _("The worker that calls people has not answered for a while. Messages and reports wait.")
    return _("Calls go out late, or nobody checks that they go out. The list of deliveries says more.")
