"""Which machine, area and shard every sensor belongs to: read once per revision of the plant model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from devices.models import Asset, Level, Revision, Sensor

STATE_QUANTITY = "state"


class Place(NamedTuple):
    """Where a sensor stands: its tag as JSON text, its own asset, the machine it counts to, its area, its shard.

    And how its values are written: the ends of its range, its decimals where it has its own, the words of its values;
    and whether these words are the machine's state.
    """

    tag_json: str
    asset: int
    machine: int
    area: int
    shard: int
    range_low: float | None
    range_high: float | None
    decimals: int | None
    labels: Mapping[str, str] | None
    tells_state: bool


@dataclass(frozen=True, slots=True)
class Topology:
    """The plant as the live paths need it.

    `parent`, `machine` and `area` go by asset id: the asset above, the nearest machine at or above (else the asset
    itself), the nearest area at or above (else the root).
    """

    revision: int
    places: dict[int, Place]
    parent: dict[int, int | None]
    machine: dict[int, int]
    area: dict[int, int]
    code: dict[int, str]
    worded: Mapping[str, Place] = field(default_factory=dict)  # by tag: those whose values have words, which are few

    def shard_of(self, sensor: int) -> int | None:
        """Gives the shard that keeps a sensor's history, or None where the sensor is gone."""
        place = self.places.get(sensor)
        return None if place is None else place.shard

    def path(self, asset: int) -> list[int]:
        """Gives an asset and all above it, from the asset up."""
        steps: list[int] = []
        at: int | None = asset
        while at is not None and len(steps) < 64:
            steps.append(at)
            at = self.parent.get(at)
        return steps


_current: Topology | None = None


def topology(revision: int | None = None) -> Topology:
    """Gives the plant at its present revision, from memory while that has not moved.

    Takes: the revision where the caller has read it already.
    Cost: one query, or three after a change.
    """
    global _current
    if revision is None:
        revision = Revision.objects.filter(name="plant").values_list("number", flat=True).first() or 0
    if _current is None or _current.revision != revision:
        _current = _load(revision)
    return _current


def known() -> Topology:
    """Gives the plant as this process knows it, which may be a revision behind. Cost: none, but for the first time."""
    return _current or topology()


def forget() -> None:
    """Drops what is remembered, as a new process would start."""
    global _current
    _current = None


def _load(revision: int) -> Topology:
    """Reads all assets and sensors."""
    rows = list(Asset.objects.order_by().values_list("pk", "parent_id", "level", "code", "shard"))
    parent = {pk: above for pk, above, _, _, _ in rows}
    level = {pk: value for pk, _, value, _, _ in rows}
    code = {pk: value for pk, _, _, value, _ in rows}
    shard = {pk: value for pk, _, _, _, value in rows}
    machine: dict[int, int] = {}
    area: dict[int, int] = {}
    for pk in parent:
        at: int | None = pk
        root = pk
        steps = 0
        while at is not None and steps < 64:
            if level[at] == Level.MACHINE:
                machine.setdefault(pk, at)
            if level[at] == Level.AREA:
                area.setdefault(pk, at)
            root, at, steps = at, parent[at], steps + 1
        machine.setdefault(pk, pk)
        area.setdefault(pk, root)
    written = ("range_low", "range_high", "decimals", "labels", "quantity")
    places = {
        sensor: Place(
            json.dumps(f"{code[asset]}/{key}"), asset, machine[asset], area[asset], shard[asset],
            low, high, decimals, labels or None, bool(labels) and quantity == STATE_QUANTITY,
        )
        for sensor, asset, key, low, high, decimals, labels, quantity in Sensor.objects.order_by().values_list(
            "pk", "asset_id", "key", *written
        )
    }  # fmt: skip
    worded = {json.loads(place.tag_json): place for place in places.values() if place.labels}
    return Topology(revision, places, parent, machine, area, code, worded)
