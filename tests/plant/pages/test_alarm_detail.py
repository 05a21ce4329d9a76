"""One alarm's page: what its rule asked for, what came before and after it, who was told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from alerts.models import Alarm, Delivery, Rule, State, Suppression, Suppressor
from devices.models import Asset
from plant.pages.alarms import condition_of, condition_words
from tests import factories

from .console import RaiseAlarm, page


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
    assert condition_of(alarm) == "at or over 90.0 °C for 10\u00a0s"
    for words in (
        "at or over 90.0 °C for 10\u00a0s",
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


def test_what_to_do_comes_before_what_the_alarm_hides_which_is_folded_with_its_count(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    lower = Rule.objects.get(asset=press)
    upper = factories.rule(press, "Temperature high-high", limit=99.0, priority=1)
    words = f"hidden by {press.code}: Temperature high-high"
    Suppressor.objects.create(rule=lower, by=upper, hides=True, words=words)
    Suppression.objects.create(rule=lower, switches=["by_design"], designed=[words], designed_at=timezone.now())
    frozen = {"kind": "high", "limit": 99.0, "cause": "A fan.", "consequence": "A trip.", "action": "Start it."}
    alarm = raise_alarm(press, rule=upper, priority=1, frozen=frozen)
    text = page(browser, f"/alarms/{alarm.pk}/?fragment=1")
    order = [
        "data-trend-of", "Likely cause", "If nobody acts", "What to do", "Why it fired", "Came before it",
        "Hides while it stands", "Timeline",
    ]  # fmt: skip
    assert sorted(order, key=text.index) == order
    folded = text[text.index("<details") : text.index("</details>")]
    assert folded.startswith('<details class="sect hides"><summary>') and "<b>1</b></summary>" in folded
    assert f"{press.code}: {lower.name}" in folded


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
