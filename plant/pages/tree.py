"""The plant's tree as the pages draw it: names, places, addresses, and which machine stands in which row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from devices.models import Asset, Level, Sensor
from devices.topology import STATE_QUANTITY, Topology, topology
from plant.machines import state_words

_WIDE = {Level.AREA, Level.SITE, Level.ENTERPRISE}


@dataclass(slots=True, eq=False)
class Node:
    """An asset with its neighbours."""

    pk: int
    code: str
    name: str
    level: str
    type_name: str
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Gives the address of the asset's page: the codes from its area down."""
        return reverse("asset", args=["/".join(step.code for step in [*self.above, self])])

    @property
    def above(self) -> list[Node]:
        """Gives what stands above it, from the top down, without the enterprise and the site."""
        steps: list[Node] = []
        at = self.parent
        while at is not None and at.level not in (Level.ENTERPRISE, Level.SITE):
            steps.append(at)
            at = at.parent
        return steps[::-1]

    @property
    def place(self) -> str:
        """Gives where it stands in words: Utilities / Compressed air."""
        return " / ".join(step.name for step in self.above)

    def walk(self) -> Iterator[Node]:
        """Gives the asset and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class SensorRow(NamedTuple):
    """What the overview needs of a sensor."""

    pk: int
    asset: int
    key: str
    name: str
    interval: float | None
    quantity: str
    shard: int
    words: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an area with its machines."""

    name: str
    node: Node | None
    cells: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One area with its rows."""

    node: Node
    rows: tuple[Row, ...]

    @property
    def machines(self) -> int:
        """Gives how many machines stand in it."""
        return sum(len(row.cells) for row in self.rows)


class Tree:
    """All assets in the plant's own order."""

    def __init__(
        self, revision: int, assets: Mapping[int, Node], parents: Mapping[int, int | None], sensors: list[SensorRow]
    ) -> None:
        self.revision = revision
        self.nodes = assets
        self.parents = parents
        self.by_code = {node.code: node for node in assets.values()}
        self.roots = [node for node in assets.values() if node.parent is None]
        self.sensors = sensors

    @cached_property
    def name(self) -> str:
        """Gives the plant's name: that of the one asset at the top."""
        return self.roots[0].name if len(self.roots) == 1 else "Andon"

    def head_of(self, node: Node) -> Node:
        """Gives the nearest area at or above an asset, else its root."""
        at = node
        while at.level != Level.AREA and at.parent is not None:
            at = at.parent
        return at

    def line_of(self, node: Node) -> Node:
        """Gives the line that an asset belongs to, else the highest below its area."""
        at = node
        while at.level != Level.LINE and at.parent is not None and at.parent.level not in _WIDE:
            at = at.parent
        return at

    @cached_property
    def own_sensors(self) -> dict[int, list[SensorRow]]:
        """Gives the sensors of each asset."""
        found: dict[int, list[SensorRow]] = {}
        for sensor in self.sensors:
            found.setdefault(sensor.asset, []).append(sensor)
        return found

    @cached_property
    def cells(self) -> list[Node]:
        """Gives what is drawn as a machine: machines, and other equipment with sensors that has no machine below."""
        found: list[Node] = []

        def visit(node: Node) -> bool:
            if node.level == Level.MACHINE:
                found.append(node)
                return True
            mark = len(found)
            below = [visit(child) for child in node.children]
            if any(below):
                return True
            if node.pk in self.own_sensors:
                found[mark:] = [node]
                return True
            return False

        for root in self.roots:
            visit(root)
        return found

    @cached_property
    def cell_of(self) -> dict[int, Node]:
        """Gives the machine that each asset belongs to."""
        return {part.pk: cell for cell in self.cells for part in cell.walk()}

    @cached_property
    def sensors_of(self) -> dict[int, list[SensorRow]]:
        """Gives the sensors of each machine, its parts' among them."""
        found: dict[int, list[SensorRow]] = {cell.pk: [] for cell in self.cells}
        for sensor in self.sensors:
            cell = self.cell_of.get(sensor.asset)
            if cell is not None:
                found[cell.pk].append(sensor)
        return found

    @cached_property
    def tells_state(self) -> dict[int, SensorRow]:
        """Gives the sensor that tells its state, of each machine that has one: the first by asset, as its page does."""
        found: dict[int, SensorRow] = {}
        for pk, sensors in self.sensors_of.items():
            teller = next((row for row in sensors if row.quantity == STATE_QUANTITY and row.words), None)
            if teller is not None:
                found[pk] = teller
        return found

    @cached_property
    def panels(self) -> list[Panel]:
        """Gives the areas in plant order, each with its lines and their machines."""
        rows: dict[int, dict[int | None, list[Node]]] = {}
        heads: dict[int, Node] = {}
        # Areas and lines without machines are shown too: they keep their place.
        for node in self.nodes.values():
            if node.level == Level.AREA:
                heads[node.pk] = node
                rows.setdefault(node.pk, {})
            elif node.level == Level.LINE:
                head = self.head_of(node)
                heads[head.pk] = head
                rows.setdefault(head.pk, {}).setdefault(node.pk, [])
        for cell in self.cells:
            head, line = self.head_of(cell), _line(cell)
            heads[head.pk] = head
            rows.setdefault(head.pk, {}).setdefault(line.pk if line else None, []).append(cell)
        order = {pk: index for index, pk in enumerate(self.nodes)}
        return [
            Panel(
                heads[pk],
                tuple(
                    Row(
                        self.nodes[line].name if line else _("Machines"),
                        self.nodes[line] if line else None,
                        tuple(cells),
                    )
                    for line, cells in lines.items()
                ),
            )
            for pk, lines in sorted(rows.items(), key=lambda item: order[item[0]])
        ]


