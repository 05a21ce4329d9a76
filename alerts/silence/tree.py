"""From what each sensor last said to the parts of the plant that failed. Pure; times are µs by Redis's clock.

A sensor that is expected every so often is *late* after one and a half of its intervals and *silent* after three. The
one that turns silent first asks for the highest part of the plant that explains it: one below which nobody has spoken
since that sensor was late. A part is not blamed for one branch of several while the others have not had time to speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SECOND = 1_000_000
NONE = int(np.iinfo(np.int64).min)  # never
LEAST = 10 * SECOND  # no sensor is called silent sooner, unless its source says so
SILENT_INTERVALS = 3
LATE_SLACK = SECOND
HEARD_WITHIN = 5 * SECOND  # a shard whose clock is further behind was not listened to


@dataclass(frozen=True, slots=True)
class Point:
    """A sensor: its asset, the µs between two of its readings (0: it speaks when it likes), its shard."""

    id: int
    asset: int
    interval: int
    shard: int


class Plant:
    """The asset tree with its sensors and the scopes of its sources, laid out for quick judging."""

    def __init__(
        self,
        parents: Mapping[int, int | None],
        points: Sequence[Point],
        scopes: Mapping[int, Sequence[str]],
        silent_after: Mapping[int, int] | None = None,
    ) -> None:
        """Takes: each asset's parent; sensors; the names of the sources of an asset; µs that a scope asks for."""
        self.assets, parent_of = _depth_first(parents)
        self.row = {asset: row for row, asset in enumerate(self.assets)}
        self.parent = [-1 if above is None else self.row[above] for above in parent_of]
        self.last = list(range(1, len(self.assets) + 1))  # behind everything below a row
        for row in range(len(self.assets) - 1, 0, -1):
            above = self.parent[row]
            if above >= 0:
                self.last[above] = max(self.last[above], self.last[row])
        self.scopes = {self.row[asset]: tuple(names) for asset, names in scopes.items() if asset in self.row}
        points = sorted((point for point in points if point.asset in self.row), key=lambda point: self.row[point.asset])
        self.points = points
        self.place = {point.id: place for place, point in enumerate(points)}
        self.sensor = np.array([point.id for point in points], np.int64)
        self.order = np.argsort(self.sensor)  # places by sensor id
        self.home = np.array([self.row[point.asset] for point in points], np.int64)
        self.shard = np.array([point.shard for point in points], np.int64)
        self.interval = np.array([point.interval for point in points], np.int64)
        given = {self.row[asset]: after for asset, after in (silent_after or {}).items() if asset in self.row}
        nearest: list[int] = []  # what the nearest scope at or above asks for, 0: nothing
        for row, above in enumerate(self.parent):
            nearest.append(given.get(row, nearest[above] if above >= 0 else 0))
        asked = np.array(nearest, np.int64)[self.home] if points else np.empty(0, np.int64)
        self.limit = np.maximum(SILENT_INTERVALS * self.interval, np.where(asked > 0, asked, LEAST))
        self.late = np.maximum(self.interval * 3 // 2 + LATE_SLACK, asked // 2)

    def span(self, asset: int) -> slice:
        """Gives the places of the sensors of an asset and all below it."""
        row = self.row[asset]
        first, last = np.searchsorted(self.home, [row, self.last[row]])
        return slice(int(first), int(last))


def _depth_first(parents: Mapping[int, int | None]) -> tuple[list[int], list[int | None]]:
    """Gives the assets, each before what lies below it, and the parent of each; circles are left out."""
    below: dict[int | None, list[int]] = {}
    for asset, above in parents.items():
        below.setdefault(above, []).append(asset)
    order: list[int] = []
    pending = list(reversed(below.get(None, [])))
    while pending:
        asset = pending.pop()
        order.append(asset)
        pending.extend(reversed(below.get(asset, [])))
    return order, [parents[asset] for asset in order]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What was heard, a row for each of the plant's sensors.

    Takes: the arrival of the newest reading (NONE: it never spoke); the clock up to which its stream has been read; the
    instant before which its silence does not count; whether a rule of its own has called it silent already; whether it
    lies below a part that is known to have failed; the present clock.
    """

    arrival: Int64
    clock: Int64
    excused: Int64
    called: Mask
    covered: Mask
    now: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A part of the plant that is not heard any more: a sensor where `sensor` is given, else an asset with all below.

    `newest` is the arrival of the last reading from below it.
    """

    asset: int
    sensor: int | None
    newest: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What failed, and the sensors whose silence cannot be placed yet."""

    failed: tuple[Failed, ...] = ()
    undecided: frozenset[int] = frozenset()


class _State(Enum):
    """What is to be said of a part below which a sensor is silent."""

    ALIVE = "somebody spoke since"
    FAILED = "nobody did who should have"
    OPEN = "who did not has not had the time"
    UNHEARD = "somebody may have, in a stream that is not read yet"


def judge(plant: Plant, heard: Heard) -> Verdict:
    """Gives the highest parts that explain the sensors that are silent, without those below a failed part already.

    Cost: a few passes over the sensors; where one is silent, one over the assets.
    """
    known = heard.arrival != NONE
    since = np.maximum(heard.arrival, heard.excused)
    age = heard.clock - since
    deaf = known & (heard.now - heard.clock > HEARD_WITHIN)
    watched = known & ~heard.covered & ~deaf
    supervised = watched & (plant.interval > 0)
    silent = (supervised & (age > plant.limit)) | (watched & heard.called)
    if not silent.any():
        return Verdict()
    # One that speaks when it likes is called silent by a rule only; that rule's patience stands for an interval.
    late = np.where(plant.interval > 0, plant.late, age // 2)
    gone = silent | (supervised & (age > late))
    board = _Board(plant, heard, known, since, late, silent, gone, supervised & ~gone, deaf)
    return board.verdict()


class _Board:
    """The assets' sums over what lies below them."""

    def __init__(
        self,
        plant: Plant,
        heard: Heard,
        known: Mask,
        since: Int64,
        late: Int64,
        silent: Mask,
        gone: Mask,
        waiting: Mask,
        deaf: Mask,
    ) -> None:
        self.plant = plant
        self.heard = heard
        self.since = since
        self.silent = silent
        self.age = heard.clock - since
        # Of single sensors; NONE where it does not apply.
        self.lost = np.where(gone, since, NONE)
        self.waits = waiting
        size = len(plant.assets)
        self.spoke = self._most(np.where(known, heard.arrival, NONE), size)
        self.missed = self._most(np.where(silent, since + late, NONE), size)
        self.struck = self._most(np.where(silent, since, NONE), size)
        self.patience = self._most(np.where(silent, plant.limit, NONE), size)
        self.gone_last = self._most(self.lost, size)
        self.any_waits = self._most(np.where(waiting, 1, 0), size)
        self.any_deaf = self._most(np.where(deaf, 1, 0), size)
        self.children: dict[int, list[int]] = {}
        for row, above in enumerate(plant.parent):
            if above >= 0:
                self.children.setdefault(above, []).append(row)

    def _most(self, values: Int64, size: int) -> list[int]:
        """Gives for each asset the largest of its own sensors' values and of those below."""
        own = np.full(size, NONE, np.int64)
        np.maximum.at(own, self.plant.home, values)
        found: list[int] = own.tolist()
        parent = self.plant.parent
        for row in range(size - 1, -1, -1):
            above = parent[row]
            if above >= 0 and found[row] > found[above]:
                found[above] = found[row]
        return found

    def verdict(self) -> Verdict:
        """Gives what failed, the highest part for each silent sensor."""
        states = {row: self._state(row) for row in range(len(self.plant.assets)) if self.missed[row] != NONE}
        failed: dict[tuple[int, int | None], Failed] = {}
        undecided: set[int] = set()
        for place in np.flatnonzero(self.silent).tolist():
            row, above = self._highest(place, states)
            sensor = int(self.plant.sensor[place])
            if above is _State.UNHEARD or (above is _State.OPEN and self._may_wait(place)):
                undecided.add(sensor)
            elif row is None:
                found = self._of_sensor(place)
                failed[found.asset, found.sensor] = found
            else:
                found = self._narrowed(row)
                failed[found.asset, found.sensor] = found
        # A part may have been found through one sensor, and what lies below it through another.
        kept = [one for one in failed.values() if not self._below_another(one, failed.values())]
        return Verdict(tuple(kept), frozenset(undecided))

    def _state(self, row: int) -> _State:
        if self.spoke[row] > self.missed[row]:
            return _State.ALIVE
        if self.any_deaf[row] > 0:
            return _State.UNHEARD
        return _State.FAILED if self._explains(row) else _State.OPEN

    def _explains(self, row: int) -> bool:
        """Tells whether the part as a whole is the better guess: most of its branches were lost, and not only one."""
        around = self.struck[row] - self.patience[row]
        at = row
        while True:
            failing, waiting = self._branches(at, around)
            if len(failing) != 1 or waiting:
                return len(failing) > 1 and len(failing) > waiting
            if isinstance(failing[0], tuple):
                return True
            at = failing[0]  # the only branch: what is so of it is so of the whole

    def _branches(self, row: int, around: int) -> tuple[list[Any], int]:
        """Gives the branches with somebody lost at an instant or later, and how many others still have time to speak.

        A branch is a child's row or, as a tuple, the place of a sensor of the asset itself. One that was lost long
        before, or never spoke, says nothing.
        """
        failing: list[Any] = []
        waiting = 0
        for child in self.children.get(row, ()):
            if self.gone_last[child] != NONE and self.gone_last[child] >= around:
                failing.append(child)
            elif self.any_waits[child] > 0:
                waiting += 1
        first, last = np.searchsorted(self.plant.home, [row, row + 1])
        for place in range(int(first), int(last)):
            if self.lost[place] != NONE and self.lost[place] >= around:
                failing.append((place,))
            elif self.waits[place]:
                waiting += 1
        return failing, waiting

    def _highest(self, place: int, states: Mapping[int, _State]) -> tuple[int | None, _State | None]:
        """Gives the highest failed asset above a sensor, or None, and the state of what is above that."""
        row = int(self.plant.home[place])
        found, above = None, states.get(row)
        while row >= 0:
            if states.get(row) is _State.FAILED:
                over = self.plant.parent[row]
                found, above = row, states.get(over) if over >= 0 else None
            row = self.plant.parent[row]
        return found, above

    def _may_wait(self, place: int) -> bool:
        """Tells whether it is worth waiting for slower neighbours: as long again as the sensor took to be silent."""
        return not self.heard.called[place] and bool(self.age[place] <= 2 * self.plant.limit[place])

    def _narrowed(self, row: int) -> Failed:
        """Gives the part to name among those that lost the same sensors: a source's scope, else the lowest."""
        at: int = row
        around = self.struck[row] - self.patience[row]
        while at not in self.plant.scopes:
            failing, waiting = self._branches(at, around)
            if len(failing) != 1 or waiting:
                break
            if isinstance(failing[0], tuple):
                return self._of_sensor(failing[0][0])
            at = failing[0]
        return self._of_asset(at)

    def _of_asset(self, row: int) -> Failed:
        return Failed(self.plant.assets[row], None, self.spoke[row])

    def _of_sensor(self, place: int) -> Failed:
        home = self.plant.assets[int(self.plant.home[place])]
        return Failed(home, int(self.plant.sensor[place]), int(self.heard.arrival[place]))

    def _below_another(self, one: Failed, others: Iterable[Failed]) -> bool:
        row = self.plant.row[one.asset]
        for other in others:
            if other is one or other.sensor is not None:
                continue
            top = self.plant.row[other.asset]
            if top <= row < self.plant.last[top] and (one.sensor is not None or top != row):
                return True
        return False
