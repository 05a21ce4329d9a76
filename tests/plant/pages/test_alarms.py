"""The alarm console and one alarm's page: what is listed, who may act, what a browser without scripts can do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alarm, JournalEntry, State
from devices.models import Asset
from plant.pages.alarms import condition_of
from tests import factories

BUDGET = 20

RaiseAlarm = Callable[..., Alarm]


@pytest.fixture
def press(browser: Client) -> Asset:
    """Gives a machine with a temperature sensor and a rule."""
    machine = factories.plant(machines=1)[0]
    factories.sensor(machine)
    factories.rule(machine)
    return machine


def page(browser: Client, address: str = "/alarms/") -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def listed(browser: Client, address: str = "/alarms/") -> list[int]:
    """Gives the alarms of the list, in its order."""
    assert browser.get(address).status_code == 200
    return [line.alarm.pk for line in browser.get(address).context["lines"]]


# --- The list --------------------------------------------------------------------------------------------------------


def test_unacknowledged_come_first_then_the_priority_then_the_newest(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    acked = raise_alarm(press, priority=1, state=State.ACKED)
    old, new = raise_alarm(press, priority=2, minutes=9), raise_alarm(press, priority=2, minutes=1)
    low, returned = raise_alarm(press, priority=4), raise_alarm(press, priority=3, state=State.RETURNED)
    assert listed(browser) == [alarm.pk for alarm in (new, old, returned, low, acked)]


def test_the_list_costs_the_same_number_of_queries_for_3_and_for_300_alarms(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    def queries() -> list[str]:
        browser.get("/alarms/")
        with CaptureQueriesContext(connection) as captured:
            browser.get("/alarms/")
        return [query["sql"][:160] for query in captured.captured_queries]

    for _ in range(3):
        raise_alarm(press)
    few = queries()
    one = Alarm.objects.first()
    assert one is not None
    fields = {
        field.attname: getattr(one, field.attname) for field in Alarm._meta.concrete_fields if not field.primary_key
    }
    Alarm.objects.bulk_create(Alarm(**fields) for _ in range(297))
    many = queries()
    assert len(listed(browser)) == 300
    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= BUDGET, "\n".join(many)


def test_what_is_suppressed_is_not_presented(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    shown = raise_alarm(press)
    hidden = raise_alarm(press, suppressed=["shelved"])
    assert listed(browser) == listed(browser, "/alarms/?show=unacked") == [shown.pk]
    assert hidden.pk in listed(browser, "/alarms/?show=history")


def test_filters_stand_in_the_address(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    high = raise_alarm(press, priority=2, message="Oil temperature high")
    low = raise_alarm(press, priority=4, message="Level low", state=State.ACKED)
    assert listed(browser, "/alarms/?priority=2") == [high.pk]
    assert listed(browser, "/alarms/?show=unacked") == [high.pk]
    assert listed(browser, "/alarms/?q=level+press") == [low.pk]
    assert listed(browser, "/alarms/?area=hall") == [high.pk, low.pk]
    assert listed(browser, "/alarms/?area=nowhere") == []
    assert 'value="level"' in page(browser, "/alarms/?q=level")
    # Switching a priority keeps the rest of the address.
    assert "?priority=1%2C3%2C4&amp;area=hall&amp;q=oil" in page(browser, "/alarms/?area=hall&q=oil")


@pytest.mark.parametrize("query", ["priority=9,x", "show=nothing", "before=x", "alarm=x", "priority=,"])
def test_an_address_that_makes_no_sense_shows_the_whole_list(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm, query: str
) -> None:
    alarm = raise_alarm(press)
    assert listed(browser, f"/alarms/?{query}") == [alarm.pk]


def test_history_goes_back_page_by_page(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plant.pages.alarms.ROWS", 2)
    made = [raise_alarm(press, state=State.NORMAL, closed=timezone.now()).pk for _ in range(5)]
    found, address = [], "/alarms/?show=history"
    while address:
        answer = browser.get(address)
        found += [line.alarm.pk for line in answer.context["lines"]]
        address = answer.context["more"]
    assert found == made[::-1]


def test_an_empty_list_says_why_it_is_empty(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    assert "No active alarms" in page(browser)
    raise_alarm(press, state=State.ACKED)
    assert "Nothing waits for you" in page(browser, "/alarms/?show=unacked")
    assert "No alarm matches the filter" in page(browser, "/alarms/?q=nothing")


def test_the_limit_says_on_which_side_it_alarms(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    raise_alarm(press, frozen={"kind": "high", "limit": 90.0})
    raise_alarm(press, frozen={"kind": "low", "limit": 90.0})
    raise_alarm(press, frozen={"kind": "rate_high", "limit": 90.0, "per": 60.0})
    limits = {line.limit for line in browser.get("/alarms/").context["lines"]}
    assert limits == {"≥ 90.0", "≤ 90.0", "≥ 90.0 /min"}


# --- One alarm -------------------------------------------------------------------------------------------------------


def test_an_alarm_says_what_its_rule_asked_for_and_what_to_do(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    frozen = {
        "kind": "high", "limit": 90.0, "on_delay": 10.0, "cause": "The fan stands.", "consequence": "It trips.",
        "action": "Start the fan\n\nCall maintenance", "time_to_respond": 240.0,
    }  # fmt: skip
    alarm = raise_alarm(press, frozen=frozen)
    text = page(browser, f"/alarms/{alarm.pk}/")
    assert condition_of(alarm) == "at or over 90 °C for 10\u00a0s"
    for words in (
        "at or over 90 °C for 10\u00a0s",
        "The fan stands.",
        "It trips.",
        "<li>Start the fan</li>",
        "within 4:00",
    ):
        assert words in text


def test_the_fragment_is_the_same_detail_without_the_frame(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    alarm = raise_alarm(press)
    part = page(browser, f"/alarms/{alarm.pk}/?fragment=1")
    assert "<html" not in part
    assert alarm.message in part


def test_the_trend_reaches_from_before_the_alarm_to_after_it(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    standing = raise_alarm(press, frozen={"kind": "high", "limit": 90.0})
    trend = browser.get(f"/alarms/{standing.pk}/").context["trend"]
    assert (trend["until"], trend["asset"], [line["value"] for line in trend["limits"]]) == (None, press.code, [90.0])
    now = timezone.now()
    over = raise_alarm(press, minutes=100, cleared=now - timedelta(minutes=60), closed=now, state=State.NORMAL)
    trend = browser.get(f"/alarms/{over.pk}/").context["trend"]
    assert trend["from"] < over.raised.timestamp() < trend["until"] < now.timestamp()


def test_an_alarm_that_never_was_is_a_404(browser: Client) -> None:
    assert browser.get("/alarms/999/").status_code == 404


def test_an_alarm_whose_sensor_and_asset_are_gone_can_still_be_read(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    alarm = raise_alarm(press, asset_code="gone-1", tag="gone-1/temp")
    Alarm.objects.update(sensor=None, asset=None, rule=None)
    assert "gone-1" in page(browser)
    assert alarm.message in page(browser, f"/alarms/{alarm.pk}/")


# --- Acknowledge and comment, by forms and by scripts ----------------------------------------------------------------


def test_a_form_acknowledges_and_goes_back_to_where_it_came_from(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    alarm = raise_alarm(press)
    answer = browser.post(f"/alarms/{alarm.pk}/ack", headers={"Referer": "http://testserver/alarms/?show=unacked"})
    assert answer["Location"] == "http://testserver/alarms/?show=unacked"
    assert "Acknowledged." in page(browser)
    alarm.refresh_from_db()
    assert (alarm.state, alarm.acked_by and alarm.acked_by.get_username()) == (State.ACKED, "operator")


def test_a_form_goes_back_to_our_pages_only(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press)
    answer = browser.post(f"/alarms/{alarm.pk}/ack", {"next": "https://elsewhere.example/"})
    assert answer["Location"] == f"/alarms/{alarm.pk}/"


def test_who_comes_second_is_told_who_was_first(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press)
    first = Client()
    first.force_login(factories.operator("anna"))
    script: dict[str, Any] = {"headers": {"X-Requested-With": "fetch"}}
    assert first.post(f"/alarms/{alarm.pk}/ack", **script).json()["done"] is True
    second = browser.post(f"/alarms/{alarm.pk}/ack", **script).json()
    assert (second["done"], second["by"]) == (False, "Olga Operator")
    assert second["message"].startswith("Already acknowledged by Olga Operator at ")
    assert second["alarm"]["acked_by"] == "anna"
    browser.post(f"/alarms/{alarm.pk}/ack")
    assert "Already acknowledged by Olga Operator at" in page(browser)


def test_an_alarm_that_is_over_cannot_be_acknowledged(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press, state=State.NORMAL, closed=timezone.now())
    answer = browser.post(f"/alarms/{alarm.pk}/ack", headers={"X-Requested-With": "fetch"})
    assert answer.status_code == 409
    assert "is over since" in answer.json()["error"]


def test_a_comment_is_written_into_the_time_line(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press)
    assert browser.post(f"/alarms/{alarm.pk}/comment", {"comment": "Fan <b>ordered</b>"}).status_code == 302
    entry = JournalEntry.objects.get(alarm=alarm)
    assert (entry.event, entry.reason, entry.actor) == ("comment", "Fan <b>ordered</b>", "operator")
    assert "Fan &lt;b&gt;ordered&lt;/b&gt;" in page(browser, f"/alarms/{alarm.pk}/")


def test_a_comment_that_is_too_long_or_empty_is_refused_with_the_reason(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    alarm = raise_alarm(press)
    for text in ("x" * 5000, "  "):
        answer = browser.post(f"/alarms/{alarm.pk}/comment", {"comment": text}, headers={"X-Requested-With": "fetch"})
        assert answer.status_code == 409
        assert answer.json()["error"]
    assert not JournalEntry.objects.filter(alarm=alarm).exists()


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_who_may_only_look_sees_why_and_is_refused(press: Asset, client: Client, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press)
    client.force_login(factories.viewer())
    for address in ("/alarms/", f"/alarms/{alarm.pk}/"):
        text = page(client, address)
        assert 'aria-disabled="true" title="You can look. An administrator can let you acknowledge alarms."' in text
    assert "data-comment" not in page(client, f"/alarms/{alarm.pk}/")
    for action in ("ack", "comment"):
        assert client.post(f"/alarms/{alarm.pk}/{action}", {"comment": "x"}).status_code == 403
    alarm.refresh_from_db()
    assert alarm.state == State.UNACKED


def test_a_stranger_is_sent_to_the_door(press: Asset, raise_alarm: RaiseAlarm) -> None:
    alarm, stranger = raise_alarm(press), Client()
    for address in ("/alarms/", f"/alarms/{alarm.pk}/", "/alarms/?fragment=1"):
        answer = stranger.get(address)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in")
    assert stranger.post(f"/alarms/{alarm.pk}/ack").status_code in (302, 403)
    alarm.refresh_from_db()
    assert alarm.state == State.UNACKED


def test_nothing_is_acknowledged_by_opening_a_link(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press)
    assert browser.get(f"/alarms/{alarm.pk}/ack").status_code == 405
