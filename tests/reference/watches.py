"""Each kind of rule, judged reading by reading."""

from __future__ import annotations

import copy
import heapq
from collections.abc import Callable

from alerts.engine.rules import Kind, RuleSpec

from .expressions import worth
from .readings import BAD, Reading, Transition


class Watch:
    """What all rules have in common: being active or not, the delay in between, and the timers."""

    def __init__(self, spec: RuleSpec, *, inherited: bool) -> None:
        self.spec = spec
        self.active = False
        self.inherited = inherited
        self.delay_since: int | None = None
        self.value: float | None = None
        self.newest_put: int | None = None  # time of the last reading
        self.newest_came: Reading | None = None
        self.judged_until: int | None = None
        self.log: list[Transition] = []
        self.clock_from: int | None = None

    def say(self, kind: str, time: int, reason: str = "") -> None:
        self.log.append(Transition(self.spec.id, self.spec.version, kind, time, self.value, reason, self.clock_from))

    def delay(self) -> int:
        return self.spec.off_delay if self.active else self.spec.on_delay

    def turn(self, time: int) -> None:
        self.active = not self.active
        self.delay_since = None
        if self.active:
            self.inherited = False
        self.say("active" if self.active else "return", time)

    def put(self, time: int, raises: bool, clears: bool) -> None:
        if clears if self.active else raises:
            if self.delay_since is None:
                self.delay_since = time
                if self.delay() == 0:
                    self.turn(time)
            return
        self.delay_since = None
        if not self.active and self.inherited:
            self.inherited = False
            self.say("return", time, "rule edited")

    def timers(self) -> list[tuple[int, int, Callable[[int], None]]]:
        """What is to come: when, which first of two at once, what then."""
        if self.delay_since is None:
            return []
        return [(self.delay_since + self.delay(), 0, self.turn)]

    def fire_up_to(self, time: int) -> None:
        while True:
            timers = [(due, order) for due, order, _ in self.timers() if due <= time]
            if not timers:
                return
            heapq.heapify(timers)
            first = heapq.heappop(timers)
            for due, order, then in self.timers():
                if (due, order) == first:
                    then(due)

    def too_late(self, reading: Reading) -> bool:
        return self.judged_until is not None and reading.time <= self.judged_until

    def clock(self, now: int, grace: int) -> None:
        if self.newest_came is None:
            return
        limit = self.newest_came.time + (now - self.newest_came.arrival) - grace
        self.judge_waiting_up_to(limit)
        # Go forward one timer at a time on a copy: only what ends in a transition has really happened.
        trial = copy.copy(self)
        trial.log = list(self.log)
        trial.clock_from = self.newest_put
        while dues := [due for due, _, _ in trial.timers() if due <= limit]:
            due = min(dues)
            before = len(trial.log)
            due_first = sorted((at, order) for at, order, _ in trial.timers())[0]
            for at, order, then in trial.timers():
                if (at, order) == due_first:
                    then(at)
                    break
            if len(trial.log) > before:
                trial.judged_until = due if trial.judged_until is None else max(trial.judged_until, due)
                self.__dict__.update(copy.copy(trial.__dict__))
                self.log = list(trial.log)
                self.clock_from = None

    def judge_waiting_up_to(self, limit: int) -> None:
        """Only rules over several sensors let readings wait."""

    def finish(self, until: int) -> None:
        self.judge_waiting_up_to(until)
        self.fire_up_to(until)

    def take(self, reading: Reading) -> bool:
        """Gives False where the reading is left out."""
        raise NotImplementedError


class OneSensor(Watch):
    """A rule over one sensor: every reading is put as it comes."""

    def take(self, reading: Reading) -> bool:
        self.newest_came = reading
        if self.too_late(reading):
            return False
        self.fire_up_to(reading.time)
        self.newest_put = reading.time
        if reading.quality != BAD or self.spec.kind is Kind.STALE:
            self.value = reading.value
            verdict = self.test(reading)
            if verdict is not None:
                self.put(reading.time, *verdict)
        return True

    def start_from(self, newest: Reading | None, newest_good: Reading | None, history: list[Reading]) -> None:
        if newest is not None:
            self.newest_came = newest
            self.newest_put = newest.time

    def test(self, reading: Reading) -> tuple[bool, bool] | None:
        """Gives raise and clear, or None where neither is put."""
        spec, v = self.spec, reading.value
        match spec.kind:
            case Kind.HIGH:
                return v >= spec.limit, v < spec.limit - spec.deadband
            case Kind.LOW:
                return v <= spec.limit, v > spec.limit + spec.deadband
            case Kind.OUTSIDE:
                inside = spec.low + spec.deadband < v < spec.high - spec.deadband
                return v >= spec.high or v <= spec.low, inside
            case Kind.EQUALS:
                return v == spec.value, v != spec.value
            case Kind.NOT_EQUALS:
                return v != spec.value, v == spec.value
            case Kind.DEVIATION:
                off = abs(v - spec.reference)
                return off >= spec.limit, off < spec.limit - spec.deadband
        raise AssertionError(spec.kind)


