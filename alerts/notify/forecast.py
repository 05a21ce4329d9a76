"""What a person's subscriptions would have sent them last week: the journal put to the routing's own decision."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from alerts.lifecycle import Event
from alerts.models import JournalEntry, Subscription
from alerts.notify.channel import contact_of
from alerts.notify.channels import NOTIFIERS
from alerts.notify.routing import RELEASING, TELLING, Occasion, expected, presents, zone_of
from devices.topology import topology

WEEK = timedelta(days=7)
MOST = 20_000  # journal rows that are looked at, the newest
NIGHT_FROM, NIGHT_TO = 22, 6  # o'clock


@dataclass(slots=True)
class Forecast:
    """How many messages a week of alarms makes."""

    by_channel: Counter[str] = field(default_factory=Counter)
    # What each subscription asks for by itself, whether or not another asks for it too.
    by_subscription: Counter[int | None] = field(default_factory=Counter)
    at_night: int = 0
    cut: bool = False  # more happened than was looked at


def last_week(now: datetime, *, lowest_priority: int, clears: bool) -> tuple[list[Occasion], bool]:
    """Gives what presented alarms, or took them away, in the last seven days, and whether there was more.

    Takes: the lowest priority that anybody asks for, and whether somebody asks for returns to normal.
    Cost: one query, over the index of alarms by time.
    """
    since = now - WEEK
    rows = (
        JournalEntry.objects.filter(
            alarm__raised__gt=since,
            alarm__raised__lte=now,
            alarm__priority__lte=lowest_priority,
            recorded__gt=since,
            event__in=[*TELLING, *RELEASING, *([Event.CLEAR] if clears else [])],
        )
        .order_by("-pk")
        .values_list(
            "event", "to_state", "recorded", "alarm_id", "alarm__asset_id", "alarm__priority", "alarm__raised",
            "alarm__cleared",
        )[: MOST + 1]
    )  # fmt: skip
    found = [
        Occasion(alarm, event, asset, priority, recorded, raised, cleared)
        for event, to_state, recorded, alarm, asset, priority, raised, cleared in rows
        if event == Event.CLEAR or presents(event, to_state)
    ]
    cut = len(rows) > MOST
    return (found[:MOST] if cut else found)[::-1], cut


def forecast(*, user: User, subscriptions: Sequence[Subscription], now: datetime) -> Forecast:
    """Counts what a person's subscriptions would have sent them in the last seven days.

    Takes: those in question, stored or not; the ones that are switched off count for nothing.
    Cost: two queries, none without subscriptions.
    """
    counted = Forecast()
    asking = [subscription for subscription in subscriptions if subscription.enabled]
    if not asking:
        return counted
    contact = contact_of(user)
    zone: ZoneInfo = zone_of(contact.time_zone if contact is not None else "")
    reachable = {name for name, notifier in NOTIFIERS.items() if notifier.address(user, contact)}
    occasions, counted.cut = last_week(
        now,
        lowest_priority=max(subscription.lowest_priority for subscription in asking),
        clears=any(subscription.also_clear for subscription in asking),
    )
    paths: dict[int, list[int]] = {}
    plant = topology()

    def path(asset: int) -> list[int]:
        if asset not in paths:
            paths[asset] = plant.path(asset)
        return paths[asset]

    for message in expected(occasions, asking, paths=path, zone=zone, reachable=reachable):
        counted.by_channel[message.channel] += 1
        counted.by_subscription.update(subscription.pk for subscription in message.subscriptions)
        hour = message.at.astimezone(zone).hour
        counted.at_night += hour >= NIGHT_FROM or hour < NIGHT_TO
    return counted
