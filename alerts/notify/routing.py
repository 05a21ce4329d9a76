"""Who is told of what, by which channel; and who is not, and why."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import prefetch_related_objects

from alerts.lifecycle import WAITING, Event, Letter
from alerts.models import Alarm, Delivery, JournalEntry, Priority, Subscription
from alerts.notify.channel import contact_of
from alerts.notify.channels import NOTIFIERS
from devices.topology import Topology, topology

# Older than this when it is recorded, an alarm comes from a backlog: it may be over by the time it is told.
FRESH = timedelta(seconds=60)
# Such a message waits a little first; alerts/notify/backlog.py says for how long in all.
HOLD = timedelta(seconds=2)

TELLING = frozenset({Event.RAISE, Event.REALARM})
# The end of a suppression tells where it leaves something to answer.
RELEASING = frozenset({Event.UNSHELVE, Event.EXPIRE, Event.UNSUPPRESS, Event.RETURN})

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SWITCHES = {"shelved": "shelved", "by_design": "suppressed by design", "out_of_service": "out of service"}


@dataclass(frozen=True, slots=True)
class _Match:
    """The subscriptions of one person and channel that an alarm meets, and the alarm's row."""

    entry: JournalEntry
    alarm: Alarm
    user: User
    channel: str
    subscriptions: tuple[Subscription, ...]


def tells(entry: JournalEntry) -> bool:
    """Tells whether a journal row presents an alarm to somebody."""
    return presents(entry.event, entry.to_state)


def presents(event: str, to_state: str) -> bool:
    """Tells whether an event that led to a state presents the alarm to somebody."""
    return event in TELLING or (event in RELEASING and to_state in WAITING)


