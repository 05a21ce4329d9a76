"""Calls that are under way: the plan of each alarm as it was when the alarm was raised, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection

from alerts.calling.directory import Asked, Directory, in_words
from alerts.calling.plan import Plan, Progress, take
from alerts.lifecycle import WAITING
from alerts.models import Alarm, Call, Rota


class Calls:
    """The calls that one transaction begins, or begins anew."""

    def __init__(self, alarms: Collection[int], directory: Directory) -> None:
        """Reads the calls that there are of some alarms, whose rows the transaction has locked. Cost: one query."""
        self._directory = directory
        self.known = {call.alarm_id: call for call in Call.objects.filter(alarm__in=alarms)} if alarms else {}
        self._changed: dict[int, Call] = {}

    def begin(self, alarm: Alarm, journal_id: int | None) -> Asked:
        """Begins the plan of an alarm that is presented, or begins it anew, and gives whom its first steps call.

        While the alarm is in maintenance nobody is called, and the first step waits for its end: what is withheld until
        then is of no step.
        """
        now = self._directory.now
        call = self.known.get(alarm.pk)
        if call is None:
            plan = self._directory.plan_for(
                asset=alarm.asset_id, priority=alarm.priority, alarm_class=alarm.alarm_class, at=now
            )
            if plan is None:
                return Asked()
            call = self.known[alarm.pk] = Call(alarm=alarm, plan=plan.as_json())
        else:
            plan = Plan.of(call.plan)
            call.run += 1
            call.nobody, call.audited = {}, 0
        places, progress = take(plan, Progress(now), now)
        window = self._directory.window(alarm.asset_id, now)
        if window is not None:
            _, progress = take(plan, Progress(now), now, held_until=window.end)
        call.journal_id = journal_id
        settle(call, plan, progress, why_over(alarm, plan))
        self._changed[alarm.pk] = call
        asked = self._directory.asked(plan, places, run=call.run, priority=alarm.priority, at=now)
        if window is not None:
            return asked.of_no_step()
        call.nobody = asked.nobody
        return asked

    def save(self) -> None:
        """Stores what has changed. Cost: one query for new ones, one for others, one where a rota had nobody."""
        Call.objects.bulk_create([call for call in self._changed.values() if call.pk is None])
        again = [call for call in self._changed.values() if call.pk is not None]
        Call.objects.bulk_update(again, [*FIELDS, "audited"])
        note_uncovered(self._directory)


FIELDS = ("run", "started", "place", "due", "stopped", "journal_id", "nobody")


def store(calls: Collection[Call]) -> None:
    """Stores how far calls have come. Cost: one query."""
    Call.objects.bulk_update(calls, FIELDS)


def settle(call: Call, plan: Plan, progress: Progress, over: str) -> None:
    """Writes a run's progress into its row."""
    call.started, call.place = progress.started, progress.place
    call.due, call.stopped = progress.due(plan), over
    if over:
        call.due = None
    elif call.due is None:
        call.stopped = "all steps are done"


def why_over(alarm: Alarm, plan: Plan) -> str:
    """Gives why no further step is taken, or nothing. It goes on when the alarm is presented anew."""
    if alarm.suppressed:
        return in_words(alarm.suppressed)
    if alarm.state not in WAITING:
        return "acknowledged" if alarm.acked is not None else "nobody needs to acknowledge it"
    if alarm.closed is not None:
        return "over"
    return "returned to normal" if plan.stops_on_return and not alarm.active else ""


def note_uncovered(directory: Directory) -> None:
    """Notes the rotas in which nobody was found, for alerts.calling.escalation to say so. Cost: one query, or none."""
    if directory.uncovered:
        Rota.objects.filter(pk__in=directory.uncovered, uncovered_since=None).update(uncovered_since=directory.now)
