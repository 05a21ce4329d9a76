"""The pipeline's stage that judges: engine to transitions, transitions to alarms, journal and outbox."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from alerts import events, journal, lifecycle, rules, system
from alerts.engine.layout import ACTIVE, NONE
from alerts.engine.program import Program
from alerts.engine.rules import seconds
from alerts.engine.run import Outcome, advance, evaluate
from alerts.engine.state import EngineState, carry
from alerts.instants import from_us, to_us
from alerts.models import Alarm, Delivery, JournalEntry, LeftOut, Rule, RuleInput, State
from alerts.notify import routing
from devices.models import Sensor
from devices.telemetry import history
from devices.telemetry.gap import Gap
from devices.telemetry.pipeline import Drain

log = structlog.get_logger(__name__)

RULE_EDITED = "rule edited"
RULE_RETIRED = "rule no longer in force"


@dataclass(frozen=True, slots=True)
class Transition:
    """One rule became active or returned; times in µs since the epoch."""

    rule: int
    version: int
    active: bool
    time: int
    value: float | None
    edited: bool
    clock_from: int | None


class Evaluation:
    """Puts every drain to the rules of its shard."""

    def prepare(self, drain: Drain, before: Any, saved: bytes) -> Judgement:
        """Runs the engine over the drain's readings and then, where the stream is read to its end, its clock."""
        revision = drain.revisions.get("rules", 0)
        if isinstance(before, Judgement) and before.revision == revision:
            program, base, retired = before.program, before.state, set[int]()
        else:
            program, base, retired = _rebuild(drain, before, saved)
        batch = drain.batch
        outcome = evaluate(program, base, batch.sensor, batch.time, batch.value, batch.quality, drain.arrival)
        state = outcome.state
        found = _transitions(outcome)
        left_out = _left_out(outcome)
        if drain.clock is not None:
            ticked = advance(program, state, drain.clock, seconds(settings.RULE_GRACE))
            state = ticked.state
            found += _transitions(ticked)
            left_out += _left_out(ticked)
        return Judgement(drain.shard, revision, program, state, found, left_out, retired, drain.replaced, drain.gap)


@dataclass(slots=True)
class Judgement:
    """What the rules made of one drain."""

    shard: int
    revision: int
    program: Program
    state: EngineState
    transitions: list[Transition]
    left_out: list[LeftOut]
    retired: set[int]  # open alarms whose rule is gone
    replaced: str  # the new streams' epoch, where there are new ones
    gap: Gap | None  # what was let go before it was judged
    written: list[JournalEntry] = field(default_factory=list)
    told: int = 0

    @property
    def visible(self) -> bool:
        """Tells whether there is something to write besides the state."""
        return bool(self.transitions or self.retired or self.left_out or self.replaced or self.gap)

    def save(self) -> bytes:
        """Gives the engine's state for the checkpoint."""
        return self.state.dumps()

    def commit(self) -> None:
        """Writes alarms, journal and outbox.

        Cost: nothing without transitions; else about eight queries for any number of them.
        """
        if self.left_out:
            LeftOut.objects.bulk_create(self.left_out)
        if not (self.transitions or self.retired or self.replaced or self.gap):
            return
        now = timezone.now()
        book = _Book(now, self.shard)
        if self.replaced:
            book.entries += system.replaced(epoch=self.replaced, shard=self.shard, now=now)
        if self.gap is not None:
            since = from_us(self.gap.since) if self.gap.since else None
            book.entries += system.lost(shard=self.shard, since=since, until=from_us(self.gap.until), now=now)
        book.load({transition.rule for transition in self.transitions}, self.retired)
        for alarm in book.retired:
            book.clear(alarm, instant_of=now, value=None, reason=RULE_RETIRED, clock_from=None)
        for transition in self.transitions:
            book.apply(transition)
        self.written = book.write()
        deliveries = routing.deliveries_for(self.written, now)
        self.told = sum(1 for delivery in deliveries if delivery.outcome == Delivery.Outcome.DUE)
        Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        self.retired = set()

    def announce(self) -> None:
        """Tells the screens, and the workers that send."""
        if self.written:
            events.announce(self.written)
            log.info("alarms changed", shard=self.shard, transitions=len(self.written), to_send=self.told)
        if self.told:
            from alerts.tasks import send_due

            send_due.apply_async(expires=5)
        self.written, self.transitions, self.left_out, self.told = [], [], [], 0
        self.replaced, self.gap = "", None


def _rows(table: np.ndarray[Any, Any]) -> Iterator[dict[str, Any]]:
    """Gives a structured array's rows with plain Python values."""
    names = table.dtype.names or ()
    return (dict(zip(names, row, strict=True)) for row in table.tolist())


