"""What the judge looks at, read from the plant model, the checkpoints and Redis; what it found out before."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from django.conf import settings
from django.db.models import Q

from alerts.models import Silence
from alerts.silence.tree import NONE, SECOND, Heard, Int64, Mask, Plant, Point, Verdict, judge
from devices.models import Sensor, Source
from devices.telemetry import hearing, stream
from devices.topology import Topology, topology

_plant: tuple[Topology, Plant] | None = None


def plant() -> Plant:
    """Gives the plant as the judge needs it, from memory while the model has not changed.

    Cost: one query, or a few after a change.
    """
    global _plant
    model = topology()
    if _plant is None or _plant[0] is not model:
        _plant = (model, _load(model.parent))
    return _plant[1]


def _load(parents: dict[int, int | None]) -> Plant:
    rows = Sensor.objects.order_by().values_list("pk", "asset_id", "interval", "asset__shard")
    points = [Point(pk, asset, round((interval or 0.0) * SECOND), shard) for pk, asset, interval, shard in rows]
    scopes: dict[int, list[str]] = {}
    after: dict[int, int] = {}
    for name, scope, given in (
        Source.objects.filter(enabled=True).order_by("name").values_list("name", "scope_id", "silent_after")
    ):
        scopes.setdefault(scope, []).append(name)
        if given is not None:
            # Of several on one scope the most patient: nobody knows which of them a sensor's readings come from.
            after[scope] = max(after.get(scope, 0), round(given * SECOND))
    return Plant(parents, points, scopes, after)


@dataclass(slots=True, eq=False)
class Scene:
    """What was heard of every sensor, and which silences last.

    `broke` is the instant after which a sensor's word is proof that it is heard again: when an intake began to listen,
    or when a part above it returned. Its silence counts from `heard.excused` on.
    """

    plant: Plant
    heard: Heard
    broke: Int64
    lasting: list[Silence]
    returning: list[Silence]
    cause: list[Silence | None] = field(default_factory=list)  # by sensor's place: the silence above it

    @classmethod
    def load(cls, *, clock: int | None = None, read: int | None = None, called: Collection[int] = ()) -> Scene | None:
        """Reads it; none where no intake ever told that it listens.

        Takes: another clock than Redis's; a shard that is read up to it in the running transaction; sensors that a rule
        calls silent.
        Raises: RedisError.
        Cost: four queries, one of which reads the checkpoints, and one round trip.
        """
        now = hearing.hearing(stream.connect(), clock=clock)
        if not now.known:
            return None
        whole = plant()
        arrival = _arrivals(whole)
        clocks = dict(now.clocks)
        if read is not None:
            clocks[read] = now.now
        size = len(whole.sensor)
        settle = round(settings.SILENCE_SETTLE * SECOND)
        since = now.now if now.since is None else now.since
        excused = np.full(size, since + settle, np.int64)
        broke = np.full(size, since, np.int64)
        horizon = now.now - int(whole.limit.max(initial=0)) - SECOND
        lasting, returning = [], []
        rows = Silence.objects.filter(Q(returned=None) | Q(returned_us__gt=horizon)).order_by("pk")
        for silence in rows.select_related("asset", "sensor__asset"):
            span = _span(whole, silence)
            if silence.returned_us is not None:
                excused[span] = np.maximum(excused[span], silence.returned_us)
                broke[span] = np.maximum(broke[span], silence.returned_us)
            elif not (whole.interval[span] > 0).any() or arrival[span].max(initial=NONE) > silence.newest:
                # The first word is the proof; the others have their own time from then on.
                words = arrival[span][arrival[span] > silence.newest]
                silence.returned_us = int(words.min(initial=now.now))
                returning.append(silence)
                excused[span] = np.maximum(excused[span], silence.returned_us)
                broke[span] = np.maximum(broke[span], silence.returned_us)
            else:
                lasting.append(silence)
        heard = Heard(
            arrival=arrival,
            clock=_by_shard(whole, clocks),
            excused=excused,
            called=np.isin(whole.sensor, list(called)) if called else np.zeros(size, np.bool_),
            covered=np.zeros(size, np.bool_),
            now=now.now,
        )
        scene = cls(whole, heard, broke, lasting, returning, [None] * size)
        for silence in lasting:
            scene.cover(silence)
        return scene

    def cover(self, silence: Silence) -> None:
        """Puts what lies below a silence out of question."""
        span = _span(self.plant, silence)
        self.heard.covered[span] = True
        self.cause[span] = [silence] * (span.stop - span.start)

    def span(self, silence: Silence) -> slice:
        """Gives the places of the sensors below a silence; of none where its part of the plant is gone."""
        return _span(self.plant, silence)

    def verdict(self) -> Verdict:
        """Gives what failed beside what is known to have."""
        return judge(self.plant, self.heard)

    def causes(self, sensors: Iterable[int]) -> list[Silence]:
        """Gives the silences above some sensors."""
        places = [self.plant.place[sensor] for sensor in sensors if sensor in self.plant.place]
        return [silence for place in places if (silence := self.cause[place]) is not None]

    def unsure(self, sensors: Iterable[int], undecided: Collection[int], *, called: bool) -> bool:
        """Tells whether it is not known yet if one of some sensors has something to say.

        Takes: the sensors whose silence cannot be placed yet; whether the rule itself calls them silent, so that being
        late alone is no reason to wait.
        """
        return any(
            sensor in undecided or self._may_speak(self.plant.place[sensor], called=called)
            for sensor in sensors
            if sensor in self.plant.place
        )

    def _may_speak(self, place: int, *, called: bool) -> bool:
        heard = self.heard
        arrival = int(heard.arrival[place])
        if arrival == NONE:
            return False
        if heard.now - int(heard.clock[place]) > 5 * SECOND:
            return True  # its stream is not read to the end
        age = int(heard.clock[place]) - max(arrival, int(heard.excused[place]))
        if arrival < int(self.broke[place]):
            return age <= int(self.plant.limit[place])  # it has not spoken since it could
        return not called and int(self.plant.interval[place]) > 0 and self._is_late(place, age)

    def _is_late(self, place: int, age: int) -> bool:
        return int(self.plant.late[place]) < age <= int(self.plant.limit[place])


def _span(whole: Plant, silence: Silence) -> slice:
    if silence.of_sensor:
        place = whole.place.get(silence.sensor_id) if silence.sensor_id is not None else None
        return slice(0, 0) if place is None else slice(place, place + 1)
    if silence.asset_id is None or silence.asset_id not in whole.row:
        return slice(0, 0)
    return whole.span(silence.asset_id)


def _arrivals(whole: Plant) -> Int64:
    """Gives the arrival of each sensor's newest reading, as the shard that keeps it says."""
    found = np.full(len(whole.sensor), NONE, np.int64)
    ids, times, shards = hearing.arrivals()
    if len(ids) and len(found):
        at = np.searchsorted(whole.sensor, ids, sorter=whole.order)
        places = whole.order[np.minimum(at, len(found) - 1)]
        own: Mask = (whole.sensor[places] == ids) & (whole.shard[places] == shards)
        found[places[own]] = times[own]
    return found


def _by_shard(whole: Plant, clocks: dict[int, int]) -> Int64:
    """Gives each sensor's shard's clock; 0 where the shard was never read."""
    size = max([*clocks, int(whole.shard.max(initial=0))], default=0) + 1
    table = np.zeros(size, np.int64)
    for shard, clock in clocks.items():
        table[shard] = clock
    result: Int64 = table[whole.shard]
    return result