def _line(node: Node) -> Node | None:
    """Gives the nearest line at or above."""
    at: Node | None = node
    while at is not None and at.level != Level.LINE:
        at = at.parent
    return at


_current: tuple[Topology, Tree] | None = None


def tree() -> Tree:
    """Gives the plant's tree, from memory while the model has not changed. Cost: one query, or five after a change."""
    global _current
    plant = topology()
    if _current is None or _current[0] is not plant:
        _current = (plant, _load(plant.revision))
    return _current[1]


def tree_for(request: HttpRequest) -> Tree:
    """Gives the tree as one request sees it, page and frame alike. Cost: as `tree`, once."""
    found: Tree | None = getattr(request, "plant_tree", None)
    if found is None:
        found = tree()
        request.plant_tree = found  # type: ignore[attr-defined]  # kept for the rest of the request
    return found


def _load(revision: int) -> Tree:
    """Reads assets and sensors. Cost: two queries."""
    rows = Asset.objects.order_by("position", "code").values_list(
        "pk", "parent_id", "code", "name", "level", "type__name"
    )
    found: dict[int, Node] = {}
    parents: dict[int, int | None] = {}
    for pk, parent, code, name, level, type_name in rows:
        found[pk] = Node(pk, code, name, level, type_name or "")
        parents[pk] = parent
    for pk, parent in parents.items():
        if parent is not None:
            found[pk].parent = found[parent]
            found[parent].children.append(found[pk])
    ordered = {
        node.pk: node for root in found.values() if root.parent is None for node in root.walk()
    }  # depth first: the order of the pages
    sensors = [
        SensorRow(
            pk, asset, key, name, interval, quantity, shard, state_words(labels) if quantity == STATE_QUANTITY else {}
        )
        for pk, asset, key, name, interval, quantity, shard, labels in Sensor.objects.order_by(
            "asset_id", "pk"
        ).values_list("pk", "asset_id", "key", "name", "interval", "quantity", "asset__shard", "labels")
    ]
    return Tree(revision, ordered, parents, sensors)
