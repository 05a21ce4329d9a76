"""Ovens, tanks, compressors, pipeline, feeders and gateways of the demo plant."""

from __future__ import annotations

import math

import numpy as np

from plant.demo.conditions import FAULT, IDLE, RUNNING, STOPPED, Moment, Wander, lag
from plant.demo.layout import Floats, Layout


class Ovens:
    """Three zones each on one setpoint, held with a controller's ripple; recipes change slowly."""

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        codes = layout.codes("oven")
        n = self.n = len(codes)
        drying = np.array([code.startswith("ct-") for code in codes])
        self.recipe = np.where(drying, 200.0, 860.0)
        self.setpoint = self.recipe + rng.choice([-10.0, 0.0, 10.0], n)
        self.next = self.setpoint.copy()
        self.ripple = rng.uniform(0.8, 2.2, (3, n))
        self.period = rng.uniform(110.0, 240.0, (3, n))
        self.phase = rng.uniform(0.0, 2 * math.pi, (3, n))
        self.heat = rng.uniform(62.0, 82.0, n)
        self.exhaust = rng.uniform(130.0, 155.0, n)
        self.draught = Wander.make(rng, n, 2.0, 400.0)
        self.fan = rng.uniform(22.0, 27.0, n)
        self.excess = np.zeros((3, n))
        self.exhaust_fault = np.zeros(n)

    def step(self, at: Moment) -> Floats:
        """Gives state, setpoint, three zones, heating power, fan current, exhaust temperature."""
        n, faults = self.n, at.faults
        changes = at.turns(n, 5400.0)
        self.next = np.where(changes, self.recipe + at.rng.choice([-10.0, 0.0, 10.0], n), self.next)
        ramp = 3.0 / 60.0 * at.dt  # K
        self.setpoint = self.setpoint + (self.next - self.setpoint).clip(-ramp, ramp)
        stuck, calm = faults.of("oven", "contactor", n), faults.of("oven", "fan", n)
        push = np.stack([9.0 * stuck, 64.0 * stuck, 7.0 * stuck])
        self.excess = lag(self.excess, push, at.dt, 70.0)
        wave = self.ripple * np.sin(2 * math.pi * at.time / self.period + self.phase)
        zones = self.setpoint + wave + self.excess + at.noise(3 * n, 0.25).reshape(3, n)
        self.exhaust_fault = lag(self.exhaust_fault, 95.0 * stuck, at.dt, 160.0)
        heat = self.heat - 4.0 * wave[1] + 34.0 * stuck
        return np.concatenate([
            np.full((1, n), RUNNING),
            np.rint(self.setpoint)[None],
            zones,
            (heat + at.noise(n, 0.8))[None],
            (self.fan * (1 - 0.85 * calm) + at.noise(n, 0.25))[None],
            (self.exhaust + self.draught.step(at) + self.exhaust_fault + at.noise(n, 0.3))[None],
        ])  # fmt: skip


class Tanks:
    """Tanks that a pump fills between two levels and another draws from; the flows are those pumps' flows."""

    FILL_BELOW, FULL_AT, STOP_DRAWING = 38.0, 76.0, 27.0

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        machines, pumps = layout.machines["tank"], layout.machines["pump"]
        n = self.n = len(machines)
        by_area: dict[str, list[int]] = {}
        for pump in pumps:
            by_area.setdefault(pump.area, []).append(pump.place)
        near = [by_area[machine.area] for machine in machines]
        self.filler = np.array(
            [places[machine.place % len(places)] for machine, places in zip(machines, near, strict=True)]
        )
        self.drawer = np.array(
            [places[(machine.place * 3 + 1) % len(places)] for machine, places in zip(machines, near, strict=True)]
        )
        self.volume = rng.uniform(20.0, 26.0, n)  # m3
        self.level = rng.uniform(42.0, 72.0, n)
        self.filling = rng.random(n) < 0.5
        self.drawing = np.ones(n, bool)
        self.valve = np.zeros((2, n))
        self.product = rng.uniform(20.0, 34.0, n)
        self.warmth = Wander.make(rng, n, 0.5, 3000.0)
        self.breath = Wander.make(rng, n, 0.9, 300.0)

    def step(self, at: Moment, pump_flow: Floats) -> Floats:
        """Gives state, level, inflow, outflow, product temperature, gas space pressure."""
        n, faults = self.n, at.faults
        over, leak = faults.of("tank", "overfill", n), faults.of("tank", "drain", n)
        self.filling = (self.filling | (self.level < self.FILL_BELOW)) & (self.level < self.FULL_AT)
        self.drawing = (self.drawing | (self.level > self.FILL_BELOW)) & (self.level > self.STOP_DRAWING)
        self.valve = lag(self.valve, np.stack([self.filling, self.drawing]).astype(float), at.dt, 8.0)
        inflow = np.maximum(self.valve[0] * 0.62 * pump_flow[self.filler], 105.0 * over) * (1 - leak)
        outflow = self.valve[1] * 0.33 * pump_flow[self.drawer] * (1 - over)
        # A tank above its working range is drawn down at once, one below it filled.
        outflow = np.where((self.level > 80.0) & (over < 0.05), 85.0, np.maximum(outflow, 95.0 * leak))
        inflow = np.where((self.level < 25.0) & (leak < 0.05), 85.0, inflow)
        rise = (inflow - outflow) * at.dt / 3600.0 / self.volume * 100.0
        self.level = (self.level + rise).clip(2.0, 98.5)
        moves = (inflow > 1.0) | (outflow > 1.0)
        return np.stack([
            np.where(moves, RUNNING, IDLE),
            (self.level + at.noise(n, 0.05)).clip(0, 100),
            (inflow + at.noise(n, 0.3) * (inflow > 1.0)).clip(0),
            (outflow + at.noise(n, 0.3) * (outflow > 1.0)).clip(0),
            self.product + 0.25 * (at.ambient - 19.0) + self.warmth.step(at) + at.noise(n, 0.04),
            12.0 + 0.06 * (inflow - outflow) + self.breath.step(at) + at.noise(n, 0.2),
        ])  # fmt: skip


