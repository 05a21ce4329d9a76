"""What the demo plant consists of, read from its plant.yaml: machines by type, sensors in the feed's order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

FILE = Path(__file__).with_name("plant.yaml")
RECORDED = "recorded"

Ints = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and where it stands."""

    code: str
    type: str
    line: str
    area: str
    place: int  # among the machines of its type
    extra: tuple[str, ...]  # keys of the sensors it has beside its type's


@dataclass(frozen=True)
class Layout:
    """The plant's machines and sensors; a sensor's index is its place in every array of values."""

    machines: dict[str, tuple[Machine, ...]]  # by type, in the file's order
    keys: dict[str, tuple[str, ...]]  # of a type's sensors, in the file's order
    tags: tuple[str, ...]
    interval: Ints  # seconds between two readings
    scale: Floats  # 10 to the power of the decimals
    phase: Ints  # second of the interval in which a sensor reports; one for all sensors of a machine
    source: Ints  # index into `sources`
    sources: tuple[tuple[str, str], ...]  # name and scope

    @cached_property
    def index(self) -> dict[str, int]:
        """Gives a tag's index."""
        return {tag: place for place, tag in enumerate(self.tags)}

    def codes(self, type: str) -> list[str]:
        """Gives the machines of a type."""
        return [machine.code for machine in self.machines[type]]


def read(path: Path = FILE) -> Layout:
    """Reads the layout; the recorded machine stays out, because a recording feeds it."""
    # The C loader knows only plain data, too.
    plan = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    assets = {asset["code"]: asset for asset in plan["assets"]}
    sensors = {kind["code"]: kind["sensors"] for kind in plan["asset_types"]}
    sources = tuple((source["name"], source["scope"]) for source in plan["sources"])
    scopes = {scope: place for place, (_, scope) in enumerate(sources)}
    machines: dict[str, list[Machine]] = {code: [] for code in sensors if code != RECORDED}
    rows: list[tuple[str, dict[str, Any], int, int]] = []
    extra_rows: list[tuple[str, dict[str, Any], int, int]] = []
    for asset in plan["assets"]:
        kind = asset.get("type")
        if kind is None or kind == RECORDED:
            continue
        line = asset["parent"]
        own = asset.get("sensors", [])
        place = len(machines[kind])
        area = assets[line]["parent"]
        machines[kind].append(Machine(asset["code"], kind, line, area, place, tuple(item["key"] for item in own)))
        extra_rows += [(asset["code"], item, scopes[area], place) for item in own]
    for kind, group in machines.items():
        rows += [(item.code, sensor, scopes[item.area], item.place) for item in group for sensor in sensors[kind]]
    rows += extra_rows
    return Layout(
        machines={kind: tuple(group) for kind, group in machines.items()},
        keys={kind: tuple(item["key"] for item in sensors[kind]) for kind in machines},
        tags=tuple(f"{code}/{sensor['key']}" for code, sensor, _, _ in rows),
        interval=np.array([sensor["interval"] for _, sensor, _, _ in rows], np.intp),
        scale=np.array([10.0 ** sensor["decimals"] for _, sensor, _, _ in rows]),
        phase=np.array([place % sensor["interval"] for _, sensor, _, place in rows], np.intp),
        source=np.array([source for _, _, source, _ in rows], np.intp),
        sources=sources,
    )
