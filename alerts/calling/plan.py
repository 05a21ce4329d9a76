"""Which plan an alarm takes, and when each of its steps is due; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from alerts.calling import wall
from alerts.calling.wall import Hours


class Whom(StrEnum):
    """Whom a step calls."""

    PERSON = "person"
    ROTA = "rota"  # whoever has the duty at the moment of the step
    TEAM = "team"
    EVERYBODY = "everybody"  # who may acknowledge alarms


@dataclass(frozen=True, slots=True)
class Route:
    """What leads alarms to a plan: a part of the plant, priorities, a class, weekly hours by the plant's clock."""

    id: int
    plan: int
    asset: int | None = None  # none: the whole plant
    highest: int = 1
    lowest: int = 4
    alarm_class: str = ""
    hours: Hours | None = None
    order: int = 0

    def meets(self, path: Sequence[int], priority: int, alarm_class: str, at: datetime, zone: ZoneInfo) -> bool:
        """Tells whether it takes an alarm. Takes: the alarm's asset and all above it."""
        return (
            (self.asset is None or self.asset in path)
            and self.highest <= priority <= self.lowest
            and self.alarm_class in ("", alarm_class)
            and (self.hours is None or wall.is_open(self.hours, zone, at))
        )


def in_order(routes: Iterable[Route], depth: Mapping[int, int]) -> list[Route]:
    """Gives routes as they are tried: the deepest asset first, then with a class, with hours, with fewer priorities.

    Of those alike the lower order, then the older.
    Takes: how far below the top each asset stands.
    """

    def rank(route: Route) -> tuple[int, bool, bool, int, int, int]:
        deep = -1 if route.asset is None else depth.get(route.asset, 0)
        width = route.lowest - route.highest
        return (-deep, route.alarm_class == "", route.hours is None, width, route.order, route.id)

    return sorted(routes, key=rank)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan: whom it calls, so many seconds after the first moment of its round."""

    after: float
    whom: str
    target: int | None = None  # of the rota or team
    name: str = ""
    people: tuple[int, ...] = ()  # the person, or the team as it was
    number: int = 1  # as people count them
    channels: tuple[int, ...] = ()  # of the team as it was, those that are for the alarm's priority


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it was when the alarm was raised, its steps those that are for the alarm's priority."""

    name: str
    steps: tuple[Step, ...]
    route: int | None = None
    why: str = ""  # the route in words
    rounds: int = 1
    round_seconds: float = 0.0  # from the beginning of a round to that of the next
    stops_on_return: bool = False
    fallback: tuple[int, ...] = ()  # where nobody is on call
    fallback_name: str = ""
    fallback_channels: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Gives it as it is frozen into an alarm."""
        return asdict(self)

    @classmethod
    def of(cls, frozen: Mapping[str, Any]) -> Plan:
        """Reads what was frozen."""
        steps = tuple(Step(**_whole(step, "people", "channels")) for step in frozen["steps"])
        return cls(**{**_whole(frozen, "fallback", "fallback_channels"), "steps": steps})

    @property
    def length(self) -> int:
        """Gives how many steps there are over all rounds."""
        return len(self.steps) * self.rounds

    def step(self, place: int) -> tuple[int, Step]:
        """Gives the round and the step that stand at a place, counted from 0 over all rounds."""
        return place // len(self.steps) + 1, self.steps[place % len(self.steps)]


def _whole(frozen: Mapping[str, Any], *lists: str) -> dict[str, Any]:
    """Gives what was frozen with its lists as tuples; one that is missing was frozen before there was such a thing."""
    return {**frozen, **{name: tuple(frozen.get(name, ())) for name in lists}}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run of a plan has come."""

    started: datetime
    place: int = 0  # of the step to come

    def due(self, plan: Plan) -> datetime | None:
        """Gives when the step to come is due, or None where none is left."""
        return None if self.place >= plan.length else self.started + self._offset(plan)

    def _offset(self, plan: Plan) -> timedelta:
        number, step = plan.step(self.place)
        return timedelta(seconds=(number - 1) * plan.round_seconds + step.after)

    def paused(self, plan: Plan, until: datetime) -> Progress:
        """Gives the run with its step to come due at `until`, and those after it as much later."""
        return replace(self, started=until - self._offset(plan))


def take(
    plan: Plan, progress: Progress, now: datetime, held_until: datetime | None = None
) -> tuple[list[int], Progress]:
    """Gives the places of the steps that are due by now, and how far the run is then.

    Takes: the end of what holds all messages of the alarm back; the steps wait for it.
    """
    if held_until is not None:
        due = progress.due(plan)
        return [], progress if due is None else progress.paused(plan, held_until)
    places: list[int] = []
    while (due := progress.due(plan)) is not None and due <= now:
        places.append(progress.place)
        progress = replace(progress, place=progress.place + 1)
    return places, progress
