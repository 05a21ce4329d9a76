"""An area's or a line's page: which machine, and how far off? Machine cards line by line, quiet lines folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alerts import queries
from alerts.models import Alarm
from devices import moment
from plant.drawing import Cell, Shown
from plant.machines import KIND_WORDS, Kind
from plant.pages import key_values, sparks, synoptics
from plant.pages.machine import machine
from plant.pages.overview import Board, Line
from plant.pages.tip import tip
from plant.pages.tree import Node, Row, Tree, tree_for

MOST_CARDS = 60  # read at once: what is beyond is asked for
FEW_CARDS = 10  # of a line among others; all that are not normal, and the first of the rest
MOST_ROWS = 200  # of the table on one page
MOST_ALARMS = 500  # looked at; a part of the plant with more has other worries
VIEWS = (("cards", gettext_lazy("Cards")), ("table", gettext_lazy("Table")))
UNFOLDED, FOLDED = "unfolded", "folded"  # cookies: codes that the person has turned, joined by dots


@dataclass(frozen=True, slots=True)
class Card:
    """A machine with its key values."""

    cell: Cell
    values: Sequence[Shown]
    alarms: Sequence[Alarm]  # its open ones, the worst first
    spark: dict[str, Any] | None  # what `drawing.spark` takes; none where there is nothing to draw
    since: int | None  # seconds since the epoch: when its state began, or was told of first, within the hour
    lasts: bool  # its state may be older: without `since`, it is older than the hour

    @property
    def classes(self) -> str:
        """Gives the classes that frame it."""
        worst = self.cell.tally.worst
        return " ".join(filter(None, ("card", str(self.cell.kind), f"al p{worst}" if worst else "")))

    @property
    def symbols(self) -> Sequence[int]:
        """Gives the priorities of its alarms, each once, the worst two."""
        return [priority for priority, count in self.cell.tally.active.items() if count][:2]

    @property
    def rest(self) -> bool:
        """Tells whether it stands still, so that its limits are not drawn as in force."""
        return self.cell.kind in (Kind.STOPPED, Kind.IDLE)


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the page: open with cards, or folded to one row."""

    line: Line
    key: str  # its code; where its machines belong to no line, that of the page
    open: bool
    chosen: Sequence[Cell]  # what has a card
    more: int  # machines without one
    more_abnormal: int
    told: str  # its worst alarms in words, for the folded row

    @property
    def row(self) -> Row:
        """Gives its place in the tree."""
        return self.line.row

    @property
    def states(self) -> str:
        """Gives how many machines are in which state: 7 running, 1 idle."""
        return states(self.line.cells)


def states(cells: Iterable[Cell]) -> str:
    """Gives how many machines are in which state, in words."""
    found = Counter(cell.kind for cell in cells)
    return ", ".join(f"{found[kind]} {KIND_WORDS[kind]}" for kind in Kind if found[kind])


def is_abnormal(cell: Cell) -> bool:
    """Tells whether a machine needs a look: an alarm, a fault, old data or none."""
    return cell.tally.worst is not None or cell.stale or cell.kind in (Kind.FAULT, Kind.OFFLINE)


@dataclass(frozen=True, slots=True)
class View:
    """How the person wants to see the page; it stands in the address, but for what is folded."""

    view: str = "cards"
    abnormal: bool = False  # nothing else
    worst_first: bool = False
    start: int = 0  # the first machine of the page
    unfolded: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()

    @classmethod
    def of(cls, request: HttpRequest) -> View:
        """Reads it from the address and the cookies; what makes no sense is left out."""
        get = request.GET
        start = get.get("from", "")
        turned = [frozenset(request.COOKIES.get(name, "").split(".")) - {""} for name in (UNFOLDED, FOLDED)]
        return cls(
            "table" if get.get("view") == "table" else "cards",
            get.get("only") == "abnormal",
            get.get("sort") == "worst",
            int(start) if start.isdecimal() and len(start) < 7 else 0,
            *turned,
        )

    def address(self, **changes: Any) -> str:
        """Gives the query of the page with something changed."""
        values = {
            "view": "table" if self.view == "table" else "",
            "only": "abnormal" if self.abnormal else "",
            "sort": "worst" if self.worst_first else "",
            **changes,
        }
        return "?" + urlencode({key: value for key, value in values.items() if value})

    @property
    def other_view(self) -> str:
        """Gives the address of the table where the cards are shown, and the other way round."""
        return self.address(view="" if self.view == "table" else "table")

    @property
    def toggle_abnormal(self) -> str:
        """Gives the address with only what is abnormal, or with all."""
        return self.address(only="" if self.abnormal else "abnormal")

    @property
    def toggle_sort(self) -> str:
        """Gives the address in the other order."""
        return self.address(sort="" if self.worst_first else "worst")


