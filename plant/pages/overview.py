"""The plant overview: where is trouble? Areas, lines and machines in their fixed places, worst first beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import redis
import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from alerts import queries
from alerts.silence.queries import Silent, silent_parts
from devices import moment
from devices.models import Source
from devices.telemetry import latest
from plant.counting import Counted, count_of
from plant.drawing import Cell
from plant.machines import KIND_WORDS, Kind, condition
from plant.pages import pipeline
from plant.pages.tree import Node, Row, SensorRow, Tree, tree

log = structlog.get_logger(__name__)

MOST_IN_ATTENTION = 6


@dataclass(frozen=True, slots=True)
class Line:
    """A row of an area, ready to be drawn."""

    row: Row
    cells: Sequence[Cell]
    tally: queries.Tally

    @property
    def label(self) -> str:
        """Gives what a screen reader says of the honeycomb."""
        words = ngettext("%(line)s, %(number)s machine", "%(line)s, %(number)s machines", len(self.cells))
        return words % {"line": self.row.name, "number": len(self.cells)}

    @property
    def running(self) -> int:
        """Gives how many machines run."""
        return sum(cell.kind == Kind.RUNNING for cell in self.cells)

    @property
    def offline(self) -> int:
        """Gives how many machines send nothing."""
        return sum(cell.kind == Kind.OFFLINE for cell in self.cells)

    @property
    def tells_state(self) -> bool:
        """Tells whether any machine of the line tells its state."""
        return any(cell.state_tag for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Area:
    """An area with its lines, ready to be drawn."""

    node: Node
    lines: Sequence[Line]
    tally: queries.Tally


@dataclass(frozen=True, slots=True)
class Connection:
    """A data source and how fresh its part of the plant is."""

    source: Source
    sensors: int
    fresh: int
    age: float | None  # seconds since its newest reading

    @property
    def old(self) -> bool:
        """Tells whether nothing came for so long that it looks lost."""
        return self.age is None or self.age > 120

    @property
    def share(self) -> float:
        """Gives the part of its sensors that are fresh."""
        return self.fresh / self.sensors if self.sensors else 0.0


class Board:
    """Everything on the overview, of the whole plant or of the part below one asset."""

    def __init__(self, plant: Tree, now: datetime, root: Node | None = None) -> None:
        self.plant = plant
        self.now = now
        self.now_us = int(now.timestamp() * 1_000_000)
        self.below = {node.pk for node in root.walk()} if root else None
        self._no_alarms = queries.Tally()
        self._words: list[Mapping[str, tuple[str, str]]] = []
        self._words_at: dict[tuple[tuple[str, tuple[str, str]], ...], int] = {}

    def _shows(self, node: Node) -> bool:
        return self.below is None or node.pk in self.below

    @cached_property
    def sensors(self) -> list[SensorRow]:
        """Gives the sensors of the part that is shown."""
        if self.below is None:
            return self.plant.sensors
        return [sensor for sensor in self.plant.sensors if sensor.asset in self.below]

    @cached_property
    def readings(self) -> Mapping[int, latest.Latest]:
        """Gives each sensor's newest reading; none while Redis does not answer. Cost: one round trip."""
        return self._read(self.sensors)

    @staticmethod
    def _read(sensors: Iterable[SensorRow]) -> Mapping[int, latest.Latest]:
        by_shard: dict[int, list[int]] = {}
        for sensor in sensors:
            by_shard.setdefault(sensor.shard, []).append(sensor.pk)
        try:
            return latest.read_shards(by_shard)
        except redis.RedisError as error:
            log.warning("latest values not read", error=str(error))
            return {}

    @property
    def _needs_values(self) -> bool:
        """Tells whether all readings are read: they are shown, or those of the past are not at hand as times alone."""
        return self.below is not None or moment.past_us() is not None

    @cached_property
    def states(self) -> Mapping[int, latest.Latest]:
        """Gives the readings of the sensors that tell a machine's state. Cost: one round trip."""
        return self.readings if self._needs_values else self._read(self.plant.tells_state.values())

    @cached_property
    def counted(self) -> Counted:
        """Gives when the sensors reported last; never, while Redis does not answer. Cost: one round trip."""
        count = count_of(self.plant)
        newest = count.never()
        if self._needs_values:
            sensors = np.fromiter(self.readings, np.int32, len(self.readings))
            times = np.fromiter((reading.time for reading in self.readings.values()), np.int64, len(self.readings))
            count.keep(newest, sensors, times)
        else:
            try:
                count.keep(newest, *latest.times(count.by_shard))
            except redis.RedisError as error:
                log.warning("latest times not read", error=str(error))
        return Counted(count, newest, self.silent, self.now_us)

    @cached_property
    def silent(self) -> Mapping[str, Silent]:
        """Gives what is not heard. Cost: one query."""
        return silent_parts()

    @cached_property
    def tallies(self) -> Mapping[int | None, queries.Tally]:
        """Gives the open alarms of every asset with its subtree. Cost: one query."""
        return queries.tallies(self.plant.parents)

    @cached_property
    def areas(self) -> list[Area]:
        """Gives the areas with their lines."""
        drawn = []
        for panel in self.plant.panels:
            lines = [
                Line(row, [self.cell(node) for node in row.cells if self._shows(node)], self._tally(row))
                for row in panel.rows
                if self.below is None
                or any(self._shows(node) for node in row.cells)
                or (row.node is not None and self._shows(row.node))
            ]
            if lines or (self.below is None) or self._shows(panel.node):
                drawn.append(Area(panel.node, lines, self.tallies.get(panel.node.pk) or queries.Tally()))
        return drawn

    def _tally(self, row: Row) -> queries.Tally:
        """Gives a line's open alarms, those of the line itself among them."""
        if row.node is not None:
            return self.tallies.get(row.node.pk) or queries.Tally()
        return queries.together(self.tallies[cell.pk] for cell in row.cells if cell.pk in self.tallies)

    def cell(self, node: Node) -> Cell:
        """Gives a machine as the honeycomb draws it."""
        counted = self.counted
        state = self.plant.tells_state.get(node.pk)
        reading = self.states.get(state.pk) if state else None
        words = state.words if state else {}
        after = counted.count.after[counted.count.cell_places[node.pk]]
        now = condition(
            self.now_us,
            counted.newest_of(node),
            after,
            (reading.time, reading.value) if reading else None,
            words,
            silent=node.code in self.silent,
        )
        return Cell(
            code=node.code,
            name=node.name,
            url=node.url,
            kind=now.kind,
            word=now.word,
            stale=now.stale,
            tally=self.tallies.get(node.pk) or self._no_alarms,
            newest=now.newest,
            state_tag=f"{self.plant.nodes[state.asset].code}/{state.key}" if state else "",
            words=self._place_of(words) if state else None,
            parts=[part.code for part in node.walk()][1:],
            stale_after=after.stale,
            offline_after=after.offline,
        )

    def _place_of(self, words: Mapping[str, tuple[str, str]]) -> int:
        key = tuple(words.items())
        if key not in self._words_at:
            self._words_at[key] = len(self._words)
            self._words.append(words)
        return self._words_at[key]

    @property
    def words(self) -> list[Mapping[str, tuple[str, str]]]:
        """Gives the page's lists of state words; cells name theirs by number. Only after `areas`."""
        return self._words

    @cached_property
    def kinds(self) -> list[tuple[Kind, int, str]]:
        """Gives how many machines are in each state."""
        found = Counter(cell.kind for area in self.areas for line in area.lines for cell in line.cells)
        return [(kind, found[kind], str(KIND_WORDS[kind])) for kind in Kind]

    @property
    def kind_counts(self) -> dict[str, int]:
        """Gives the same by name."""
        return {str(kind): count for kind, count, _word in self.kinds}

    @property
    def kind_shares(self) -> list[tuple[str, int]]:
        """Gives the parts of the bar."""
        return [(str(kind), count) for kind, count, _word in self.kinds]

    @property
    def others(self) -> list[tuple[Kind, int, str]]:
        """Gives the states beside running that any machine is in."""
        return [row for row in self.kinds if row[1] and row[0] != Kind.RUNNING]

    @property
    def machines(self) -> int:
        """Gives how many machines are shown."""
        return sum(count for _kind, count, _word in self.kinds)

    @cached_property
    def freshness(self) -> tuple[int, int]:
        """Gives how many sensors of the plant are fresh, and how many are not."""
        fresh = int(self.counted.fresh.sum())
        return fresh, len(self.counted.fresh) - fresh

    @property
    def intervals(self) -> dict[str, Any]:
        """Gives each sensor's expected interval: lists by key, and which of them an asset has."""
        by_asset: dict[int, dict[str, float | None]] = {}
        for sensor in self.sensors:
            by_asset.setdefault(sensor.asset, {})[sensor.key] = sensor.interval
        lists: dict[tuple[tuple[str, float | None], ...], int] = {}
        assets = {
            self.plant.nodes[pk].code: lists.setdefault(tuple(keys.items()), len(lists))
            for pk, keys in by_asset.items()
        }
        return {"lists": [dict(keys) for keys in lists], "assets": assets}

    @property
    def fresh_shares(self) -> list[tuple[str, int]]:
        """Gives the parts of the bar."""
        fresh, old = self.freshness
        return [("running", fresh), ("offline", old)]

    @property
    def attention(self) -> list[dict[str, Any]]:
        """Gives what needs attention, with where it is. Cost: one query."""
        return [
            {"alarm": alarm, "node": self.plant.nodes.get(alarm.asset_id or 0)}
            for alarm in queries.worst(MOST_IN_ATTENTION, self.below)
        ]

    @cached_property
    def tally(self) -> queries.Tally:
        """Gives the open alarms of all that is shown."""
        if self.below is None:
            return self.tallies.get(None) or queries.Tally()
        roots = [pk for pk in self.below if self.plant.parents.get(pk) not in self.below]
        return queries.together(self.tallies[pk] for pk in roots if pk in self.tallies)

    @cached_property
    def rate(self) -> list[int]:
        """Gives the plant's alarms per ten minutes over the last four hours. Cost: one query."""
        return queries.raised_per_slot(self.now)

    @cached_property
    def connections(self) -> list[Connection]:
        """Gives each data source with the age of what it sends. Cost: one query."""
        found = []
        for source in Source.objects.filter(enabled=True).order_by("name"):
            scope = self.plant.nodes.get(source.scope_id)
            fresh, sensors, newest = self.counted.share(self.counted.count.below(scope))
            age = None if newest is None else max(0.0, (self.now_us - newest) / 1e6)
            found.append(Connection(source, sensors, fresh, age))
        return found

    @property
    def source_assets(self) -> dict[str, list[str]]:
        """Gives which assets each source sends for, so that the page counts in playback."""
        scopes = {row.source.name: self.plant.nodes.get(row.source.scope_id) for row in self.connections}
        own = self.plant.own_sensors
        return {
            name: [node.code for node in scope.walk() if node.pk in own] if scope else []
            for name, scope in scopes.items()
        }


def overview(request: HttpRequest) -> HttpResponse:
    """Shows the whole plant, or how to begin when there is none."""
    plant = tree()
    if not plant.nodes:
        return redirect("start")
    shown = {"current_page": "overview", "crumbs": [(_("Plant overview"), "")], "subscribe": "all", "summed": True}
    board = Board(plant, moment.now())
    return render(request, "plant/overview.html", {**shown, "board": board})


@require_GET
def figures(request: HttpRequest) -> JsonResponse:
    """Gives the figures that no event carries: the plant's alarm rate and the pipeline's lag."""
    now = pipeline.health()
    return JsonResponse(
        {
            "rate": queries.raised_per_slot(moment.now()),
            "pipeline": {"readings": now.readings, "seconds": now.seconds, "share": now.share, "reason": now.reason},
        }
    )
