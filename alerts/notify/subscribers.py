"""Who has asked to be told: subscriptions, the places and hours they are for, and what they say in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts.calling.decision import Person, Wish
from alerts.calling.directory import Directory
from alerts.lifecycle import Event
from alerts.models import Priority, Subscription

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Subscribers:
    """The subscriptions in force, by the place they are for."""

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self._by_asset: dict[int | None, list[Subscription]] = defaultdict(list)
        for subscription in subscriptions:
            self._by_asset[subscription.asset_id].append(subscription)

    @classmethod
    def all(cls) -> Subscribers:
        """Gives everybody's. Cost: one query."""
        found = Subscription.objects.filter(enabled=True, user__is_active=True)
        return cls(found.select_related("user", "user__contact", "asset").order_by("id"))

    def __bool__(self) -> bool:
        return bool(self._by_asset)

    def wishes(
        self, *, asset: int | None, priority: int, event: str, at: datetime, directory: Directory
    ) -> Iterator[Wish]:
        """Gives who asks to be told of an event of an alarm, the oldest subscription first."""
        places = [None, *(directory.plant.path(asset) if asset is not None else ())]
        for subscriptions in met(places, priority, event, self._by_asset).values():
            for subscription in subscriptions:
                yield wish_of(subscription, directory.know(subscription.user), at)


def wish_of(subscription: Subscription, person: Person, at: datetime) -> Wish:
    """Gives what a subscription that asks for an event wishes at a moment."""
    closed = ""
    if not within_hours(subscription.hours, at, person.zone):
        closed = f"outside your hours ({hours_of_day(subscription.hours, at, person.zone)})"
    reason = f"your subscription: {scope_of(subscription)}"
    return Wish(person.id, subscription.channel, reason, closed, subscription=subscription.pk)


def met(
    places: Iterable[int | None], priority: int, event: str, by_asset: Mapping[int | None, Sequence[Subscription]]
) -> dict[tuple[int, str], list[Subscription]]:
    """Gives the subscriptions to some places that ask for an event, by person and channel, the oldest first."""
    met: dict[tuple[int, str], list[Subscription]] = {}
    for place in places:
        for subscription in by_asset.get(place, ()):
            asked = subscription.also_clear or event != Event.CLEAR
            if asked and priority <= subscription.lowest_priority:
                met.setdefault((subscription.user_id, subscription.channel), []).append(subscription)
    for subscriptions in met.values():
        subscriptions.sort(key=lambda subscription: subscription.pk or 0)
    return met


def scope_of(subscription: Subscription) -> str:
    """Gives a subscription in words: "Hall, 2 High and above"."""
    place = subscription.asset.name if subscription.asset is not None else "the whole plant"
    lowest = Priority(subscription.lowest_priority)
    above = "" if lowest == Priority.CRITICAL else " and above"
    return f"{place}, {lowest.value} {lowest.label}{above}"


def within_hours(hours: list[list[list[int]]] | None, now: datetime, zone: ZoneInfo) -> bool:
    """Tells whether a moment lies in weekly hours, by the clock on the wall: 06:00 is 06:00 in summer and winter.

    Takes: seven lists, Monday first, of [from, to] in minutes of the day, `to` excluded; None is always.
    """
    if hours is None:
        return True
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in _spans(hours, local))


def hours_of_day(hours: list[list[list[int]]] | None, now: datetime, zone: ZoneInfo) -> str:
    """Gives the hours of the moment's day in words: "Mon 06:00 to 14:00", "Sun none"."""
    local = now.astimezone(zone)
    spans = [f"{_clock(start)} to {_clock(end)}" for start, end in _spans(hours or [], local)]
    return f"{_DAYS[local.weekday()]} {', '.join(spans) or 'none'}"


def _spans(hours: Sequence[Any], local: datetime) -> list[tuple[int, int]]:
    day = local.weekday()
    return [(int(start), int(end)) for start, end in hours[day]] if day < len(hours) else []


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
