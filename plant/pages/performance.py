"""Alarm performance: which alarms waste our attention? The figures against their targets, and what to mend first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from alerts import writing
from alerts.figures import words
from alerts.figures.mailing import last_month
from alerts.figures.query import Report, Source, moment_of, report
from alerts.figures.rates import Flood
from alerts.figures.summary import Figures
from alerts.figures.targets import PRIORITY_SPLIT
from alerts.flood import counter
from alerts.models import Position, Priority
from alerts.notify import hours
from devices import moment
from plant.drawing import rates
from plant.pages.drafts import open_and_recent
from plant.pages.tree import tree

PERIODS = ((1, gettext_lazy("24 h")), (7, gettext_lazy("7 days")), (30, gettext_lazy("30 days")))
KPIS = ("per_ten", "peak_ten", "flood_share", "chattering", "stale", "top_ten_share")
ROWS = 7  # of a list that could go on
FLOODS_SAID = 3
MOST_COLUMNS = 190


@dataclass(frozen=True, slots=True)
class Period:
    """What is looked at; it stands in the address."""

    days: int
    position: Position | None

    @classmethod
    def of(cls, request: HttpRequest, *, usual: int = 7) -> Period:
        """Reads it from the address; what makes no sense is left out."""
        sent = request.GET.get("days", "")
        known = {str(days): days for days, _name in PERIODS}
        code = request.GET.get("position", "")
        return cls(known.get(sent, usual), Position.objects.filter(code=code).first() if code else None)

    def query(self, **changes: Any) -> str:
        """Gives the part of an address that says it, with some of it changed."""
        values = {"days": self.days, "position": self.position.code if self.position else "", **changes}
        return urlencode({key: value for key, value in values.items() if value})

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """Gives its start and end; it ends now."""
        return now - timedelta(days=self.days), now


@dataclass(frozen=True, slots=True)
class Actor:
    """A bad actor as a row of the Pareto."""

    place: int
    source: Source | None
    count: int
    part: float  # of the most frequent one's count
    running: int  # per cent
    kind: str  # chatters, fleeting, stale, frequent
    word: str
    address: str  # of its workbench

    @property
    def width(self) -> str:
        """Gives the part as an attribute of a drawing has it: in no language's way."""
        return f"{self.part * 100:.1f}%"


@dataclass(frozen=True, slots=True)
class Nuisance:
    """A row of the list of what wastes attention."""

    source: Source | None
    pattern: str
    worst: str
    address: str


@dataclass(frozen=True, slots=True)
class Board:
    """What the page and the report draw of a report."""

    report: Report
    kpis: Sequence[words.Line]
    lines: Sequence[words.Line]
    level: str
    chart: SafeString
    floods: Sequence[str]
    more_floods: int
    actors: Sequence[Actor]
    split: Sequence[tuple[int, str, float, float, str]]
    nuisances: Sequence[Nuisance]
    more_nuisances: int
    standing: Sequence[Nuisance]
    more_standing: int
    field: Sequence[tuple[str, Sequence[tuple[str, int] | None]]]
    staffed: str
    recorded: int  # per cent

    @property
    def figures(self) -> Figures:
        """Gives the bare figures."""
        return self.report.figures


@require_GET
def performance(request: HttpRequest) -> HttpResponse:
    """Shows the figures. Cost: the same number of queries for any number of alarms."""
    period, now = Period.of(request), moment.now()
    start, end = period.span(now)
    plant = tree()
    return render(
        request,
        "plant/performance.html",
        {
            "title": _("Alarm performance"),
            "crumbs": [(plant.name, reverse("overview")), (_("Alarm performance"), "")],
            "current_page": "performance",
            "period": period,
            "periods": [(days, name, period.query(days=days)) for days, name in PERIODS],
            "positions": list(Position.objects.order_by("name", "code")),
            "board": board(report(position=period.position, start=start, end=end, now=now), period.query()),
            "drafts": open_and_recent(request),
            "last_month": last_month(now),
            **may(request),
        },
    )


def may(request: HttpRequest) -> dict[str, Any]:
    """Gives what a template asks of the person."""
    return {"may_draft": request.user.has_perm("alerts.add_draftchange")}


def board(made: Report, query: str = "") -> Board:
    """Gives what is drawn of a report. Takes: what addresses of workbenches carry."""
    figures = made.figures
    actors, nuisances, standing = _actors(made, query), _nuisances(made, query), _standing(made, query)
    total = figures.annunciations
    return Board(
        report=made,
        kpis=words.lines(figures, KPIS),
        lines=words.lines(figures),
        level=words.level(figures),
        chart=_chart(figures),
        floods=[_flood(flood) for flood in sorted(figures.floods, key=lambda one: -one.count)[:FLOODS_SAID]],
        more_floods=max(0, len(figures.floods) - FLOODS_SAID),
        actors=actors,
        split=[
            (level, str(Priority(level).label), count / total if total else 0.0, PRIORITY_SPLIT[level], _aim(level))
            for level, count in figures.priorities.items()
        ],
        nuisances=nuisances[:ROWS],
        more_nuisances=max(0, len(nuisances) - ROWS),
        standing=standing[:ROWS],
        more_standing=max(0, len(standing) - ROWS),
        field=_field(figures),
        staffed=hours.in_words(made.position.staffed) if made.position is not None else hours.in_words(None),
        recorded=int(figures.recorded_share * 100),
    )


