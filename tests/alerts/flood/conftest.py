"""Two positions, somebody who is told of everything, a trip and a flood."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from alerts.flood.services import follow
from alerts.models import Contact, Position, Subscription
from alerts.rules import update_rule
from devices import topology
from devices.models import Asset
from tests import factories

from .cast import at, raised


@pytest.fixture
def rules():
    """Thirty rules on two lines, each line a position's."""
    topology.forget()  # PostgreSQL numbers assets anew, the rolled back revision is the same
    machines = factories.plant(lines=2, machines=1)
    for number, machine in enumerate(machines, 1):
        scope = Asset.objects.get(code=f"line-{number}")
        Position.objects.create(code=f"desk-{number}", name=f"Desk {number}", scope=scope)
        factories.sensor(machine)
    follow(now=at(-1))
    return [
        [factories.rule(machine, f"Rule {number}", limit=50.0 + number) for number in range(15)] for machine in machines
    ]


@pytest.fixture
def duty():
    """Somebody who is told of everything."""
    user = User.objects.create_user("duty", "duty@works.example")
    Contact.objects.create(user=user, email="duty@works.example")
    Subscription.objects.create(user=user, lowest_priority=4, channel="email")
    return user


@pytest.fixture
def trip(rules):
    """Fifteen rules of one first-out group, none of the highest priority."""
    return [update_rule(rule=rule, group="line-1/trip", priority=3, reason="one cause") for rule in rules[0]]


@pytest.fixture
def flood(rules):
    """Eleven alarms of one position that nobody asked to be told of; gives the rules that are left, all critical."""
    raised(rules[0][:11], at(1))
    follow(now=at(1.1))
    return rules[0][11:]
