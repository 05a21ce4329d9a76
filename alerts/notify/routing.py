"""Who is told of what, by which channel; and who is not, and why."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects

from alerts import first_out
from alerts.calling.calls import Calls
from alerts.calling.decision import Criticals, Decision, Fate, Posting, Situation, Wish, decide, decide_posts
from alerts.calling.directory import MISSING, TOLD, Asked, Directory, criticals, ledger, zone_of
from alerts.flood.queries import Gatherings, gatherings
from alerts.lifecycle import WAITING, Event, Letter
from alerts.models import Alarm, Channel, Delivery, JournalEntry
from alerts.notify.channels import NOTIFIERS
from alerts.notify.subscribers import Subscribers, hours_of_day, scope_of, within_hours

__all__ = ["hours_of_day", "scope_of", "tell", "within_hours", "zone_of"]

# Older than this when it is recorded, an alarm comes from a backlog: it may be over by the time it is told.
FRESH = timedelta(seconds=60)
# Such a message waits a little first; alerts/notify/backlog.py says for how long in all.
HOLD = timedelta(seconds=2)

_ALSO_CLEAR = "you were called for it, and wish to know when it returns to normal"
CALL = "call"  # the event of a message that a step of a plan sends

TELLING = frozenset({Event.RAISE, Event.REALARM})
# The end of a suppression tells where it leaves something to answer.
RELEASING = frozenset({Event.UNSHELVE, Event.EXPIRE, Event.UNSUPPRESS, Event.RETURN})

_REASON_LENGTH = 300  # Delivery.reason


def tells(entry: JournalEntry) -> bool:
    """Tells whether a journal row presents an alarm to somebody."""
    return presents(entry.event, entry.to_state)


def presents(event: str, to_state: str) -> bool:
    """Tells whether an event that led to a state presents the alarm to somebody."""
    return event in TELLING or (event in RELEASING and to_state in WAITING)


def tell(entries: Sequence[JournalEntry], now: datetime) -> list[Delivery]:
    """Writes what becomes of journal rows in the outbox, in the transaction that wrote them, and the calls they begin.

    Takes: numbered rows; their alarms are stored, and loaded if they are not.
    Gives: deliveries that are due, held for a digest, or withheld with the reason.
    Cost: a handful of queries for any number of rows; none without rows that could tell somebody.
    """
    told = [entry for entry in entries if tells(entry) or entry.event == Event.CLEAR]
    if not told:
        return []
    prefetch_related_objects([entry for entry in told if entry.alarm_id is not None], "alarm")
    rows = [(entry, entry.alarm) for entry in told if entry.alarm is not None]
    subscriptions = Subscribers.all()
    directory = Directory(now)
    calls = Calls([alarm.pk for entry, alarm in rows if tells(entry)], directory)
    if not subscriptions and not directory.routes and not calls.known:
        return []
    asked = [(entry, alarm, _asked(entry, alarm, subscriptions, calls, directory)) for entry, alarm in rows]
    calls.save()
    floods = gatherings(now)
    returning = {alarm.pk for entry, alarm in rows if entry.event == Event.CLEAR}
    heard, called = _told(returning)
    whom_called = {wish.person for wishes in called.values() for wish in wishes}
    directory.meet(whom_called)
    sent = ledger({wish.person for _, _, whom in asked for wish in whom.wishes} | whom_called, now)
    found: list[Delivery] = []
    told_of = pressed([whom for _, _, whom in asked], floods, now)
    for entry, alarm, whom in asked:
        returned, wishes = entry.event == Event.CLEAR, whom.wishes
        if returned:
            wishes = [wish for wish in wishes if (alarm.pk, wish.person, wish.channel) in heard]
            wishes += _called_for(called[alarm.pk], directory)
        waits = floods.of(alarm)
        situation = Situation(
            now,
            alarm.priority,
            withheld=directory.withheld(alarm, now),
            returned=returned,
            gathered=waits or _in_a_trip(entry, alarm, now),
            flood=waits is not None,
            first_out=alarm.first_out,
        )
        for made in decide(wishes, directory.people, situation, sent, missing=MISSING, criticals=told_of):
            found.append(_delivery(made, alarm, entry, now))
            if made.fate == Fate.DUE and not returned:
                heard.add((alarm.pk, made.person, made.channel))
                if made.wish.subscription is None:
                    called[alarm.pk].append(made.wish)
        posts = decide_posts(whom.posts, situation, criticals=told_of)
        found += [_post(posting, alarm, entry, now) for posting in posts]
    return Delivery.objects.bulk_create(found, ignore_conflicts=True)


def _asked(entry: JournalEntry, alarm: Alarm, subscriptions: Subscribers, calls: Calls, directory: Directory) -> Asked:
    """Gives who is to be told of a row: by the first steps of the alarm's plan, and by subscription."""
    found = calls.begin(alarm, entry.pk) if tells(entry) else Asked()
    found.wishes += subscriptions.wishes(
        asset=alarm.asset_id, priority=alarm.priority, event=entry.event, at=directory.now, directory=directory
    )
    return found


def pressed(asked: Iterable[Asked], floods: Gatherings, now: datetime) -> Criticals:
    """Gives what those who are asked for were told of critical alarms. Cost: one query, none without a flood."""
    if not floods:
        return Criticals()
    whom = list(asked)
    people = {wish.person for some in whom for wish in some.wishes}
    return criticals(people, {post.channel for some in whom for post in some.posts}, now)