def _transitions(outcome: Outcome) -> list[Transition]:
    return [
        Transition(
            rule=row["rule"],
            version=row["version"],
            active=row["kind"] == ACTIVE,
            time=row["time"],
            value=None if math.isnan(row["value"]) else row["value"],
            edited=bool(row["reason"]),
            clock_from=None if row["clock_from"] == NONE else row["clock_from"],
        )
        for row in _rows(outcome.transitions)
    ]


def _left_out(outcome: Outcome) -> list[LeftOut]:
    return [
        LeftOut(rule_id=row["rule"], version=row["version"], sensor_id=row["sensor"], time=row["time"])
        for row in _rows(outcome.left_out)
    ]


def _rebuild(drain: Drain, before: Any, saved: bytes) -> tuple[Program, EngineState, set[int]]:
    """Makes the shard's program anew and carries over the state of rules that did not change.

    Cost: the queries of `rules.specs`, one for standing alarms, one for alarms of retired rules; on a worker that did
    not see the shard before, the history's reads for rate windows.
    """
    specs = rules.specs(drain.shard)
    program = Program.build(specs)
    old = before.state if isinstance(before, Judgement) else EngineState.loads(saved) if saved else None
    in_force = {spec.id for spec in specs}
    standing: set[int] = set()
    retired: set[int] = set()
    # Alarms of deleted rules have lost their shard; the first one looks after them.
    mine = Q(rule__shard=drain.shard)
    if drain.shard == 0:
        mine |= Q(rule=None) & ~system.OWN
    for pk, rule in Alarm.objects.filter(mine, closed=None, active=True).values_list("pk", "rule_id"):
        if rule in in_force:
            standing.add(rule)
        else:
            retired.add(pk)
    if old is None:
        old = EngineState.empty(Program.build([]))
    state = carry(old, program, standing, drain.before)
    for rule, sensor, start, end in state.needs_windows(program):
        columns = history.read(sensor, start, end, late=False)
        seen = columns.quality < 2
        seen &= ~_unseen(rule, columns.time)
        state.fill_window(program, rule, columns.time[seen], columns.value[seen])
    return program, state, retired


def _unseen(rule: int, times: Any) -> Any:
    """Tells which instants a rule did not see, because its clock had passed them."""
    unseen = np.zeros(len(times), np.bool_)
    if len(times):
        fired = JournalEntry.objects.filter(rule_id=rule, clock_from__isnull=False, time__gte=from_us(int(times[0])))
        for start, end in fired.values_list("clock_from", "time"):
            if start is not None:
                unseen |= (times > to_us(start)) & (times <= to_us(end))
    return unseen


