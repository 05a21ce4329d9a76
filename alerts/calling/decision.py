"""Whether a person or a team's channel is told, when, and why or why not: the one decision of all who ask; pure.

The outbox writes what is decided here, the page "Who would be told?" shows it, and the tests hold both against what a
mail server and a text message provider received.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from alerts.calling import wall
from alerts.calling.wall import Hours

HOUR = timedelta(hours=1)
# Who was told of an occurrence so lately is not told of it again by a further step.
AGAIN = timedelta(seconds=60)
CRITICAL = 1
# In a flood, whoever was told of something critical so lately waits at most as long for the digest of what follows.
PRESSING = timedelta(seconds=60)
_PRESSING = "a flood of alarms: what else is critical is told together within a minute"

# A channel, and the person or the team's channel that it reaches.
Way = tuple[str, int]
TEAM = "team"  # of a way to a team's channel


class Fate(StrEnum):
    """What becomes of a message."""

    DUE = "due"
    HELD = "held"  # for a digest
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be told, with what they wish."""

    id: int
    name: str
    zone: ZoneInfo
    addresses: Mapping[str, str]  # by channel, empty where there is none
    active: bool = True
    quiet: Hours | None = None
    quiet_lets: int = CRITICAL  # in quiet hours this priority and above come through; 0: none
    channels: Mapping[int, Sequence[str]] = field(default_factory=dict)  # of calls, by priority
    digest_from: int = 0  # this priority and below go into hourly digests; 0: none
    limit: int = 20  # messages an hour, over all channels
    calls_also_clear: bool = False  # told, too, when an alarm that they were called for returns to normal
    hard_limit: int = 60  # the same of critical alarms too: beyond that nobody reads them

    def ways(self, priority: int) -> list[str]:
        """Gives the channels by which a call reaches them: those wished for, else whatever has an address."""
        wished = [way for way in self.channels.get(priority, ()) if self.addresses.get(way)]
        return wished or [way for way, address in self.addresses.items() if address] or list(self.addresses)[:1]


@dataclass(frozen=True, slots=True)
class Wish:
    """One reason to tell one person by one channel."""

    person: int
    channel: str
    reason: str
    closed: str = ""  # why not at this hour
    on_call: bool = False  # a duty: quiet hours do not hold it
    subscription: int | None = None
    step: str = ""  # of a plan, as run.round.step


@dataclass(frozen=True, slots=True)
class Post:
    """One reason to tell a team by a channel of its own."""

    channel: int  # the team channel
    name: str  # of the channel
    team: str
    reason: str
    step: str  # of a plan, as run.round.step


