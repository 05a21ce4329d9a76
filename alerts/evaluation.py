"""The pipeline's stage that judges: engine to transitions, transitions to alarms, journal and outbox."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from alerts import by_design, journal, rules, system
from alerts.book import Book
from alerts.engine.layout import ACTIVE, NONE
from alerts.engine.program import Program
from alerts.engine.rules import seconds
from alerts.engine.run import Outcome, advance, evaluate
from alerts.engine.state import EngineState, carry, together
from alerts.instants import from_us, to_us
from alerts.models import Alarm, JournalEntry, LeftOut, Rule, RuleInput, Suppressor
from alerts.silence.services import Holder
from devices.telemetry import history
from devices.telemetry.admission import Cursors
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
            program, base, retired, holding = before.program, before.state, set[int](), None
        else:
            program, base, retired, holding = _rebuild(drain, before, saved)
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
        return Judgement(
            shard=drain.shard,
            revision=revision,
            program=program,
            state=state,
            transitions=found,
            left_out=left_out,
            retired=retired,
            holding=holding,
            replaced=drain.replaced,
            gap=drain.gap,
            clock=drain.clock,
            cursors=drain.cursors,
        )

    def regroup(self, saved: dict[int, bytes], count: int) -> dict[int, bytes]:
        """Gives each rule the shard of its sensor, and takes its state there as it is.

        Cost: a query for the rules, one for each shard that gets some, three for each shard.
        """
        wanted: dict[int, list[int]] = {}
        inputs = RuleInput.objects.filter(place=0).exclude(rule__shard=F("sensor__asset__shard")).order_by()
        for rule, shard in inputs.values_list("rule_id", "sensor__asset__shard"):
            wanted.setdefault(shard, []).append(rule)
        for shard, numbers in wanted.items():
            Rule.objects.filter(pk__in=numbers).update(shard=shard)
        if not saved:
            return {}
        whole = together([EngineState.loads(state) for state in saved.values()])
        known = set(zip(whole.ids.tolist(), whole.versions.tolist(), strict=True))
        states = {}
        for shard in range(count):
            # One that no drain has met yet begins there, with the next drain, as it would have done here.
            specs = [spec for spec in rules.specs(shard) if (spec.id, spec.version) in known]
            states[shard] = carry(whole, Program.build(specs)).dumps()
        return states


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
    clock: int | None  # none where the stream was not read to its end
    cursors: Cursors
    holding: set[int] | None = None  # the states that suppress, where what follows from them must be put right
    written: int = 0  # rows of the journal
    told: int = 0

    @property
    def visible(self) -> bool:
        """Tells whether there is something to write besides the state."""
        found = self.transitions or self.retired or self.left_out or self.replaced or self.gap
        return bool(found) or self.holding is not None

    def save(self) -> bytes:
        """Gives the engine's state for the checkpoint."""
        return self.state.dumps()

    def commit(self) -> None:
        """Writes alarms, journal and outbox.

        Cost: nothing without transitions; else about fifteen queries for any number of them.
        """
        if self.left_out:
            LeftOut.objects.bulk_create(self.left_out)
        if not (self.transitions or self.retired or self.replaced or self.gap or self.holding is not None):
            return
        now = timezone.now()
        book = Book(now)
        turned = {transition.rule for transition in self.transitions}
        astray: dict[int, set[str]] = {}
        if self.holding is not None:
            journal.lock()
            astray = by_design.astray(self.shard, self.holding)
        book.load(
            rules={rule for rule in turned if rule > 0} | set(astray),
            alarms=self.retired,
            suppressors={-rule for rule in turned if rule < 0},
        )
        if self.replaced:
            system.replaced(book, epoch=self.replaced, shard=self.shard)
        if self.gap is not None:
            since = from_us(self.gap.since) if self.gap.since else None
            system.lost(book, shard=self.shard, since=since, until=from_us(self.gap.until))
        for rule, words in astray.items():
            book.designed(rule, words, at=now)
        for pk in sorted(self.retired & set(book.alarms)):
            if book.alarms[pk].closed is None:
                book.cleared(book.alarms[pk], at=now, reason=RULE_RETIRED)
        holder = Holder(book, self.transitions, shard=self.shard, clock=self.clock, arrival=self._arrival)
        moments = [by_design.Moment(found.rule, found.time, found.active) for found in self.transitions]
        for index in by_design.in_order(moments, book.suppresses):
            self._apply(book, holder, self.transitions[index])
        self.written = len(book.write())
        holder.written()
        self.told = book.told
        self.retired, self.holding = set(), None

    def _arrival(self, sensor: int) -> int | None:
        """Gives when a sensor's newest reading arrived, in µs."""
        newest = self.cursors.get(sensor)
        return None if newest is None else newest.arrival

    def _apply(self, book: Book, holder: Holder, transition: Transition) -> None:
        """Puts one transition to its rule's alarm, or to those that a state suppresses."""
        if transition.rule < 0:
            suppressor = book.suppressors.get(-transition.rule)
            if suppressor is not None and self._mine(book.rule(suppressor.rule_id)):
                book.state(suppressor, transition.active, at=from_us(transition.time))
            return
        rule = book.rule(transition.rule)
        if rule is None or not self._mine(rule):
            return
        if not holder.passes(rule, transition):
            return
        at = from_us(transition.time)
        clock_from = None if transition.clock_from is None else from_us(transition.clock_from)
        if transition.active:
            book.raised(rule, at=at, value=transition.value, clock_from=clock_from)
        elif (alarm := book.open.get(rule.pk)) is not None:
            reason = RULE_EDITED if transition.edited else ""
            book.cleared(alarm, at=at, value=transition.value, reason=reason, clock_from=clock_from)

    def _mine(self, rule: Rule | None) -> bool:
        """Tells whether a rule is still judged here; where it was moved to it starts from what stands."""
        return rule is not None and rule.shard == self.shard

    def announce(self) -> None:
        """Says what was written; the book has told the screens, and the workers that send."""
        if self.written:
            log.info("alarms changed", shard=self.shard, transitions=self.written, to_send=self.told)
        self.written, self.transitions, self.left_out, self.replaced, self.told = 0, [], [], "", 0


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
        if row["rule"] > 0
    ]