def deliveries_for(entries: Sequence[JournalEntry], now: datetime) -> list[Delivery]:
    """Gives what becomes of journal rows in the outbox: one unsaved row for every person and channel that subscribes.

    Takes: numbered rows; their alarms are loaded if they are not.
    Gives: deliveries that are due, or withheld with the reason.
    Cost: two queries for any number of rows, one more where a subscriber asks for returns to normal; none without rows
    that could tell somebody.
    """
    rows = [entry for entry in entries if tells(entry) or entry.event == Event.CLEAR]
    if not rows:
        return []
    prefetch_related_objects([entry for entry in rows if entry.alarm_id is not None], "alarm")
    subscriptions = list(
        Subscription.objects.filter(enabled=True, user__is_active=True)
        .select_related("user", "user__contact", "asset")
        .order_by("id")
    )
    if not subscriptions:
        return []
    by_asset: dict[int | None, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        by_asset[subscription.asset_id].append(subscription)
    matches = list(_matches(rows, by_asset, topology()))
    told = _told(matches)
    found: list[Delivery] = []
    for match in matches:
        person = (match.alarm.pk, match.user.pk, match.channel)
        if match.entry.event == Event.CLEAR:
            if person in told:
                found.append(_delivery(match, now))
            continue
        found.append(_delivery(match, now))
        if found[-1].outcome == Delivery.Outcome.DUE:
            told.add(person)
    return found


def _matches(
    rows: Iterable[JournalEntry], by_asset: dict[int | None, list[Subscription]], plant: Topology
) -> Iterator[_Match]:
    """Gives for every row the persons and channels whose subscriptions it meets."""
    for entry in rows:
        alarm = entry.alarm
        if alarm is None:
            continue
        places: list[int | None] = [None]
        if alarm.asset_id is not None:
            places += plant.path(alarm.asset_id)
        met = _met(places, alarm.priority, entry.event, by_asset)
        for (_, channel), subscriptions in sorted(met.items()):
            yield _Match(entry, alarm, subscriptions[0].user, channel, tuple(subscriptions))


def _met(
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


@dataclass(frozen=True, slots=True)
class Occasion:
    """A journal row and its alarm as a forecast needs them."""

    alarm: int
    event: str
    asset: int | None
    priority: int
    recorded: datetime
    raised: datetime
    cleared: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message that an occasion would have made, and the subscriptions that each ask for it."""

    channel: str
    at: datetime
    subscriptions: tuple[Subscription, ...]


def expected(
    occasions: Iterable[Occasion],
    subscriptions: Iterable[Subscription],
    *,
    paths: Callable[[int], Sequence[int]],
    zone: ZoneInfo,
    reachable: Collection[str],
) -> Iterator[Message]:
    """Gives the messages that one person's subscriptions would have made of what happened; pure.

    It decides as `deliveries_for`; what is only known while sending (that somebody was quicker) it cannot know.

    Takes: occasions in the journal's order; an asset's path from itself up; the channels with an address.
    """
    by_asset: dict[int | None, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        by_asset[subscription.asset_id].append(subscription)
    told: set[tuple[int, str]] = set()
    for occasion in occasions:
        if _was_over(occasion):
            continue
        places = [None, *(paths(occasion.asset) if occasion.asset is not None else ())]
        met = _met(places, occasion.priority, occasion.event, by_asset)
        for (_, channel), asking in met.items():
            open_then = tuple(one for one in asking if within_hours(one.hours, occasion.recorded, zone))
            if not open_then or channel not in reachable:
                continue
            if occasion.event == Event.CLEAR and (occasion.alarm, channel) not in told:
                continue
            told.add((occasion.alarm, channel))
            yield Message(channel, occasion.recorded, open_then)


def _was_over(occasion: Occasion) -> bool:
    """Tells whether an alarm came from a backlog and had ended by then."""
    late = occasion.event == Event.RAISE and occasion.recorded - occasion.raised > FRESH
    return late and occasion.cleared is not None and occasion.cleared <= occasion.recorded


def _told(matches: Sequence[_Match]) -> set[tuple[int, int, str]]:
    """Gives who was told of an alarm, or is about to be, among those who would hear of its return."""
    alarms = {match.alarm.pk for match in matches if match.entry.event == Event.CLEAR}
    if not alarms:
        return set()
    outcomes = (Delivery.Outcome.DUE, Delivery.Outcome.SENDING, Delivery.Outcome.SENT)
    rows = Delivery.objects.filter(alarm__in=alarms, outcome__in=outcomes).exclude(event=Event.CLEAR).order_by()
    return set(rows.values_list("alarm_id", "user_id", "channel"))


def _delivery(match: _Match, now: datetime) -> Delivery:
    """Gives the outbox row of one match."""
    entry, alarm, user = match.entry, match.alarm, match.user
    notifier = NOTIFIERS[match.channel]
    contact = contact_of(user)
    zone = zone_of(contact.time_zone if contact is not None else "")
    address = notifier.address(user, contact)
    open_now = [subscription for subscription in match.subscriptions if within_hours(subscription.hours, now, zone)]
    subscription = (open_now or match.subscriptions)[0]
    withheld = ""
    if alarm.suppressed:
        withheld = " and ".join(_SWITCHES.get(switch, switch) for switch in alarm.suppressed)
    elif not open_now:
        withheld = f"outside your hours ({hours_of_day(subscription.hours, now, zone)})"
    elif not address:
        withheld = notifier.missing
    held = is_from_backlog(alarm, entry.event, now)
    return Delivery(
        key=f"{alarm.pk}:{entry.event}:{entry.pk}:{user.pk}:{match.channel}",
        user=user,
        subscription=subscription,
        alarm=alarm,
        journal_id=entry.pk,
        event=entry.event,
        channel=match.channel,
        address=address,
        outcome=Delivery.Outcome.WITHHELD if withheld else Delivery.Outcome.DUE,
        reason=withheld or f"your subscription: {scope_of(subscription)}",
        message_id=notifier.reference(_stem(entry, alarm), user.pk),
        created=now,
        due=now + HOLD if held else now,
    )


def _stem(entry: JournalEntry, alarm: Alarm) -> str:
    """Gives what a message is called: the one that opens an occurrence without its row's number."""
    opens = entry.event == Event.RAISE and entry.from_state in (Letter.NORMAL, Letter.RETURNED)
    return f"alarm-{alarm.pk}.{entry.event}" + ("" if opens else f"-{entry.pk}")


def is_from_backlog(alarm: Alarm, event: str, recorded: datetime) -> bool:
    """Tells whether an alarm was raised long before anybody could know."""
    return event == Event.RAISE and recorded - alarm.raised > FRESH


def scope_of(subscription: Subscription) -> str:
    """Gives a subscription in words: "Hall, 2 High and above"."""
    place = subscription.asset.name if subscription.asset is not None else "the whole plant"
    lowest = Priority(subscription.lowest_priority)
    above = "" if lowest == Priority.CRITICAL else " and above"
    return f"{place}, {lowest.value} {lowest.label}{above}"


def zone_of(name: str) -> ZoneInfo:
    """Gives a person's time zone; the plant's where the name is empty or unknown."""
    try:
        return ZoneInfo(name or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(settings.TIME_ZONE)


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