class Rate(OneSensor):
    def __init__(self, spec: RuleSpec, *, inherited: bool) -> None:
        super().__init__(spec, inherited=inherited)
        self.past: list[tuple[int, float]] = []

    def start_from(self, newest: Reading | None, newest_good: Reading | None, history: list[Reading]) -> None:
        super().start_from(newest, newest_good, history)
        self.past = [(reading.time, reading.value) for reading in history if reading.quality != BAD]

    def test(self, reading: Reading) -> tuple[bool, bool] | None:
        spec, t, v = self.spec, reading.time, reading.value
        self.past = [*self.past, (t, v)]
        t0, v0 = min((time, value) for time, value in self.past if time >= t - spec.window)
        if t - t0 < spec.window / 2:
            return None
        r = (v - v0) / ((t - t0) / spec.per)
        if spec.kind is Kind.RATE_HIGH:
            return r >= spec.limit, r < spec.limit - spec.deadband
        return r <= spec.limit, r > spec.limit + spec.deadband


class Holding(OneSensor):
    """Stale and flatline: they begin to hold by a timer of their own."""

    def __init__(self, spec: RuleSpec, *, inherited: bool) -> None:
        super().__init__(spec, inherited=inherited)
        self.holds = False
        self.begins: int | None = None

    def timers(self) -> list[tuple[int, int, Callable[[int], None]]]:
        timers = super().timers()
        if self.begins is not None:
            timers.append((self.begins, 1, self.begin))
        return timers

    # A copy's timers must move the copy.
    def begin(self, time: int) -> None:
        self.begins = None
        self.holds = True
        self.put(time, True, False)


class Stale(Holding):
    def start_from(self, newest: Reading | None, newest_good: Reading | None, history: list[Reading]) -> None:
        super().start_from(newest, newest_good, history)
        if newest is not None:
            self.begins = newest.time + self.spec.timeout
            self.value = newest.value

    def test(self, reading: Reading) -> tuple[bool, bool] | None:
        self.holds = False
        self.begins = reading.time + self.spec.timeout
        return False, True


class Flatline(Holding):
    anchor: float | None = None

    def start_from(self, newest: Reading | None, newest_good: Reading | None, history: list[Reading]) -> None:
        super().start_from(newest, newest_good, history)
        if newest_good is not None:
            self.anchor = self.value = newest_good.value
            self.begins = newest_good.time + self.spec.duration

    def test(self, reading: Reading) -> tuple[bool, bool] | None:
        if self.anchor is None or abs(reading.value - self.anchor) > self.spec.tolerance:
            self.anchor = reading.value
            self.begins = reading.time + self.spec.duration
            self.holds = False
        return self.holds, not self.holds


class Joined(Watch):
    """A rule over several sensors: all readings of an instant at once, when no more can come."""

    def __init__(self, spec: RuleSpec, *, inherited: bool) -> None:
        super().__init__(spec, inherited=inherited)
        self.sensors = list(dict.fromkeys(spec.inputs))
        intervals = spec.intervals or (0,) * len(spec.inputs)
        self.interval = dict(zip(spec.inputs, intervals, strict=True))
        self.waiting: list[Reading] = []
        self.came: dict[int, int] = {}
        self.known: dict[int, Reading] = {}

    def take(self, reading: Reading) -> bool:
        self.newest_came = reading
        self.came[reading.sensor] = reading.time
        too_late = self.too_late(reading)
        if not too_late:
            self.waiting = [*self.waiting, reading]
        while self.waiting:
            instant = min(waiting.time for waiting in self.waiting)
            if not all(self.settled(sensor, instant) for sensor in self.sensors):
                break
            self.judge(instant)
        return not too_late

    def settled(self, sensor: int, instant: int) -> bool:
        if sensor not in self.came:
            return False
        newest = self.came[sensor]
        return newest >= instant or self.is_stale(sensor, instant - newest)

    def is_stale(self, sensor: int, age: int) -> bool:
        return self.interval[sensor] > 0 and age > 3 * self.interval[sensor]

    def judge_waiting_up_to(self, limit: int) -> None:
        for instant in sorted({reading.time for reading in self.waiting}):
            if instant <= limit:
                self.judge(instant)

    def judge(self, instant: int) -> None:
        self.fire_up_to(instant)
        for reading in [reading for reading in self.waiting if reading.time == instant]:
            self.known = {**self.known, reading.sensor: reading}
            if reading.sensor == self.sensors[0] and reading.quality != BAD:
                self.value = reading.value
        self.waiting = [reading for reading in self.waiting if reading.time != instant]
        self.judged_until = instant
        self.newest_put = instant
        for sensor in self.sensors:
            if sensor not in self.known or self.known[sensor].quality == BAD:
                return
            if self.is_stale(sensor, instant - self.known[sensor].time):
                return
        verdict = self.verdict()
        if verdict is not None:
            self.put(instant, *verdict)

    def verdict(self) -> tuple[bool, bool] | None:
        spec = self.spec
        values = [self.known[sensor].value for sensor in spec.inputs]
        if spec.kind is Kind.DEVIATION:
            off = abs(values[0] - values[1])
            return off >= spec.limit, off < spec.limit - spec.deadband
        holds = worth(spec.expression, dict(zip(spec.names, values, strict=True)))
        return None if holds is None else (holds, not holds)


def watch(spec: RuleSpec, *, inherited: bool = False) -> Watch:
    if spec.joined:
        return Joined(spec, inherited=inherited)
    if spec.kind is Kind.STALE:
        return Stale(spec, inherited=inherited)
    if spec.kind is Kind.FLATLINE:
        return Flatline(spec, inherited=inherited)
    if spec.kind in (Kind.RATE_HIGH, Kind.RATE_LOW):
        return Rate(spec, inherited=inherited)
    return OneSensor(spec, inherited=inherited)
