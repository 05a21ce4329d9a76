"""Random walks through the life of an alarm: the table, and the real book over a database, against a small model.

ANDON_WALKS=100000 for the long form.
"""

import os
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from alerts.book import Book
from alerts.lifecycle import NORMAL, SWITCHES, Effect, Event, IllegalEvent, Policy, step
from alerts.models import Alarm, JournalEntry, Rule, Suppression
from tests import factories
from tests.alerts.lifecycle.model import Model, No

WALKS = int(os.environ.get("ANDON_WALKS", "2000"))
STEPS = 25
LANES = 100  # walks that go side by side through one book
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
# The likely ones more often: few lives are told by events that are refused.
EVENTS = [event for event in Event for _ in range(4 if event in (Event.RAISE, Event.CLEAR, Event.ACK) else 1)]


def model_of(chance: random.Random) -> Model:
    """Makes a model with any of the rule's settings."""
    return Model(*(chance.random() < 0.5 for _ in range(4)))


def compared(model: Model, event: Event, chance: random.Random) -> tuple[bool, bool]:
    """Puts an event to the model. Gives: whether it was refused, and whether a shelving was one-shot."""
    one_shot = event is Event.SHELVE and chance.random() < 0.5
    try:
        model.put(event.value, one_shot=one_shot)
    except No:
        return True, one_shot
    return False, one_shot


def test_table_and_model_agree_on_every_walk() -> None:
    for seed in range(WALKS):
        chance = random.Random(seed)
        model, life = model_of(chance), NORMAL
        policy = Policy(model.ack_required, model.latching, model.realarms, model.reset_first)
        announced = occurrences = 0
        told = []
        for _ in range(STEPS):
            event = chance.choice(EVENTS)
            before = life.letter
            refused, one_shot = compared(model, event, chance)
            told.append(f"{event.value}{' one-shot' * one_shot}")
            until = NOW + timedelta(hours=1)
            now = until if event is Event.EXPIRE else NOW
            try:
                taken = step(life, event, policy=policy, now=now, reason="walk", until=until, one_shot=one_shot)
            except IllegalEvent as illegal:
                assert refused, (seed, told)
                assert illegal.state == before, (seed, told)
                continue
            assert not refused, (seed, told)
            life = taken.life
            announced += Effect.ANNUNCIATE in taken.effects
            occurrences += Effect.NEW_OCCURRENCE in taken.effects
            assert (life.core, life.letter, announced, occurrences) == (
                model.core, model.letter, model.announced, model.occurrences,
            ), (seed, told)  # fmt: skip


@pytest.fixture
def lanes(db: None) -> list[Rule]:
    """Makes as many rules, on one sensor."""
    machine = factories.plant(machines=1)[0]
    factories.sensor(machine)
    factories.rule(machine, "Lane 0")
    first = Rule.objects.get()
    copies = []
    for number in range(1, LANES):
        first.pk, first.name = None, f"Lane {number}"
        copies.append(Rule(**{field.attname: getattr(first, field.attname) for field in Rule._meta.concrete_fields}))
    Rule.objects.bulk_create(copies)
    return list(Rule.objects.order_by("pk"))


