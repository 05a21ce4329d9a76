"""Which operator position answers an alarm, as it is frozen into it."""

import pytest

from alerts.models import Alarm, Position
from devices.models import Asset
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("scopes", "named", "position"),
    [
        ({}, "", ""),
        ({"all": None}, "", "all"),
        ({"all": None, "hall": "hall", "site": "works"}, "", "hall"),
        ({"b": "hall", "a": "hall"}, "", "a"),
        ({"hall": "hall"}, "boiler", "boiler"),
        ({"elsewhere": "line-2"}, "", ""),
    ],
)
def test_nearest_position_above_the_machine_answers_unless_the_rule_names_one(clean_redis, scopes, named, position):
    machine = factories.plant(lines=2, machines=1)[0]
    temp = factories.sensor(machine)
    for code, scope in scopes.items():
        asset = Asset.objects.get(code=scope) if scope else None
        Position.objects.create(code=code, name=code, scope=asset)
    factories.rule(machine, position=named)
    scenario = Scenario(clean_redis)
    scenario.send(temp, 0, 95.0)
    scenario.drain(0.1)
    assert Alarm.objects.get().position == position
