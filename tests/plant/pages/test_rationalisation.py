"""The review of rules by area, a rule's page with its changes, and what an alarm carries of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts import catalogue, rules
from alerts.changes import changes_of
from alerts.models import Alarm, AlarmClass, Position, Rule, TypeRule
from devices import services
from devices.models import Asset
from plant.roles import ensure_roles
from tests import factories

PAGE = "/rationalisation/"
BUDGET = 12
THOUGHT_THROUGH = {
    "cause": "Dry", "consequence": "Seizes", "action": "Grease it", "time_to_respond": 120.0, "alarm_class": "process",
}  # fmt: skip


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


@pytest.fixture
def presses(db: None) -> list[Asset]:
    """Makes two presses with rules: one bare, one thought through, one too urgent, one of little weight."""
    made = factories.plant()
    for press in made:
        factories.sensor(press)
    AlarmClass.objects.create(code="process", name="Process")
    Position.objects.create(code="desk", name="Desk")
    factories.rule(made[0], "Bare")
    factories.rule(made[0], "Whole", severity="severe", **THOUGHT_THROUGH)
    factories.rule(made[1], "Too urgent", severity="major", **{**THOUGHT_THROUGH, "time_to_respond": 1200.0})
    factories.rule(made[1], "Small", priority=4)
    return made


def names(answer: Any) -> list[str]:
    return [line.entry.name for line in answer.context["lines"]]


def test_what_is_to_do_is_listed_and_counted_by_area(browser: Client, presses: list[Asset]) -> None:
    answer = browser.get(PAGE)
    assert names(answer) == ["Bare", "Too urgent"]
    whole = answer.context["whole"]
    assert (whole.rules, whole.urgent, whole.incomplete, whole.differing) == (4, 3, 1, 1)
    assert [(node.code, tally.incomplete) for node, tally, _ in answer.context["areas"]] == [("hall", 1)]
    assert "likely cause, if nobody acts, what to do, time to respond" in read(answer)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?show=incomplete", ["Bare"]),
        ("?show=differing", ["Too urgent"]),
        ("?show=all", ["Bare", "Too urgent", "Whole", "Small"]),
        ("?show=all&area=hall", ["Bare", "Too urgent", "Whole", "Small"]),
        ("?show=all&area=nowhere", []),
        ("?show=nonsense&page=x", ["Bare", "Too urgent"]),
        ("?page=9", []),
    ],
)
def test_the_list_is_narrowed_by_its_address(
    browser: Client, presses: list[Asset], query: str, wanted: list[str]
) -> None:
    assert sorted(names(browser.get(PAGE + query))) == sorted(wanted)


def test_a_type_s_rule_is_one_line_for_all_its_assets(browser: Client, presses: list[Asset]) -> None:
    pump = factories.asset_type()
    services.create_type_sensor(type=pump, key="speed", name="Speed", range_low=0.0, range_high=100.0)
    rules.create_type_rule(type=pump, name="Too fast", kind="high", sensor_key="speed", limit=80.0, priority="high")
    for press in presses:
        services.update_asset(asset=press, type=pump)
    answer = browser.get(PAGE)
    line = next(line for line in answer.context["lines"] if line.entry.name == "Too fast")
    assert (len(line.nodes), line.url) == (2, f"/type-rules/{TypeRule.objects.get().pk}/")
    assert "2 assets" in read(answer)


def test_three_rules_and_sixty_cost_the_same(browser: Client, presses: list[Asset]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            browser.get(PAGE)
        return len(caught)

    browser.get(PAGE)
    few = queries()
    for number in range(56):
        factories.rule(presses[0], f"Further {number}")
    browser.get(PAGE)
    assert queries() == few <= BUDGET


@pytest.fixture
def rule(presses: list[Asset]) -> Rule:
    """Gives a rule whose limit an unknown person has changed."""
    found = Rule.objects.get(name="Whole")
    rules.update_rule(rule=found, reason="too many alarms", limit=95.0, cause="Lack of <grease>")
    return found


@pytest.fixture
def engineer(client: Client, clean_redis: Any, db: None) -> Client:
    """Gives an engineer's browser."""
    ensure_roles()
    client.force_login(factories.engineer())
    return client


def test_a_rule_s_page_tells_what_it_asks_for_and_what_was_changed(browser: Client, rule: Rule) -> None:
    page = read(browser.get(f"/rules/{rule.pk}/"))
    assert "Critical: at or over 95" in page
    assert "Lack of &lt;grease&gt;" in page
    assert '<span class="was">90</span> → <b>95</b>' in page
    assert "too many alarms" in page
    # An operator looks.
    assert "Take back" not in page
    assert browser.get("/rules/999999/").status_code == 404


def test_an_engineer_takes_a_change_back_in_one_click(engineer: Client, rule: Rule) -> None:
    page = f"/rules/{rule.pk}/"
    number = changes_of(rule)[0].number
    assert "Take back" in read(engineer.get(page))
    answer = engineer.post(f"{page}take-back/{number}", follow=True)
    rule.refresh_from_db()
    assert (rule.limit, rule.cause) == (90.0, "Dry")
    newest = changes_of(rule)[0]
    assert (newest.who, newest.why.startswith("Takes back the change of")) == ("Emil Engineer", True)
    assert "Taken back." in read(answer)
    assert "changed again since" in read(engineer.post(f"{page}take-back/{number}", follow=True))


def test_an_operator_takes_nothing_back_and_a_look_changes_nothing(browser: Client, rule: Rule) -> None:
    address = f"/rules/{rule.pk}/take-back/{changes_of(rule)[0].number}"
    assert browser.post(address).status_code == 403
    assert browser.get(address).status_code == 405
    rule.refresh_from_db()
    assert rule.limit == 95.0


def test_a_type_s_rule_has_a_page_and_is_taken_back_for_all(engineer: Client, presses: list[Asset]) -> None:
    pump = factories.asset_type()
    services.create_type_sensor(type=pump, key="speed", name="Speed", unit="Hz", range_low=0.0, range_high=100.0)
    made = rules.create_type_rule(type=pump, name="Too fast", kind="high", sensor_key="speed", limit=80.0)
    services.update_asset(asset=presses[0], type=pump)
    rules.update_type_rule(rule=made, reason="new bearings", limit=90.0)
    assert "Type Pump" in read(engineer.get(f"/type-rules/{made.pk}/"))
    engineer.post(f"/type-rules/{made.pk}/take-back/{changes_of(made)[0].number}", {"reason": "they were not"})
    copy = presses[0].rules.get(name="Too fast")
    assert (copy.limit, changes_of(copy)[0].why) == (80.0, "they were not")
    assert f'href="/type-rules/{made.pk}/"' in read(engineer.get(f"/rules/{copy.pk}/"))


def test_an_alarm_shows_what_is_frozen_into_it(
    browser: Client, presses: list[Asset], raise_alarm: Callable[..., Alarm]
) -> None:
    catalogue.create_class(code="safety", name="Safety of people")
    found = Rule.objects.get(name="Whole")
    rules.update_rule(rule=found, alarm_class="safety", confirmation="Look at the gauge")
    alarm = raise_alarm(presses[0], rule=found, frozen=rules.freeze(found))
    rules.update_rule(rule=found, confirmation="Ask the shift leader", severity="minor")
    page = read(browser.get(f"/alarms/{alarm.pk}/"))
    assert "Look at the gauge" in page and "Ask the shift leader" not in page
    assert "Safety of people" in page and "<dd>Severe</dd>" in page
    assert f'href="/rules/{found.pk}/"' in page