def _in_a_trip(entry: JournalEntry, alarm: Alarm, now: datetime) -> tuple[datetime, str] | None:
    """Gives until when a raise is gathered with what else follows in a trip: its first alarm is told by itself."""
    return first_out.gathered(first_out.trip_before(alarm), now) if entry.event == Event.RAISE else None


def _told(alarms: Collection[int]) -> tuple[set[tuple[int, int, str]], dict[int, list[Wish]]]:
    """Gives who was told of some alarms, by themselves or in a digest, as alarm, person and channel; and by alarm those
    whom a plan called. Cost: one query, none for no alarms.
    """
    heard: set[tuple[int, int, str]] = set()
    called: dict[int, list[Wish]] = defaultdict(list)
    if alarms:
        sent = Delivery.objects.filter(alarm__in=alarms, outcome__in=TOLD, user__isnull=False)
        rows = sent.exclude(event=Event.CLEAR).order_by("alarm_id", "user_id", "channel", "on_call")
        columns: Iterable[tuple[int | None, int | None, str, bool, int | None]] = rows.values_list(
            "alarm_id", "user_id", "channel", "on_call", "subscription_id"
        ).distinct()
        for alarm, person, channel, on_call, subscription in columns:
            if alarm is None or person is None:
                continue
            heard.add((alarm, person, channel))
            if subscription is None:
                called[alarm].append(Wish(person, channel, "", on_call=on_call))
    return heard, called


def _called_for(told: Sequence[Wish], directory: Directory) -> list[Wish]:
    """Gives those of the people called by a plan who wish to know that it is over, each by the way they were called.

    Cost: one query where some of them are not known yet.
    """
    wanted = {person.id for person in directory.meet({wish.person for wish in told}) if person.calls_also_clear}
    return [replace(wish, reason=_ALSO_CLEAR, step="") for wish in told if wish.person in wanted]


def _delivery(made: Decision, alarm: Alarm, entry: JournalEntry, now: datetime) -> Delivery:
    """Gives the outbox row of one decision about a journal row."""
    late = made.fate == Fate.DUE and is_from_backlog(alarm, entry.event, now)
    return row_of(
        made,
        alarm,
        key=_key(entry, alarm),
        stem=_stem(entry, alarm),
        event=entry.event,
        journal_id=entry.pk,
        now=now,
        due=now + HOLD if late else made.due,
    )


def _post(made: Posting, alarm: Alarm, entry: JournalEntry, now: datetime) -> Delivery:
    """Gives the outbox row of one decision about a team's channel."""
    late = made.fate == Fate.DUE and is_from_backlog(alarm, entry.event, now)
    return post_of(
        made,
        alarm,
        key=_key(entry, alarm),
        event=entry.event,
        journal_id=entry.pk,
        now=now,
        due=now + HOLD if late else made.due,
    )


def post_of(
    made: Posting, alarm: Alarm, *, key: str, event: str, journal_id: int | None, now: datetime, due: datetime
) -> Delivery:
    """Gives the unsaved outbox row of a decision about a team's channel."""
    return Delivery(
        key=f"{key}:{Channel.TEAM}:{made.post.channel}",
        team_id=made.post.channel,
        alarm=alarm,
        journal_id=journal_id,
        event=event,
        channel=Channel.TEAM,
        address=made.post.name,
        outcome=Delivery.Outcome(made.fate.value),
        reason=made.reason[:_REASON_LENGTH],
        steps=list(made.steps),
        flood=made.flood,
        created=now,
        due=due,
    )


def row_of(
    made: Decision,
    alarm: Alarm,
    *,
    key: str,
    stem: str,
    event: str,
    journal_id: int | None,
    now: datetime,
    due: datetime,
) -> Delivery:
    """Gives the unsaved outbox row of a decision."""
    return Delivery(
        key=f"{key}:{made.person}:{made.channel}",
        user_id=made.person,
        subscription_id=made.wish.subscription,
        alarm=alarm,
        journal_id=journal_id,
        event=event,
        channel=made.channel,
        address=made.address,
        outcome=Delivery.Outcome(made.fate.value),
        reason=made.reason[:_REASON_LENGTH],
        message_id=NOTIFIERS[made.channel].reference(stem, made.person),
        on_call=made.wish.on_call,
        steps=list(made.steps),
        flood=made.flood,
        created=now,
        due=due,
    )


def _key(entry: JournalEntry, alarm: Alarm) -> str:
    """Gives what of a delivery's key names the row that it tells of, and so the run of a plan that the row begins."""
    return f"{alarm.pk}:{entry.event}:{entry.pk}"


def _stem(entry: JournalEntry, alarm: Alarm) -> str:
    """Gives what a message is called: the one that opens an occurrence without its row's number."""
    opens = entry.event == Event.RAISE and entry.from_state in (Letter.NORMAL, Letter.RETURNED)
    return f"alarm-{alarm.pk}.{entry.event}" + ("" if opens else f"-{entry.pk}")


def is_from_backlog(alarm: Alarm, event: str, recorded: datetime) -> bool:
    """Tells whether an alarm was raised long before anybody could know."""
    return event == Event.RAISE and recorded - alarm.raised > FRESH
