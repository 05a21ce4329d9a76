"""Acknowledging and commenting, by forms and by scripts: who may, who comes second, what is refused."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from alerts.models import Alarm, JournalEntry, State
from devices.models import Asset
from tests import factories

from .console import RaiseAlarm, page


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


def test_several_are_acknowledged_and_commented_in_one_go(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    alarms = [raise_alarm(press, rule=factories.rule(press, f"Rule {number}")) for number in range(3)]
    first = Client()
    first.force_login(factories.operator("anna"))
    first.post(f"/alarms/{alarms[0].pk}/ack")
    script: dict[str, Any] = {"headers": {"X-Requested-With": "fetch"}}
    told = browser.post("/alarms/ack", {"alarm": [alarm.pk for alarm in alarms]}, **script).json()
    assert told["message"].startswith(
        "Acknowledged. That was done to 2 alarms. Already acknowledged by Olga Operator at "
    )
    assert set(Alarm.objects.values_list("state", flat=True)) == {State.ACKED}
    assert "Comment 3 alarms" in page(browser, "/alarms/comment?fragment&" + "&".join(f"alarm={a.pk}" for a in alarms))
    told = browser.post("/alarms/comment", {"alarm": [a.pk for a in alarms], "reason": "Fan ordered"}, **script).json()
    assert told["message"] == "Commented. That was done to 3 alarms."
    assert JournalEntry.objects.filter(event="comment", reason="Fan ordered").count() == 3
    viewer = Client()
    viewer.force_login(factories.viewer())
    assert viewer.post("/alarms/ack", {"alarm": alarms[0].pk}).status_code == 403
    assert viewer.get(f"/alarms/comment?alarm={alarms[0].pk}").status_code == 403


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
