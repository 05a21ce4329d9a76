"""The first-out of a group: which alarm came first in a trip, by the time at which it was due."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db.models import Q

from alerts.models import Alarm

# That messages of what follows in a trip are gathered, so that one tells of all that came at once.
TOGETHER = timedelta(seconds=60)


def group_of(group: str, asset: str) -> str:
    """Gives a rule's group with its asset: the rule names one of its own asset, or ASSET/NAME."""
    return group if not group or "/" in group else f"{asset}/{group}"


def trip_before(alarm: Alarm) -> str:
    """Gives the group in whose trip an alarm was not the first, or nothing."""
    return "" if alarm.first_out else alarm.group


def gathered(group: str, now: datetime) -> tuple[datetime, str] | None:
    """Gives until when messages of an alarm that is raised and follows in a trip are gathered, and why."""
    return (now + TOGETHER, f"follows in the trip of {group}: told together") if group else None


class Trips:
    """The trips that are under way in some groups.

    A trip lasts while an alarm of the group is open and presented. The first of it has the mark; where several were due
    at once, the one that came first. Alarms raised while they are not presented have no part in it.
    Takes: the alarms that are held, by number, as they stand by now; what keeps one that is read from being held twice.
    Cost: two queries for each group, however many alarms of it are open.
    """

    def __init__(self, held: Mapping[int, Alarm], hold: Callable[[Alarm], Alarm]) -> None:
        self._held = held
        self._hold = hold
        self._new: dict[str, list[Alarm]] = defaultdict(list)
        self._first: dict[str, Alarm | None] = {}

    def came(self, alarm: Alarm) -> Alarm | None:
        """Takes up a new alarm and marks it if it was the first. Gives: the alarm that loses the mark to it."""
        under_way = self._is_under_way(alarm.group)
        self._new[alarm.group].append(alarm)
        first = self._first_of(alarm.group) if under_way else None
        if under_way and (first is None or first.raised <= alarm.raised):
            return None
        if first is not None:
            first.first_out = False
        alarm.first_out = True
        self._first[alarm.group] = alarm
        return first

    def _is_under_way(self, group: str) -> bool:
        """Tells whether an alarm of a group is open and presented; what is held is asked before the database."""
        held = (alarm for alarm in self._held.values() if alarm.group == group)
        if any(map(_keeps, self._new[group])) or any(map(_keeps, held)):
            return True
        stored = Alarm.objects.filter(Q(first_out=True) | Q(suppressed=[]), group=group, closed=None)
        return stored.exclude(pk__in=self._held).exists()

    def _first_of(self, group: str) -> Alarm | None:
        """Gives the alarm that has the mark, open or closed by now: of all that ever had it the newest."""
        if group not in self._first:
            found = Alarm.objects.filter(group=group, first_out=True).order_by("-pk").first()
            self._first[group] = None if found is None else self._hold(found)
        return self._first[group]


def _keeps(alarm: Alarm) -> bool:
    """Tells whether a trip lasts for an alarm's sake."""
    return alarm.closed is None and (alarm.first_out or not alarm.suppressed)
