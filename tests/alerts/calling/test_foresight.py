"""Who would be told is who is told: random plants, a real mail server, a real endpoint for text messages and teams."""

import os
from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from alerts import journal
from alerts.calling import digests, escalation
from alerts.calling.directory import Directory
from alerts.calling.foresight import FURTHEST, Facts, Foresight, foresee
from alerts.models import Alarm, Call, Delivery, TeamChannel
from alerts.notify import outbox, routing
from tests import factories
from tests.alerts.notify.cast import row
from tests.alerts.notify.wire import MailServer, Provider

from .crew import NOW, draw

pytestmark = pytest.mark.django_db

# ANDON_ROUTINGS=1000 for all of them.
ROUTINGS = int(os.environ.get("ANDON_ROUTINGS", "24"))
# winter, and the nights in which Berlin's and Lord Howe's clocks change
TIMES = [NOW, datetime(2026, 3, 28, 23, 10, tzinfo=NOW.tzinfo), datetime(2026, 10, 3, 14, 50, tzinfo=NOW.tzinfo)]


def lived(facts: Facts, alarm: Alarm, at: datetime, mail: MailServer, provider: Provider) -> Counter[Any]:
    """Raises an alarm that nobody answers, lets workers do what time brings, and gives what arrived where and when.

    Instead of looking each second it looks whenever something is due.
    """
    arrived: Counter[Any] = Counter()
    entry = row(alarm)
    journal.write([entry], at)
    routing.tell([entry], at)
    now = at
    while True:
        mails, texts = len(mail.mails), len(provider.taken)
        outbox.send_due(now, jitter=lambda: 0.0)
        arrived.update((one["To"], now) for one in mail.mails[mails:])
        arrived.update((path.rsplit("/", 1)[1], now) for path, _ in provider.taken[texts:])
        steps = [due for due in Call.objects.values_list("due", flat=True) if due is not None]
        held = Delivery.objects.filter(outcome="held").values_list("due", flat=True)
        coming = [due for due in [*steps, *held] if due is not None and due <= at + FURTHEST * 4]
        if steps and min(steps) > at + FURTHEST:
            coming = list(held)
        if not coming:
            return arrived
        now = min(coming)
        while escalation.take_due_steps(now):
            pass
        digests.send_held(now)


@pytest.mark.parametrize("seed", range(ROUTINGS))
def test_who_would_be_told_is_who_was_told(seed: int, mail: MailServer, provider: Provider) -> None:
    random = Random(seed)
    machines = factories.plant(lines=2, machines=2)
    at = random.choice(TIMES) + timedelta(minutes=random.randint(0, 600))
    machine, other = random.sample(machines, 2)
    draw(random, machine, other, at, host=provider.address)
    alarm = Alarm.objects.create(
        asset=machine,
        asset_code=machine.code,
        rule_name="Hot",
        message="Temperature high",
        priority=random.randint(1, 4),
        alarm_class=random.choice(["", "safety"]),
        suppressed=["shelved"] if random.random() < 0.05 else [],
        state="B",
        raised=at,
        frozen={"ack_required": True},
    )
    facts = Facts.of_alarm(alarm)
    foreseen = foresee(facts, at)
    arrived = lived(facts, alarm, at, mail, provider)

    assert rows_of_the_outbox() == foreseen_rows(foreseen)
    people = Directory(at).meet({one.person for one in foreseen.messages if one.person is not None})
    addresses: dict[Any, str] = {
        (person.id, way): address for person in people for way, address in person.addresses.items()
    }
    rooms = dict(TeamChannel.objects.values_list("pk", "name"))
    assert arrived == Counter(
        (rooms[one.team] if one.team is not None else addresses[one.person, one.channel], one.at)
        for one in foreseen.messages
    )
    told = set(Delivery.objects.exclude(user=None).exclude(alarm=None).values_list("user", flat=True))
    assert told == {one.person for one in foreseen.told if one.person is not None}
    assert len(foreseen.others) == len(set(active_people()) - told)


def active_people() -> list[int]:
    """Gives everybody with an account that is on."""
    from django.contrib.auth.models import User

    return list(User.objects.filter(is_active=True).values_list("pk", flat=True))


def rows_of_the_outbox() -> Counter[Any]:
    """Gives what was written: person or team's channel, way, when, what for, and what became of it in the end."""
    ends = {"sent": "goes out", "gathered": "goes out", "withheld": "withheld"}
    return Counter(
        (one.user_id, one.team_id, one.channel, one.created, ends.get(one.outcome, one.outcome), one.reason)
        for one in Delivery.objects.exclude(event="digest")
    )


def foreseen_rows(foreseen: Foresight) -> Counter[Any]:
    """Gives the same of what was foreseen."""
    return Counter(
        (one.person, one.team, one.channel, one.decided, "goes out" if one.goes_out else "withheld", one.reason)
        for one in foreseen.told
    )
