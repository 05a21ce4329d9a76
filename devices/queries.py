"""Reading the plant model: the tree in order, what lies below an asset, which area it belongs to."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from devices.models import Asset, Level


@dataclass
class Tree:
    """The whole asset tree in memory, in the order of every page. Cost to load: one query."""

    assets: dict[int, Asset]  # parents before children, neighbours by place and code
    children: dict[int | None, list[Asset]]
    depth: dict[int, int] = field(default_factory=dict)

    def below(self, number: int) -> list[int]:
        """Gives the ids of an asset and all below it, in tree order."""
        found, pending = [], [number]
        while pending:
            here = pending.pop()
            found.append(here)
            pending.extend(child.id for child in reversed(self.children.get(here, [])))
        return found

    def above(self, number: int) -> list[Asset]:
        """Gives the assets above one, the root first, itself last."""
        trail = []
        node: Asset | None = self.assets.get(number)
        while node is not None:
            trail.append(node)
            node = self.assets.get(node.parent_id) if node.parent_id else None
        return trail[::-1]

    def area(self, number: int) -> int:
        """Gives the id of an asset's area: the nearest at or above it on that level, else its root."""
        trail = self.above(number)
        found: int = next((asset.id for asset in reversed(trail) if asset.level == Level.AREA), trail[0].id)
        return found

    def areas(self) -> dict[int, int]:
        """Gives every asset's area."""
        found: dict[int, int] = {}
        for asset in self.assets.values():
            if asset.level == Level.AREA or not asset.parent_id:
                found[asset.id] = asset.id
            else:
                found[asset.id] = found[asset.parent_id]
        return found


def tree() -> Tree:
    """Reads the asset tree with the types. Cost: one query."""
    children: dict[int | None, list[Asset]] = {}
    for asset in Asset.objects.select_related("type").order_by("position", "code"):
        children.setdefault(asset.parent_id, []).append(asset)
    ordered: dict[int, Asset] = {}
    depth: dict[int, int] = {}
    pending = list(reversed(children.get(None, [])))
    while pending:
        asset = pending.pop()
        ordered[asset.id] = asset
        depth[asset.id] = depth[asset.parent_id] + 1 if asset.parent_id else 0
        pending.extend(reversed(children.get(asset.id, [])))
    return Tree(ordered, children, depth)


def ids_below(roots: Iterable[Asset]) -> set[int]:
    """Gives the ids of assets and all below them. Cost: one query."""
    whole = tree()
    return {number for root in roots for number in whole.below(root.pk)}
