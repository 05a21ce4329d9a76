"""The auditor: proves that each call that was due went out, and says so loudly where it cannot.

It reads the journal and the outbox and asks neither the routing nor the workers: what it expects it works out in its
own words, from the subscriptions and the frozen plans, so that a mistake there does not hide itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from alerts.book import Book
from alerts.lifecycle import WAITING, Event
from alerts.models import Audit, Call, Delivery, JournalEntry, JournalHead, Priority, Subscription, TeamChannel
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
    Cost: seven queries, and up to six for each 2,000 rows of the journal.
    """
    plant, mark = topology(), Audit.objects.first()
    if mark is None:
        # The first look: what was before had no auditor.
        head = JournalHead.objects.values_list("last", flat=True).first() or 0
        Audit.objects.bulk_create([Audit(journal=head, at=now, plant=plant.revision)], ignore_conflicts=True)
        mark = Audit.objects.get()
    moved = plant.revision != mark.plant
    missing: list[str] = []
    upto = mark.journal
    while rows := list(_rows(upto)):
        upto = rows[-1].pk
        presented = [row for row in rows if _presents(row)]
        missing += [*_missing(presented, plant, moved=moved), *_missing_posts([row.pk for row in presented])]
    late = _late(now)
    with transaction.atomic():
        # Of two auditors at once, one tells.
        mine = Audit.objects.filter(journal=mark.journal, at=mark.at)
        if not mine.update(journal=upto, at=now, plant=plant.revision, late=late):
            return []
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


def _presents(row: JournalEntry) -> bool:
    if row.alarm is None:
        return False
    waits = {letter.value for letter in WAITING}
    return row.event in _ALWAYS or (row.event in _WHERE_IT_WAITS and row.to_state in waits)


# --- What is missing -----------------------------------------------------------------------------------------------


def _missing(rows: Sequence[JournalEntry], plant: Topology, *, moved: bool) -> list[str]:
    """Gives for whom the outbox holds no message of a row, though they had asked for it by then.

    Takes: whether the plant was changed since the last look, so that what stands above an asset now proves nothing.
    """
    if not rows:
        return []
    subscriptions = list(Subscription.objects.filter(enabled=True, user__is_active=True).select_related("user"))
    present = set(
        Delivery.objects.filter(journal_id__in=[row.pk for row in rows])
        .order_by()
        .values_list("journal_id", "user_id", "channel")
    )
    found: dict[tuple[int, int, str], str] = {}
    for row in rows:
        alarm = row.alarm
        if alarm is None:
            continue
        places: set[int | None] = {None, alarm.asset_id}
        if alarm.asset_id is not None and not moved:
            places.update(plant.path(alarm.asset_id))
        for wish in subscriptions:
            asked = wish.asset_id in places and alarm.priority <= wish.lowest_priority and wish.changed <= row.recorded
            key = (row.pk, wish.user_id, wish.channel)
            if asked and key not in present:
                found[key] = f"alarm {alarm.pk}: no message to {wish.user.get_username()} by {wish.channel}"
    return list(found.values())


def _missing_posts(rows: Sequence[int]) -> Iterator[str]:
    """Gives for which channels of teams the outbox holds no message, though a step that calls their team was taken.

    Takes: numbers of journal rows that present an alarm.
    """
    if not rows:
        return
    # The calls first: whatever they say was taken has left its messages by then.
    calls = Call.objects.filter(journal_id__in=rows).order_by("pk")
    wanted = [(call.alarm_id, call.journal_id, channel) for call in calls for channel in sorted(_to_post(call))]
    names = dict(TeamChannel.objects.filter(pk__in={channel for *_, channel in wanted}).values_list("pk", "name"))
    posted = set(
        Delivery.objects.filter(journal_id__in=rows, team__isnull=False).order_by().values_list("journal_id", "team_id")
    )
    for alarm, row, channel in wanted:
        if channel in names and (row, channel) not in posted:
            yield f"alarm {alarm}: no message to {names[channel]} by team channel"


def _to_post(call: Call) -> set[int]:
    """Gives the team channels that the steps taken so far have told."""
    steps = call.plan.get("steps", [])
    return {channel for step in steps[: call.place] for channel in step.get("channels", ())}


# --- What is late --------------------------------------------------------------------------------------------------


def _late(now: datetime) -> list[str]:
    """Gives what waits in the outbox, or in a plan, for longer than it may. Cost: two queries over what is due."""
    waiting = Q(outcome=Outcome.DUE) & (Q(due__lt=now - LATE) | Q(first_due__lt=now - LATE))
    lost = Q(outcome=Outcome.SENDING, claimed__lt=now - LOST)
    rows = Delivery.objects.filter(waiting | lost).select_related("user", "team").order_by("due")
    steps = Call.objects.filter(due__lt=now - LATE).order_by("due").values_list("alarm_id", "place", "due")
    found = [
        f"alarm {alarm}: step {place + 1} of its plan is due since {due:%H:%M:%S} UTC"
        for alarm, place, due in steps[:_NAMED]
    ]
    for row in rows[:_NAMED]:
        whom = row.user.get_username() if row.user is not None else row.team
        found.append(f"message {row.pk} to {whom} by {row.channel}: due since {row.first_due or row.due:%H:%M:%S} UTC")
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
