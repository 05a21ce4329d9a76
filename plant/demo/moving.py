"""What moves in the demo plant: a vehicle between two halls and a crawler along the pipeline, on ways of the map."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plant.demo.conditions import IDLE, RUNNING, Moment
from plant.demo.ground import SITE
from plant.demo.layout import Floats, Layout

METRES_A_DEGREE = 111_319.49
ERROR = 0.4  # m, of a position
CHARGE_SECONDS = 14_400.0  # from one full charge to the next


@dataclass(frozen=True, slots=True)
class Way:
    """Lines of the site's map that a machine follows there and back, how fast, and how long it rests at each end."""

    names: tuple[str, ...]
    speed: float  # m/s
    rest: float  # s


WAYS = {
    "agv-1": Way(("Way of the AGV",), 1.4, 75.0),
    "pl-crawler-1": Way(("Section 2", "Section 3", "Section 4", "Section 5"), 0.5, 600.0),
}


def way_points(names: tuple[str, ...], site: Path = SITE) -> Floats:
    """Gives the points of some lines of the site's map, one after the other: longitude, latitude."""
    features = json.loads(site.read_text(encoding="utf-8"))["features"]
    lines = {feature["properties"].get("name"): feature["geometry"]["coordinates"] for feature in features}
    points: list[list[float]] = []
    for name in names:
        points += [point for point in lines[name] if not points or point != points[-1]]
    return np.array(points)


class Vehicles:
    """Machines on their ways: where they are follows from the hour alone, whenever the plant began."""

    def __init__(self, layout: Layout, seed: int) -> None:
        # Its own chance: what others draw stays as it was without vehicles.
        self.rng = np.random.default_rng([seed, 1])
        self.machines = layout.machines["vehicle"]
        self.ways = [WAYS[machine.code] for machine in self.machines]
        self.points = [way_points(way.names) for way in self.ways]
        self.along = [_along(points) for points in self.points]

    def step(self, at: Moment) -> Floats:
        """Gives state, latitude, longitude, speed, battery charge."""
        return np.array([self._one(at.time, place) for place in range(len(self.machines))]).T

    def _one(self, time: float, place: int) -> list[float]:
        way, points, along = self.ways[place], self.points[place], self.along[place]
        travel = along[-1] / way.speed
        second = time % (2 * (travel + way.rest))
        leg, second = divmod(second, travel + way.rest)
        moves = second < travel
        done = min(second * way.speed, along[-1])
        gone = along[-1] - done if leg else done
        longitude, latitude = (float(np.interp(gone, along, points[:, axis])) for axis in (0, 1))
        east, north = self.rng.normal(0.0, ERROR, 2).clip(-3 * ERROR, 3 * ERROR)
        shake = float(self.rng.normal(0.0, 0.02))
        return [
            RUNNING if moves else IDLE,
            latitude + north / METRES_A_DEGREE,
            longitude + east / (METRES_A_DEGREE * math.cos(math.radians(latitude))),
            max(0.0, way.speed + shake) if moves else 0.0,
            68.0 + 28.0 * math.cos(2 * math.pi * (time / CHARGE_SECONDS + 0.3 * place)),
        ]


def _along(points: Floats) -> Floats:
    """Gives how far each point is along the line, in metres."""
    across = math.cos(math.radians(float(points[:, 1].mean())))
    steps = np.diff(points, axis=0) * np.array([across, 1.0]) * METRES_A_DEGREE
    return np.concatenate([[0.0], np.hypot(steps[:, 0], steps[:, 1]).cumsum()])
