"""What a limit is written as, alike on the page, by the socket and in a message; tests/js/limits.json has the cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from alerts.models import Alarm
from alerts.notify.message import _limit
from alerts.queries import as_json
from devices import topology
from plant.templatetags.andon import alarm_limit
from tests import factories

CASES = json.loads((Path(__file__).parents[1] / "js" / "limits.json").read_text())

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def another_plant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "_current", None)


def alarm(case: dict[str, Any]) -> Alarm:
    machine = factories.plant()[0]
    sensor = factories.sensor(machine, **{"range_low": None, "range_high": None, **case["sensor"]})
    return Alarm(asset=machine, sensor=sensor, priority=2, state="B", limit=case["limit"], frozen=case["rule"])


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_page_socket_and_message_write_a_limit_alike(case: dict[str, Any]) -> None:
    made = alarm(case)
    row = as_json(made)
    assert {name: row[name] for name in case["alarm"]} == case["alarm"]
    assert (alarm_limit(made), _limit(made)) == (case["text"], case["message"])


def test_a_time_of_a_sensor_that_is_gone_is_still_a_time() -> None:
    assert alarm_limit(Alarm(limit=30.0, frozen={"kind": "stale"})) == "30\u00a0s"
