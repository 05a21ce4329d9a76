"""The auditor: proves that each call that was due went out, and says so loudly where it cannot.

It reads the journal and the outbox and asks neither the routing nor the workers: what it expects it works out in its
own words, from the subscriptions and the frozen plans, so that a mistake there does not hide itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from alerts.book import Book
from alerts.lifecycle import WAITING, Event
from alerts.models import (
    Alarm,
    Audit,
    Call,
    CallRoute,
    Delivery,
    JournalEntry,
    JournalHead,
    Priority,
    Subscription,
    TeamChannel,
)
from alerts.notify.outbox import CLAIM
from devices.topology import Topology, topology

log = structlog.get_logger(__name__)

LATE = timedelta(minutes=5)  # that a message which is due may wait for a worker
LOST = CLAIM + timedelta(minutes=1)  # that a claim may be held
EVERY = timedelta(minutes=1)  # that beat asks for it
WELL = 3 * EVERY  # without a look for so long, nobody audits
_ROWS = 2_000  # of the journal at a time
_NAMED = 5
_LATE_OCCASION, _MISSING_OCCASION = "calls late", "calls missing"

# What presents an alarm to somebody: raised, announced anew, or released into a state that waits.
_ALWAYS = (Event.RAISE, Event.REALARM)
_WHERE_IT_WAITS = (Event.UNSHELVE, Event.EXPIRE, Event.UNSUPPRESS, Event.RETURN)

Outcome = Delivery.Outcome


def audit(now: datetime) -> list[str]:
    """Looks at what the journal tells since the last look, and at everything that waits in the outbox.

    Gives: what is wrong, in words; nothing where every call went out.
    Cost: seven queries in a quiet minute, and up to six for each 2,000 rows of the journal.
    """
    plant, mark = topology(), Audit.objects.first()
    if mark is None:
        # The first look: what was before had no auditor.
        head = JournalHead.objects.values_list("last", flat=True).first() or 0
        Audit.objects.bulk_create([Audit(journal=head, at=now, plant=plant.revision)], ignore_conflicts=True)
        Call.objects.filter(place__gt=F("audited")).update(audited=F("place"))
        mark = Audit.objects.get()
    moved = plant.revision != mark.plant
    missing: list[str] = []
    upto = mark.journal
    while rows := list(_rows(upto)):
        upto = rows[-1].pk
        presented = list(_presented(rows, plant, moved=moved))
        missing += [*_missing(presented), *_missing_calls(presented)]
    unproved = _unproved()
    missing += _missing_steps(unproved)
    late = [*_late_steps(now), *_late(now)]
    # Of two auditors at once, one tells.
    mine = Audit.objects.filter(journal=mark.journal, at=mark.at)
    look = {"journal": upto, "at": now, "plant": plant.revision, "late": late}
    if not (unproved or missing or late or mark.late):
        mine.update(**look)  # one statement: a quiet minute needs no transaction
        return []
    with transaction.atomic():
        if not mine.update(**look):
            return []
        _prove(unproved)
        _tell(now, late, missing, was_late=bool(mark.late))
    for words in (*late, *missing):
        log.error("call not made", problem=words)
    return [*late, *missing]


def is_well(now: datetime) -> bool:
    """Tells whether the auditor has looked lately and found that nothing is late. Cost: one query."""
    mark = Audit.objects.first()
    return mark is not None and now - mark.at < WELL and not mark.late


def _rows(after: int) -> Iterable[JournalEntry]:
    return JournalEntry.objects.filter(pk__gt=after).select_related("alarm").order_by("pk")[:_ROWS]


@dataclass(frozen=True, slots=True)
class _Presented:
    """A row that presents an alarm, and for which places one may have asked for it; None: for the whole plant."""

    row: JournalEntry
    alarm: Alarm
    places: set[int | None]


def _presented(rows: Iterable[JournalEntry], plant: Topology, *, moved: bool) -> Iterator[_Presented]:
    """Gives the rows that present an alarm to somebody.

    Takes: whether the plant was changed since the last look, so that what stands above an asset now proves nothing.
    """
    waits = {letter.value for letter in WAITING}
    for row in rows:
        alarm = row.alarm
        if alarm is None or not (row.event in _ALWAYS or (row.event in _WHERE_IT_WAITS and row.to_state in waits)):
            continue
        places: set[int | None] = {None, alarm.asset_id}
        if alarm.asset_id is not None and not moved:
            places.update(plant.path(alarm.asset_id))
        yield _Presented(row, alarm, places)


# --- What is missing -----------------------------------------------------------------------------------------------


def _missing(presented: Sequence[_Presented]) -> list[str]:
    """Gives for whom the outbox holds no message of a row, though they had asked for it by then."""
    if not presented:
        return []
    subscriptions = list(Subscription.objects.filter(enabled=True, user__is_active=True).select_related("user"))
    present = set(
        Delivery.objects.filter(journal_id__in=[one.row.pk for one in presented])
        .order_by()
        .values_list("journal_id", "user_id", "channel")
    )
    found: dict[tuple[int, int, str], str] = {}
    for one in presented:
        row, alarm = one.row, one.alarm
        for wish in subscriptions:
            wide = alarm.priority <= wish.lowest_priority
            asked = wide and wish.asset_id in one.places and wish.changed <= row.recorded
            key = (row.pk, wish.user_id, wish.channel)
            if asked and key not in present:
                found[key] = f"alarm {alarm.pk}: no message to {wish.user.get_username()} by {wish.channel}"
    return list(found.values())


def _missing_calls(presented: Sequence[_Presented]) -> Iterator[str]:
    """Gives the presented alarms that no plan calls for, though a route that is older leads them to one.

    Cost: two queries, three where a route meets an alarm, none without rows.
    """
    routes = list(CallRoute.objects.filter(enabled=True).select_related("plan").order_by("pk")) if presented else []
    if not routes:
        return
    made = CallRoute.history.order_by().values_list("id").annotate(last=Max("history_date"))
    changed = dict(made.filter(id__in=[route.pk for route in routes]))
    led: dict[int, tuple[Alarm, CallRoute]] = {}
    for one in presented:
        alarm = one.alarm
        for route in routes:
            # Weekly hours and the plant's clock may have changed since: what depends on them proves nothing.
            if route.hours is None and route.pk in changed and changed[route.pk] <= one.row.recorded:
                wide = route.highest_priority <= alarm.priority <= route.lowest_priority
                if wide and route.asset_id in one.places and route.alarm_class in ("", alarm.alarm_class):
                    led.setdefault(alarm.pk, (alarm, route))
    begun = set(Call.objects.filter(alarm__in=led).order_by().values_list("alarm_id", flat=True)) if led else set()
    for pk, (_alarm, route) in led.items():
        if pk not in begun:
            yield f"alarm {pk}: no call was begun, though a route leads to the plan {route.plan.name}"


def _unproved() -> list[Call]:
    """Gives the calls with steps that were taken and are not proved: of many the first, the rest with the next look.

    Cost: one query.
    """
    return list(Call.objects.filter(place__gt=F("audited")).order_by("pk")[:_ROWS])


def _missing_steps(calls: Sequence[Call]) -> Iterator[str]:
    """Gives whom the steps taken since the last look called without a message in the outbox.

    Each person and each channel of the team that a step names has one, whatever became of it; where the rota says whom,
    or everybody is called, somebody has. A step that had nobody to call has its reason in the call. One message may be
    of several steps, and names them.
    Takes: calls that were read before the outbox is: what they say was taken has left its messages by then.
    Cost: three queries, none without calls.
    """
    if not calls:
        return
    people_of: dict[tuple[int | None, str], set[int]] = defaultdict(set)
    channels_of: dict[tuple[int | None, str], set[int]] = defaultdict(set)
    rows = Delivery.objects.filter(alarm__in=[call.alarm_id for call in calls]).order_by()
    for alarm, marks, person, channel in rows.values_list("alarm_id", "steps", "user_id", "team_id"):
        for mark in marks:
            if person is not None:
                people_of[alarm, mark].add(person)
            if channel is not None:
                channels_of[alarm, mark].add(channel)
    taken = [(call.alarm_id, mark, frozen) for call in calls for mark, frozen in _taken(call)]
    people = {person for _, _, frozen in taken for person in frozen.get("people", ())}
    channels = {channel for _, _, frozen in taken for channel in frozen.get("channels", ())}
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "username"))
    rooms = dict(TeamChannel.objects.filter(pk__in=channels).values_list("pk", "name"))
    for alarm, mark, frozen in taken:
        number, whom = frozen.get("number", 1), frozen.get("name") or "anybody"
        called, posted = people_of[alarm, mark], channels_of[alarm, mark]
        for person in frozen.get("people", ()):
            if person in names and person not in called:
                yield f"alarm {alarm}: step {number} of its plan has no message to {names[person]}"
        for channel in frozen.get("channels", ()):
            if channel in rooms and channel not in posted:
                yield f"alarm {alarm}: no message to {rooms[channel]} by team channel"
        if frozen.get("whom") in ("rota", "everybody") and not (called or posted):
            yield f"alarm {alarm}: step {number} of its plan has no message to {whom}"


def _taken(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    """Gives the steps of a call that were taken since the last look and called somebody: mark, and as it was frozen.

    The mark is run.round.step, as the outbox writes it.
    """
    steps = call.plan.get("steps", [])
    for place in range(call.audited, call.place if steps else 0):
        frozen = steps[place % len(steps)]
        mark = ".".join(map(str, (call.run, place // len(steps) + 1, frozen.get("number", 1))))
        if mark not in call.nobody:
            yield mark, frozen


def _prove(calls: Iterable[Call]) -> None:
    """Writes down which steps were looked at. Cost: one query for each run and place that calls have come to."""
    same: dict[tuple[int, int], list[int]] = defaultdict(list)
    for call in calls:
        same[call.run, call.place].append(call.pk)
    for (run, place), numbers in same.items():
        # One that has begun anew meanwhile is looked at from its beginning.
        Call.objects.filter(pk__in=numbers, run=run).update(audited=place)


# --- What is late --------------------------------------------------------------------------------------------------


def _late_steps(now: datetime) -> list[str]:
    """Gives the steps of plans that nobody takes, however many wait to be proved. Cost: one query."""
    rows = Call.objects.filter(due__lt=now - LATE).order_by("due", "alarm").values_list("due", "alarm", "place")
    return [
        f"alarm {alarm}: step {place + 1} of its plan is due since {due:%H:%M:%S} UTC"
        for due, alarm, place in rows[:_NAMED]
    ]


def _late(now: datetime) -> list[str]:
    """Gives what waits in the outbox or for a digest for longer than it may. Cost: one query."""
    waiting = Q(outcome=Outcome.DUE) & (Q(due__lt=now - LATE) | Q(first_due__lt=now - LATE))
    lost = Q(outcome=Outcome.SENDING, claimed__lt=now - LOST)
    held = Q(outcome=Outcome.HELD, due__lt=now - LATE)
    rows = Delivery.objects.filter(waiting | lost | held).select_related("user", "team").order_by("due")
    found = []
    for row in rows[:_NAMED]:
        whom = row.user.get_username() if row.user is not None else row.team
        since = row.first_due or row.due
        if row.outcome == Outcome.HELD:
            words = (
                f"message {row.pk} to {whom} by {row.channel}: held back, its digest is due since {since:%H:%M:%S} UTC"
            )
        else:
            words = f"message {row.pk} to {whom} by {row.channel}: due since {since:%H:%M:%S} UTC"
        found.append(words)
    return found


# --- Telling -------------------------------------------------------------------------------------------------------


def _tell(now: datetime, late: Sequence[str], missing: Sequence[str], *, was_late: bool) -> None:
    """Raises what is wrong, ends what is not any more. Cost: none where nothing is and was."""
    if not (late or missing or was_late):
        return
    book = Book(now)
    if late:
        book.system(
            _LATE_OCCASION,
            _("Calls are due and do not go out"),
            priority=Priority.CRITICAL,
            reason="; ".join(late),
            details={
                "cause": _("No worker sends, or a provider does not answer."),
                "consequence": _("People who should be called are not. Call them by other means."),
                "action": _("Look at Messages sent, Waiting.\nLook at the workers and their logs."),
            },
        )
    elif was_late:
        book.system_over(_LATE_OCCASION, "nothing is late any more")
    if missing:
        named = "; ".join(missing[:_NAMED])
        book.system(
            _MISSING_OCCASION,
            _("Calls were not made: %(count)s messages are missing") % {"count": len(missing)},
            priority=Priority.CRITICAL,
            reason=named,
            moment=True,
            details={"cause": named, "consequence": _("Somebody was not told of an alarm that they had asked for.")},
        )
    book.write()
