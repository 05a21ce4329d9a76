"""The alarms and suppressions that one transaction touches: locked, stepped in order, written at once.

Whoever steps alarms (the evaluation, a person, a timer) does it through a book, so that every step has its row in the
journal, its messages in the outbox and its frame on the screens. Locks are always taken in one order: the journal's
head, alarms, suppressions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q

from alerts import events, first_out, journal, lifecycle, rules
from alerts.lifecycle import ACTIVE, WAITING, Effect, Event, IllegalEvent, Letter, Life, Policy, Step, Switch
from alerts.models import (
    Alarm,
    AlarmClass,
    Delivery,
    JournalEntry,
    Priority,
    Rule,
    RuleInput,
    State,
    Suppression,
    Suppressor,
)
from alerts.notify import routing
from alerts.positions import Seats
from devices.models import Asset, Sensor

_ALARM_FIELDS = (
    "state", "suppressed", "active", "cleared", "acked", "acked_by", "closed", "annunciations", "first_out", "silenced",
    "realarm_due", "version",
)  # fmt: skip
_SUPPRESSION_FIELDS = (
    "switches", "shelved_until", "one_shot", "shelved_by", "shelved_at", "shelve_reason", "designed", "designed_at",
    "out_by", "out_at", "out_reason", "work_order", "review", "version",
)  # fmt: skip

_MESSAGE_LENGTH = 200  # Alarm.message

# What alarms of Andon itself are known by; those of a deleted rule keep its name.
OWN = Q(rule=None, rule_name="")

Actor = AbstractBaseUser | str


class Book:
    """What one transaction does to alarms.

    Takes: the clock, for all that happens now; what was due at another time says so.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.alarms: dict[int, Alarm] = {}  # by number: those asked for so
        self.open: dict[int, Alarm] = {}  # by rule
        self.suppressions: dict[int, Suppression] = {}  # by rule
        self.suppressors: dict[int, Suppressor] = {}  # of what was loaded, and what it suppresses
        self.entries: list[JournalEntry] = []
        self.told = 0  # messages now due
        self._by: dict[int, list[Suppressor]] = defaultdict(list)  # what a rule's alarm suppresses
        self._known: dict[int, Rule] = {}
        self._sensors: dict[int, Sensor] = {}
        self._asked: set[int] = set()
        self._classes: dict[str, AlarmClass] | None = None
        self._seats: Seats | None = None
        self._trips: first_out.Trips | None = None
        self._new: list[Alarm] = []
        self._changed: dict[int, Alarm] = {}
        self._reworded: list[Alarm] = []
        self._turned: set[int] = set()

    # --- Reading -----------------------------------------------------------------------------------------------

    def load(self, *, rules: Iterable[int] = (), alarms: Iterable[int] = (), suppressors: Iterable[int] = ()) -> None:
        """Locks what is about to be stepped, and whatever the alarms of these rules suppress.

        Takes: rules, whose open alarm is read; alarms by number, open or closed; suppressors by number.
        Cost: four queries, one more for alarms by number; rules are read when they are needed.
        """
        journal.lock()
        numbers, asked = set(alarms), set(rules)
        if numbers:
            asked |= {
                pk for pk in Alarm.objects.filter(pk__in=numbers).values_list("rule", flat=True) if pk is not None
            }
        for suppressor in Suppressor.objects.filter(Q(by__in=asked) | Q(pk__in=set(suppressors))):
            if suppressor.pk in self.suppressors:
                continue
            self.suppressors[suppressor.pk] = suppressor
            asked.add(suppressor.rule_id)
            if suppressor.by_id is not None:
                self._by[suppressor.by_id].append(suppressor)
        # No joins: PostgreSQL locks no row of the nullable side of one.
        found = Alarm.objects.filter(Q(rule__in=asked, closed=None) | Q(pk__in=numbers)).order_by("pk")
        for alarm in found.select_for_update():
            if alarm.pk in numbers:
                self.alarms[alarm.pk] = alarm
            if alarm.closed is None and alarm.rule_id is not None:
                self.open[alarm.rule_id] = alarm
        for suppression in Suppression.objects.filter(rule__in=asked).order_by("pk").select_for_update():
            self.suppressions[suppression.rule_id] = suppression
        self._asked |= asked

    def rule(self, pk: int) -> Rule | None:
        """Gives a rule that was loaded, with its asset; none where it is gone. Cost: two queries for all of them."""
        if missing := self._asked - set(self._known):
            near = ("asset", "asset__type")
            self._known |= {rule.pk: rule for rule in Rule.objects.filter(pk__in=missing).select_related(*near)}
            inputs = RuleInput.objects.filter(rule__in=missing, place=0).select_related("sensor__asset").order_by()
            self._sensors |= {entry.rule_id: entry.sensor for entry in inputs}
            self._asked &= set(self._known)
        return self._known.get(pk)

    @property
    def suppresses(self) -> dict[int, set[int]]:
        """Gives the rules that a rule's alarm suppresses, for those that were loaded."""
        return {rule: {row.rule_id for row in rows} for rule, rows in self._by.items()}

    def life(self, alarm: Alarm | None, rule: int | None) -> Life:
        """Gives where an alarm, or a rule without one, stands. Shelving whose end is unknown is none."""
        if alarm is not None and (rule is None or alarm.closed is not None):
            return Life.of(alarm.state, alarm.suppressed, annunciations=alarm.annunciations)
        core, heard = (Letter.NORMAL, True) if alarm is None else (Letter(alarm.state), alarm.annunciations > 0)
        row = self.suppressions.get(rule) if rule is not None else None
        if row is None:
            return Life(core, heard=heard)
        switches = frozenset(map(Switch, row.switches))
        if row.shelved_until is None:
            switches -= {Switch.SHELVED}
        return Life(core, switches, row.shelved_until, row.one_shot and Switch.SHELVED in switches, heard)

    def policy(self, alarm: Alarm | None, rule: int | None) -> Policy:
        """Gives what was laid down when the alarm was raised; for a rule without one, what is now."""
        if alarm is not None:
            return Policy.of(alarm.frozen)
        known = self.rule(rule) if rule is not None else None
        return Policy.of(self._frozen(known)) if known is not None else Policy()

    # --- What the evaluation tells -----------------------------------------------------------------------------

    def raised(self, rule: Rule, *, at: datetime, value: float | None, clock_from: datetime | None = None) -> None:
        """A rule's condition came to hold: opens an occurrence, or goes on with the one that is open."""
        alarm = self.open.get(rule.pk)
        frozen = self._frozen(rule)
        policy = Policy.of(frozen if alarm is None or alarm.state == State.RETURNED else alarm.frozen)
        step = lifecycle.step(self.life(alarm, rule.pk), Event.RAISE, policy=policy, now=self.now)
        if Effect.JOURNAL not in step.effects:
            return
        if Effect.SUPERSEDE in step.effects and alarm is not None:
            self._supersede(alarm)
            alarm = None
        fresh = Effect.NEW_OCCURRENCE in step.effects or alarm is None
        if alarm is None or fresh:
            alarm = self._occurrence(rule, frozen, at, value)
            self._new.append(alarm)
            self.open[rule.pk] = alarm
            step = self._taken_over(rule, step)
            if not step.life.switches and Effect.ANNUNCIATE not in step.effects:
                alarm.silenced = self.now
        else:
            alarm.cleared = None
        self._settle(alarm, step, policy)
        self._note(alarm, rule.pk, Event.RAISE, step, at=at, value=value, clock_from=clock_from)
        if fresh and alarm.group and not step.life.switches:
            self._mark_first_out(alarm)
        self._suppress_others(rule.pk, at)

    def cleared(
        self,
        alarm: Alarm,
        *,
        at: datetime,
        value: float | None = None,
        reason: str = "",
        clock_from: datetime | None = None,
    ) -> None:
        """An alarm's condition is over."""
        policy = Policy.of(alarm.frozen)
        life = self.life(alarm, alarm.rule_id)
        step = lifecycle.step(life, Event.CLEAR, policy=policy, now=self.now, reason=reason)
        if Effect.JOURNAL not in step.effects:
            return
        alarm.cleared = at
        self._settle(alarm, step, policy)
        self._turn(alarm.rule_id, life, step)
        self._note(alarm, alarm.rule_id, Event.CLEAR, step, at=at, value=value, clock_from=clock_from)
        if alarm.rule_id is not None:
            self._suppress_others(alarm.rule_id, at)

    def designed(self, rule: int, words: Collection[str], *, at: datetime) -> None:
        """Sets what suppresses a rule's alarms by design, in words; none presents them again."""
        row = self._row(rule)
        before, now = row.designed, sorted(words)
        if before == now:
            return
        row.designed = now
        row.designed_at = None if not now else row.designed_at or at
        self._turned.add(rule)
        if (Switch.BY_DESIGN.value in row.switches) is not bool(now):
            event = Event.SUPPRESS if now else Event.UNSUPPRESS
            self.put(event, rule=rule, reason=", ".join(now) or f"no longer: {', '.join(before)}", at=at)

    def state(self, suppressor: Suppressor, holds: bool, *, at: datetime) -> None:
        """A suppressor came to hold or is over."""
        words = set(self._row(suppressor.rule_id).designed)
        self.designed(suppressor.rule_id, words | {suppressor.words} if holds else words - {suppressor.words}, at=at)

    # --- What persons, timers and Andon itself do --------------------------------------------------------------

    def put(
        self,
        event: Event,
        *,
        alarm: Alarm | None = None,
        rule: int | None = None,
        actor: Actor = "",
        reason: str = "",
        until: datetime | None = None,
        one_shot: bool = False,
        work_order: str = "",
        review: date | None = None,
        at: datetime | None = None,
    ) -> Step:
        """Puts an event to an alarm, or to a rule: to its open alarm if there is one.

        Takes: the person, or a word for what else acts; `until` and `one_shot` to shelve, a work order and a review
        date to take out of service; when it was due, where that is not now.
        Gives: the step; without the effect JOURNAL nothing happened.
        Raises: IllegalEvent; `refused` keeps the attempt.
        """
        if alarm is None and rule is not None:
            alarm = self.open.get(rule)
        elif alarm is not None:
            rule = alarm.rule_id
        if alarm is not None and alarm.closed is not None and event is not Event.COMMENT:
            raise IllegalEvent(Letter(alarm.state), event, "the occurrence is over")
        life = self.life(alarm, rule)
        if rule is None and event in lifecycle.SWITCHES:
            raise IllegalEvent(life.letter, event, "it has no rule")
        policy = self.policy(alarm, rule)
        step = lifecycle.step(life, event, policy=policy, now=self.now, reason=reason, until=until, one_shot=one_shot)
        if Effect.JOURNAL not in step.effects:
            return step
        person = None if isinstance(actor, str) else actor
        if event is not Event.COMMENT:
            self._turn(rule, life, step, event, person, reason, work_order, review)
            if alarm is not None:
                if event is Event.ACK:
                    alarm.acked, alarm.acked_by = self.now, person  # type: ignore[assignment]  # auth.User here
                if event is Event.SILENCE:
                    alarm.silenced = self.now
                self._settle(alarm, step, policy)
        self._note(alarm, rule, event, step, at=at or self.now, actor=_name(actor))
        return step

    def refused(
        self, refusal: IllegalEvent, *, alarm: Alarm | None = None, rule: int | None = None, actor: Actor = ""
    ) -> None:
        """Keeps an attempt that was not possible; the state stays."""
        if alarm is None and rule is not None:
            alarm = self.open.get(rule)
        elif alarm is not None:
            rule = alarm.rule_id
        step = Step(lifecycle.NORMAL, frozenset(), refusal.state, refusal.state, f"refused: {refusal.reason}")
        self._note(alarm, rule, refusal.event, step, at=self.now, actor=_name(actor))

    def standing(self, occasion: str) -> Alarm | None:
        """Gives the newest open alarm of Andon itself on an occasion, under lock. Cost: two queries."""
        journal.lock()
        mine = [alarm for alarm in self._new if alarm.rule_id is None and alarm.frozen["occasion"] == occasion]
        if mine:
            return mine[-1]
        found = Alarm.objects.filter(OWN, closed=None, frozen__occasion=occasion).order_by("-pk").select_for_update()
        alarm = found.first()
        return None if alarm is None else self.alarms.setdefault(alarm.pk, alarm)

    def system(
        self,
        occasion: str,
        message: str,
        *,
        priority: int = Priority.HIGH,
        reason: str = "",
        asset: Asset | None = None,
        sensor: Sensor | None = None,
        at: datetime | None = None,
        details: Mapping[str, Any] | None = None,
        moment: bool = False,
    ) -> Alarm | None:
        """Raises an alarm of Andon itself, which stands until `system_over`; one that stands already is left alone.

        Takes: `details` as a rule would carry them (cause, consequence, action, or what the occasion needs); `moment`
        for what happened and is over, one alarm for each call: it waits for somebody to read it.
        Gives: the alarm; none where there is one already.
        """
        at = at or self.now
        frozen = {"ack_required": True, "occasion": occasion, **(details or {})}
        policy = Policy.of(frozen)
        before = None if moment else self.standing(occasion)
        step = lifecycle.step(self.life(before, None), Event.RAISE, policy=policy, now=self.now)
        if Effect.JOURNAL not in step.effects:
            return None
        if before is not None:
            # Beside alarms of no rule others may stand, so the screens are told which one this follows.
            self._supersede(before)
            life = self.life(before, None)
            ends = Step(life, frozenset(), life.letter, life.letter, "it happens again: see the alarm that follows")
            self._note(before, None, Event.COMMENT, ends, at=self.now)
        alarm = Alarm(
            rule_name="", tag=sensor.tag if sensor else "", sensor=sensor, asset=asset,
            asset_code=asset.code if asset else "", priority=priority, raised=at, message=_fitting(message),
            position=self._seat(asset), frozen=frozen, annunciations=0,
        )  # fmt: skip
        if moment:
            step = replace(step, life=replace(step.life, core=Letter.RETURNED), after=Letter.RETURNED)
            alarm.cleared = self.now
        self._new.append(alarm)
        self._settle(alarm, step, policy)
        self._note(alarm, None, Event.RAISE, replace(step, reason=reason or step.reason), at=at)
        return alarm

    def reworded(self, alarm: Alarm, message: str, *, reason: str, details: Mapping[str, Any] | None = None) -> None:
        """Gives an open alarm of Andon itself other words, and the journal the reason."""
        alarm.message = _fitting(message)
        alarm.frozen |= details or {}
        if alarm.pk is not None:
            self._touch(alarm)
            self._reworded.append(alarm)
        self.put(Event.COMMENT, alarm=alarm, reason=reason)

    def system_over(self, occasion: str, reason: str = "") -> Alarm | None:
        """Returns an alarm of Andon itself to normal. Gives: the alarm; none where none stands."""
        alarm = self.standing(occasion)
        if alarm is None or not alarm.active:
            return None
        self.cleared(alarm, at=self.now, reason=reason)
        return alarm

    # --- Writing -----------------------------------------------------------------------------------------------

    def write(self) -> list[JournalEntry]:
        """Stores alarms (those that exist first), suppressions, the journal and the outbox; announces on commit.

        Gives: the journal's rows, numbered.
        Cost: none where nothing happened; else about seven queries for any number of steps.
        """
        if self._changed:
            Alarm.objects.bulk_update(self._changed.values(), _ALARM_FIELDS)
        if self._reworded:
            Alarm.objects.bulk_update(self._reworded, ("message", "frozen"))
        if self._new:
            # A rule may have had several occurrences; all but its newest are closed by now.
            Alarm.objects.bulk_create(self._new)
            for entry in self.entries:
                entry.alarm = entry.alarm  # takes up the new key
        rows = [self.suppressions[rule] for rule in sorted(self._turned)]
        if old := [row for row in rows if row.pk is not None]:
            for row in old:
                row.version += 1
            Suppression.objects.bulk_update(old, _SUPPRESSION_FIELDS)
        if fresh := [row for row in rows if row.pk is None]:
            Suppression.objects.bulk_create(fresh)
        journal.write(self.entries, self.now)
        deliveries = routing.deliveries_for(self.entries, self.now)
        Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        self.told = sum(1 for delivery in deliveries if delivery.outcome == Delivery.Outcome.DUE)
        entries, self.entries = self.entries, []
        self._new, self._changed, self._reworded, self._turned = [], {}, [], set()
        if entries:
            events.announce_on_commit([entry.pk for entry in entries])
        if self.told:
            transaction.on_commit(_ring)
        return entries

    # --- Within ------------------------------------------------------------------------------------------------

    def _frozen(self, rule: Rule) -> dict[str, Any]:
        if self._classes is None and rule.alarm_class:
            self._classes = {row.code: row for row in AlarmClass.objects.all()}
        return rules.freeze(rule, (self._classes or {}).get(rule.alarm_class))

    def _seat(self, asset: Asset | None) -> str:
        if self._seats is None:
            self._seats = Seats.load()
        return self._seats.of(asset.pk if asset is not None else None)

    def _occurrence(self, rule: Rule, frozen: dict[str, Any], at: datetime, value: float | None) -> Alarm:
        sensor = self._sensors.get(rule.pk)
        return Alarm(
            rule=rule,
            sensor=sensor,
            asset=rule.asset,
            rule_name=rule.name,
            tag=sensor.tag if sensor else "",
            asset_code=rule.asset.code,
            priority=rule.priority,
            alarm_class=rule.alarm_class,
            position=rule.position or self._seat(rule.asset),
            group=first_out.group_of(rule.group, rule.asset.code),
            raised=at,
            value=value,
            limit=limit_of(rule, value),
            unit=sensor.unit if sensor else "",
            message=rule.name,
            frozen=frozen,
            annunciations=0,
        )

    def _supersede(self, alarm: Alarm) -> None:
        """Ends an occurrence that nobody acknowledged, without a row: the next one's raise tells of it."""
        alarm.closed = self.now
        alarm.realarm_due = None
        self._touch(alarm)

    def _taken_over(self, rule: Rule, step: Step) -> Step:
        """Announces an alarm that hides another only where its priority is higher than what was announced already."""
        if Effect.ANNUNCIATE not in step.effects:
            return step
        for suppressor in self._by.get(rule.pk, ()):
            lower = self.open.get(suppressor.rule_id) if suppressor.hides else None
            if lower is None or not (lower.active and lower.annunciations) or lower.suppressed:
                continue
            if lower.priority <= rule.priority:
                reason = f"{step.reason}; {lower.rule_name} was announced before it"
                return replace(step, effects=step.effects - {Effect.ANNUNCIATE}, reason=reason)
        return step

    def _mark_first_out(self, alarm: Alarm) -> None:
        """Gives the mark to the first of a trip: by the time it was due, of two at once to the one that came first."""
        if self._trips is None:
            groups = {first_out.group_of(rule.group, rule.asset.code) for rule in self._known.values()}
            held = [*self.open.values(), *self.alarms.values()]
            self._trips = first_out.Trips(groups - {""}, [row for row in held if row.pk is not None])
        loser = self._trips.came(alarm)
        if loser is not None:
            self._touch(loser)
            ahead = (loser.raised - alarm.raised).total_seconds()
            words = f"no longer the first-out: {alarm.rule_name} came {ahead:g} s before"
            life = self.life(loser, loser.rule_id)
            self._note(
                loser,
                loser.rule_id,
                Event.COMMENT,
                Step(life, frozenset(), life.letter, life.letter, words),
                at=self.now,
            )

    def _suppress_others(self, rule: int, at: datetime) -> None:
        """Lets what a rule's alarm suppresses follow it."""
        alarm = self.open.get(rule)
        stands = alarm is not None and alarm.active
        for suppressor in self._by.get(rule, ()):
            self.state(suppressor, stands, at=at)

    def _row(self, rule: int) -> Suppression:
        return self.suppressions.setdefault(rule, Suppression(rule_id=rule))

    def _turn(
        self,
        rule: int | None,
        before: Life,
        step: Step,
        event: Event | None = None,
        person: AbstractBaseUser | None = None,
        reason: str = "",
        work_order: str = "",
        review: date | None = None,
    ) -> None:
        """Writes a step's switches into the rule's row, with who turned them and why."""
        life = step.life
        if rule is None or life.switches == before.switches:
            return
        row = self._row(rule)
        row.switches = sorted(life.switches)
        row.shelved_until, row.one_shot = life.shelved_until, life.one_shot
        if event is Event.SHELVE:
            row.shelved_by, row.shelved_at, row.shelve_reason = person, self.now, reason  # type: ignore[assignment]
        elif Switch.SHELVED not in life.switches:
            row.shelved_by, row.shelved_at, row.shelve_reason = None, None, ""
        if event is Event.OUT_OF_SERVICE:
            row.out_by, row.out_at, row.out_reason = person, self.now, reason  # type: ignore[assignment]
            row.work_order, row.review = work_order, review
        elif Switch.OUT_OF_SERVICE not in life.switches:
            row.out_by, row.out_at, row.out_reason, row.work_order, row.review = None, None, "", "", None
        self._turned.add(rule)

    def _settle(self, alarm: Alarm, step: Step, policy: Policy) -> None:
        """Writes a step's outcome into the alarm's row."""
        life = step.life
        alarm.state = State(life.core)
        alarm.suppressed = sorted(life.switches)
        alarm.active = life.active
        if life.core in WAITING:
            alarm.acked = alarm.acked_by = None
        if Effect.ANNUNCIATE in step.effects:
            alarm.annunciations += 1
            alarm.silenced = None
        if Effect.CLOSE in step.effects:
            alarm.closed = self.now
            if alarm.rule_id is not None:
                self.open.pop(alarm.rule_id, None)
        if not (policy.realarm and life.core in ACTIVE and not life.switches):
            alarm.realarm_due = None
        elif alarm.realarm_due is None or Effect.ANNUNCIATE in step.effects:
            alarm.realarm_due = self.now + timedelta(seconds=float(alarm.frozen["realarm"]))
        self._touch(alarm)

    def _touch(self, alarm: Alarm) -> None:
        if alarm.pk is not None:
            if alarm.pk not in self._changed:
                alarm.version += 1
            self._changed[alarm.pk] = alarm

    def _note(
        self,
        alarm: Alarm | None,
        rule: int | None,
        event: Event,
        step: Step,
        *,
        at: datetime,
        value: float | None = None,
        actor: str = "",
        clock_from: datetime | None = None,
    ) -> None:
        """Adds a row to the journal: of the alarm, or of the rule where none is open."""
        entry = JournalEntry(
            time=at, recorded=self.now, event=event, from_state=step.before, to_state=step.after, alarm=alarm,
            rule_id=rule, reason=step.reason, actor=actor, value=value, clock_from=clock_from,
        )  # fmt: skip
        if alarm is not None:
            entry.rule_name, entry.tag = alarm.rule_name, alarm.tag
        elif rule is not None and (known := self.rule(rule)) is not None:
            sensor = self._sensors.get(rule)
            entry.rule_name, entry.tag = known.name, sensor.tag if sensor is not None else ""
        self.entries.append(entry)


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


def _fitting(message: str) -> str:
    return message if len(message) <= _MESSAGE_LENGTH else message[: _MESSAGE_LENGTH - 1] + "…"


def _name(actor: Actor) -> str:
    return actor if isinstance(actor, str) else actor.get_username()


def _ring() -> None:
    """Wakes a worker that sends."""
    from alerts.tasks import send_due

    send_due.apply_async(expires=5)
