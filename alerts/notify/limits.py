"""How often a door may be tried from one place, counted in Redis over fixed windows."""

import hashlib
import time
from dataclasses import dataclass

import structlog
from redis import RedisError

from devices.telemetry import stream

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in a window."""

    name: str
    most: int
    seconds: int = 60

    def allows(self, who: str) -> bool:
        """Counts one more and tells whether it is within the limit.

        Without Redis nobody is held up: the doors have secrets of their own.
        Cost: one round trip.
        """
        window = int(time.time()) // self.seconds
        # Numbers and addresses of people do not stand in Redis.
        key = f"andon:limit:{self.name}:{hashlib.sha256(who.encode()).hexdigest()[:24]}:{window}"
        try:
            with stream.connect().pipeline() as pipe:
                pipe.incr(key)
                pipe.expire(key, self.seconds * 2)
                count = int(pipe.execute()[0])
        except RedisError as error:
            log.warning("attempts not counted", door=self.name, error=str(error))
            return True
        if count == self.most + 1:
            log.warning("too many attempts", door=self.name)
        return count <= self.most
