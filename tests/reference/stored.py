"""The stored history, put to all rules once more: all readings are there, so no instant has to wait for any."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import groupby

from alerts.engine.rules import RuleSpec

from .readings import Reading, Transition
from .watches import Joined, OneSensor, watch


def over_stored(
    specs: Iterable[RuleSpec],
    readings: Iterable[Reading],
    until: int,
    *,
    left_out: Collection[tuple[int, int, int]] = (),
    passed: Mapping[int, Collection[tuple[int, int]]] | None = None,
) -> list[Transition]:
    """Judges readings that were never late; timers fire up to `until`.

    Takes: what the live rules did not see: readings as (rule, sensor, time), and for each rule the stretches
    (after, until] that its clock had passed.
    """
    unseen, passed = set(left_out), passed or {}
    watches = [watch(spec) for spec in specs]
    readers: dict[int, list[OneSensor | Joined]] = {}
    for one in watches:
        assert isinstance(one, OneSensor | Joined)
        for sensor in dict.fromkeys(one.spec.inputs if one.spec.joined else one.spec.inputs[:1]):
            readers.setdefault(sensor, []).append(one)
    in_order = sorted(readings, key=lambda reading: (reading.time, reading.sensor))
    for instant, together in groupby(in_order, key=lambda reading: reading.time):
        complete: dict[int, Joined] = {}
        for reading in together:
            for one in readers.get(reading.sensor, []):
                number = one.spec.id
                if (number, reading.sensor, instant) in unseen or any(
                    after < instant <= due for after, due in passed.get(number, ())
                ):
                    continue
                if isinstance(one, Joined):
                    one.waiting.append(reading)
                    complete[number] = one
                else:
                    one.take(reading)
        for one in complete.values():
            one.judge_waiting_up_to(instant)
    for one in watches:
        one.finish(until)
    return [transition for one in watches for transition in one.log]
