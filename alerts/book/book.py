"""The steps of alarms: what the evaluation tells, what persons and timers do, what Andon says of itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from alerts import first_out, journal, lifecycle
from alerts.book.held import Actor, Held, name_of
from alerts.lifecycle import Effect, Event, IllegalEvent, Letter, Policy, Step, Switch
from alerts.models import (
    Alarm,
    Priority,
    Rule,
    State,
    Suppressor,
)
from devices.models import Asset, Sensor

_MESSAGE_LENGTH = 200  # Alarm.message
_REASON_LENGTH = 300  # JournalEntry.reason

# What alarms of Andon itself are known by; those of a deleted rule keep its name.
OWN = Q(rule=None, rule_name="")


class Book(Held):
    """What one transaction does to alarms.

    Takes: the clock, for all that happens now; what was due at another time says so.
    """

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
        self._note(alarm, rule, event, step, at=at or self.now, actor=name_of(actor))
        return step

    def put_off(
        self, *, rule: int, review: date, work_order: str, actor: Actor, reason: str, alarm: Alarm | None = None
    ) -> bool:
        """Puts the review of what is out of service off to a later day, with a comment. Gives: whether it was one."""
        row = self._row(rule)
        if Switch.OUT_OF_SERVICE.value not in row.switches or (row.review is not None and review <= row.review):
            return False
        row.review, row.work_order = review, work_order or row.work_order
        self._turned.add(rule)
        # A person's words stand as they are; the day needs no language.
        until = f" (→ {review})"
        words = reason[: _REASON_LENGTH - len(until)] + until
        self.put(Event.COMMENT, alarm=alarm, rule=rule, actor=actor, reason=words)
        return True

    def refused(
        self, refusal: IllegalEvent, *, alarm: Alarm | None = None, rule: int | None = None, actor: Actor = ""
    ) -> None:
        """Keeps an attempt that was not possible; the state stays."""
        if alarm is None and rule is not None:
            alarm = self.open.get(rule)
        elif alarm is not None:
            rule = alarm.rule_id
        step = Step(lifecycle.NORMAL, frozenset(), refusal.state, refusal.state, f"{journal.REFUSED}{refusal.reason}")
        self._note(alarm, rule, refusal.event, step, at=self.now, actor=name_of(actor))

    # --- Alarms of Andon itself --------------------------------------------------------------------------------

    def standing(self, occasion: str) -> Alarm | None:
        """Gives the newest open alarm of Andon itself on an occasion, under lock. Cost: two queries."""
        journal.lock()
        mine = [alarm for alarm in self._new if alarm.rule_id is None and alarm.frozen["occasion"] == occasion]
        if mine:
            return mine[-1]
        found = Alarm.objects.filter(OWN, closed=None, frozen__occasion=occasion).order_by("-pk").select_for_update()
        alarm = found.first()
        return None if alarm is None else self._hold(alarm)

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

    # --- Within ------------------------------------------------------------------------------------------------

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
                reason = f"{step.reason}; {lower.rule_name} {journal.ANNOUNCED_BEFORE}"
                return replace(step, effects=step.effects - {Effect.ANNUNCIATE}, reason=reason)
        return step

    def _mark_first_out(self, alarm: Alarm) -> None:
        """Gives the mark to the first of a trip: by the time it was due, of two at once to the one that came first."""
        if self._trips is None:
            self._trips = first_out.Trips(self._objects, self._hold)
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
