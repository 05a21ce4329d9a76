"""The alarm console: what is listed, in which order, and how the address narrows it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alarm, AlarmClass, Rule, State, Suppression
from devices.models import Asset
from plant.models import SavedFilter
from tests import factories

from .console import RaiseAlarm, page

BUDGET = 22


def listed(browser: Client, address: str = "/alarms/") -> list[int]:
    """Gives the alarms of the list, in its order."""
    assert browser.get(address).status_code == 200
    return [line.alarm.pk for line in browser.get(address).context["lines"]]


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
