"""Which sensor counts to what, and how fresh they all are: for one page, and for all browsers of a process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from plant.machines import After, judging, stale_after
from plant.pages.tree import Node, SensorRow, Tree

NEVER = -1  # µs: of a sensor that has not reported
_UNLIMITED = np.iinfo(np.int64).max

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Count:
    """What counts to what. Arrays go by place in `sensors`, ids ascending.

    `limit`: µs after which a reading is old; `machine`: place in `cells`, -1 for a sensor of no machine; `after`: by
    place in `cells`.
    """

    rows: list[SensorRow]
    sensors: Int32
    limit: Int64
    machine: Int32
    cells: list[Node]
    after: list[After]
    by_asset: Mapping[int, list[int]]  # places
    by_shard: dict[int, list[int]]  # ids
    nodes: Mapping[int, Node]

    @cached_property
    def cell_places(self) -> dict[int, int]:
        """Gives each machine's place in `cells`."""
        return {cell.pk: place for place, cell in enumerate(self.cells)}

    @cached_property
    def named(self) -> dict[str, list[int]]:
        """Gives the places of each asset's code and each sensor's tag, as silence names them."""
        found: dict[str, list[int]] = {}
        for place, row in enumerate(self.rows):
            code = self.nodes[row.asset].code
            found.setdefault(code, []).append(place)
            found[f"{code}/{row.key}"] = [place]
        return found

    def below(self, node: Node | None) -> Int32:
        """Gives the places of the sensors of an asset and all below it; none of what is not there."""
        steps = () if node is None else node.walk()
        return np.array([place for step in steps for place in self.by_asset.get(step.pk, ())], np.int32)

    def places_of(self, sensors: Int32) -> tuple[Int32, Bools]:
        """Gives the place of each sensor by id, and which of them are known at all."""
        if not len(self.sensors):
            return np.zeros(len(sensors), np.int32), np.zeros(len(sensors), np.bool_)
        places = np.searchsorted(self.sensors, sensors).clip(max=len(self.sensors) - 1).astype(np.int32)
        return places, self.sensors[places] == sensors

    def never(self) -> Int64:
        """Gives the newest times of sensors that have not reported."""
        return np.full(len(self.sensors), NEVER, np.int64)

    def keep(self, newest: Int64, sensors: Int32, times: Int64) -> None:
        """Lets `newest` (µs) be the times of these sensors where they are newer."""
        places, known = self.places_of(sensors)
        places = places[known]
        newest[places] = np.maximum(newest[places], times[known])


_kept: tuple[Tree, Count] | None = None


def count_of(plant: Tree) -> Count:
    """Gives what counts to what, from memory while the plant has not changed. Cost: none."""
    global _kept
    kept = _kept  # of another tree at any moment, as threads go
    if kept is None or kept[0] is not plant:
        kept = _kept = (plant, _count(plant))
    return kept[1]


def _count(plant: Tree) -> Count:
    rows = sorted(plant.sensors, key=lambda row: row.pk)
    cells = {cell.pk: place for place, cell in enumerate(plant.cells)}
    by_asset: dict[int, list[int]] = {}
    by_shard: dict[int, list[int]] = {}
    limit = np.full(len(rows), _UNLIMITED, np.int64)
    machine = np.full(len(rows), -1, np.int32)
    for place, row in enumerate(rows):
        by_asset.setdefault(row.asset, []).append(place)
        by_shard.setdefault(row.shard, []).append(row.pk)
        if (seconds := stale_after(row.interval)) is not None:
            limit[place] = round(seconds * 1e6)
        if (cell := plant.cell_of.get(row.asset)) is not None:
            machine[place] = cells[cell.pk]
    return Count(
        rows=rows,
        sensors=np.array([row.pk for row in rows], np.int32),
        limit=limit,
        machine=machine,
        cells=plant.cells,
        after=[judging(row.interval for row in plant.sensors_of[cell.pk]) for cell in plant.cells],
        by_asset=by_asset,
        by_shard=by_shard,
        nodes=plant.nodes,
    )


@dataclass(frozen=True)
class Counted:
    """The plant at a moment. Takes: each sensor's newest time, by place; what is not heard; the moment; all in µs."""

    count: Count
    newest: Int64
    silent: Iterable[str]
    now: int

    @cached_property
    def machines(self) -> Int64:
        """Gives each machine's newest reading."""
        found = np.full(len(self.count.cells), NEVER, np.int64)
        of_one = self.count.machine >= 0
        np.maximum.at(found, self.count.machine[of_one], self.newest[of_one])
        return found

    @cached_property
    def fresh(self) -> Bools:
        """Tells of each sensor whether its newest reading is not old, and is heard."""
        found: Bools = (self.newest != NEVER) & (self.now - self.newest <= self.count.limit)
        for name in self.silent:
            found[self.count.named.get(name, [])] = False
        return found

    def newest_of(self, node: Node) -> int | None:
        """Gives a machine's newest reading; None before the first."""
        return _or_none(int(self.machines[self.count.cell_places[node.pk]]))

    def share(self, places: Int32) -> tuple[int, int, int | None]:
        """Gives of some sensors how many are fresh, how many there are, and the newest reading."""
        newest = int(self.newest[places].max(initial=NEVER))
        return int(self.fresh[places].sum()), len(places), _or_none(newest)


def _or_none(time: int) -> int | None:
    return None if time == NEVER else time