@dataclass(frozen=True, slots=True)
class Situation:
    """What is decided about, and when."""

    now: datetime
    priority: int
    withheld: str = ""  # why nobody is told: the alarm is not presented, or its machine is in maintenance
    returned: bool = False  # it tells of a return to normal: that waits for no digest
    # Until when messages of this alarm are gathered into digests, and why; of the highest priority see Criticals.
    gathered: tuple[datetime, str] | None = None
    flood: bool = False  # it is a flood that gathers them
    first_out: bool = False  # the alarm is the first of a trip


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the wishes to tell one person by one channel."""

    person: int
    channel: str
    address: str
    fate: Fate
    due: datetime
    reason: str
    wish: Wish
    flood: bool = False  # held for a flood's digest
    steps: tuple[str, ...] = ()  # of the plan, as run.round.step: all whose wishes it answers


@dataclass(frozen=True, slots=True)
class Posting:
    """What becomes of the reasons to tell a team by one of its channels."""

    fate: Fate
    due: datetime
    reason: str
    post: Post
    flood: bool = False  # held for a flood's digest
    steps: tuple[str, ...] = ()  # of the plan, as run.round.step: all whose reasons it answers


class Ledger:
    """When each person was sent something in the last hour, or will be; returns to normal apart."""

    def __init__(
        self,
        sent: Mapping[int, Iterable[datetime]] | None = None,
        returns: Mapping[int, Iterable[datetime]] | None = None,
    ) -> None:
        self._sent: dict[int, list[datetime]] = defaultdict(list)
        self._returns: dict[int, list[datetime]] = defaultdict(list)
        for mine, given in ((self._sent, sent), (self._returns, returns)):
            for person, moments in (given or {}).items():
                mine[person] = sorted(moments)

    def add(self, person: int, at: datetime, *, returned: bool = False) -> None:
        """Counts one message."""
        insort((self._returns if returned else self._sent)[person], at)

    def frees(self, person: int, most: int, now: datetime, *, returns: bool = True) -> datetime | None:
        """Gives when a person may be sent a message again; None: now. Takes: whether returns to normal count."""
        lately = _since(self._sent[person], now - HOUR)
        if returns:
            lately = sorted(lately + _since(self._returns[person], now - HOUR))
        return lately[-most] + HOUR if len(lately) >= most else None


def _since(moments: list[datetime], start: datetime) -> list[datetime]:
    return moments[bisect_right(moments, start) :]


class Criticals:
    """What is told of critical alarms while a flood lasts: the first at once, a first-out too, the rest in one digest.

    Whoever was told of something critical within a minute waits for what else is critical, at most as long, and then
    has all of it in one message. Of a trip's first alarm they are told at once all the same, unless it was one that
    they were told of within the minute.
    Takes: by way, when somebody was last told of a critical alarm, when of one that is a first-out, and when the digest
    goes for which such messages wait already.
    """

    def __init__(
        self,
        told: Mapping[Way, datetime] | None = None,
        first_outs: Mapping[Way, datetime] | None = None,
        digests: Mapping[Way, datetime] | None = None,
    ) -> None:
        self._told = dict(told or {})
        self._first_outs = dict(first_outs or {})
        self._digests = dict(digests or {})

    def add(self, way: Way, situation: Situation) -> None:
        """Counts a message that goes now."""
        if situation.priority == CRITICAL and not situation.returned:
            self._told[way] = situation.now
            if situation.first_out:
                self._first_outs[way] = situation.now

    def went(self, way: Way, at: datetime, *, first_out: bool) -> None:
        """Counts a digest that went."""
        self._digests.pop(way, None)
        self._told[way] = max(at, self._told.get(way, at))
        if first_out:
            self._first_outs[way] = max(at, self._first_outs.get(way, at))

    def learn(self, others: Criticals, now: datetime) -> None:
        """Takes up what was told besides; a digest that was to go before now has gone by then."""
        for mine, theirs in ((self._told, others._told), (self._first_outs, others._first_outs)):
            for way, at in theirs.items():
                mine[way] = max(at, mine.get(way, at))
        for way, due in others._digests.items():
            if due < now:
                self._told[way] = max(due, self._told.get(way, due))
            elif way not in self._digests:
                self._digests[way] = due

    def wait(self, way: Way, situation: Situation) -> datetime | None:
        """Gives until when a message of a flood waits, at most to the end of its interval; None: it goes now.

        One that is not critical goes with the digest of those that are, where one is to go. A return to normal, which
        waits for nothing, begins none.
        """
        assert situation.gathered is not None
        end, now = situation.gathered[0], situation.now
        if situation.returned:
            return end
        going = min(self._digests.get(way, end), end)
        if situation.priority > CRITICAL:
            return going
        last = (self._first_outs if situation.first_out else self._told).get(way)
        if (last is None or now - last >= PRESSING) and (situation.first_out or way not in self._digests):
            return None
        self._digests[way] = going if way in self._digests else min(now + PRESSING, end)
        return self._digests[way]


def decide(
    wishes: Iterable[Wish],
    people: Mapping[int, Person],
    situation: Situation,
    ledger: Ledger,
    *,
    missing: Mapping[str, str],
    told: Mapping[tuple[int, str], datetime] | None = None,
    criticals: Criticals | None = None,
) -> list[Decision]:
    """Gives one decision for every person and channel that somebody or something wishes to be told.

    Of several reasons one is written; it is a duty where one of them is.
    Takes: wishes of unknown people are left out; the ledger, in which what is due is counted; why a channel cannot
    reach somebody; when each person and channel was last told of this occurrence; what they were told of critical
    alarms, in which this is counted.
    """
    criticals = criticals or Criticals()
    by_way: dict[tuple[int, str], list[Wish]] = defaultdict(list)
    for wish in wishes:
        if wish.person in people:
            by_way[wish.person, wish.channel].append(wish)
    found = []
    for way, asked in sorted(by_way.items()):
        last = (told or {}).get(way)
        options = [_judge(wish, people[way[0]], situation, missing, last, criticals) for wish in asked]
        made = min(options, key=lambda option: (_RANK[option.fate], option.due))
        if any(wish.on_call for wish in asked):
            made = replace(made, wish=replace(made.wish, on_call=True))
        made = replace(made, steps=tuple(wish.step for wish in asked if wish.step))
        found.append(made if made.fate != Fate.DUE else _within_limits(made, people[way[0]], situation, ledger))
        if found[-1].fate == Fate.DUE:
            ledger.add(way[0], situation.now, returned=situation.returned)
            criticals.add((way[1], way[0]), situation)
    return found


def decide_posts(
    posts: Iterable[Post],
    situation: Situation,
    *,
    told: Mapping[int, datetime] | None = None,
    criticals: Criticals | None = None,
) -> list[Posting]:
    """Gives one decision for every team channel that a step wishes to be told: the first reason is the one that counts.

    A channel is nobody's phone: it has no hours, no digest and no limit of its own. What withholds an alarm from all,
    and a flood, count for it as for people.

    Takes: when each channel was last told of this occurrence; what they were told of critical alarms, in which this is
    counted.
    """
    criticals = criticals or Criticals()
    by_channel: dict[int, list[Post]] = defaultdict(list)
    for post in posts:
        by_channel[post.channel].append(post)
    found = []
    for channel, asked in sorted(by_channel.items()):
        post, steps = asked[0], tuple(post.step for post in asked if post.step)
        last = (told or {}).get(channel)
        if situation.withheld:
            found.append(Posting(Fate.WITHHELD, situation.now, situation.withheld, post, steps=steps))
        elif _again(last, situation.now):
            found.append(Posting(Fate.WITHHELD, situation.now, _TOLD_LATELY, post, steps=steps))
        elif (waits := _gathered((TEAM, channel), situation, criticals)) is not None:
            found.append(Posting(Fate.HELD, waits.until, waits.why, post, waits.flood, steps))
        else:
            found.append(Posting(Fate.DUE, situation.now, post.reason, post, steps=steps))
            criticals.add((TEAM, channel), situation)
    return found


_TOLD_LATELY = "told of it less than a minute ago"


def _again(last: datetime | None, now: datetime) -> bool:
    """Tells whether somebody was told so lately that a further step adds nothing."""
    return last is not None and now - last < AGAIN


_RANK = {Fate.DUE: 0, Fate.HELD: 1, Fate.WITHHELD: 2}


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until when a message is held, and why."""

    until: datetime
    why: str
    flood: bool = False


