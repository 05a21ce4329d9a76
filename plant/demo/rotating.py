"""Presses, motors and pumps: load, first-order heat, vibration, and how they fail."""

from __future__ import annotations

import numpy as np

from plant.demo.conditions import FAULT, IDLE, RUNNING, STOPPED, Moment, Wander, lag
from plant.demo.layout import Bools, Floats, Ints, Layout, Machine

SIN_60 = 3**0.5


def _state(running: Bools, at: Moment, type: str) -> Floats:
    """Gives running or idle; stopped while it is repaired, fault while its protection has tripped."""
    n = len(running)
    state = np.where(running, RUNNING, IDLE)
    state[at.faults.of(type, "out", n) > 0.5] = STOPPED
    state[at.faults.of(type, "trip", n) > 0.5] = FAULT
    return state


def _lines(machines: tuple[Machine, ...]) -> Floats:
    """Numbers the machines' lines in the plant's order."""
    order = list(dict.fromkeys(machine.line for machine in machines))
    return np.array([order.index(machine.line) for machine in machines], float)


class Presses:
    """Hydraulic presses: they work in shifts, rest in breaks and wait for material now and then."""

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        machines = layout.machines["press"]
        n = self.n = len(machines)
        self.line = _lines(machines)
        self.waiting = np.zeros(n, bool)
        self.night_off = rng.random(n) < 0.3
        self.rate = rng.uniform(12.0, 17.0, n)
        self.rated_force = rng.uniform(1500.0, 2000.0, n)
        self.idle_current = rng.uniform(38.0, 46.0, n)
        self.load = Wander.make(rng, n, 0.035, 400.0)
        self.shake = Wander.make(rng, n, 0.15, 300.0)
        self.pace = np.zeros(n)
        self.oil = np.full(n, 46.0) + rng.normal(0, 1.0, n)
        self.oil_fault = np.zeros(n)
        self.bearing = np.full(n, 42.0)
        self.bearing_fault = np.zeros(n)
        self.line_works = np.ones(int(self.line.max()) + 1, bool)

    def step(self, at: Moment, cooling_loss: Floats) -> Floats:
        """Gives state, strokes, force, pressure, oil and bearing temperature, vibration, current, power."""
        n, faults = self.n, at.faults
        self.waiting = np.where(self.waiting, ~at.turns(n, 140.0), at.turns(n, 1700.0))
        rests = at.in_break(self.line)
        self.line_works = ~at.in_break(np.arange(len(self.line_works), dtype=float))
        off = self.night_off & (at.shift < 0.9)
        state = _state(~(self.waiting | rests), at, "press")
        state[off & (state == IDLE) | off & (state == RUNNING)] = STOPPED
        works, powered = state == RUNNING, (state == RUNNING) | (state == IDLE)
        self.pace = lag(self.pace, works * at.shift, at.dt, 4.0)
        load = self.pace * (0.92 + self.load.step(at))
        wear, relief = faults.of("press", "bearing", n), faults.of("press", "relief", n)
        self.oil_fault = lag(self.oil_fault, 40.0 * cooling_loss, at.dt, 150.0)
        self.oil = lag(self.oil, at.ambient + 8.0 * powered + 20.0 * load, at.dt, 1500.0)
        self.bearing_fault = lag(self.bearing_fault, 45.0 * wear, at.dt, 120.0)
        self.bearing = lag(self.bearing, at.ambient + 26.0 * load, at.dt, 1200.0)
        current = powered * self.idle_current + 72.0 * load
        return np.stack([
            state,
            self.rate * self.pace + at.noise(n, 0.12) * works,
            (self.rated_force * load + at.noise(n, 14.0) * works).clip(0),
            powered * (40.0 + 160.0 * load) + 90.0 * relief * powered + at.noise(n, 1.6) * powered + 1.0,
            self.oil + self.oil_fault + at.noise(n, 0.08),
            self.bearing + self.bearing_fault + at.noise(n, 0.08),
            (0.12 + load * (2.35 + self.shake.step(at)) + 6.5 * wear * self.pace + at.noise(n, 0.06)).clip(0.02),
            (current + at.noise(n, 0.9) * powered).clip(0),
            (current * 0.4 * SIN_60 * 0.86 + at.noise(n, 0.4) * powered).clip(0),
        ])  # fmt: skip