class Page:
    """What the page shows of a part of the plant; each part is read once."""

    def __init__(self, plant: Tree, node: Node, view: View, now: datetime) -> None:
        self.plant, self.node, self.view, self.now = plant, node, view, now
        self.board = Board(plant, now, node)

    @cached_property
    def lines(self) -> list[Line]:
        """Gives the lines in plant order."""
        return [line for area in self.board.areas for line in area.lines]

    @cached_property
    def machines(self) -> int:
        """Gives how many machines there are."""
        return sum(len(line.cells) for line in self.lines)

    @cached_property
    def alarms(self) -> dict[int, list[Alarm]]:
        """Gives the open alarms by machine, the worst first. Cost: one query."""
        found: dict[int, list[Alarm]] = {}
        for alarm in queries.worst(MOST_ALARMS, self.board.below):
            at = self.plant.cell_of.get(alarm.asset_id or 0) or self.plant.nodes.get(alarm.asset_id or 0)
            if at is not None:
                found.setdefault(at.pk, []).append(alarm)
        return found

    @cached_property
    def _filled(self) -> list[Line]:
        return [line for line in self.lines if line.cells]

    @cached_property
    def alone(self) -> bool:
        """Tells whether one line has all the machines: then its cards follow each other page by page."""
        return len(self._filled) == 1

    @cached_property
    def parts(self) -> list[Part]:
        """Gives the lines, each with the machines that have a card."""
        found, left = [], MOST_CARDS
        # Where all is well the first line is open: somebody came to see machines.
        first = self._filled[0] if self._filled and not any(line.tally.worst for line in self.lines) else None
        for line in self.lines:
            part = self._part(line, left, first=line is first)
            left -= len(part.chosen)
            found.append(part)
        return found

    def _key(self, line: Line) -> str:
        return line.row.node.code if line.row.node else self.node.code

    def _part(self, line: Line, left: int, *, first: bool) -> Part:
        key, alone = self._key(line), self.alone
        wanted = self._wanted(line.cells)
        asks = (line.tally.worst is not None or first) and key not in self.view.folded
        wished = asks or key in self.view.unfolded or (alone and key not in self.view.folded)
        opened = bool(wanted) and left > 0 and (wished or line.row.node is self.node)
        chosen: Sequence[Cell] = ()
        if opened:
            start = self.view.start if alone else 0
            chosen = wanted[start : start + left] if alone else _first(wanted, min(FEW_CARDS, left))
        known = {cell.code for cell in chosen}
        rest = [cell for cell in wanted if cell.code not in known]
        if alone:  # its pages follow each other
            rest = []
        return Part(line, key, opened, chosen, len(rest), sum(map(is_abnormal, rest)), self._worst(line))

    def _wanted(self, cells: Sequence[Cell]) -> list[Cell]:
        """Gives a line's machines as the person wants them."""
        found = [cell for cell in cells if is_abnormal(cell)] if self.view.abnormal else list(cells)
        if self.view.worst_first:
            found.sort(key=lambda cell: (cell.tally.worst or 9, not is_abnormal(cell)))
        return found

    def _worst(self, line: Line) -> str:
        """Gives the worst alarms of a line in words."""
        codes = [self.plant.by_code[cell.code].pk for cell in line.cells]
        own = [line.row.node.pk] if line.row.node else []
        found = [alarm for pk in [*own, *codes] for alarm in self.alarms.get(pk, ())]
        found.sort(key=lambda alarm: (alarm.priority, alarm.raised))
        return ", ".join(map(_told, found[:2]))

    @cached_property
    def cards(self) -> dict[str, Card]:
        """Gives the cards of all open lines by the machine's code. Cost: as `cards_of`."""
        return self.cards_of([cell for part in self.parts for cell in part.chosen])

    @property
    def drawn(self) -> list[tuple[Part, list[Card]]]:
        """Gives the lines with their cards."""
        return [(part, [self.cards[cell.code] for cell in part.chosen]) for part in self.parts]

    def more_cards(self, key: str, known: frozenset[str]) -> list[Card]:
        """Gives the next cards of a line: those that the page does not have yet."""
        line = next((line for line in self.lines if self._key(line) == key), None)
        cells = [cell for cell in self._wanted(line.cells) if cell.code not in known] if line else []
        return list(self.cards_of(cells[:MOST_CARDS]).values())

    def cards_of(self, cells: Sequence[Cell]) -> dict[str, Card]:
        """Gives some machines' cards by code. Cost: five queries for up to 250 machines, none for none."""
        if not cells:
            return {}
        nodes = {cell.code: self.plant.by_code[cell.code] for cell in cells}
        machines, silent, readings = list(nodes.values()), self.board.silent, self.board.readings
        read = key_values.of_machines(machines, self.alarms, silent, self.now, readings=readings)
        chosen = {code: read[node.pk] for code, node in nodes.items()}
        drawn = [one.sensors[one.first].pk for one in chosen.values() if one.first is not None]
        columns = sparks.read([*drawn, *(one.teller.pk for one in chosen.values() if one.teller)], self.now)
        start, end = sparks.span(self.now)
        found = {}
        for cell in cells:
            one, teller = chosen[cell.code], chosen[cell.code].teller
            spark = None
            if one.first is not None:
                first = one.sensors[one.first].pk
                points = sparks.line(columns[first], start, end)
                spark = sparks.drawn(one.values[one.first], points, one.alarms.get(first))
            began, lasts = sparks.stood(columns[teller.pk], self.now, teller.interval) if teller else (None, False)
            since = began // 1_000_000 if began is not None else None
            alarms = self.alarms.get(nodes[cell.code].pk, [])
            found[cell.code] = Card(cell, one.values, alarms, spark, since, lasts)
        return found

    @property
    def rows(self) -> list[tuple[Line, Cell]]:
        """Gives the table's machines, as many as one page has."""
        start = self.view.start
        return self._ranked[start : start + MOST_ROWS]

    @cached_property
    def _ranked(self) -> list[tuple[Line, Cell]]:
        found = [(line, cell) for line in self.lines for cell in self._wanted(line.cells)]
        if self.view.worst_first:
            found.sort(key=lambda row: (row[1].tally.worst or 9, not is_abnormal(row[1])))
        return found

    @property
    def next_page(self) -> str:
        """Gives the address of what does not fit on this page, or nothing."""
        most = MOST_ROWS if self.view.view == "table" else MOST_CARDS
        shown_here = len(self._ranked) if self.view.view == "table" or self.alone else 0
        after = self.view.start + most
        return self.view.address(**{"from": after}) if after < shown_here else ""

    @property
    def previous_page(self) -> str:
        """Gives the address of what comes before this page, or nothing."""
        most = MOST_ROWS if self.view.view == "table" else MOST_CARDS
        return self.view.address(**{"from": max(0, self.view.start - most)}) if self.view.start else ""

    @property
    def size(self) -> str:
        """Gives what the page is of: 5 lines, 66 machines."""
        machines = ngettext("%(number)s machine", "%(number)s machines", self.machines) % {"number": self.machines}
        named = [line for line in self.lines if line.row.node is not None and line.row.node is not self.node]
        if not named:
            return machines
        return ngettext("%(number)s line", "%(number)s lines", len(named)) % {"number": len(named)} + f", {machines}"