def _gathered(way: Way, situation: Situation, criticals: Criticals) -> _Wait | None:
    """Gives until when a flood, or a trip, holds a message."""
    if situation.gathered is None:
        return None
    until, why = situation.gathered
    if not situation.flood:
        return _Wait(until, why) if situation.priority > CRITICAL else None
    waits = criticals.wait(way, situation)
    if waits is None:
        return None
    pressing = situation.priority == CRITICAL and not situation.returned
    return _Wait(waits, _PRESSING if pressing else why, flood=True)


def _judge(
    wish: Wish,
    person: Person,
    situation: Situation,
    missing: Mapping[str, str],
    last: datetime | None,
    criticals: Criticals,
) -> Decision:
    """Gives what becomes of one wish, but for the limits; the first word of a check counts."""
    address = person.addresses.get(wish.channel, "")

    def made(fate: Fate, reason: str, due: datetime = situation.now, *, flood: bool = False) -> Decision:
        return Decision(person.id, wish.channel, address, fate, due, reason, wish, flood)

    if situation.withheld:
        return made(Fate.WITHHELD, situation.withheld)
    if not person.active:
        return made(Fate.WITHHELD, "the account is switched off")
    if wish.closed:
        return made(Fate.WITHHELD, wish.closed)
    if not address:
        return made(Fate.WITHHELD, missing.get(wish.channel, "no address"))
    if wish.step and _again(last, situation.now):
        return made(Fate.WITHHELD, _TOLD_LATELY)
    held = _held(wish, person, situation, criticals)
    if held is None:
        return made(Fate.DUE, wish.reason)
    if situation.returned:
        return made(Fate.WITHHELD, held.why)
    return made(Fate.HELD, held.why, held.until, flood=held.flood)


def _held(wish: Wish, person: Person, situation: Situation, criticals: Criticals) -> _Wait | None:
    """Gives until when a person's own wishes, or a flood, hold a message, and why."""
    now, zone = situation.now, person.zone
    if person.quiet is not None and not wish.on_call and situation.priority > person.quiet_lets:
        ends = wall.closes(person.quiet, zone, now)
        if ends is not None:
            return _Wait(ends, f"your quiet hours, until {ends.astimezone(zone):%H:%M}")
    gathered = _gathered((wish.channel, person.id), situation, criticals)
    if gathered is not None:
        return gathered
    if person.digest_from and situation.priority >= person.digest_from and not wish.on_call:
        until = wall.next_hour(now, zone)
        return _Wait(until, f"your digest of {until.astimezone(zone):%H:%M}")
    return None


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits for a digest, as its time comes."""

    priority: int
    on_call: bool


def digest_waits(person: Person, held: Sequence[Held], now: datetime, ledger: Ledger) -> datetime | None:
    """Gives until when a digest must wait, for a person's quiet hours or limit; None: it goes now."""
    highest = min(one.priority for one in held)
    if person.quiet is not None and highest > person.quiet_lets and not any(one.on_call for one in held):
        ends = wall.closes(person.quiet, person.zone, now)
        if ends is not None:
            return ends
    return ledger.frees(person.id, _most(person, highest), now, returns=highest > CRITICAL)


def _most(person: Person, priority: int) -> int:
    return person.hard_limit if priority == CRITICAL else min(person.limit, person.hard_limit)


def _within_limits(made: Decision, person: Person, situation: Situation, ledger: Ledger) -> Decision:
    """Gives a message that is due, or holds it where the person has had enough within the hour."""
    most = _most(person, situation.priority)
    # What returned to normal holds up nothing critical.
    returns = situation.returned or situation.priority > CRITICAL
    frees = ledger.frees(person.id, most, situation.now, returns=returns)
    if frees is None:
        return made
    why = f"more than {most} messages within the hour"
    fate = Fate.WITHHELD if situation.returned else Fate.HELD
    return replace(made, fate=fate, due=frees, reason=why)
