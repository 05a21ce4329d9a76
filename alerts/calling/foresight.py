"""Who would be told of an alarm raised at a moment, if nobody answered it: whom, by what, when, why, and why not.

It goes through the calls of that alarm with the clock of its own, and decides with the very functions that write the
outbox; the tests hold it against what a mail server and a text message provider received.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from alerts import first_out
from alerts.calling.decision import (
    CRITICAL,
    TEAM,
    Criticals,
    Fate,
    Held,
    Ledger,
    Posting,
    Situation,
    Way,
    decide,
    decide_posts,
)
from alerts.calling.directory import MISSING, Asked, Directory, criticals, in_words, ledger, maintained
from alerts.calling.plan import Plan, Progress, take
from alerts.calling.waiting import Waiting, release
from alerts.flood.queries import gathered, pressing
from alerts.lifecycle import Event
from alerts.models import Alarm, Channel, Priority, Rule, Subscription
from alerts.notify.subscribers import Subscribers, scope_of
from alerts.positions import Seats

# A plan that repeats is looked through this far.
FURTHEST = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Facts:
    """What routing looks at of an alarm."""

    asset: int | None
    priority: int
    alarm_class: str = ""
    suppressed: tuple[str, ...] = ()
    ack_required: bool = True
    position: str = ""
    trip: str = ""  # the group in whose trip it follows
    first_out: bool = False  # it is the first of a trip

    @classmethod
    def of_alarm(cls, alarm: Alarm) -> Facts:
        """Gives those of an alarm, as if it were raised again as it was."""
        needed = bool(alarm.frozen.get("ack_required", True))
        return cls(
            alarm.asset_id,
            alarm.priority,
            alarm.alarm_class,
            tuple(alarm.suppressed),
            needed,
            alarm.position,
            first_out.trip_before(alarm),
            alarm.first_out,
        )

    @classmethod
    def of_place(cls, asset: int | None, priority: int, alarm_class: str) -> Facts:
        """Gives those of any alarm at a place. Cost: one query."""
        return cls(asset, priority, alarm_class, position=Seats.load().of(asset))

    @classmethod
    def of_rule(cls, rule: Rule, suppressed: Collection[str] = ()) -> Facts:
        """Gives those of an alarm that a rule would raise."""
        seat = rule.position or Seats.load().of(rule.asset_id)
        return cls(rule.asset_id, rule.priority, rule.alarm_class, tuple(suppressed), rule.ack_required, seat)


@dataclass(frozen=True, slots=True)
class Told:
    """One message that would be written into the outbox, or withheld."""

    person: int | None
    name: str  # of the person or the team
    channel: str
    address: str
    decided: datetime  # when the outbox's row is written
    at: datetime  # when it goes out
    fate: Fate
    reason: str
    step: str  # of the plan, as run.round.step; empty: a subscription
    on_call: bool = False
    team: int | None = None  # the team's channel that is told, and no person

    @property
    def goes_out(self) -> bool:
        """Tells whether a message leaves, now or later."""
        return self.fate != Fate.WITHHELD


@dataclass(frozen=True, slots=True)
class Message:
    """What leaves: one message, or several in a digest."""

    person: int | None
    channel: str
    at: datetime
    holds: int = 1  # how many it tells of
    team: int | None = None  # the team's channel


@dataclass(slots=True)
class Foresight:
    """What would happen."""

    plan: Plan | None
    told: list[Told] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)  # who would not be told, and why not
    uncovered: set[int] = field(default_factory=set)  # rotas in which nobody would be found
    held_until: datetime | None = None  # maintenance holds back the calls
    why_not: str = ""  # why the plan would call nobody


@dataclass(frozen=True, slots=True)
class Known:
    """What is read once to look at many moments, from the first of them on."""

    directory: Directory
    subscribers: Subscribers

    @classmethod
    def since(cls, first: datetime) -> Known:
        """Gives it. Cost: one query now, and about ten with the first that asks."""
        return cls(Directory(first), Subscribers.all())


def foresee(facts: Facts, at: datetime, *, lately: bool = False, known: Known | None = None) -> Foresight:
    """Gives who would be told of an alarm raised at a moment that nobody answers and that does not return.

    Takes: whether what people were sent in the hour before counts against their limits; what is known already, for one
    of many moments of the past: then no flood of the present gathers it, and who is not told is left out.
    Cost: about a dozen queries, more for plans with several rotas; with what is known hardly any.
    """
    directory = known.directory if known is not None else Directory(at)
    subscribers = known.subscribers if known is not None else Subscribers.all()
    plan = directory.plan_for(asset=facts.asset, priority=facts.priority, alarm_class=facts.alarm_class, at=at)
    found = Foresight(plan)
    course = _Course(facts, directory, Ledger(), found, at, floods=known is None)
    started = Progress(at)
    places, progress = ([], started) if plan is None else take(plan, started, at)
    first = course.asked(places, at)
    first.wishes += subscribers.wishes(
        asset=facts.asset, priority=facts.priority, event=Event.RAISE, at=at, directory=directory
    )
    if lately:
        course.ledger = ledger({wish.person for wish in first.wishes}, at)
    course.decide(first, at, withheld=course.withheld(at), again=False)
    if plan is not None:
        window = directory.window(facts.asset, at)
        if window is not None:
            found.held_until = window.end
            _, progress = take(plan, started, at, held_until=window.end)
        course.go_on(plan, progress)
    course.release(before=at + FURTHEST * 4)
    found.uncovered = directory.uncovered
    found.told.sort(key=lambda one: (one.decided, one.at, one.name, one.channel))
    found.messages.sort(key=lambda one: (one.at, one.person or 0, one.team or 0, one.channel))
    if known is None:
        found.others = list(_others(found.told, facts, directory))
    return found


class _Course:
    """One alarm's way through its plan."""

    def __init__(
        self, facts: Facts, directory: Directory, sent: Ledger, found: Foresight, began: datetime, *, floods: bool
    ) -> None:
        self.facts = facts
        self.began = began
        self.floods = floods
        self.directory = directory
        self.ledger = sent
        self.found = found
        self.criticals = Criticals()
        # Not presented, it counts for no flood.
        self._coming = None if facts.suppressed else (facts.position, began)
        self._heard: dict[tuple[int, str], datetime] = {}
        self._held: list[Waiting[None]] = []
        self._posted: dict[int, datetime] = {}  # as _heard, by team channel
        self._held_posts: list[Posting] = []

    def asked(self, places: Collection[int], at: datetime) -> Asked:
        """Gives whom some steps call."""
        if self.found.plan is None:
            return Asked()
        return self.directory.asked(self.found.plan, places, run=1, priority=self.facts.priority, at=at)

    def withheld(self, at: datetime) -> str:
        """Gives why nobody is told at a moment."""
        if self.facts.suppressed:
            return in_words(self.facts.suppressed)
        window = self.directory.window(self.facts.asset, at)
        return "" if window is None else maintained(window)

    def decide(self, asked: Asked, at: datetime, *, withheld: str = "", again: bool = True) -> None:
        """Writes down what becomes of it at a moment that some are to be told."""
        self.release(before=at)
        urgent = self.facts.priority == CRITICAL
        floods = (pressing(at, self._coming) if urgent else gathered(at)) if self.floods else {}
        waits = floods.get(self.facts.position)
        flood = waits is not None
        if flood:
            channels = {post.channel for post in asked.posts}
            self.criticals.learn(criticals({wish.person for wish in asked.wishes}, channels, at), at)
        if waits is None and not again:
            waits = first_out.gathered(self.facts.trip, at)
        situation = Situation(
            at,
            self.facts.priority,
            withheld=withheld,
            gathered=waits,
            flood=flood,
            first_out=self.facts.first_out,
        )
        told = self._heard if again else None
        people = self.directory.people
        for made in decide(
            asked.wishes,
            people,
            situation,
            self.ledger,
            missing=MISSING,
            told=told,
            criticals=self.criticals,
        ):
            wish, person = made.wish, people[made.person]
            if made.fate == Fate.DUE:
                self._heard[made.person, made.channel] = at
                self.found.messages.append(Message(made.person, made.channel, made.due))
            elif made.fate == Fate.HELD:
                held = Held(self.facts.priority, wish.on_call)
                self._held.append(Waiting(made.person, made.channel, made.due, held, None))
            self.found.told.append(
                Told(
                    made.person,
                    person.name,
                    made.channel,
                    made.address,
                    at,
                    made.due,
                    made.fate,
                    made.reason,
                    wish.step,
                    wish.on_call,
                )
            )
        posted = self._posted if again else None
        for posting in decide_posts(asked.posts, situation, told=posted, criticals=self.criticals):
            self._post(posting, at)

    def _post(self, made: Posting, at: datetime) -> None:
        """Writes down what becomes of telling a team's channel."""
        post = made.post
        if made.fate == Fate.DUE:
            self._posted[post.channel] = at
            self.found.messages.append(Message(None, Channel.TEAM, made.due, team=post.channel))
        elif made.fate == Fate.HELD:
            self._held_posts.append(made)
        self.found.told.append(
            Told(
                None,
                post.team,
                Channel.TEAM,
                post.name,
                at,
                made.due,
                made.fate,
                made.reason,
                post.step,
                team=post.channel,
            )
        )

    def go_on(self, plan: Plan, progress: Progress) -> None:
        """Takes the further steps, each at its time."""
        if self.facts.suppressed or not self.facts.ack_required:
            words = in_words(self.facts.suppressed)
            self.found.why_not = words or "it asks nobody to acknowledge it: only the first steps call"
            return
        last = self.began + FURTHEST
        while (due := progress.due(plan)) is not None and due <= last:
            window = self.directory.window(self.facts.asset, due)
            places, progress = take(plan, progress, due, None if window is None else window.end)
            if window is not None:
                self.found.held_until = window.end
            self.decide(self.asked(places, due), due)

    def release(self, *, before: datetime) -> None:
        """Sends what was held back until any time before a moment."""
        until = before - timedelta.resolution
        for digest in release(self._held, until=until, people=self.directory.people, ledger=self.ledger):
            self._heard[digest.person, digest.channel] = digest.at
            self._went((digest.channel, digest.person), digest.at)
            self.found.messages.append(Message(digest.person, digest.channel, digest.at, len(digest.holds)))
        while self._held_posts and (at := min(made.due for made in self._held_posts)) <= until:
            counts = Counter(made.post.channel for made in self._held_posts if made.due <= at)
            self._held_posts = [made for made in self._held_posts if made.due > at]
            for channel, count in sorted(counts.items()):
                self._posted[channel] = at
                self._went((TEAM, channel), at)
                self.found.messages.append(Message(None, Channel.TEAM, at, count, team=channel))

    def _went(self, way: Way, at: datetime) -> None:
        if self.facts.priority == CRITICAL:
            self.criticals.went(way, at, first_out=self.facts.first_out)


def _others(told: Collection[Told], facts: Facts, directory: Directory) -> Iterator[tuple[str, str]]:
    """Gives everybody else who has an account, and why they are not told. Cost: two queries."""
    known = {one.person for one in told if one.person is not None}
    asked: dict[int, list[Subscription]] = {}
    for subscription in Subscription.objects.select_related("asset").order_by("pk"):
        asked.setdefault(subscription.user_id, []).append(subscription)
    path = directory.plant.path(facts.asset) if facts.asset is not None else []
    users = User.objects.filter(is_active=True).exclude(pk__in=known).order_by("username")
    for user in users:
        why = [_why_not(one, facts, path) for one in asked.get(user.pk, ())]
        yield user.get_full_name() or user.get_username(), "; ".join(why) or "no subscription, and no step calls them"


def _why_not(subscription: Subscription, facts: Facts, path: Collection[int]) -> str:
    scope = scope_of(subscription)
    if not subscription.enabled:
        return f"{scope}: switched off"
    if subscription.asset_id is not None and subscription.asset_id not in path:
        return f"{scope}: another part of the plant"
    return f"{scope}: a {Priority(facts.priority).label.lower()} alarm is lower than that"
