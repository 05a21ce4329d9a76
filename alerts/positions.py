"""Operator positions: who watches which part of the plant."""

from __future__ import annotations

from alerts.models import Position
from devices.topology import Topology, topology


class Seats:
    """The positions by the assets that they watch; of several on one asset the first by code."""

    def __init__(self, scopes: dict[int | None, str], plant: Topology) -> None:
        self._scopes = scopes
        self._plant = plant

    @classmethod
    def load(cls) -> Seats:
        """Reads them. Cost: one query."""
        rows = Position.objects.order_by("-code").values_list("scope", "code")
        return cls(dict(rows), topology())

    def of(self, asset: int | None) -> str:
        """Gives the code of the position that watches an asset: the nearest one above it; empty where there is none."""
        if not self._scopes:
            return ""
        path = self._plant.path(asset) if asset is not None else ()
        return next((self._scopes[place] for place in (*path, None) if place in self._scopes), "")
