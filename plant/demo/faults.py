"""The demo plant's faults: stories that develop, have consequences and heal, again and again with other machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from plant.demo.conditions import Faults
from plant.demo.layout import Floats, Layout

CYCLE = 3300.0  # seconds until the first story comes again
JITTER = 45.0  # seconds by which a story of a later cycle comes sooner or later
FROZEN, LOST = "frozen", "lost"  # a sensor that hangs; a gateway that sends nothing


@dataclass(frozen=True, slots=True)
class Effect:
    """What a story does to the machine of its cast: it grows from `after` over `rise` seconds, stays, and goes."""

    type: str
    fault: str
    rise: float
    hold: float
    fall: float
    after: float = 0.0
    peak: float = 1.0

    @property
    def ends(self) -> float:
        """Gives the second of the story at which it is over."""
        return self.after + self.rise + self.hold + self.fall

    def severity(self, second: float) -> float:
        """Gives its severity at a second of the story."""
        at = second - self.after
        if at <= 0 or second >= self.ends:
            return 0.0
        if at < self.rise:
            return self.peak * at / self.rise
        if at < self.rise + self.hold:
            return self.peak
        return self.peak * (self.ends - second) / self.fall


@dataclass(frozen=True, slots=True)
class Story:
    """One fault: when in the cycle it begins, who may be struck, what happens."""

    name: str
    at: float
    cast: tuple[str, ...]
    effects: tuple[Effect, ...]
    needs_running: bool = False

    @property
    def lasts(self) -> float:
        """Gives its length in seconds."""
        return max(effect.ends for effect in self.effects)


# Starts lie so that at most about ten alarms come in ten minutes, and the cause comes before its consequences.
STORIES: tuple[Story, ...] = (
    # Vibration first, then the high-high limit, then heat; the repair takes two minutes.
    Story("bearing wear", -60.0, ("tr-pump-04", "tr-pump-05", "tr-pump-07", "tr-pump-02"), (
        Effect("pump", "bearing", 300, 420, 1),
        Effect("pump", "out", 1, 130, 1, after=705),
    ), needs_running=True),
    # A pump trips, its check valve leaks back and no standby starts: then what it cooled runs hot.
    Story("cooling water loss", 330.0, ("cw-pump-04", "cw-pump-06", "cw-pump-09", "cw-pump-02"), (
        Effect("pump", "trip", 1, 480, 1),
        Effect("pump", "no-standby", 1, 480, 1),
        Effect("pump", "backflow", 10, 460, 5),
    ), needs_running=True),
    Story("capacitor bank off", 640.0, ("feeder-03", "feeder-09"), (Effect("feeder", "capacitors", 20, 1500, 30),)),
    Story("clogged inlet filter", 700.0, ("ca-comp-04", "ca-comp-02"), (
        Effect("compressor", "filter", 300, 1500, 20),
    )),
    Story("jammed conveyor", 960.0, ("conv-b2", "conv-a5", "conv-c3"), (
        Effect("motor", "overload", 40, 420, 20),
        Effect("motor", "out", 1, 100, 1, after=450),
    ), needs_running=True),
    Story("hanging transmitter", 1150.0, (
        "h1-oven-2/zone-3", "feeder-05/current", "h2-oven-4/exhaust-temp", "pl-section-03/inlet-flow",
    ), (Effect("sensor", FROZEN, 1, 260, 1),)),
    Story("leak", 1330.0, ("pl-section-09", "pl-section-10", "pl-section-08"), (
        Effect("pipeline", "leak", 150, 210, 90),
    )),
    Story("gateway loss", 1800.0, ("gw-tanks", "gw-heat", "gw-press"), (Effect("gateway", LOST, 1, 70, 1),)),
    Story("welded contactor", 1980.0, ("h1-oven-3", "ct-oven-2", "h2-oven-1"), (
        Effect("oven", "contactor", 200, 180, 60),
    )),
    Story("filter circuit off", 2150.0, ("feeder-08", "feeder-11"), (Effect("feeder", "filter", 60, 1400, 60),)),
    Story("overfill", 2350.0, ("st-tank-05", "st-tank-11", "st-tank-02"), (Effect("tank", "overfill", 15, 780, 10),)),
    Story("oil loss", 2640.0, ("ca-comp-02", "ca-comp-01", "ca-comp-06"), (
        Effect("compressor", "oil", 150, 150, 10),
        Effect("compressor", "out", 1, 120, 1, after=290),
    )),
    Story("jammed press", 2980.0, ("press-c3", "press-a4", "press-b6"), (Effect("press", "trip", 1, 110, 1),),
          needs_running=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Running:
    """A story under way."""

    story: Story
    start: float
    cast: str


@dataclass
class Director:
    """Says at each moment what is wrong. The same origin, seed and plant give the same stories."""

    layout: Layout
    origin: float
    seed: int = 7
    stories: Sequence[Story] = STORIES
    under_way: list[Running] = field(default_factory=list)
    begun: dict[str, int] = field(default_factory=dict)  # story → cycles begun

    def __post_init__(self) -> None:
        self._place = {
            machine.code: (kind, machine.place) for kind, group in self.layout.machines.items() for machine in group
        }

    def start_of(self, story: Story, cycle: int) -> float:
        """Gives when a story begins in a cycle; only the first comes to the second."""
        if cycle == 0:
            return self.origin + story.at
        rng = np.random.default_rng([self.seed, cycle, _number(story.name)])
        return self.origin + story.at + cycle * CYCLE + float(rng.uniform(-JITTER, JITTER))

    def step(self, time: float, runs: Callable[[str], bool]) -> Faults:
        """Begins and ends stories. Gives: the faults at `time` (seconds since the epoch).

        Takes: whether a machine runs, since a machine at rest shows no fault.
        """
        for story in self.stories:
            cycle = self.begun.get(story.name, 0)
            start = self.start_of(story, cycle)
            if time >= start:
                self.begun[story.name] = cycle + 1
                if time < start + story.lasts:
                    self.under_way.append(Running(story, start, self._choose(story, cycle, runs)))
        self.under_way = [running for running in self.under_way if time < running.start + running.story.lasts]
        return self._faults(time)

    def _choose(self, story: Story, cycle: int, runs: Callable[[str], bool]) -> str:
        first = cycle % len(story.cast)
        cast = story.cast[first:] + story.cast[:first]
        if story.needs_running:
            return next((code for code in cast if runs(code)), cast[0])
        return cast[0]

    def _faults(self, time: float) -> Faults:
        severity: dict[tuple[str, str], Floats] = {}
        for running in self.under_way:
            for effect in running.story.effects:
                if effect.type in ("sensor", "gateway"):
                    continue
                kind, place = self._place[running.cast]
                row = severity.setdefault((kind, effect.fault), np.zeros(len(self.layout.machines[kind])))
                row[place] = max(row[place], effect.severity(time - running.start))
        return Faults(severity)

    def frozen(self, time: float) -> list[int]:
        """Gives the sensors that hang."""
        return [self.layout.index[tag] for tag in self._struck("sensor", FROZEN, time)]

    def lost(self, time: float) -> list[str]:
        """Gives the gateways that send nothing."""
        return self._struck("gateway", LOST, time)

    def _struck(self, type: str, fault: str, time: float) -> list[str]:
        return [
            running.cast
            for running in self.under_way
            for effect in running.story.effects
            if (effect.type, effect.fault) == (type, fault) and effect.severity(time - running.start) > 0.5
        ]


def _number(name: str) -> int:
    """Gives a number for a name, the same in every process."""
    return int.from_bytes(name.encode()[:6], "big")