def _aim(level: int) -> str:
    return _("under 1 %") if level == 1 else f"{PRIORITY_SPLIT[level]:.0%}".replace("%", " %")


def _address(made: Report, source: int, query: str) -> str:
    known = made.sources.get(source)
    if known is None or known.rule is None:
        return ""
    return f"{reverse('workbench', args=[known.rule])}?{query}"


def _actors(made: Report, query: str) -> list[Actor]:
    figures = made.figures
    chatter = {one.source for one in figures.chatter}
    fleeting, stale = {one.source for one in figures.fleeting}, {one.source for one in figures.stale}
    found = []
    for place, one in enumerate(figures.top, 1):
        kind, word = "frequent", _("frequent")
        if one.source in chatter:
            kind, word = "chatters", _("chatters")
        elif one.source in stale:
            kind, word = "stale", _("stale")
        elif one.source in fleeting:
            kind, word = "fleeting", _("fleeting")
        part = one.count / figures.top[0].count
        address = _address(made, one.source, query)
        running = round(one.running * 100)
        found.append(Actor(place, made.sources.get(one.source), one.count, part, running, kind, word, address))
    return found


def _nuisances(made: Report, query: str) -> list[Nuisance]:
    """Gives what chatters, the worst first, then what is stale, then what is fleeting."""
    figures = made.figures
    rows = [
        (one.source, _("Chatters"), _("%(count)s in a minute") % {"count": one.worst})
        for one in sorted(figures.chatter, key=lambda one: (-one.worst, -one.raises))
    ]
    rows += [(one.source, _("Stale"), words.seconds((one.until - one.since) / 1_000_000)) for one in figures.stale]
    rows += [
        (one.source, _("Fleeting"), _("%(count)s times, shortest %(time)s") % {
            "count": one.count, "time": words.seconds(one.shortest)})
        for one in figures.fleeting
    ]  # fmt: skip
    return [
        Nuisance(made.sources.get(source), pattern, worst, _address(made, source, query))
        for source, pattern, worst in rows
    ]


def _standing(made: Report, query: str) -> list[Nuisance]:
    return [
        Nuisance(
            made.sources.get(one.source),
            "",
            words.seconds((one.until - one.since) / 1_000_000),
            _address(made, one.source, query),
        )
        for one in made.figures.standing
    ]


def _flood(flood: Flood) -> str:
    said = {
        "when": writing.stamp(moment_of(flood.start)),
        "minutes": round(flood.minutes),
        "count": flood.count,
    }
    if flood.running:
        return _("%(when)s, for %(minutes)s min until the end, %(count)s alarms") % said
    return _("%(when)s for %(minutes)s min, %(count)s alarms") % said


def _chart(figures: Figures) -> SafeString:
    """Gives the rate, of longer periods the peak of several intervals in one column."""
    together = -(-len(figures.counts) // MOST_COLUMNS)
    together = next(size for size in (1, 2, 3, 6, 12, 24, 36, 72, 144, 288, 1008) if size >= min(together, 1008))
    padded = np.pad(figures.counts, (0, -len(figures.counts) % together))
    values = padded.reshape(-1, together).max(axis=1).tolist()
    first = int(figures.edges[0])
    whole = len(values) * together * int(figures.edges[1] - figures.edges[0])

    def at(us: int) -> float:
        return (us - first) / whole

    longest = max(figures.floods, key=lambda flood: flood.count, default=None)
    marks = []
    for flood in figures.floods:
        text = ""
        if flood is longest:
            said = {"minutes": round(flood.minutes), "count": flood.count}
            text = _("flood, %(minutes)s min, %(count)s alarms") % said
        marks.append(rates.Mark(at(flood.start), at(flood.end), text))
    days = [day for day in figures.days if first <= day < figures.end]
    step = -(-len(days) // 8)
    names = [(at(day), writing.day(moment_of(day))) for day in days[::step]] if days else []
    return rates.rate_chart(
        values,
        limits=[(counter.ABOVE, _("Flood above 10")), (2, _("Manageable 2")), (1, _("Target 1"))],
        marks=marks,
        days=names,
        label=_("Alarms per 10 minutes: on average %(average)s, at most %(peak)s, %(floods)s floods")
        % {"average": f"{figures.per_ten:.2f}", "peak": figures.peak_ten, "floods": len(figures.floods)},
        hot_above=counter.ABOVE,
    )


def _field(figures: Figures) -> list[tuple[str, list[tuple[str, int] | None]]]:
    """Gives alarms per ten minutes hour by hour: a row a day for a week, else one a weekday, of all its days."""
    by_day = len(figures.days) <= 9
    sums: dict[tuple[Any, int], list[int]] = {}
    for edge, count, staffed in zip(
        figures.edges[:-1].tolist(), figures.counts.tolist(), figures.staffed.tolist(), strict=True
    ):
        if not staffed or edge + 600_000_000 <= figures.start:
            continue
        local = moment_of(edge)
        sums.setdefault((local.date() if by_day else local.weekday(), local.hour), []).append(count)
    rows = sorted({row for row, _hour in sums})
    found = []
    for row in rows:
        name = writing.weekday(row) if by_day else str(hours.DAYS[row])
        cells: list[tuple[str, int] | None] = []
        for hour in range(24):
            counts = sums.get((row, hour))
            if counts is None:
                cells.append(None)
                continue
            mean = sum(counts) / len(counts)
            cells.append((f"{name} {hour}:00, {mean:.1f}", rates.shade(mean, counter.ABOVE)))
        found.append((name, cells))
    return found
