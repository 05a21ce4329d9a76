"""The list of rules: found by words and filters, with versions, alarms of late and what chatters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts import rules
from alerts.models import Alarm, Rule
from devices import services
from devices.models import Asset
from tests import factories

PAGE = "/rules/"


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


@pytest.fixture
def presses(db: None) -> list[Asset]:
    made = factories.plant()
    for press in made:
        factories.sensor(press)
    factories.rule(made[0], "Hot")
    factories.rule(made[0], "Warm", limit=80.0, priority=3)
    factories.rule(made[1], "Cold", kind="low", limit=5.0, priority=4)
    factories.rule(made[1], "Asleep", enabled=False)
    return made


def names(answer: Any) -> list[str]:
    return [line.rule.name for line in answer.context["lines"]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["Hot", "Warm", "Cold"]),
        ("?q=hot", ["Hot"]),
        ("?q=press-1-2", ["Cold"]),
        ("?q=press+warm", ["Warm"]),
        ("?priority=4", ["Cold"]),
        ("?area=hall", ["Hot", "Warm", "Cold"]),
        ("?area=nowhere", []),
        ("?show=off", ["Asleep"]),
        ("?show=chattering", []),
        ("?show=nonsense&priority=9&page=x", ["Hot", "Warm", "Cold"]),
        ("?page=7", []),
    ],
)
def test_the_list_is_narrowed_by_its_address(
    browser: Client, presses: list[Asset], query: str, wanted: list[str]
) -> None:
    assert names(browser.get(PAGE + query)) == wanted


def test_a_rule_stands_with_its_condition_version_and_alarms_of_late(
    browser: Client, presses: list[Asset], raise_alarm: Callable[..., Alarm]
) -> None:
    rule = Rule.objects.get(name="Hot")
    rules.update_rule(rule=rule, reason="why", limit=91.0)
    for seconds in (0, 20, 40):
        raised = timezone.now() - timedelta(hours=1, seconds=seconds)
        raise_alarm(presses[0], rule=rule, raised=raised, cleared=raised, closed=raised, state="A")
    raise_alarm(presses[0], rule=Rule.objects.get(name="Warm"))
    hot, warm, cold = browser.get(PAGE).context["lines"]
    assert (hot.condition, hot.version.number, hot.lately, hot.chatters) == ("at or over 91 °C", 2, 3, True)
    assert (warm.version.number, warm.lately, warm.chatters) == (1, 1, False)
    assert (cold.lately, cold.chatters) == (0, False)
    assert names(browser.get(f"{PAGE}?show=chattering")) == ["Hot"]


def test_rules_of_types_stand_by_themselves(browser: Client, presses: list[Asset]) -> None:
    pump = factories.asset_type()
    services.create_type_sensor(type=pump, key="speed", name="Speed", unit="Hz", range_low=0.0, range_high=100.0)
    made = rules.create_type_rule(type=pump, name="Too fast", kind="high", sensor_key="speed", limit=80.0)
    for press in presses:
        services.update_asset(asset=press, type=pump)
    answer = browser.get(f"{PAGE}?show=types")
    (line,) = answer.context["lines"]
    assert (line.rule, line.assets, line.condition) == (made, 2, "at or over 80 Hz")
    assert f'href="/type-rules/{made.pk}/edit/"' in read(answer)
    assert names(browser.get(f"{PAGE}?show=types&q=fast")) == ["Too fast"]
    assert names(browser.get(f"{PAGE}?show=types&q=slow")) == []


@pytest.mark.parametrize("show", ["all", "chattering", "types"])
def test_three_rules_and_sixty_cost_the_same_and_come_in_pages(
    browser: Client, presses: list[Asset], show: str
) -> None:
    pump = factories.asset_type()
    services.create_type_sensor(type=pump, key="speed", name="Speed", range_low=0.0, range_high=100.0)
    rules.create_type_rule(type=pump, name="Too fast", kind="high", sensor_key="speed", limit=80.0)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            browser.get(f"{PAGE}?show={show}")
        return len(caught)

    queries()
    few = queries()
    for number in range(57):
        factories.rule(presses[0], f"Further {number}")
        rules.create_type_rule(type=pump, name=f"Faster {number}", kind="high", sensor_key="speed", limit=80.0)
    queries()
    assert queries() == few <= 16
    if show == "all":
        answer = browser.get(PAGE)
        assert (len(answer.context["lines"]), answer.context["count"]) == (50, 60)
        assert len(browser.get(answer.context["older"]).context["lines"]) == 10


def test_only_who_may_make_rules_is_offered_a_new_one(browser: Client, presses: list[Asset]) -> None:
    assert "New rule" not in read(browser.get(PAGE))
