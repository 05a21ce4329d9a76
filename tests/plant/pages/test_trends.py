"""The trend explorer: pens of its address, the tree branch by branch, what people and alarms say of the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alarm
from devices import annotating
from devices.models import Asset
from tests import factories

RaiseAlarm = Callable[..., Alarm]
ADDRESS = "/trends/"


@pytest.fixture
def press(db: None) -> Asset:
    """Gives a machine with a sensor that a rule reads."""
    press = factories.plant(lines=2, machines=2)[0]
    factories.sensor(press, normal_low=20.0, normal_high=70.0)
    factories.rule(press)
    return press


def pens(browser: Client, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.get(f"{ADDRESS}?{query}").context["pens"]
    return found


def test_the_address_chooses_the_pens(press: Asset, browser: Client) -> None:
    factories.sensor(press, "oil", unit="bar")
    found = pens(browser, "s=press-1-1/oil&s=press-1-1/temp&s=press-1-1/oil&s=press-9/none&s=nonsense")
    assert [pen["tag"] for pen in found] == ["press-1-1/oil", "press-1-1/temp"]
    assert found[1]["limits"] == [{"value": 90.0, "priority": 1, "name": "Temperature high"}]
    assert (found[1]["normal"], found[1]["place"], found[1]["unit"]) == ((20.0, 70.0), "Hall / Line 1", "°C")


def test_a_rule_that_is_switched_off_draws_no_limit(press: Asset, browser: Client) -> None:
    rule = press.rules.get()
    type(rule).objects.filter(pk=rule.pk).update(enabled=False)
    assert pens(browser, "s=press-1-1/temp")[0]["limits"] == []


def test_no_more_sensors_are_taken_than_there_are_pens(press: Asset, browser: Client) -> None:
    for number in range(14):
        factories.sensor(press, f"t{number}")
    assert len(pens(browser, "&".join(f"s=press-1-1/t{number}" for number in range(14)))) == 12


def test_the_values_of_the_pens_are_heard(press: Asset, browser: Client) -> None:
    assert 'data-subscribe="[&quot;press-1-1&quot;]"' in browser.get(f"{ADDRESS}?s=press-1-1/temp").content.decode()


def test_the_tree_is_open_down_to_the_pens_and_no_further(press: Asset, browser: Client) -> None:
    root = browser.get(f"{ADDRESS}?s=press-1-1/temp").context["tree"][0]
    hall = root["items"][0]
    first, second = hall["items"]
    assert [row["name"] for row in first["items"]] == ["Press 1.1", "Press 1.2"]
    assert [row["tag"] for row in first["items"][0]["items"]] == ["press-1-1/temp"]
    assert second == {"code": "line-2", "name": "Line 2", "opens": True}
    assert "items" not in browser.get(ADDRESS).context["tree"][0]["items"][0]


def test_a_branch_gives_an_assets_sensors_then_what_stands_below_it(press: Asset, browser: Client) -> None:
    line = Asset.objects.get(code="line-1")
    factories.sensor(line, "power", name="Power")
    items = browser.get("/trends/branch", {"under": "line-1"}).json()["items"]
    assert items == [
        {"tag": "line-1/power", "key": "power", "name": "Power", "machine": "Line 1"},
        {"code": "press-1-1", "name": "Press 1.1", "opens": True},
        {"code": "press-1-2", "name": "Press 1.2", "opens": False},
    ]
    assert browser.get("/trends/branch", {"under": "nowhere"}).json() == {"items": []}


def test_words_lead_to_sensors_the_nearest_first(
    press: Asset, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.sensor(press, "oil-temp", name="Oil temperature")
    answer = browser.get("/trends/branch", {"q": "temp press-1-1"}).json()
    assert [row["tag"] for row in answer["items"]] == ["press-1-1/temp", "press-1-1/oil-temp"]
    assert not answer["more"]
    monkeypatch.setattr("plant.pages.trends.MOST_FOUND", 1)
    answer = browser.get("/trends/branch", {"q": "temp"}).json()
    assert (len(answer["items"]), answer["more"]) == (1, True)


def test_alarms_and_notes_of_the_time_are_given(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press, minutes=30, priority=1)
    raise_alarm(press, minutes=300, rule=None, closed=timezone.now())
    now = timezone.now()
    writer = factories.fitter()
    note = annotating.annotate(asset=press, start=now - timedelta(hours=9), end=now, text="Strainer", by=writer)
    query = {"s": "press-1-1/temp", "start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    answer = browser.get("/trends/marks", query).json()
    assert [(mark["id"], mark["priority"], mark["tag"]) for mark in answer["alarms"]] == [
        (alarm.pk, 1, "press-1-1/temp")
    ]
    [told] = answer["notes"]
    assert (told["id"], told["text"], told["person"], told["own"]) == (note.pk, "Strainer", "Fritz Fitter", False)
    for start in ("yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert browser.get("/trends/marks", {**query, "start": start}).status_code == 400


def test_more_alarms_than_can_be_marked_are_told(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minutes in (3, 2, 1):
        raise_alarm(press, minutes=minutes, rule=None, closed=timezone.now())
    monkeypatch.setattr("plant.pages.trends.MOST_MARKS", 2)
    now = timezone.now()
    query = {"s": "press-1-1/temp", "start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    answer = browser.get("/trends/marks", query).json()
    assert (len(answer["alarms"]), answer["more"]) == (2, True)
    assert answer["alarms"][0]["time"] > answer["alarms"][1]["time"]


def test_the_machine_and_the_alarm_lead_to_their_trends(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    standing = raise_alarm(press, minutes=30)
    machine = browser.get("/a/hall/line-1/press-1-1/").content.decode()
    assert 'href="/trends/?s=press-1-1/temp&amp;t=8h"' in machine
    assert 'href="/trends/?s=press-1-1/temp&amp;t=1h"' in browser.get(f"/alarms/{standing.pk}/").content.decode()
    raised = datetime(2026, 3, 1, 6, tzinfo=UTC)
    Alarm.objects.filter(pk=standing.pk).update(raised=raised, cleared=raised + timedelta(hours=1))
    over = browser.get(f"/alarms/{standing.pk}/").content.decode()
    assert "s=press-1-1/temp&amp;from=2026-03-01T05:40:00Z&amp;to=2026-03-01T07:10:00Z" in over


def test_who_may_only_look_sees_trends_and_writes_no_note(press: Asset, client: Client) -> None:
    client.force_login(factories.viewer())
    text = client.get(f"{ADDRESS}?s=press-1-1/temp").content.decode()
    assert "You can look. An administrator can let you write notes." in text
    assert "data-may" not in text.partition('id="explorer"')[2].partition(">")[0]


def test_strangers_are_sent_to_the_door(press: Asset) -> None:
    assert Client().get(ADDRESS).status_code == 302


def test_the_page_costs_the_same_for_few_and_many_machines_and_pens(press: Asset, browser: Client) -> None:
    def cost(query: str) -> int:
        browser.get(f"{ADDRESS}?{query}")  # the tree is read after a change, once
        with CaptureQueriesContext(connection) as found:
            browser.get(f"{ADDRESS}?{query}")
        return len(found)

    few = cost("s=press-1-1/temp")
    line = Asset.objects.get(code="line-1")
    from devices import services

    for number in range(30):
        made = services.create_asset(code=f"p{number}", name=f"P {number}", level="machine", parent=line)
        factories.sensor(made)
        factories.rule(made)
    assert cost("&".join(f"s=p{number}/temp" for number in range(12))) == few <= 25
