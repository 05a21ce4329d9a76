"""What a person's subscriptions would have sent them last week: the journal put to the routing's own decision."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from alerts.calling.decision import Fate, Held, Ledger, Person, Situation, decide
from alerts.calling.directory import MISSING, person_of
from alerts.calling.waiting import Waiting, release
from alerts.lifecycle import Event
from alerts.models import JournalEntry, Subscription
from alerts.notify.hours import is_night
from alerts.notify.routing import FRESH, RELEASING, TELLING, presents
from alerts.notify.subscribers import met, wish_of
from devices.topology import topology

WEEK = timedelta(days=7)
MOST = 20_000  # journal rows that are looked at, the newest


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
    acked: datetime | None


def was_over(occasion: Occasion) -> bool:
    """Tells whether an alarm came from a backlog and had ended by then."""
    late = occasion.event == Event.RAISE and occasion.recorded - occasion.raised > FRESH
    return late and occasion.cleared is not None and occasion.cleared <= occasion.recorded


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
            "alarm__cleared", "alarm__acked",
        )[: MOST + 1]
    )  # fmt: skip
    found = [
        Occasion(alarm, event, asset, priority, recorded, raised, cleared, acked)
        for event, to_state, recorded, alarm, asset, priority, raised, cleared, acked in rows
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
    person = person_of(user)
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

    for message in messages(occasions, asking, person, path, until=now):
        counted.by_channel[message.channel] += 1
        counted.by_subscription.update(pk for told in message.asked for pk in told)
        counted.at_night += is_night(message.at.astimezone(person.zone))
    return counted


@dataclass(frozen=True, slots=True)
class Message:
    """A message that would have been sent; for each alarm that it tells of, the subscriptions that asked for it."""

    channel: str
    at: datetime
    asked: Sequence[Sequence[int | None]]


@dataclass(frozen=True, slots=True)
class _Told:
    """What a held back message is about: an alarm, and the subscriptions that asked for it."""

    occasion: Occasion
    asked: Sequence[int | None]


def messages(
    occasions: Iterable[Occasion],
    subscriptions: Iterable[Subscription],
    person: Person,
    path: Callable[[int], Sequence[int]],
    *,
    until: datetime,
) -> Iterator[Message]:
    """Gives the messages that one person's subscriptions would have made of what happened; pure.

    It decides by the functions that write the outbox: hours, quiet hours, digests and limits count. What only others
    could know it does not: calls of plans, a flood or a trip whose messages are gathered, that somebody was quicker.

    Takes: occasions in the journal's order; an asset's path from itself up; when to stop waiting for digests.
    """
    by_asset: dict[int | None, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        by_asset[subscription.asset_id].append(subscription)
    week = _Week(person)
    for occasion in occasions:
        yield from week.release(occasion.recorded)
        if was_over(occasion):
            continue
        at, returned = occasion.recorded, occasion.event == Event.CLEAR
        places = [None, *(path(occasion.asset) if occasion.asset is not None else ())]
        asking = [one for some in met(places, occasion.priority, occasion.event, by_asset).values() for one in some]
        if returned:
            asking = [one for one in asking if (occasion.alarm, one.channel) in week.told]
        wishes = [wish_of(one, person, at) for one in asking]
        situation = Situation(at, occasion.priority, returned=returned)
        for made in decide(wishes, {person.id: person}, situation, week.ledger, missing=MISSING):
            asked = [one.subscription for one in wishes if one.channel == made.channel and not one.closed]
            if made.fate == Fate.DUE:
                week.told.add((occasion.alarm, made.channel))
                yield Message(made.channel, at, [asked])
            elif made.fate == Fate.HELD:
                held = Held(occasion.priority, made.wish.on_call)
                week.waiting.append(Waiting(person.id, made.channel, made.due, held, _Told(occasion, asked)))
    yield from week.release(until)


class _Week:
    """What one person has been sent, and what waits for them."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.ledger = Ledger()
        self.told: set[tuple[int, str]] = set()  # alarm and channel
        self.waiting: list[Waiting[_Told]] = []

    def release(self, until: datetime) -> Iterator[Message]:
        """Gives the digests whose time comes up to a moment."""
        people = {self.person.id: self.person}
        for digest in release(self.waiting, until=until, people=people, ledger=self.ledger, is_over=_is_over):
            self.told |= {(one.occasion.alarm, digest.channel) for one in digest.holds}
            yield Message(digest.channel, digest.at, [one.asked for one in digest.holds])


def _is_over(told: _Told, at: datetime) -> bool:
    """Tells whether an alarm had returned or been acknowledged by a moment: then a digest leaves it out."""
    ends = told.occasion.cleared, told.occasion.acked
    return any(moment is not None and moment <= at for moment in ends)