def test_book_and_model_agree_on_every_walk(lanes: list[Rule]) -> None:
    for first in range(0, max(WALKS // 10, LANES), LANES):
        walk_side_by_side(lanes, first)


def walk_side_by_side(lanes: list[Rule], first: int) -> None:
    """Walks one life in each lane; every round of steps is a transaction of its own."""
    chances = [random.Random(first + lane) for lane in range(len(lanes))]
    models = [model_of(chance) for chance in chances]
    for rule, model in zip(lanes, models, strict=True):
        rule.ack_required, rule.latching = model.ack_required, model.latching
        rule.realarm = 600.0 if model.realarms else None
    Rule.objects.bulk_update(lanes, ["ack_required", "latching", "realarm"])
    Alarm.objects.filter(closed=None).update(closed=NOW)
    Suppression.objects.all().delete()
    begun = Alarm.objects.count()
    rows = JournalEntry.objects.count()
    refused = [0] * len(lanes)
    for round_ in range(STEPS):
        with transaction.atomic():
            book = Book(NOW + timedelta(seconds=round_))
            book.load(rules=[rule.pk for rule in lanes])
            for lane, (rule, model, chance) in enumerate(zip(lanes, models, chances, strict=True)):
                event = chance.choice(EVENTS)
                model.reset_first = False  # a setting of the whole plant
                refused[lane] += enter(book, rule, model, event, chance)
            book.write()
        check(lanes, models, (first, round_))
    found = Alarm.objects.order_by("pk")[begun:]
    assert len(found) == sum(model.occurrences for model in models), first
    assert sum(alarm.annunciations for alarm in found) == sum(model.announced for model in models), first
    assert sum(entry.reason.startswith("refused") for entry in JournalEntry.objects.order_by("pk")[rows:]) == sum(
        refused
    )


def enter(book: Book, rule: Rule, model: Model, event: Event, chance: random.Random) -> bool:
    """Enters one event in the book as its owner would. Gives: whether it was refused."""
    known = book.rule(rule.pk)
    assert known is not None
    alarm = book.open.get(rule.pk)
    if alarm is None and event not in SWITCHES and event not in (Event.RAISE, Event.CLEAR, Event.COMMENT):
        # Without an open alarm there is nothing whose horn, latch or answer could be asked for.
        event = Event.COMMENT
    no, one_shot = compared(model, event, chance)
    if event is Event.RAISE:
        book.raised(known, at=book.now, value=95.0)
        return False
    if event is Event.CLEAR:
        if alarm is not None:
            book.cleared(alarm, at=book.now, value=20.0)
        return False
    if event is Event.EXPIRE and (row := book.suppressions.get(rule.pk)) is not None and row.shelved_until:
        row.shelved_until = book.now
    try:
        if event in (Event.SUPPRESS, Event.UNSUPPRESS):
            row = book.suppressions.get(rule.pk)
            on = event is Event.SUPPRESS
            if (row is not None and bool(row.designed)) is on:
                assert no
                return False
            book.designed(rule.pk, ["stopped"] if on else [], at=book.now)
        else:
            until = book.now + timedelta(minutes=30)
            book.put(event, rule=rule.pk, actor="olga", reason="walk", until=until, one_shot=one_shot)
    except IllegalEvent as illegal:
        assert no, (rule.name, event, illegal)
        book.refused(illegal, rule=rule.pk, actor="olga")
        return True
    assert not no, (rule.name, event)
    return False


def check(lanes: list[Rule], models: list[Model], where: tuple[int, int]) -> None:
    """Compares what the database says of every lane with its model, and the copies of one fact with each other."""
    alarms = {alarm.rule_id: alarm for alarm in Alarm.objects.filter(closed=None)}
    rows = {row.rule_id: row for row in Suppression.objects.all()}
    for rule, model in zip(lanes, models, strict=True):
        alarm, row = alarms.get(rule.pk), rows.get(rule.pk)
        assert (alarm.state if alarm else "A") == model.core, (where, rule.name)
        assert set(row.switches if row else ()) == model.why_hidden, (where, rule.name)
        if alarm is not None:
            assert alarm.suppressed == sorted(model.why_hidden), (where, rule.name)
            assert alarm.active is model.holds, (where, rule.name)
            presented = alarm.active and not alarm.suppressed
            assert (alarm.realarm_due is not None) is (presented and model.realarms), (where, rule.name)
        if row is not None:
            assert bool(row.shelved_until and row.shelved_at) is ("shelved" in row.switches), (where, rule.name)
            assert bool(row.designed and row.designed_at) is ("by_design" in row.switches), (where, rule.name)
            assert bool(row.out_at) is ("out_of_service" in row.switches), (where, rule.name)
