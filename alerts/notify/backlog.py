"""Whether what is judged now lies in the past: after an outage, alarms come late that may be over by then."""

from datetime import UTC, datetime, timedelta

from redis.exceptions import RedisError

from alerts.models import Alarm, Delivery
from alerts.notify.routing import FRESH, HOLD, is_from_backlog
from devices.telemetry import latest, stream

# A shard is behind while its oldest unread entry waits longer than this; below it is the ordinary rhythm of drains.
BEHIND_SECONDS = 2.0
# A sensor that does not catch up with the present within this time is silent, not late: its alarm is told as it stands.
PATIENCE = timedelta(minutes=2)


def is_behind(shard: int) -> bool:
    """Tells whether a shard's stream still has to be read to its end. Cost: one query, three round trips."""
    lag = stream.lag(stream.connect()).get(shard)
    return lag is not None and lag.seconds > BEHIND_SECONDS


class Backlog:
    """Looks at shards and sensors once in a round of sending."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._shards: dict[int, bool] = {}

    def holds(self, delivery: Delivery) -> datetime | None:
        """Gives until when a message of an old alarm must wait; nothing for one that may be decided now."""
        alarm = delivery.alarm
        if alarm is None or not is_from_backlog(alarm, delivery.event, delivery.created):
            return None
        patient = self._now - delivery.created < PATIENCE
        try:
            waits = self._behind(alarm) or (patient and not self._caught_up(alarm))
        except RedisError:
            waits = patient
        return self._now + HOLD if waits else None

    def behind(self, delivery: Delivery) -> int | None:
        """Gives the shard of a message's alarm, where its stream was found to be behind in this round."""
        shard = _shard(delivery.alarm) if delivery.alarm is not None else None
        return shard if shard is not None and self._shards.get(shard) else None

    def _behind(self, alarm: Alarm) -> bool:
        shard = _shard(alarm)
        if shard is None:
            return False
        if shard not in self._shards:
            self._shards[shard] = is_behind(shard)
        return self._shards[shard]

    def _caught_up(self, alarm: Alarm) -> bool:
        """Tells whether the alarm's sensor has been judged up to about now."""
        if alarm.sensor_id is None:
            return True
        newest = latest.read([alarm.sensor_id]).get(alarm.sensor_id)
        return newest is not None and self._now - datetime.fromtimestamp(newest.time / 1e6, UTC) <= FRESH


def _shard(alarm: Alarm) -> int | None:
    if alarm.rule is not None:
        return int(alarm.rule.shard)
    return int(alarm.asset.shard) if alarm.asset is not None else None
