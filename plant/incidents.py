"""An incident: everything that is known of a part of the plant over a stretch of time, for one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from alerts import queries
from alerts.changes import LAID_DOWN, label_of, text_of
from alerts.instants import to_us
from alerts.limits import limits_of
from alerts.models import Alarm, Delivery, JournalEntry, Rule
from alerts.past import looking_back
from devices.models import Sensor
from devices.telemetry import history
from plant import writing
from plant.drawing.lanes import Lane, lane

LONGEST = timedelta(days=7)
MOST_ALARMS = 1_000
MOST_ROWS = 5_000  # of the time line
MOST_TRENDS = 40
_POINTS = 1_200  # of one trend


@dataclass(frozen=True, slots=True)
class Trend:
    """A sensor of the incident with its picture."""

    sensor: Sensor
    drawn: SafeString
    readings: bool


class Incident:
    """What happened to some assets from one moment to another; each part is read when it is asked for.

    Takes: ids of the assets. What came later is left out: an alarm stands as it stood at the end.
    """

    def __init__(self, assets: Iterable[int], start: datetime, end: datetime) -> None:
        self._assets = list(assets)
        self.start = start
        self.end = end

    @cached_property
    def alarms(self) -> list[Alarm]:
        """Gives the alarms that stood at any time, as they stood at the end, by the time they were due. Cost: three."""
        with looking_back(self.end):
            rows = queries.alarms().filter(asset__in=self._assets, raised__lte=self.end)
            found = rows.filter(Q(closed=None) | Q(closed__gte=self.start))
            return list(found.order_by("raised", "pk")[: MOST_ALARMS + 1])

    @property
    def more_alarms(self) -> bool:
        """Tells whether there were more than one file holds."""
        return len(self.alarms) > MOST_ALARMS

    @cached_property
    def standing(self) -> list[Alarm]:
        """Gives what stood at the beginning, as it stood then. Cost: three queries."""
        with looking_back(self.start):
            return list(queries.open_alarms(self._assets))

    @cached_property
    def entries(self) -> list[JournalEntry]:
        """Gives the journal of these alarms, and of rules of the assets without one, in order. Cost: two queries."""
        rules = list(Rule.objects.filter(asset__in=self._assets).order_by().values_list("pk", flat=True))
        mine = Q(alarm__asset__in=self._assets) | Q(alarm=None, rule_id__in=rules)
        rows = JournalEntry.objects.filter(mine, recorded__gte=self.start, recorded__lte=self.end)
        return list(rows.select_related("alarm").order_by("pk")[: MOST_ROWS + 1])

    @property
    def more_entries(self) -> bool:
        """Tells whether more was written than one file holds."""
        return len(self.entries) > MOST_ROWS

    @cached_property
    def told(self) -> list[Delivery]:
        """Gives the messages that went out about these alarms. Cost: one query."""
        rows = Delivery.objects.filter(alarm__in=[alarm.pk for alarm in self.alarms[:MOST_ALARMS]], sent__isnull=False)
        near = ("user", "team", "alarm")
        return list(rows.filter(sent__gte=self.start, sent__lte=self.end).select_related(*near).order_by("sent", "pk"))

    @cached_property
    def rules(self) -> list[tuple[Alarm, list[tuple[str, str]]]]:
        """Gives each rule as it was frozen into the first alarm that it raised in this form, in words."""
        seen: set[tuple[str, str, str]] = set()
        found = []
        for alarm in self.alarms[:MOST_ALARMS]:
            key = (alarm.asset_code, alarm.rule_name, repr(sorted(alarm.frozen.items(), key=repr)))
            if alarm.frozen and key not in seen:
                seen.add(key)
                found.append((alarm, _in_words(alarm.frozen)))
        return found

    @cached_property
    def trends(self) -> list[Trend]:
        """Gives the sensors whose alarms stood, the first alarm's first. Cost: five queries for each."""
        ordered = dict.fromkeys(alarm.sensor_id for alarm in self.alarms if alarm.sensor_id is not None)
        known = Sensor.objects.select_related("asset").in_bulk(list(ordered)[:MOST_TRENDS])
        return [self._trend(known[pk]) for pk in ordered if pk in known]

    def _trend(self, sensor: Sensor) -> Trend:
        points = history.read_points(sensor.pk, to_us(self.start), to_us(self.end), _POINTS)
        mine = [alarm for alarm in self.alarms if alarm.sensor_id == sensor.pk]
        limits = dict.fromkeys((level, alarm.priority) for alarm in mine for level in limits_of(alarm.frozen).values())
        drawn = lane(
            Lane(
                self.start.timestamp(),
                self.end.timestamp(),
                [time / 1e6 for time in points.time.tolist()],
                points.value.tolist(),
                sensor.normal,
                list(limits),
                [(alarm.raised.timestamp(), alarm.priority) for alarm in mine],
                writing.decimals_for(sensor.range_low, sensor.range_high, sensor.decimals),
            ),
            _("%(sensor)s from %(from)s to %(to)s")
            % {"sensor": sensor.tag, "from": writing.stamp(self.start), "to": writing.stamp(self.end)},
        )
        return Trend(sensor, drawn, len(points.time) > 0)

    @cached_property
    def figures(self) -> list[tuple[str, int]]:
        """Gives what the file begins with: how many of what."""
        raised = [alarm for alarm in self.alarms if alarm.raised >= self.start]
        events = [entry.event for entry in self.entries]
        return [
            (_("alarms raised"), len(raised)),
            (_("stood at the beginning"), len(self.standing)),
            (_("stood at the end"), sum(alarm.closed is None for alarm in self.alarms)),
            (_("acknowledgements"), events.count("ack")),
            (_("comments"), events.count("comment")),
            (_("messages sent"), len(self.told)),
        ]


def _in_words(frozen: dict[str, Any]) -> list[tuple[str, str]]:
    """Gives what a rule laid down as (label, value), without what it leaves open."""
    return [
        (label_of(name) if name in LAID_DOWN else name.replace("_", " "), text_of(name, value))
        for name, value in frozen.items()
        if value not in (None, "", [], {})
    ]
