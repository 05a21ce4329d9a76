"""The alarm console and one alarm's page: what is listed, who may act, what a browser without scripts can do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from alerts.models import Alarm, AlarmClass, Delivery, JournalEntry, Rule, State, Suppression, Suppressor
from devices.models import Asset
from plant.models import SavedFilter
from plant.pages.alarms import condition_of, condition_words
from tests import factories

BUDGET = 22

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
    page = browser.get("/alarms/").context["page"]
    assert (len(page.lines), page.first, page.last, page.total) == (100, 1, 100, 300)
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


def test_state_class_position_and_age_narrow_the_list_too(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    AlarmClass.objects.create(code="safety", name="Safety")
    old = raise_alarm(press, minutes=90, alarm_class="safety")
    cleared = raise_alarm(press, state=State.RETURNED, position="east")
    latched = raise_alarm(press, state=State.LATCHED_ACKED, priority=3)
    assert listed(browser, "/alarms/?state=standing") == [old.pk]
    assert listed(browser, "/alarms/?state=cleared") == listed(browser, "/alarms/?position=east") == [cleared.pk]
    assert listed(browser, "/alarms/?state=latched") == [latched.pk]
    assert listed(browser, "/alarms/?class=safety") == listed(browser, "/alarms/?older=60") == [old.pk]
    assert listed(browser, "/alarms/?older=480") == []
    text = page(browser, "/alarms/?class=safety")
    assert '<option value="safety" selected>Safety</option>' in text
    assert "Position" not in text.split('<form class="filters"')[1].split("</form>")[0]  # the plant has none


def test_a_long_list_has_pages(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plant.pages.alarms.lists.ROWS", 2)
    made = [raise_alarm(press, minutes=9 - number).pk for number in range(5)][::-1]
    assert listed(browser) == made[:2]
    assert listed(browser, "/alarms/?page=3") == made[4:]
    assert listed(browser, "/alarms/?page=9") == []
    text = page(browser, "/alarms/?q=press&page=2")
    assert "3 to 4 of 5" in text
    assert 'href="/alarms/?q=press&amp;page=1"' in text and 'href="/alarms/?q=press&amp;page=3"' in text


def test_a_filter_is_kept_under_a_name_as_a_plain_link(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    raise_alarm(press)
    sent = {"name": "  Mine,  critical ", "query": "priority=1&area=hall&nonsense=1&show=active"}
    answer = browser.post("/alarms/filters/save", sent)
    assert answer["Location"] == "/alarms/?priority=1&area=hall"
    text = page(browser, answer["Location"])
    assert '<a href="/alarms/?priority=1&amp;area=hall" aria-current="true">Mine, critical</a>' in text
    browser.post("/alarms/filters/save", {"name": "Mine, critical", "query": "priority=2"})
    assert SavedFilter.objects.get().query == "priority=2"
    other = Client()
    other.force_login(factories.operator("anna"))
    assert "Mine, critical" not in page(other)
    kept = SavedFilter.objects.get().pk
    assert other.post(f"/alarms/filters/{kept}/remove").status_code == 404
    browser.post(f"/alarms/filters/{kept}/remove")
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("sent", [{"name": " ", "query": "priority=1"}, {"name": "x" * 41, "query": "priority=1"},
                                  {"name": "All", "query": "show=active"}])  # fmt: skip
def test_what_is_no_filter_is_not_kept(browser: Client, sent: dict[str, str]) -> None:
    assert browser.post("/alarms/filters/save", sent).status_code == 302
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("query", ["priority=9,x", "show=nothing", "before=x", "alarm=x", "priority=,"])
def test_an_address_that_makes_no_sense_shows_the_whole_list(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm, query: str
) -> None:
    alarm = raise_alarm(press)
    assert listed(browser, f"/alarms/?{query}") == [alarm.pk]


def test_history_goes_back_page_by_page(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plant.pages.alarms.lists.ROWS", 2)
    made = [raise_alarm(press, state=State.NORMAL, closed=timezone.now()).pk for _ in range(5)]
    found, address = [], "/alarms/?show=history"
    while address:
        answer = browser.get(address)
        found += [line.alarm.pk for line in answer.context["lines"]]
        address = answer.context["page"].older
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
    assert limits == {"≥ 90.0", "≤ 90.0", "≥ 90.0\xa0/min"}


# --- One alarm -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "words", "german"),
    [
        ({"kind": "high", "limit": 1234567.5}, "at or over 1 234 567.5 °C", "1 234 567,5 °C"),
        ({"kind": "outside", "low": -0.25, "high": 2}, "outside −0.25 to 2 °C", "−0,25 bis 2 °C"),
        ({"kind": "rate_high", "limit": 5.0, "per": 60.0}, "rising by 5 °C /min or more", "5 °C /min"),
        ({"kind": "rate_low", "limit": -1.5, "per": 10.0}, "changing by −1.5 °C /10 s or less", "/10 s"),
        ({"kind": "equals", "value": 3.0}, "equal to aborted", "aborted"),
        ({"kind": "not_equals", "value": 0}, "different from 0", "0"),
        ({"kind": "deviation", "limit": 0.5, "reference": "72.5"}, "0.5 °C or more away from 72.5", "72,5"),
        ({"kind": "stale", "timeout": 90.0}, "no reading for 90\u00a0s", "seit 90"),
    ],
)
def test_what_a_rule_asks_for_is_written_as_the_reader_writes_figures(
    rule: dict[str, Any], words: str, german: str
) -> None:
    with translation.override("en"):
        assert condition_words(rule, "degC", {"3": "aborted"}) == words
    with translation.override("de"):
        assert german in condition_words(rule, "degC", {"3": "aborted"})


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


def test_an_alarm_names_what_came_before_it_on_its_line_and_no_more(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    late = raise_alarm(press, minutes=5)
    assert "No earlier alarm in the same line within 30 min." in page(browser, f"/alarms/{late.pk}/")
    other = factories.rule(press, "Oil low")
    cause = raise_alarm(press, rule=other, raised=late.raised - timedelta(seconds=375), message="Oil low", priority=3)
    raise_alarm(press, rule=factories.rule(press, "Old"), minutes=60, message="Long ago")
    text = page(browser, f"/alarms/{late.pk}/?fragment=1")
    assert f'href="/alarms/{cause.pk}/">{press.code}: Oil low</a> <span class="dim">6:15 earlier</span>' in text
    assert "Long ago" not in text
    trend = browser.get(f"/alarms/{late.pk}/").context["trend"]
    assert [mark["id"] for mark in trend["marks"]] == [cause.pk, late.pk]


def test_the_trend_marks_the_return_as_well(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    now = timezone.now()
    over = raise_alarm(press, minutes=100, cleared=now - timedelta(minutes=60), closed=now, state=State.NORMAL)
    marks = browser.get(f"/alarms/{over.pk}/").context["trend"]["marks"]
    assert [(mark["time"], mark.get("over", False)) for mark in marks] == [
        (over.raised.timestamp(), False), (over.cleared.timestamp(), True),
    ]  # fmt: skip


def test_what_hides_an_alarm_and_what_it_hides_name_each_other(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    lower = Rule.objects.get(asset=press)
    upper = factories.rule(press, "Temperature high-high", limit=99.0, priority=1)
    words = f"hidden by {press.code}: Temperature high-high"
    Suppressor.objects.create(rule=lower, by=upper, hides=True, words=words)
    Suppression.objects.create(rule=lower, switches=["by_design"], designed=[words], designed_at=timezone.now())
    high = raise_alarm(press, rule=lower, suppressed=["by_design"])
    highest = raise_alarm(press, rule=upper, priority=1, message="Temperature high-high")
    text = page(browser, f"/alarms/{highest.pk}/?fragment=1")
    assert "Hides while it stands" in text and f'href="/alarms/{high.pk}/">{press.code}: {lower.name}</a>' in text
    text = page(browser, f"/alarms/{high.pk}/?fragment=1")
    assert f'href="/alarms/{highest.pk}/">{press.code}: Temperature high-high</a>' in text
    assert words in text


def test_the_time_line_names_who_was_told(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    alarm, told = raise_alarm(press), factories.operator("emil")
    Delivery.objects.create(key="one", user=told, alarm=alarm, event="raise", channel="sms", outcome="sent",
                            created=alarm.raised, due=alarm.raised, sent=timezone.now())  # fmt: skip
    Delivery.objects.create(key="two", user=told, alarm=alarm, event="raise", channel="email", outcome="withheld",
                            created=alarm.raised, due=alarm.raised)  # fmt: skip
    steps = browser.get(f"/alarms/{alarm.pk}/").context["steps"]
    assert [(step.kind, step.words) for step in steps] == [("told", "SMS to Olga Operator")]


def test_the_standing_ones_come_first_among_what_is_not_presented(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    quiet, loud = Rule.objects.get(asset=press), factories.rule(press, "Oil low")
    now = timezone.now()
    for rule, ago in ((quiet, 9), (loud, 1)):
        Suppression.objects.create(
            rule=rule, switches=["by_design"], designed=["it stands"], designed_at=now - timedelta(minutes=ago)
        )
    raise_alarm(press, rule=loud, suppressed=["by_design"])
    rows = browser.get("/alarms/?show=suppressed").context["rows"]
    assert [(row.message, row.alarm is not None) for row in rows] == [(loud.name, True), (quiet.name, False)]
    assert 'data-count="suppressed">2</span>' in page(browser)


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