class Compressors:
    """Screw compressors on one header: enough of them loaded, one trimming between two pressures."""

    LOAD_AT, UNLOAD_AT = 6.85, 7.35
    DELIVERY = 13.0  # m3/min each
    PACE = 0.006  # bar a second for each compressor too few

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        n = self.n = len(layout.machines["compressor"])
        self.order = np.arange(n)
        self.loaded = 6
        self.header = 7.1
        self.need = Wander.make(rng, 1, 3.0, 500.0)
        self.wait = 0.0
        self.turn = np.zeros(n)
        self.pull = np.zeros(n)
        self.discharge = np.full(n, 70.0)
        self.discharge_fault = np.zeros(n)
        self.oil = np.full(n, 55.0)
        self.oil_pressure = rng.uniform(2.8, 3.2, n)
        self.filter = rng.uniform(18.0, 30.0, n)
        self.clogged = np.zeros(n)
        self.shake = Wander.make(rng, n, 0.14, 300.0)

    def step(self, at: Moment, cooling_loss: Floats) -> Floats:
        """Gives state, flow, discharge pressure and heat, oil heat and pressure, filter, current, vibration."""
        n, faults = self.n, at.faults
        out = faults.of("compressor", "out", n) > 0.5
        able = self.order[~out[self.order]]
        need = 78.0 * at.shift + float(self.need.step(at)[0])
        steps = math.ceil(at.dt / 5.0)  # the controller looks often, however long our steps are
        for _ in range(steps):
            self._control(need, len(able), at.dt / steps)
        state = np.full(n, STOPPED)
        state[able[: self.loaded + 2]] = IDLE  # two run unloaded, ready to load
        state[able[: self.loaded]] = RUNNING
        loaded, turns = state == RUNNING, state != STOPPED
        self.turn = lag(self.turn, turns, at.dt, 1.5)
        self.pull = lag(self.pull, loaded, at.dt, 3.0)
        thin = faults.of("compressor", "oil", n)
        heat = cooling_loss + 0.35 * thin
        self.discharge = lag(self.discharge, at.ambient + 40.0 * self.turn + 22.0 * self.pull, at.dt, 400.0)
        self.discharge_fault = lag(self.discharge_fault, 48.0 * heat * self.turn, at.dt, 110.0)
        self.oil = lag(self.oil, at.ambient + 28.0 * self.turn + 12.0 * self.pull, at.dt, 600.0)
        self.clogged = faults.of("compressor", "filter", n)
        wear = faults.of("compressor", "bearing", n)
        current = self.turn * 55.0 + self.pull * 92.0 * (self.header / 7.1)
        shake = 1.7 + 0.8 * self.pull + self.shake.step(at) + 4.0 * wear
        return np.stack([
            state,
            (self.DELIVERY * self.pull + at.noise(n, 0.1) * loaded).clip(0),
            (self.header + 0.12 * self.pull + at.noise(n, 0.015)).clip(0),
            self.discharge + self.discharge_fault + at.noise(n, 0.15),
            self.oil + 0.55 * self.discharge_fault + at.noise(n, 0.1),
            (self.turn * self.oil_pressure * (1 - 0.75 * thin) + at.noise(n, 0.02) * turns).clip(0),
            (self.filter * (0.35 + 0.65 * self.pull) + 42.0 * self.clogged + at.noise(n, 0.3)).clip(0),
            (current + at.noise(n, 1.0) * turns).clip(0),
            (0.05 + self.turn * shake + at.noise(n, 0.05)).clip(0.01),
        ])  # fmt: skip

    def _control(self, need: float, able: int, dt: float) -> None:
        """Moves the header's pressure on, and loads or unloads one compressor."""
        surplus = min(self.loaded, able) - need / self.DELIVERY
        self.header = min(max(self.header + self.PACE * surplus * dt, 0.0), 8.2)
        self.wait -= dt
        if self.wait > 0:
            return
        if self.header < self.LOAD_AT and self.loaded < self.n - 1:
            self.loaded, self.wait = self.loaded + 1, 20.0
        elif self.header > self.UNLOAD_AT and self.loaded > 1:
            self.loaded, self.wait = self.loaded - 1, 20.0


