"""The steps of calls as their time comes, and the alarm that says that a rota has nobody on call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import structlog
from django.db import transaction

from alerts.book import Book
from alerts.calling import rota as rotas
from alerts.calling.calls import note_uncovered, settle, store, why_over
from alerts.calling.decision import Situation, Wish, decide
from alerts.calling.directory import COUNTED, MISSING, Directory, ledger, load_rotas
from alerts.calling.plan import Plan, Progress, take
from alerts.flood.queries import gathered
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


def _advance(call: Call, alarm: Alarm, directory: Directory) -> list[Wish]:
    """Takes a call as far as it is due and gives whom its steps call."""
    now, plan, progress = directory.now, Plan.of(call.plan), Progress(call.started, call.place)
    over = why_over(alarm, plan)
    if over:
        settle(call, plan, progress, over)
        return []
    window = directory.window(alarm.asset_id, now)
    places, progress = take(plan, progress, now, None if window is None else window.end)
    settle(call, plan, progress, "")
    return [
        wish
        for place in places
        for wish in directory.wishes(plan, place, run=call.run, priority=alarm.priority, at=now)
    ]


def _messages(asked: Sequence[tuple[Call, Alarm, list[Wish]]], directory: Directory) -> Iterator[Delivery]:
    """Gives the outbox rows of steps. Cost: three queries, none where nobody is called."""
    people = {wish.person for _, _, wishes in asked for wish in wishes}
    if not people:
        return
    now, sent = directory.now, ledger(people, directory.now)
    heard = last_told([alarm.pk for _, alarm, _ in asked])
    floods = gathered(now)
    for call, alarm, wishes in asked:
        situation = Situation(now, alarm.priority, gathered=floods.get(alarm.position))
        for made in decide(wishes, directory.people, situation, sent, missing=MISSING, told=heard[alarm.pk]):
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


def last_told(alarms: Collection[int]) -> dict[int, dict[tuple[int, str], datetime]]:
    """Gives when each person was last told of some alarms, by alarm, then by person and channel. Cost: one query."""
    outcomes = (*COUNTED, Delivery.Outcome.GATHERED)
    rows = Delivery.objects.filter(alarm__in=alarms, outcome__in=outcomes).exclude(event=Event.CLEAR)
    found: dict[int, dict[tuple[int, str], datetime]] = {alarm: {} for alarm in alarms}
    for alarm, person, channel, due in rows.order_by("due").values_list("alarm_id", "user_id", "channel", "due"):
        if alarm is not None:
            found[alarm][person, channel] = due
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
                    f"Nobody is on call for {name}",
                    reason="a call found nobody; those whom its plan names instead were called",
                    details={"action": "Have somebody take the duty on the page of the rota."},
                )
            else:
                book.system_over(uncovered(pk), "somebody is on call")
                Rota.objects.filter(pk=pk).update(uncovered_since=None)
        book.write()