class _Book:
    """The alarms that one drain touches: loaded once, stepped in order, written at once."""

    def __init__(self, now: datetime, shard: int) -> None:
        self.now = now
        self.shard = shard
        self.rules: dict[int, Rule] = {}
        self.open: dict[int, Alarm] = {}
        self.retired: list[Alarm] = []
        self.new: list[Alarm] = []
        self.changed: dict[int, Alarm] = {}
        self.entries: list[JournalEntry] = []
        self.sensors: dict[int, Sensor] = {}

    def load(self, rule_ids: set[int], retired: set[int]) -> None:
        """Reads the rules with their sensors, and their open alarms under lock. Cost: three queries."""
        self.rules = {
            rule.pk: rule for rule in Rule.objects.filter(pk__in=rule_ids).select_related("asset", "asset__type")
        }
        inputs = RuleInput.objects.filter(rule__in=rule_ids, place=0).select_related("sensor__asset").order_by()
        self.sensors = {entry.rule_id: entry.sensor for entry in inputs}
        found = Alarm.objects.filter(Q(rule__in=rule_ids, closed=None) | Q(pk__in=retired, closed=None))
        # No joins: PostgreSQL locks no row of the nullable side of one.
        for alarm in found.select_for_update():
            if alarm.pk in retired:
                self.retired.append(alarm)
            elif alarm.rule_id is not None:
                self.open[alarm.rule_id] = alarm

    def apply(self, transition: Transition) -> None:
        """Puts one transition to its rule's alarm."""
        rule = self.rules.get(transition.rule)
        if rule is None or rule.shard != self.shard:
            return  # deleted, or judged elsewhere since this drain began: there it starts from what stands
        alarm = self.open.get(rule.pk)
        at = from_us(transition.time)
        clock_from = None if transition.clock_from is None else from_us(transition.clock_from)
        if transition.active:
            self._raise(rule, alarm, at, transition.value, clock_from)
        elif alarm is not None:
            reason = RULE_EDITED if transition.edited else ""
            self.clear(alarm, instant_of=at, value=transition.value, reason=reason, clock_from=clock_from)

    def _raise(
        self, rule: Rule, alarm: Alarm | None, at: datetime, value: float | None, clock_from: datetime | None
    ) -> None:
        frozen = rules.freeze(rule)
        policy = lifecycle.Policy.of(frozen if alarm is None or alarm.state == State.RETURNED else alarm.frozen)
        before = _life(alarm) if alarm is not None else lifecycle.NORMAL
        step = lifecycle.step(before, lifecycle.Event.RAISE, policy=policy, now=self.now)
        if lifecycle.Effect.JOURNAL not in step.effects:
            return
        if lifecycle.Effect.SUPERSEDE in step.effects and alarm is not None:
            alarm.closed = self.now
            self._touch(alarm)
            alarm = None
        if lifecycle.Effect.NEW_OCCURRENCE in step.effects or alarm is None:
            alarm = self._occurrence(rule, frozen, at, value)
            self.new.append(alarm)
            self.open[rule.pk] = alarm
        else:
            alarm.cleared = alarm.acked = alarm.acked_by = None
            alarm.annunciations += lifecycle.Effect.ANNUNCIATE in step.effects
            self._touch(alarm)
        _settle(alarm, step)
        self._journal(alarm, lifecycle.Event.RAISE, step, at, value, clock_from=clock_from)

    def clear(
        self, alarm: Alarm, *, instant_of: datetime, value: float | None, reason: str, clock_from: datetime | None
    ) -> None:
        """Puts a return to normal to an alarm."""
        policy = lifecycle.Policy.of(alarm.frozen)
        step = lifecycle.step(_life(alarm), lifecycle.Event.CLEAR, policy=policy, now=self.now, reason=reason)
        if lifecycle.Effect.JOURNAL not in step.effects:
            return
        alarm.cleared = instant_of
        _settle(alarm, step)
        if lifecycle.Effect.CLOSE in step.effects:
            alarm.closed = self.now
            if alarm.rule_id is not None:
                self.open.pop(alarm.rule_id, None)
        self._touch(alarm)
        self._journal(alarm, lifecycle.Event.CLEAR, step, instant_of, value, clock_from=clock_from)

    def _occurrence(self, rule: Rule, frozen: dict[str, Any], at: datetime, value: float | None) -> Alarm:
        sensor = self.sensors.get(rule.pk)
        return Alarm(
            rule=rule,
            sensor=sensor,
            asset=rule.asset,
            rule_name=rule.name,
            tag=sensor.tag if sensor else "",
            asset_code=rule.asset.code,
            priority=rule.priority,
            raised=at,
            value=value,
            limit=limit_of(rule, value),
            unit=sensor.unit if sensor else "",
            message=rule.name,
            frozen=frozen,
        )

    def _touch(self, alarm: Alarm) -> None:
        if alarm.pk is not None:
            alarm.version += 1
            self.changed[alarm.pk] = alarm

    def _journal(
        self,
        alarm: Alarm,
        event: lifecycle.Event,
        step: lifecycle.Step,
        at: datetime,
        value: float | None,
        *,
        clock_from: datetime | None = None,
    ) -> None:
        entry = journal.taken(alarm, event, step, actor="", now=self.now)
        entry.time, entry.value, entry.clock_from = at, value, clock_from
        self.entries.append(entry)

    def write(self) -> list[JournalEntry]:
        """Stores closed and changed alarms first, then new ones, then the journal. Gives the rows, numbered."""
        if self.changed:
            Alarm.objects.bulk_update(
                self.changed.values(),
                ["state", "suppressed", "active", "cleared", "acked", "acked_by", "closed", "annunciations", "version"],
            )
        if self.new:
            # A rule may have had several occurrences within this drain; all but its newest are closed by now.
            Alarm.objects.bulk_create(self.new)
            for entry in self.entries:
                entry.alarm = entry.alarm  # takes up the new key
        journal.write(self.entries, self.now)
        return self.entries


def limit_of(rule: Rule, value: float | None) -> float | None:
    """Gives the limit that was met: of a band, the side on which the value lies."""
    if rule.kind == "outside" and value is not None:
        if rule.high is not None and value >= rule.high:
            return rule.high
        return rule.low
    for candidate in (rule.limit, rule.value, rule.timeout, rule.duration):
        if candidate is not None:
            return candidate
    return None


def _life(alarm: Alarm) -> lifecycle.Life:
    return lifecycle.Life.of(alarm.state, alarm.suppressed, annunciations=alarm.annunciations)


def _settle(alarm: Alarm, step: lifecycle.Step) -> None:
    """Writes a step's outcome into the row."""
    alarm.state = State(step.life.core)
    alarm.suppressed = sorted(step.life.switches)
    alarm.active = step.life.active
