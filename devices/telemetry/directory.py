"""Who may write what: sensors by tag, their shards, sources by token; read whole, then asked without queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from devices.models import Asset, Revision, Route, Sensor, Source
from devices.telemetry.batch import Int32

UInt16 = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]


class Grant(NamedTuple):
    """What a source may write: the sensors whose place in the tree lies in [first, last)."""

    source: str
    scope: str
    enabled: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True, eq=False)
class Directory:
    """The plant as the intake needs it, at one revision.

    `rows` gives a tag's row in the columns: sensor id, the shard that keeps it, and the place of its asset in a walk
    through the tree, in which everything below an asset follows it. The columns stand here as arrays for batches and
    as lists for single readings; the last row, -1, stands for an unknown sensor and lies in nobody's scope. `copies`
    gives, by shard, which sensor ids are also judged there.
    """

    revisions: dict[str, int]
    rows: dict[str, int]
    sensor: Int32
    shard: UInt16
    place: Int32
    sensor_list: list[int]
    shard_list: list[int]
    place_list: list[int]
    grants: dict[str, Grant]
    copies: dict[int, Mask]

    @property
    def layout(self) -> int:
        """Gives how often the number of shards has changed."""
        return self.revisions.get("shards", 0)

    def source(self, token_hash: str) -> Grant | None:
        """Gives what the owner of a token may write, or None for a stranger."""
        return self.grants.get(token_hash)

    @classmethod
    def load(cls, known: Directory | None = None) -> Directory:
        """Gives the plant as it stands now; `known` itself where nothing has changed since.

        Cost: one query where nothing has changed, two after a change of rules, five after one of the plant.
        """
        # Read first: a change that comes between is seen as a new revision the next time.
        revisions = dict(Revision.objects.values_list("name", "number"))
        if known is not None:
            if known.revisions == revisions:
                return known
            if known.revisions.get("plant") == revisions.get("plant"):
                return replace(known, revisions=revisions, copies=_copies(known.sensor))
        return _load(revisions)


def _load(revisions: Mapping[str, int]) -> Directory:
    """Reads everything."""
    assets = list(Asset.objects.order_by().values_list("pk", "parent_id", "code", "shard"))
    spans = _walk({pk: parent for pk, parent, _, _ in assets})
    by_asset = {pk: (f"{code}/", shard, spans[pk][0]) for pk, _, code, shard in assets}
    tags: list[str] = []
    ids: list[int] = []
    shards: list[int] = []
    places: list[int] = []
    for pk, asset, key in Sensor.objects.order_by().values_list("pk", "asset_id", "key"):
        above = by_asset.get(asset)
        if above is None:  # added between the two queries: the next revision brings both
            continue
        tags.append(above[0] + key)
        ids.append(pk)
        shards.append(above[1])
        places.append(above[2])
    rows = {tag: row for row, tag in enumerate(tags)}
    ids.append(0)
    shards.append(0)
    places.append(-1)
    codes = {pk: code for pk, _, code, _ in assets}
    grants = {
        token_hash: Grant(name, codes[scope], enabled, *spans[scope])
        for name, scope, token_hash, enabled in Source.objects.order_by().values_list(
            "name", "scope_id", "token_hash", "enabled"
        )
        if token_hash and scope in spans
    }
    sensor = np.array(ids, np.int32)
    return Directory(
        revisions=dict(revisions),
        rows=rows,
        sensor=sensor,
        shard=np.array(shards, np.uint16),
        place=np.array(places, np.int32),
        sensor_list=ids,
        shard_list=shards,
        place_list=places,
        grants=grants,
        copies=_copies(sensor),
    )


def _walk(parent: Mapping[int, int | None]) -> dict[int, tuple[int, int]]:
    """Gives each asset's place in a walk through the tree, and the place behind everything below it.

    What hangs on no root, because somebody wrote a circle past the services, stands at -1, where no source may write.
    """
    below: dict[int | None, list[int]] = defaultdict(list)
    for pk, above in parent.items():
        below[above].append(pk)
    spans = dict.fromkeys(parent, (-1, -1))
    place = 0
    stack: list[tuple[int, int | None]] = [(pk, None) for pk in reversed(below[None])]
    while stack:
        pk, first = stack.pop()
        if first is not None:
            spans[pk] = (first, place)
            continue
        stack.append((pk, place))
        place += 1
        stack.extend((child, None) for child in reversed(below.get(pk, ())))
    return spans


def _copies(sensor: Int32) -> dict[int, Mask]:
    """Gives for each shard with routes to it a mask over sensor ids."""
    size = int(sensor.max()) + 1
    masks: dict[int, Mask] = {}
    for pk, shard in Route.objects.order_by().values_list("sensor_id", "shard"):
        if pk < size:
            masks.setdefault(shard, np.zeros(size, np.bool_))[pk] = True
    return masks
