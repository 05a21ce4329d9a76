"""A machine's page: why, how long do I have, what do I do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts import queries, services
from alerts.instants import to_us
from alerts.models import Alarm, Rule
from alerts.silence.queries import Silent, silent_parts
from alerts.wiring import values_of
from devices import documents, moment
from devices.models import Asset, Document, Sensor
from devices.topology import STATE_QUANTITY
from plant import writing
from plant.drawing import Shown, scale_of
from plant.machines import Kind, condition, judging, state_words
from plant.pages import sparks, states
from plant.pages.alarms import condition_of, condition_words
from plant.pages.alarms.detail import earlier
from plant.pages.key_values import figures_of, read_by, teller_of
from plant.pages.reading import newest
from plant.pages.reading import shown as reading_shown
from plant.pages.tree import Node, Tree
from plant.pages.trend import limits_of, mark_of, trend_of

RANGES = (
    ("15m", gettext_lazy("15 min"), 900),
    ("90m", gettext_lazy("90 min"), 5400),
    ("8h", gettext_lazy("8 h"), 28800),
    ("24h", gettext_lazy("24 h"), 86400),
    ("7d", gettext_lazy("7 d"), 604800),
)
DEFAULT_RANGE = "15m"
LANES = 3  # trends that are open at first
EVENTS = 30
KEY_VALUES = 4
MOST_SENSORS = 40  # in the table at first


@dataclass(frozen=True, slots=True)
class SensorLine:
    """One sensor of the table."""

    sensor: Sensor
    shown: Shown
    rules: Sequence[Rule]
    alarm: Alarm | None  # its worst one
    spark: dict[str, Any] | None  # what `drawing.spark` takes

    @property
    def normal(self) -> str:
        """Gives the normal band in the sensor's digits."""
        low, high = self.sensor.normal or (None, None)
        words = {"low": writing.number(low, self.shown.decimals), "high": writing.number(high, self.shown.decimals)}
        if low is None:
            return "" if high is None else _("up to %(high)s") % words
        return (_("from %(low)s") if high is None else _("%(low)s to %(high)s")) % words


