"""The steps of calls as their time comes, and the alarm that says that a rota has nobody on call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from alerts.book import Book
from alerts.calling import rota as rotas
from alerts.calling.calls import note_uncovered, settle, store, why_over
from alerts.calling.decision import Situation, decide, decide_posts
from alerts.calling.directory import MISSING, TOLD, Asked, Directory, ledger, load_rotas
from alerts.calling.plan import Plan, Progress, take
from alerts.flood.queries import gatherings
from alerts.lifecycle import Event
from alerts.models import Alarm, Call, Delivery, Rota
from alerts.notify import outbox, routing

log = structlog.get_logger(__name__)

ROUND = 100  # calls in one transaction


def take_due_steps(now: datetime) -> bool:
    """Takes the steps of calls that are due: messages into the outbox, and each call on to its next step.

    Any number of workers may do so at once. Who is on call, who is in maintenance and whether somebody has answered is
    looked at now, whenever the step was due.
    Gives: whether there may be more.
    Cost: one query where nothing is due; else about a dozen for any number of calls.
    """
    numbers = list(Call.objects.filter(due__lte=now).order_by("due", "pk").values_list("alarm_id", flat=True)[:ROUND])
    if not numbers:
        return False
    with transaction.atomic():
        # Alarms first, as everybody locks them; a call that another worker was quicker with is no longer due.
        alarms = {alarm.pk: alarm for alarm in Alarm.objects.filter(pk__in=numbers).order_by("pk").select_for_update()}
        calls = list(Call.objects.filter(alarm__in=numbers, due__lte=now).order_by("alarm").select_for_update())
        directory = Directory(now)
        asked = [(call, alarms[call.alarm_id], _advance(call, alarms[call.alarm_id], directory)) for call in calls]
        store(calls)
        note_uncovered(directory)
        found = list(_messages(asked, directory))
        Delivery.objects.bulk_create(found, ignore_conflicts=True)
        if any(row.outcome == Delivery.Outcome.DUE for row in found):
            transaction.on_commit(outbox.wake)
    log.info("steps taken", calls=len(calls), messages=len(found))
    return len(numbers) == ROUND


def _advance(call: Call, alarm: Alarm, directory: Directory) -> Asked:
    """Takes a call as far as it is due and gives whom its steps call."""
    now, plan, progress = directory.now, Plan.of(call.plan), Progress(call.started, call.place)
    over = why_over(alarm, plan)
    if over:
        settle(call, plan, progress, over)
        return Asked()
    window = directory.window(alarm.asset_id, now)
    places, progress = take(plan, progress, now, None if window is None else window.end)
    settle(call, plan, progress, "")
    asked = directory.asked(plan, places, run=call.run, priority=alarm.priority, at=now)
    call.nobody |= asked.nobody
    return asked


def _messages(asked: Sequence[tuple[Call, Alarm, Asked]], directory: Directory) -> Iterator[Delivery]:
    """Gives the outbox rows of steps. Cost: three queries, none where nobody is called."""
    if not any(whom.wishes or whom.posts for _, _, whom in asked):
        return
    people = {wish.person for _, _, whom in asked for wish in whom.wishes}
    now, sent = directory.now, ledger(people, directory.now)
    heard = last_told([alarm.pk for _, alarm, _ in asked])
    floods = gatherings(now)
    told_of = routing.pressed([whom for *_, whom in asked], floods, now)
    # What is critical first: the rest may go with its digest.
    for call, alarm, whom in sorted(asked, key=lambda one: (one[1].priority, one[1].pk)):
        waits, told = floods.of(alarm), heard[alarm.pk]
        situation = Situation(now, alarm.priority, gathered=waits, flood=waits is not None, first_out=alarm.first_out)
        for posting in decide_posts(whom.posts, situation, told=told.channels, criticals=told_of):
            yield routing.post_of(
                posting,
                alarm,
                key=f"{alarm.pk}:call:{posting.post.step}",
                event=routing.CALL,
                journal_id=call.journal_id,
                now=now,
                due=posting.due,
            )
        for made in decide(
            whom.wishes,
            directory.people,
            situation,
            sent,
            missing=MISSING,
            told=told.people,
            criticals=told_of,
        ):
            mark = made.wish.step
            yield routing.row_of(
                made,
                alarm,
                key=f"{alarm.pk}:call:{mark}",
                stem=f"alarm-{alarm.pk}.call-{mark}",
                event=routing.CALL,
                journal_id=call.journal_id,
                now=now,
                due=made.due,
            )


@dataclass(slots=True)
class LastTold:
    """When each person and each team's channel was last told of an alarm."""

    people: dict[tuple[int, str], datetime] = field(default_factory=dict)  # by person and channel
    channels: dict[int, datetime] = field(default_factory=dict)


def last_told(alarms: Collection[int]) -> dict[int, LastTold]:
    """Gives when each person and each team's channel was last told of some alarms. Cost: one query."""
    sent = Delivery.objects.filter(alarm__in=alarms, outcome__in=TOLD).exclude(event=Event.CLEAR).order_by("due")
    rows: Iterable[tuple[int | None, int | None, int | None, str, datetime]] = sent.values_list(
        "alarm_id", "user_id", "team_id", "channel", "due"
    )
    found = {alarm: LastTold() for alarm in alarms}
    for alarm, person, team, channel, due in rows:
        if alarm is not None and person is not None:
            found[alarm].people[person, channel] = due
        elif alarm is not None and team is not None:
            found[alarm].channels[team] = due
    return found


def uncovered(rota: int) -> str:
    """Gives the occasion of the alarm that says that a rota has nobody on call."""
    return f"rota {rota} uncovered"


def watch_rotas(now: datetime) -> None:
    """Raises an alarm of Andon itself for each rota in which a call found nobody, and returns it when somebody is.

    Cost: one query where no rota is uncovered.
    """
    noted = dict(Rota.objects.exclude(uncovered_since=None).values_list("pk", "name"))
    if not noted:
        return
    found = load_rotas(noted, since=now)
    with transaction.atomic():
        book = Book(now)
        book.load()
        for pk, name in sorted(noted.items()):
            if rotas.on_call(found[pk], now) is None:
                book.system(
                    uncovered(pk),
                    _("Nobody is on call for %(name)s") % {"name": name},
                    reason="a call found nobody; those whom its plan names instead were called",
                    details={"action": _("Have somebody take the duty on the page of the rota.")},
                )
            else:
                book.system_over(uncovered(pk), "somebody is on call")
                Rota.objects.filter(pk=pk).update(uncovered_since=None)
        book.write()