def _rebuild(drain: Drain, before: Any, saved: bytes) -> tuple[Program, EngineState, set[int], set[int] | None]:
    """Makes the shard's program anew and carries over the state of rules that did not change.

    Gives: also the open alarms whose rule is gone, and the states that suppress where the shard's suppressions are not
    what they ask for.
    Cost: the queries of `rules.specs`, one for standing alarms, three for suppressions; on a worker that did not see
    the shard before, the history's reads for rate windows.
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
    holding = _holding(program, old, state, drain)
    return program, state, retired, holding if by_design.astray(drain.shard, holding) else None


def _holding(program: Program, old: EngineState, state: EngineState, drain: Drain) -> set[int]:
    """Gives the states that hold and suppress; a new one is known from its sensor's newest reading.

    Cost: two queries where there are new ones, and the history's for a sensor that the shard has never seen.
    """
    judged = set(old.ids.tolist())
    new = {-spec.id: spec.inputs[0] for spec in program.specs if spec.id < 0 and spec.id not in judged}
    if new:
        equals = dict(Suppressor.objects.filter(pk__in=new).values_list("pk", "equals"))
        known = {sensor: drain.before.get(sensor) for sensor in new.values()}
        strange = history.last_readings([sensor for sensor, last in known.items() if last is None])
        for pk, sensor in new.items():
            if (last := known[sensor]) is not None and last.good_time != NONE:
                at, value, lag = last.time, last.good_value, last.arrival - last.time
            elif (reading := strange.get(sensor)) is not None and reading.quality < 2:
                at, value, lag = reading.time, reading.value, 0
            else:
                continue
            state.recall(program, -pk, at, value, lag, value in equals.get(pk, ()))
    return {-spec.id for spec, row in zip(program.specs, state.rules, strict=True) if spec.id < 0 and row["active"]}


def _unseen(rule: int, times: Any) -> Any:
    """Tells which instants a rule did not see, because its clock had passed them."""
    unseen = np.zeros(len(times), np.bool_)
    if len(times):
        fired = JournalEntry.objects.filter(rule_id=rule, clock_from__isnull=False, time__gte=from_us(int(times[0])))
        for start, end in fired.values_list("clock_from", "time"):
            if start is not None:
                unseen |= (times > to_us(start)) & (times <= to_us(end))
    return unseen