def _told(alarm: Alarm) -> str:
    """Gives an alarm in words for the folded row."""
    words = f"{alarm.asset_code} {alarm.message}"
    return words if alarm.cleared is None else _("%(alarm)s (cleared)") % {"alarm": words}


def _first(cells: Sequence[Cell], most: int) -> list[Cell]:
    """Gives as many as fit, in order: all that are abnormal, and the first of the rest."""
    if len(cells) <= most:
        return list(cells)
    abnormal = [place for place, cell in enumerate(cells) if is_abnormal(cell)][:most]
    rest = [place for place, cell in enumerate(cells) if not is_abnormal(cell)][: most - len(abnormal)]
    return [cells[place] for place in sorted([*abnormal, *rest])]


def asset(request: HttpRequest, path: str) -> HttpResponse:
    """Shows an area, a line or a machine; the last part of the path is its code."""
    plant = tree_for(request)
    node = plant.by_code.get(path.rsplit("/", 1)[-1])
    if node is None:
        raise Http404(_("There is no asset with this code."))
    if node.pk in plant.cell_of:
        return tip(request, node) if "tip" in request.GET else machine(request, plant, node)
    return area(request, plant, node)


def area(request: HttpRequest, plant: Tree, node: Node) -> HttpResponse:
    """Shows a part of the plant that is no machine. Cost: the same number of queries for any number of machines."""
    page = Page(plant, node, View.of(request), moment.now())
    if (key := request.GET.get("cards")) is not None:
        known = frozenset(request.GET.get("known", "").split("."))
        return render(request, "plant/area_cards.html", {"cards": page.more_cards(key, known)})
    shown_page = {
        "page": page,
        "board": page.board,
        "node": node,
        "views": VIEWS,
        "title": node.name,
        "crumbs": [(_("Plant"), reverse("overview")), *((step.name, step.url) for step in node.above), (node.name, "")],
        "current_area": plant.head_of(node).code,
        "subscribe": [node.code],
        "synoptics": synoptics.of(plant, node),
    }
    return render(request, "plant/area.html", shown_page)
