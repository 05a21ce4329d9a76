"""The demo plant's physics: all machines, one step after the other; the same seed and steps give the same plant."""

from __future__ import annotations

import numpy as np

from plant.demo.conditions import Faults, Moment, lag
from plant.demo.layout import Floats, Layout, read
from plant.demo.moving import Vehicles
from plant.demo.process import Compressors, Feeders, Gateways, Ovens, Pipeline, Tanks
from plant.demo.rotating import Motors, Presses, Pumps

SETTLE_SECONDS = 7200.0
COOLING_PRESSURE = 5.4  # bar with all duty pumps running
SEED = 7

# How hard the loss of cooling water hits, 0 to 1, by machine; the others have circuits of their own.
COOLED_PRESSES = {"press-b1": 1.0, "press-b4": 0.25}
COOLED_COMPRESSORS = {"ca-comp-03": 1.0, "ca-comp-05": 0.35}


class World:
    """The plant at one moment.

    Begins settled: temperatures where the load would have brought them, nothing wrong.
    """

    def __init__(self, start: float, layout: Layout | None = None, seed: int = SEED) -> None:
        self.layout = layout or read()
        self.rng = np.random.default_rng(seed)
        self.presses = Presses(self.layout, self.rng)
        self.motors = Motors(self.layout, self.rng)
        self.pumps = Pumps(self.layout, self.rng)
        self.ovens = Ovens(self.layout, self.rng)
        self.tanks = Tanks(self.layout, self.rng)
        self.compressors = Compressors(self.layout, self.rng)
        self.pipeline = Pipeline(self.layout, self.rng)
        self.feeders = Feeders(self.layout, self.rng)
        self.gateways = Gateways(self.layout, self.rng)
        self.vehicles = Vehicles(self.layout, seed)
        self.cooled_presses = self._exposure("press", COOLED_PRESSES)
        self.cooled_compressors = self._exposure("compressor", COOLED_COMPRESSORS)
        self.supply = np.array([COOLING_PRESSURE])
        self.supply_temp = np.array([22.0])
        self.time = start - SETTLE_SECONDS
        while self.time < start:
            self.step(self.time + 10.0)

    def _exposure(self, type: str, hit: dict[str, float]) -> Floats:
        return np.array([hit.get(code, 0.0) for code in self.layout.codes(type)])

    def step(self, time: float, faults: Faults | None = None) -> Floats:
        """Moves on to `time` (seconds since the epoch). Gives every sensor's value, in the layout's order."""
        at = Moment(time, time - self.time, self.rng, faults or Faults())
        self.time = time
        pumps = self.pumps.step(at)
        self._cool(at)
        lost = float(np.clip((4.4 - self.supply[0]) / 1.2, 0.0, 1.0))
        by_type = {
            "press": self.presses.step(at, lost * self.cooled_presses),
            "pump": pumps,
            "motor": self.motors.step(at, self.presses.line_works),
            "oven": self.ovens.step(at),
            "tank": self.tanks.step(at, self.pumps.flow),
            "compressor": self.compressors.step(at, lost * self.cooled_compressors),
            "pipeline": self.pipeline.step(at),
            "feeder": self.feeders.step(at),
            "gateway": self.gateways.step(at),
            "vehicle": self.vehicles.step(at),
        }
        # Sensors that one machine has beside its type's follow in the layout, in the order of types.
        extra = {
            "supply-pressure": self.supply[0] + at.noise(1, 0.03)[0],
            "supply-temp": self.supply_temp[0] + at.noise(1, 0.05)[0],
            "header-pressure": self.compressors.header + at.noise(1, 0.01)[0],
        }
        values = [by_type[kind].T.ravel() for kind in self.layout.machines]
        values.append(np.array([extra[tag.partition("/")[2]] for tag in self.layout.tags[sum(map(len, values)) :]]))
        scale = self.layout.scale
        rounded: Floats = np.rint(np.concatenate(values) * scale) / scale
        return rounded

    def _cool(self, at: Moment) -> None:
        """Moves the cooling water on: its pressure falls with the square of what the pumps give."""
        back = float(at.faults.of("pump", "backflow", self.pumps.n).max())
        share = self.pumps.share_running("cw-pump-") - 0.17 * back
        self.supply = lag(self.supply, COOLING_PRESSURE * share * share, at.dt, 8.0)
        warm = at.ambient + 4.0 + 9.0 * (1.0 - min(share, 1.0))
        self.supply_temp = lag(self.supply_temp, warm, at.dt, 900.0)