class Motors:
    """Motors of conveyors, fans and agitators."""

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        machines = layout.machines["motor"]
        n = self.n = len(machines)
        self.conveyor = np.array([machine.code.startswith("conv-") for machine in machines])
        lines = _lines(machines)
        self.line = np.where(self.conveyor, lines, 0).astype(np.intp)
        # Agitators and valve drives run for some minutes, then rest for some.
        on_demand = np.array(["agitator" in machine.code or "motor" in machine.code for machine in machines])
        self.on_seconds = np.where(on_demand, 1500.0, np.inf)
        self.off_seconds = np.where(on_demand, 420.0, 1.0)
        self.on = np.ones(n, bool)
        self.rated = rng.uniform(58.0, 78.0, n)
        self.base = rng.uniform(0.58, 0.72, n)
        self.load = Wander.make(rng, n, 0.045, 500.0)
        self.shake = Wander.make(rng, n, 0.1, 300.0)
        self.turn = np.ones(n)
        self.winding = at_rest(n, 58.0, rng)
        self.winding_fault = np.zeros(n)
        self.bearing = at_rest(n, 44.0, rng)
        self.bearing_fault = np.zeros(n)

    def step(self, at: Moment, line_works: Bools) -> Floats:
        """Gives state, speed, current, power, winding and bearing temperature, vibration."""
        n, faults = self.n, at.faults
        self.on = np.where(self.on, ~at.turns(n, self.on_seconds), at.turns(n, self.off_seconds))
        state = _state(np.where(self.conveyor, line_works[self.line], self.on), at, "motor")
        runs = state == RUNNING
        self.turn = lag(self.turn, runs, at.dt, 3.0)
        load = self.turn * (self.base + self.load.step(at)) * (0.85 + 0.15 * at.shift)
        over, wear = faults.of("motor", "overload", n) * self.turn, faults.of("motor", "bearing", n)
        current = self.rated * self.turn * (0.38 + 0.62 * load) + 68.0 * over
        self.winding = lag(self.winding, at.ambient + 72.0 * load**1.5, at.dt, 1300.0)
        self.winding_fault = lag(self.winding_fault, 92.0 * over, at.dt, 150.0)
        self.bearing = lag(self.bearing, at.ambient + 4.0 * self.turn + 30.0 * load, at.dt, 1200.0)
        self.bearing_fault = lag(self.bearing_fault, 46.0 * wear, at.dt, 120.0)
        return np.stack([
            state,
            (self.turn * (1495.0 - 30.0 * load - 45.0 * over) + at.noise(n, 1.0) * runs).clip(0),
            (current + at.noise(n, 0.5) * runs).clip(0),
            (current * 0.4 * SIN_60 * 0.85 + at.noise(n, 0.3) * runs).clip(0),
            self.winding + self.winding_fault + at.noise(n, 0.08),
            self.bearing + self.bearing_fault + at.noise(n, 0.08),
            (0.05 + self.turn * (0.95 + 0.7 * load + self.shake.step(at) + 3.6 * wear) + at.noise(n, 0.04)).clip(0.01),
        ])  # fmt: skip


def at_rest(n: int, value: float, rng: np.random.Generator) -> Floats:
    """Gives temperatures from which to begin."""
    return value + rng.normal(0.0, 1.5, n)