class Pipeline:
    """Sections in a row: what leaves one enters the next, and each loses pressure with the square of its flow."""

    FLOW, LOSS, HEAD = 272.0, 1.25, 24.5  # m3/h; bar a section at that flow; bar at the first inlet

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        n = self.n = len(layout.machines["pipeline"])
        self.meter = rng.normal(0.0, 0.35, (2, n))  # the meters' own errors, m3/h
        self.lost = np.zeros(n)
        self.ground = rng.uniform(12.0, 15.0, n)

    def step(self, at: Moment) -> Floats:
        """Gives state, inlet and outlet flow, inlet and outlet pressure, temperature, valve position."""
        n, faults = self.n, at.faults
        leak = faults.of("pipeline", "leak", n)
        self.lost = lag(self.lost, 34.0 * leak, at.dt, 10.0)
        flow = self.FLOW * (1 + 0.035 * math.sin(at.time / 860.0) + 0.015 * math.sin(at.time / 297.0))
        gone = np.cumsum(self.lost)
        inlet, outlet = flow - gone + self.lost, flow - gone
        loss = self.LOSS * (outlet / self.FLOW) ** 2 + 0.09 * self.lost
        after = self.HEAD - np.cumsum(loss)
        before = after + loss
        return np.stack([
            np.full(n, RUNNING),
            inlet + self.meter[0] + at.noise(n, 0.5),
            outlet + self.meter[1] + at.noise(n, 0.5),
            (before + at.noise(n, 0.015)).clip(0),
            (after + at.noise(n, 0.015)).clip(0),
            self.ground + 0.15 * (at.ambient - 19.0) + at.noise(n, 0.03),
            np.full(n, 100.0),
        ])  # fmt: skip


class Feeders:
    """Medium-voltage feeders: one grid's voltage and frequency, each its own load."""

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        n = self.n = len(layout.machines["feeder"])
        self.rated = rng.uniform(150.0, 300.0, n)
        self.load = Wander.make(rng, n, 0.05, 240.0)
        self.fast = Wander.make(rng, n, 0.015, 6.0)
        self.tap = Wander.make(rng, 1, 0.04, 900.0)
        self.beat = Wander.make(rng, 1, 0.012, 60.0)
        self.factor = rng.uniform(0.935, 0.965, n)
        self.factor_walk = Wander.make(rng, n, 0.004, 600.0)
        self.rectifiers = rng.uniform(2.0, 3.4, n)
        self.harmonics = Wander.make(rng, n, 0.18, 900.0)
        self.oil = np.full(n, 55.0)
        self.oil_fault = np.zeros(n)

    def step(self, at: Moment) -> Floats:
        """Gives state, voltage, current, active and reactive power, power factor, frequency, THD, transformer oil."""
        n, faults = self.n, at.faults
        open_ = faults.of("feeder", "trip", n) > 0.5
        closed = 1.0 - open_
        voltage = 10.45 + float(self.tap.step(at)[0]) + at.noise(n, 0.006)
        share = 0.55 + 0.45 * (at.shift - 0.8) / 0.2 * 0.6 + self.load.step(at) + self.fast.step(at)
        current = closed * self.rated * share
        factor = (self.factor + self.factor_walk.step(at) - 0.095 * faults.of("feeder", "capacitors", n)).clip(
            0.5, 0.999
        )
        apparent = SQRT_3 * voltage * current
        self.oil = lag(self.oil, at.ambient + 22.0 + 26.0 * share * closed, at.dt, 3600.0)
        self.oil_fault = lag(self.oil_fault, 42.0 * faults.of("feeder", "radiator", n), at.dt, 240.0)
        beat = 50.0 + float(self.beat.step(at)[0])
        return np.stack([
            np.where(open_, FAULT, RUNNING),
            voltage,
            (current + at.noise(n, 0.6) * closed).clip(0),
            apparent * factor,
            apparent * np.sqrt(1 - factor**2),
            factor,
            np.full(n, beat) + at.noise(n, 0.002),
            self.rectifiers + self.harmonics.step(at) + 6.5 * faults.of("feeder", "filter", n) + at.noise(n, 0.02),
            self.oil + self.oil_fault + at.noise(n, 0.05),
        ])  # fmt: skip


SQRT_3 = math.sqrt(3.0)


class Gateways:
    """Edge gateways: a heartbeat that counts, and a processor that warms with the cabinet."""

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        self.n = len(layout.machines["gateway"])
        self.warmth = Wander.make(rng, self.n, 1.5, 300.0)

    def step(self, at: Moment) -> Floats:
        """Gives state, heartbeat, processor temperature."""
        return np.stack([
            np.full(self.n, RUNNING),
            np.full(self.n, at.time // 5 % 100_000),
            24.0 + at.ambient + self.warmth.step(at) + at.noise(self.n, 0.3),
        ])  # fmt: skip
