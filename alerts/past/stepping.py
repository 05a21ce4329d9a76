"""How alarms stood at each of several moments of a window, without a query for each."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime
from itertools import accumulate

from alerts.models import Alarm, AlarmPast, Suppression, SuppressionPast
from alerts.models.past import WORDS, kept

_SAME = tuple(kept(AlarmPast).values())


class Versions:
    """Some alarms over a window.

    Takes: the alarms as they are now, with `acked_by` loaded; the window's beginning.
    Cost: three queries.
    """

    def __init__(self, alarms: Sequence[Alarm], since: datetime) -> None:
        self._alarms = {alarm.pk: alarm for alarm in alarms}
        rules = {alarm.rule_id for alarm in alarms}
        past = AlarmPast.objects.filter(alarm__in=self._alarms, until__gt=since).select_related("acked_by")
        self._past: dict[int, list[AlarmPast]] = defaultdict(list)
        for row in past.order_by("alarm", "pk"):
            self._past[row.alarm_id].append(row)
        self._untils = {alarm: _rising(row.until for row in rows) for alarm, rows in self._past.items()}
        ends = SuppressionPast.objects.filter(rule__in=rules, until__gt=since).order_by("rule", "pk")
        self._ends: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
        for rule, until, shelved_until in ends.values_list("rule", "until", "shelved_until"):
            self._ends[rule].append((until, shelved_until))
        self._ended = {rule: _rising(until for until, _shelved in rows) for rule, rows in self._ends.items()}
        now = Suppression.objects.filter(rule__in=rules).order_by().values_list("rule", "shelved_until")
        self._end_now: dict[int, datetime | None] = dict(now)

    def at(self, number: int, moment: datetime) -> Alarm:
        """Gives an alarm as it stood at a moment of the window, the moment included. Cost: none."""
        alarm = copy(self._alarms[number])
        untils = self._untils.get(number, ())
        place = bisect_right(untils, moment)
        if place < len(untils):
            row = self._past[number][place]
            for name in _SAME:
                setattr(alarm, name, getattr(row, name))
            alarm.acked_by = row.acked_by
            for name in WORDS:
                if (word := getattr(row, name)) is not None:
                    setattr(alarm, name, word)
        if alarm.closed is not None and alarm.closed > moment:
            alarm.closed = None
        alarm.__dict__["shelved_until"] = self._shelved_until(alarm.rule_id or 0, moment)
        return alarm

    def _shelved_until(self, rule: int, moment: datetime) -> datetime | None:
        ended = self._ended.get(rule, ())
        place = bisect_right(ended, moment)
        return self._ends[rule][place][1] if place < len(ended) else self._end_now.get(rule)


def _rising(untils: Iterable[datetime]) -> list[datetime]:
    """Gives the latest so far of each: the first that is later than a moment is where the first such row is.

    Rows stand in the order of their commits; their clocks may cross.
    """
    return list(accumulate(untils, max))


def versions(numbers: Iterable[int], since: datetime) -> Versions:
    """Gives some alarms over a window that begins at a moment. Cost: four queries."""
    return Versions(
        list(Alarm.objects.filter(pk__in=set(numbers)).select_related("acked_by", "asset", "sensor")), since
    )
