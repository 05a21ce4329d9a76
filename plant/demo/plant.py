"""The demo plant in time: physics and faults together, and which sensors report at which second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from plant.demo.conditions import RUNNING
from plant.demo.faults import STORIES, Director, Story
from plant.demo.layout import Floats, Ints, Layout, read
from plant.demo.physics import SEED, World


@dataclass(frozen=True, slots=True)
class Second:
    """What the plant reports at one second: indices of sensors, all values, and which sources are silent."""

    time: int  # seconds since the epoch
    due: Ints
    values: Floats
    silent: frozenset[int]

    def of(self, source: int, layout: Layout) -> Ints:
        """Gives the sensors that a source sends now."""
        found: Ints = self.due[layout.source[self.due] == source]
        return found


class DemoPlant:
    """The works from a moment on. Stories begin with `origin`; what comes before has only its usual ups and downs."""

    def __init__(
        self,
        start: int,
        origin: float,
        *,
        layout: Layout | None = None,
        stories: tuple[Story, ...] = STORIES,
        seed: int = SEED,
    ) -> None:
        self.layout = layout or read()
        self.world = World(float(start), self.layout, seed)
        self.director = Director(self.layout, origin, seed, stories)
        self.time = start
        self.values = self.world.step(float(start))
        self._source_of = {
            machine.code: place
            for machine in self.layout.machines["gateway"]
            for place, (_, scope) in enumerate(self.layout.sources)
            if scope == machine.area
        }

    def step(self, time: int) -> Second:
        """Moves on to `time`. Gives what is due then."""
        before, self.time = self.time, time
        faults = self.director.step(float(time), self._runs)
        values = self.world.step(float(time), faults)
        for place in self.director.frozen(float(time)):
            values[place] = self.values[place]
        self.values = values
        # A step of several seconds reports each sensor whose second came in between once.
        layout = self.layout
        due = np.flatnonzero((time - layout.phase) // layout.interval > (before - layout.phase) // layout.interval)
        silent = frozenset(self._source_of[code] for code in self.director.lost(float(time)))
        return Second(time, due, values, silent)

    def run(self, until: int, every: int = 1) -> Iterator[Second]:
        """Gives second after second until `until`, each `every` seconds after the one before."""
        while self.time + every <= until:
            yield self.step(self.time + every)

    def _runs(self, code: str) -> bool:
        place = self.layout.index.get(f"{code}/state")
        return place is not None and bool(self.values[place] == RUNNING)
