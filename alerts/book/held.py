"""What a book holds: alarms, suppressions and rules, locked and read together, written together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Q

from alerts import events, first_out, journal, rules
from alerts.lifecycle import ACTIVE, NOT_PRESENTED, WAITING, Effect, Event, Letter, Life, Policy, Step, Switch
from alerts.models import (
    Alarm,
    AlarmClass,
    AlarmPast,
    Delivery,
    JournalEntry,
    Rule,
    RuleInput,
    State,
    Suppression,
    SuppressionPast,
    Suppressor,
)
from alerts.models.past import kept
from alerts.notify import routing
from alerts.past import keeping
from alerts.positions import Seats
from devices.models import Asset, Sensor

# What a step may change, by its name, as rows hold it: whatever has a past, and when an occurrence was over.
_ALARM_FIELDS = {**kept(AlarmPast), "closed": "closed"}
_SUPPRESSION_FIELDS = kept(SuppressionPast)

Actor = AbstractBaseUser | str
Row = TypeVar("Row", Alarm, Suppression)


class Held:
    """What one transaction reads and writes of alarms.

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
        self._objects: dict[int, Alarm] = {}  # by number: all that were read
        self._read: dict[int, dict[str, Any]] = {}  # their fields as they were read
        self._read_suppressions: dict[int, dict[str, Any]] = {}
        self._words: dict[int, tuple[str, dict[str, Any]]] = {}  # message and frozen rule of those of no rule, as read
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
        for row in found.select_for_update():
            alarm = self._hold(row)
            if alarm.pk in numbers:
                self.alarms[alarm.pk] = alarm
            if alarm.closed is None and alarm.rule_id is not None:
                self.open[alarm.rule_id] = alarm
        for suppression in Suppression.objects.filter(rule__in=asked).order_by("pk").select_for_update():
            self.suppressions.setdefault(suppression.rule_id, suppression)
            self._read_suppressions.setdefault(suppression.pk, _stored(suppression))
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

    # --- Writing -----------------------------------------------------------------------------------------------

    def write(self) -> list[JournalEntry]:
        """Stores alarms (those that exist first), suppressions, the journal and the outbox; announces on commit.

        Gives: the journal's rows, numbered.
        Cost: none where nothing happened; else about nine queries for any number of steps.
        """
        self._keep()
        _store(self._changed.values(), self._read)
        if self._reworded:
            Alarm.objects.bulk_update(self._reworded, ("message", "frozen"))
            self._words |= {alarm.pk: (alarm.message, dict(alarm.frozen)) for alarm in self._reworded}
        if self._new:
            # A rule may have had several occurrences; all but its newest are closed by now.
            Alarm.objects.bulk_create(self._new)
            for entry in self.entries:
                entry.alarm = entry.alarm  # takes up the new key
        rows = [self.suppressions[rule] for rule in sorted(self._turned)]
        _store((row for row in rows if row.pk is not None), self._read_suppressions)
        if fresh := [row for row in rows if row.pk is None]:
            Suppression.objects.bulk_create(fresh)
            self._read_suppressions |= {row.pk: _stored(row) for row in fresh}
        journal.write(self.entries, self.now)
        deliveries = routing.tell([entry for entry in self.entries if _concerns(entry)], self.now)
        self.told = sum(1 for delivery in deliveries if delivery.outcome == Delivery.Outcome.DUE)
        entries, self.entries = self.entries, []
        self._new, self._changed, self._reworded, self._turned = [], {}, [], set()
        if entries:
            events.announce_on_commit([entry.pk for entry in entries])
        if self.told:
            transaction.on_commit(_ring)
        return entries

    # --- Within ------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Keeps how what changed stood before. What was not read is new, and stood nowhere."""
        changed = ((alarm, self._read.get(alarm.pk), _stored(alarm)) for alarm in self._changed.values())
        keeping.alarms(((alarm, was, now) for alarm, was, now in changed if was is not None), self._words, self.now)
        rows = (self.suppressions[rule] for rule in sorted(self._turned))
        keeping.suppressions(((row, self._read_suppressions.get(row.pk), _stored(row)) for row in rows), self.now)

    def _hold(self, row: Alarm) -> Alarm:
        """Gives the alarm as this book knows it: one that was stepped already stays as it is."""
        self._read.setdefault(row.pk, _stored(row))
        if row.rule_id is None:
            self._words.setdefault(row.pk, (row.message, dict(row.frozen)))
        return self._objects.setdefault(row.pk, row)

    def _frozen(self, rule: Rule) -> dict[str, Any]:
        if self._classes is None and rule.alarm_class:
            self._classes = {row.code: row for row in AlarmClass.objects.all()}
        return rules.freeze(rule, (self._classes or {}).get(rule.alarm_class))

    def _seat(self, asset: Asset | None) -> str:
        if self._seats is None:
            self._seats = Seats.load()
        return self._seats.of(asset.pk if asset is not None else None)

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


def _stored(row: Alarm | Suppression) -> dict[str, Any]:
    """Gives the fields that a step may change, as the database holds them."""
    names = _ALARM_FIELDS if isinstance(row, Alarm) else _SUPPRESSION_FIELDS
    found = {name: getattr(row, attribute) for name, attribute in names.items()}
    return {name: list(value) if isinstance(value, list) else value for name, value in found.items()}


def _store(rows: Iterable[Row], read: dict[int, dict[str, Any]]) -> None:
    """Stores what changed since rows were read: in one statement where many got the same value, as in a flood."""
    groups: dict[frozenset[str], list[tuple[Row, dict[str, Any]]]] = defaultdict(list)
    for row in rows:
        before, after = read.get(row.pk), _stored(row)
        groups[frozenset(name for name in after if before is None or before[name] != after[name])].append((row, after))
        read[row.pk] = after
    for names, pairs in groups.items():
        first = pairs[0][1]
        same = {name: first[name] for name in sorted(names) if all(after[name] == first[name] for _, after in pairs)}
        owners = type(pairs[0][0])._default_manager
        owners.filter(pk__in=[row.pk for row, _ in pairs]).update(**same, version=F("version") + 1)
        if differing := sorted(names - same.keys()):
            owners.bulk_update([row for row, _ in pairs], differing)


def name_of(actor: Actor) -> str:
    return actor if isinstance(actor, str) else actor.get_username()


def _concerns(entry: JournalEntry) -> bool:
    """Tells whether a row is for the outbox: not the raise of what was announced only later, or as another alarm."""
    alarm = entry.alarm
    if entry.event != Event.RAISE or alarm is None or alarm.suppressed:
        return True  # of what is not presented the outbox says why nobody is told
    return entry.to_state not in NOT_PRESENTED and alarm.annunciations > 0


def _ring() -> None:
    """Wakes a worker that sends."""
    from alerts.tasks import send_due

    send_due.apply_async(expires=5)