class Machine:
    """What the page shows; each part is read once."""

    def __init__(
        self, plant: Tree, node: Node, now: datetime, *, short: bool = True, before: int | None = None
    ) -> None:
        self.plant = plant
        self.short = short  # a part of the sensors, where there are many
        self.node = node
        self.now = now
        parts = list(node.walk())
        ids = [part.pk for part in parts]
        self.codes = [part.code for part in parts]
        self.asset = Asset.objects.select_related("type").get(pk=node.pk)
        self.sensors = list(Sensor.objects.filter(asset__in=ids).select_related("asset").order_by("asset_id", "pk"))
        self.alarms = list(queries.open_alarms(ids).filter(suppressed=[]))
        self.rules, self.reads = read_by(ids)
        self.readings = newest(self.sensors)
        self.silent = silent_parts()
        self.lines = self._lines()
        told = queries.story(ids, self.codes, EVENTS + 1, before=before)
        self.events = told[:EVENTS]
        self.older = self.events[-1].pk if len(told) > EVENTS else None  # what came before it is on the next page

    def _lines(self) -> list[SensorLine]:
        """Gives the sensors, abnormal ones first."""
        worst: dict[int, Alarm] = {}
        for alarm in sorted(self.alarms, key=lambda alarm: (alarm.state == "D", alarm.priority)):
            if alarm.sensor_id:
                worst.setdefault(alarm.sensor_id, alarm)
        ranked = sorted(
            self.sensors,
            key=lambda sensor: (worst[sensor.pk].priority if sensor.pk in worst else 9, bool(sensor.labels)),
        )
        shown_first = ranked[:MOST_SENSORS] if self.short else ranked
        numbers = [sensor.pk for sensor in shown_first if sensor.quantity != STATE_QUANTITY]
        drawn = sparks.lines(sparks.read(numbers, self.now), self.now)
        lines = []
        for sensor in ranked:
            top = worst.get(sensor.pk)
            rules = self.reads.get(sensor.pk, [])
            scale = scale_of(sensor, rules)
            unknown = sensor.asset.code in self.silent or sensor.tag in self.silent
            reading = self.readings.get(sensor.pk)
            shown = reading_shown(sensor, reading, self.now, scale=scale, alarm=top, unknown=unknown)
            spark = sparks.drawn(shown, drawn.get(sensor.pk, []), top)
            lines.append(SensorLine(sensor, shown, rules, top, spark))
        return lines

    @cached_property
    def state(self) -> Any:
        """Gives the machine's state in one of six words."""
        teller = self._teller
        reading = self.readings.get(teller.pk) if teller else None
        return condition(
            to_us(self.now),
            max((reading.time for reading in self.readings.values()), default=None),
            judging(sensor.interval for sensor in self.sensors),
            (reading.time, reading.value) if reading else None,
            state_words(teller.labels) if teller else {},
            silent=self.silence is not None,
        )

    @property
    def silence(self) -> Silent | None:
        """Gives what is said of the part of the plant that is not heard, if the machine belongs to one."""
        return self.silent.get(self.node.code)

    @property
    def _teller(self) -> Sensor | None:
        """Gives the sensor that tells the machine's state."""
        return teller_of(self.sensors)

    @property
    def judged_by(self) -> dict[str, Any]:
        """Gives what the page's script needs to judge the machine's state by itself."""
        teller = self._teller
        return {
            "tag": teller.tag if teller else None,
            "words": state_words(teller.labels) if teller else None,
            **judging(sensor.interval for sensor in self.sensors)._asdict(),
        }

    @property
    def tally(self) -> queries.Tally:
        """Gives the machine's open alarms, counted."""
        return queries.tally_of(self.alarms)

    @property
    def unacked(self) -> list[int]:
        """Gives the open alarms that wait for an acknowledgement: by the page's button together."""
        return [alarm.pk for alarm in self.alarms if alarm.state in queries.UNACKED_STATES][: services.MOST_AT_ONCE]

    @property
    def rest(self) -> bool:
        """Tells whether the machine stands still, so that its limits are not drawn as in force."""
        return self.state.kind in (Kind.STOPPED, Kind.IDLE)

    @property
    def top(self) -> dict[str, Any] | None:
        """Gives the alarm that the page explains: the worst one, with what came before it on the line."""
        if not self.alarms:
            return None
        alarm = min(self.alarms, key=lambda alarm: (alarm.priority, alarm.raised))
        steps = [step.strip() for step in alarm.frozen.get("action", "").splitlines() if step.strip()]
        return {
            "alarm": alarm,
            "condition": condition_of(alarm),
            "steps": steps,
            "before": earlier(alarm, self.plant),
        }

    @property
    def key_values(self) -> list[Shown]:
        """Gives the values in the head: the first with rules, then the first of the rest."""
        drawn = {line.sensor.pk: line.shown for line in self.lines}
        return [drawn[sensor.pk] for sensor in figures_of(self.sensors, self.reads)[:KEY_VALUES]]

    @property
    def rows(self) -> list[SensorLine]:
        """Gives the sensors of the table, abnormal ones first: as many as are read at once."""
        return self.lines[:MOST_SENSORS] if self.short else self.lines

    @property
    def trends(self) -> list[dict[str, Any]]:
        """Gives what the page's script needs to draw each sensor."""
        return [trend_of(line.sensor, limits_of(line.rules)) for line in self.lines]

    @property
    def lanes(self) -> list[str]:
        """Gives the tags whose trends are open at first: abnormal ones, then those with limits."""
        ranked = sorted(
            (line for line in self.lines if not line.sensor.labels),
            key=lambda line: (line.alarm.priority if line.alarm else 9, not line.rules),
        )
        return [line.sensor.tag for line in ranked[:LANES]]

    @cached_property
    def day(self) -> states.Day | None:
        """Gives the last 24 hours; None where no sensor tells the state. Cost: two queries."""
        teller = self._teller
        return states.of_machine(teller, state_words(teller.labels), self.now) if teller else None

    @property
    def day_marks(self) -> list[tuple[float, int]]:
        """Gives the alarms above the state line."""
        start = self.day.start / 1e6 if self.day else 0.0
        return [(mark["time"], mark["priority"]) for mark in self.marks if mark["time"] >= start]

    @property
    def lasting(self) -> states.Lasting | None:
        """Gives since when the state has lasted; None where that is not known."""
        return self.day.lasting(self.state.kind) if self.day else None

    @cached_property
    def documents(self) -> list[Document]:
        """Gives the machine's documents. Cost: one query."""
        return list(self.asset.documents.all())

    @property
    def rules_in_words(self) -> list[tuple[Rule, str]]:
        """Gives the rules in force, each with what it asks for."""
        read = {rule.pk: line.sensor for line in self.lines for rule in line.rules}
        scales = {pk: (sensor.unit, sensor.labels, sensor) for pk, sensor in read.items()}
        return [(rule, condition_words(values_of(rule), *scales.get(rule.pk, ("", {})))) for rule in self.rules]

    @cached_property
    def by_tag(self) -> dict[str, Sensor]:
        """Gives its sensors by tag."""
        return {line.sensor.tag: line.sensor for line in self.lines}

    @cached_property
    def marks(self) -> list[dict[str, Any]]:
        """Gives the machine's alarms of the last week for the trends. Cost: one query."""
        ids = [part.pk for part in self.node.walk()]
        found = Alarm.objects.filter(asset__in=ids, raised__gte=self.now - timedelta(days=7))
        return [mark_of(alarm) for alarm in found.order_by("-raised", "-pk")[:200]]


def _story_at(request: HttpRequest, before: int | None) -> str:
    """Gives the page's address at another part of its story; the rest of it stays."""
    query = request.GET.copy()
    for name in ("fragment", "before"):
        query.pop(name, None)
    if before is not None:
        query["before"] = str(before)
    return f"?{query.urlencode()}#story"


def machine(request: HttpRequest, plant: Tree, node: Node) -> HttpResponse:
    """Shows one machine. Cost: the same number of queries for any number of sensors."""
    given = request.GET.get("before", "")
    before = int(given) if given.isdecimal() and len(given) < 19 else None
    shown = Machine(plant, node, moment.now(), short=request.GET.get("sensors") != "all", before=before)
    story = {
        "older": _story_at(request, shown.older) if shown.older is not None else "",
        "newest": _story_at(request, None) if before is not None else "",
    }
    if "fragment" in request.GET:
        return render(request, "plant/machine_story.html", {"machine": shown, "node": node, **story})
    spans = {key: seconds for key, _word, seconds in RANGES}
    span = spans.get(request.GET.get("t", ""), spans[DEFAULT_RANGE])
    return render(
        request,
        "plant/machine.html",
        {
            "machine": shown,
            "node": node,
            **story,
            "title": node.name,
            "crumbs": [
                (_("Plant"), reverse("overview")),
                *((step.name, step.url) for step in node.above),
                (node.code, ""),
            ],
            "current_area": plant.head_of(node).code,
            "subscribe": [node.code],
            "ranges": RANGES,
            "span": span,
            "may_comment": request.user.has_perm("alerts.acknowledge_alarm"),
            "may_add": request.user.has_perm("devices.add_document"),
            "may_remove": request.user.has_perm("devices.delete_document"),
            "kinds": [f".{end}" for end in documents.KINDS],
            "most_bytes": documents.MOST_BYTES,
        },
    )
