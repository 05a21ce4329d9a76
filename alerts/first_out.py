"""The first-out of a group: which alarm came first in a trip, by the time at which it was due."""

from collections.abc import Callable, Collection

from alerts.models import Alarm


def group_of(group: str, asset: str) -> str:
    """Gives a rule's group with its asset: the rule names one of its own asset, or ASSET/NAME."""
    return group if not group or "/" in group else f"{asset}/{group}"


class Trips:
    """The trips that are under way in some groups.

    A trip lasts while an alarm of the group is open and presented. The first of it has the mark; where several were due
    at once, the one that came first. Alarms raised while they are not presented have no part in it.
    Takes: what keeps an alarm that is read from being held twice.
    Cost: one query, one more for each group that is in a trip.
    """

    def __init__(self, groups: Collection[str], hold: Callable[[Alarm], Alarm]) -> None:
        self._hold = hold
        self._members: dict[str, list[Alarm]] = {}
        self._first: dict[str, Alarm | None] = {}
        for alarm in Alarm.objects.filter(group__in=groups, closed=None).order_by("pk"):
            self._members.setdefault(alarm.group, []).append(hold(alarm))

    def came(self, alarm: Alarm) -> Alarm | None:
        """Takes up a new alarm and marks it if it was the first. Gives: the alarm that loses the mark to it."""
        members = self._members.setdefault(alarm.group, [])
        under_way = any(one.closed is None and (one.first_out or not one.suppressed) for one in members)
        members.append(alarm)
        first = self._first_of(alarm.group) if under_way else None
        if under_way and (first is None or first.raised <= alarm.raised):
            return None
        if first is not None:
            first.first_out = False
        alarm.first_out = True
        self._first[alarm.group] = alarm
        return first

    def _first_of(self, group: str) -> Alarm | None:
        """Gives the alarm that has the mark, open or closed by now: of all that ever had it the newest."""
        if group not in self._first:
            found = Alarm.objects.filter(group=group, first_out=True).order_by("-pk").first()
            self._first[group] = None if found is None else self._hold(found)
        return self._first[group]
