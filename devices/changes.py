"""One change of the plant model: a transaction, at whose end everything that follows from it is worked out once.

Services edit rows inside `change()`; nested ones join the outermost. At its end the tree is checked and shards are set,
sensors are brought in line with their types, the sections of the configuration (rules, for one) do the same for what
is theirs, and the revisions that intake and workers poll are bumped.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol
from zlib import crc32

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.module_loading import import_string

from devices.checks import MEASUREMENT, Problem, check_place, refuse
from devices.inheritance import Line
from devices.models import Asset, Checkpoint, Level, Revision, Sensor, TypeSensor
from devices.records import LONGEST_REASON, because

SENSORS = Line(template=TypeSensor, copy=Sensor, identity="key", fields=MEASUREMENT)


@dataclass
class Change:
    """What has been edited so far, as far as something follows from it."""

    types: set[int] = field(default_factory=set)  # their sensors or rules changed: every asset of theirs follows
    assets: set[int] = field(default_factory=set)  # they are new, or have another type, or their sensors changed
    places: set[int] = field(default_factory=set)  # they are new, or stand elsewhere or on another level
    intervals: set[int] = field(default_factory=set)  # sensors now expected at another pace
    shards: set[int] = field(default_factory=set)  # assets that moved to another shard
    revisions: set[str] = field(default_factory=set)  # to be bumped
    marks: dict[str, set[int]] = field(default_factory=dict)  # what sections keep for their own follow-up
    reasons: dict[str, None] = field(default_factory=dict)  # why, in order: what follows from it carries them too

    def mark(self, name: str, ids: Iterable[int]) -> None:
        """Notes something that a section has to follow up."""
        self.marks.setdefault(name, set()).update(ids)

    def explain(self, reason: str) -> None:
        """Notes why, for the history of what follows from it."""
        if reason:
            self.reasons[reason] = None


class Follower(Protocol):
    """A part above the plant model that has to follow its changes."""

    def follow(self, change: Change) -> None:
        """Brings what is its own in line, inside the transaction; raises ValidationError to refuse the change."""


_current: ContextVar[Change | None] = ContextVar("change", default=None)


@contextmanager
def change() -> Iterator[Change]:
    """One change of the plant: a transaction that ends by settling everything that follows.

    Raises: ValidationError when what would result is refused; then nothing is written.
    """
    running = _current.get()
    if running is not None:
        yield running
        return
    with transaction.atomic():
        _keep_others_out()
        begun = Change()
        token = _current.set(begun)
        try:
            yield begun
            with because("; ".join(begun.reasons)[:LONGEST_REASON]):
                _settle(begun)
        finally:
            _current.reset(token)


def _keep_others_out() -> None:
    """Makes other changes wait for this one's end, and drains with their commits, as SQLite's one lock always does.

    Two changes at once would each hand down what they see and miss what the other brings; a drain that had looked up
    a rule would commit its alarm after the rule has moved to another shard, which then never clears it.
    Cost: one query.
    """
    list(Checkpoint.objects.select_for_update().order_by("shard").values_list("shard", flat=True))


def bump(*names: str) -> None:
    """Counts a revision ("plant", "rules") up, so that intake and workers read anew."""
    for name in names:
        if not Revision.objects.filter(name=name).update(number=F("number") + 1):
            Revision.objects.create(name=name, number=1)


@cache
def _follower(path: str) -> Follower:
    follower: Follower = import_string(path)()
    return follower


def _settle(change: Change) -> None:
    if change.places:
        _settle_places(change)
    if change.types:
        change.assets.update(Asset.objects.filter(type__in=change.types).values_list("id", flat=True))
    types = dict(Asset.objects.filter(id__in=change.assets).values_list("id", "type_id"))
    if SENSORS.hand_down(types):
        change.revisions.add("plant")
    for path in settings.CONFIGURATION_SECTIONS:
        _follower(path).follow(change)
    bump(*sorted(change.revisions))


# --- Tree and shards -----------------------------------------------------------------------------------------------


def ensure_shards() -> int:
    """Gives the number of shards; the first call fixes it."""
    count = Checkpoint.objects.count()
    if count:
        return count
    Checkpoint.objects.bulk_create(
        [Checkpoint(shard=number) for number in range(settings.TELEMETRY_SHARDS)], ignore_conflicts=True
    )
    return Checkpoint.objects.count()


def shard_of(code: str, count: int) -> int:
    """Gives the shard where an asset's readings begin their life: a stable hash of its code."""
    return crc32(code.encode()) % count


def _settle_places(change: Change) -> None:
    """Checks levels and loops of what moved, and gives every asset below it the shard of its machine."""
    assets = {asset.id: asset for asset in Asset.objects.only("id", "code", "name", "level", "parent_id", "shard")}
    below: dict[int | None, list[Asset]] = {}
    for asset in assets.values():
        below.setdefault(asset.parent_id, []).append(asset)
    moved = [assets[number] for number in change.places if number in assets]
    problems = []
    for asset in moved:
        if loop := _loop(asset, assets):
            problems.append(Problem("parent", f"{asset.name} would stand below itself: {' → '.join(loop)}."))
            continue
        pairs = [(asset, assets[asset.parent_id])] if asset.parent_id else []
        pairs += [(child, asset) for child in below.get(asset.id, []) if child.id not in change.places]
        for child, parent in pairs:
            problems += check_place(
                name=child.name, level=child.level, above_name=parent.name, above_level=parent.level
            )
    refuse(problems)

    resettled = []
    pending = [(asset, _machine(asset.parent_id, assets)) for asset in moved]
    seen = set()
    while pending:
        asset, machine = pending.pop()
        if asset.id in seen:
            continue
        seen.add(asset.id)
        if machine is None and asset.level == Level.MACHINE:
            machine = asset
        # Where no machine stands above, the shard given at creation stays: readings keep their order through a move.
        if machine is not None and asset.shard != machine.shard:
            asset.shard = machine.shard
            resettled.append(asset)
        pending.extend((child, machine) for child in below.get(asset.id, []))
    if resettled:
        for shard in {asset.shard for asset in resettled}:
            Asset.objects.filter(pk__in=[asset.pk for asset in resettled if asset.shard == shard]).update(shard=shard)
        change.shards.update(asset.id for asset in resettled)
        change.assets.update(asset.id for asset in resettled)
        change.revisions.add("plant")


def _loop(asset: Asset, assets: dict[int, Asset]) -> list[str]:
    trail, node = [asset.code], asset
    while node.parent_id:
        node = assets[node.parent_id]
        trail.append(node.code)
        if node is asset:
            return trail
        if len(trail) > len(assets):  # a loop further up, which does not hold this asset
            return []
    return []


def _machine(number: int | None, assets: dict[int, Asset]) -> Asset | None:
    """Gives the nearest machine at or above an asset: the topmost would do as well, machines do not nest."""
    while number is not None:
        asset = assets[number]
        if asset.level == Level.MACHINE:
            return asset
        number = asset.parent_id
    return None