class Pumps:
    """Centrifugal pumps in groups of duty and standby; who stands by changes every two hours."""

    ROTATION = 7200.0
    # Of the pumps whose code begins so, how many run at once.
    DUTY = {"hyd-pump-": 3, "h1-pump-": 3, "h2-pump-": 3, "ct-pump-": 3, "cw-pump-": 8, "st-pump-": 3,
            "tr-pump-": 7, "pl-pump-": 4}  # fmt: skip

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        machines = layout.machines["pump"]
        n = self.n = len(machines)
        self.groups: list[tuple[str, Ints, int]] = []
        members: dict[tuple[str, str], list[int]] = {}
        for machine in machines:
            prefix = next(start for start in self.DUTY if machine.code.startswith(start))
            members.setdefault((prefix, machine.line), []).append(machine.place)
        for number, ((prefix, _), places) in enumerate(members.items()):
            self.groups.append((prefix, np.array(places, np.intp), number))
        self.rated_flow = rng.uniform(72.0, 95.0, n)
        self.rated_current = rng.uniform(66.0, 84.0, n)
        self.shut_off = rng.uniform(6.3, 7.0, n)  # bar at no flow
        self.demand = Wander.make(rng, n, 0.045, 700.0)
        self.shake = Wander.make(rng, n, 0.16, 300.0)
        self.turn = np.zeros(n)
        self.running = np.zeros(n, bool)
        self.since = np.zeros(n)  # seconds for which a standby pump has been asked for
        self.flow = np.zeros(n)
        self.motor = at_rest(n, 55.0, rng)
        self.bearing = at_rest(n, 46.0, rng)
        self.bearing_fault = np.zeros(n)

    def step(self, at: Moment) -> Floats:
        """Gives state, flow, suction and discharge pressure, current, motor and bearing temperature, vibration."""
        n, faults = self.n, at.faults
        state = _state(self._wanted(at), at, "pump")
        runs = state == RUNNING
        self.running = runs
        self.turn = lag(self.turn, runs, at.dt, 4.0)
        wear, dry = faults.of("pump", "bearing", n), faults.of("pump", "dry", n)
        clog = faults.of("pump", "strainer", n)
        share = self.turn * (0.82 + self.demand.step(at)) * (0.9 + 0.1 * at.shift)
        opening = (1.0 - 0.45 * clog) * (1.0 - dry)
        self.flow = self.rated_flow * share * opening
        # Flat near no flow, falling with its square: a radial pump's curve.
        lift = self.turn * self.shut_off * (1.0 - 0.32 * (share * opening) ** 2) * (1.0 - 0.8 * dry)
        suction = 1.6 - 0.3 * share * opening - self.turn * (1.15 * clog + 0.7 * dry)
        current = self.rated_current * self.turn * (0.38 + 0.6 * share * opening)
        self.motor = lag(self.motor, at.ambient + 52.0 * share**1.5, at.dt, 1300.0)
        self.bearing = lag(self.bearing, at.ambient + 6.0 * self.turn + 28.0 * share, at.dt, 1500.0)
        self.bearing_fault = lag(self.bearing_fault, 52.0 * wear * self.turn, at.dt, 130.0)
        shake = 1.25 + 0.7 * share + self.shake.step(at) + 6.8 * wear + 1.9 * clog + 1.2 * dry
        return np.stack([
            state,
            (self.flow + at.noise(n, 0.35) * runs * (1.0 - 0.9 * dry)).clip(0),
            (suction + at.noise(n, 0.012)).clip(0),
            (suction + lift + at.noise(n, 0.02)).clip(0),
            (current + at.noise(n, 0.5) * runs).clip(0),
            self.motor + at.noise(n, 0.08),
            self.bearing + self.bearing_fault + at.noise(n, 0.06),
            (0.06 + self.turn * shake + at.noise(n, 0.05)).clip(0.01),
        ])  # fmt: skip

    def _wanted(self, at: Moment) -> Bools:
        """Chooses the pumps that run: the first in turn that are able to, where no standby is blocked."""
        n, faults = self.n, at.faults
        able = (faults.of("pump", "out", n) < 0.5) & (faults.of("pump", "trip", n) < 0.5)
        blocked = faults.of("pump", "no-standby", n) > 0.5
        wanted = np.zeros(n, bool)
        for prefix, places, number in self.groups:
            first = int((at.time + 900.0 * number) // self.ROTATION) % len(places)
            turn = np.roll(places, -first)
            duty = self.DUTY[prefix]
            if blocked[places].any():
                wanted[turn[:duty]] = True
            else:
                wanted[turn[able[turn]][:duty]] = True
        return wanted

    def share_running(self, prefix: str) -> float:
        """Gives the running part of a group's duty."""
        running = sum(int(self.running[places].sum()) for start, places, _ in self.groups if start == prefix)
        return running / self.DUTY[prefix]
