"""Alarm performance: figures against targets, bad actors with a way to mend them, for the period and position asked."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts import journal
from alerts.models import Alarm, DraftChange, JournalEntry, Position, Rule
from alerts.workbench import drafts
from tests import factories

PAGE = "/performance/"
BUDGET = 28


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


def happened(rule: Rule, minutes: float, *, seconds: float | None = None, **fields: Any) -> Alarm:
    """Writes an alarm of a rule that was raised so many minutes ago, over after some seconds or standing still."""
    now = timezone.now()
    raised = now - timedelta(minutes=minutes)
    over = None if seconds is None else raised + timedelta(seconds=seconds)
    alarm = Alarm.objects.create(**{
        "rule": rule, "rule_name": rule.name, "tag": "press-1-1/temp", "asset_code": rule.asset.code, "priority": 2,
        "state": "B" if over is None else "A", "raised": raised, "closed": over, "cleared": over,
        "message": rule.name, "active": over is None, **fields,
    })  # fmt: skip
    rows = [JournalEntry(time=raised, event="raise", from_state="A", to_state="B", alarm=alarm, rule_id=rule.pk)]
    if over is not None:
        rows.append(JournalEntry(time=over, event="clear", from_state="B", to_state="A", alarm=alarm, rule_id=rule.pk))
    with transaction.atomic():
        journal.write(rows, now)
    return alarm


@pytest.fixture
def rule(browser: Client) -> Rule:
    """Gives a rule of the first press."""
    press = factories.plant(machines=2)[0]
    factories.sensor(press)
    return factories.rule(press)


def test_each_figure_says_its_value_its_target_and_how_far_it_is_off(browser: Client, rule: Rule) -> None:
    for number in range(12):
        happened(rule, 60 + number / 10, seconds=3)
    page = read(browser.get(PAGE, {"days": "1"}))
    assert "<h2>Peak 10 min</h2>" in page
    assert "1 over target 0" in page  # one alarm chatters
    assert 'data-figure="per_ten" data-standing="met"' in page
    assert "ISA-18.2 / IEC 62682" in page


def test_a_bad_actor_leads_to_its_workbench(browser: Client, rule: Rule) -> None:
    happened(rule, 30, seconds=400)
    page = read(browser.get(PAGE))
    assert f'href="{reverse("workbench", args=[rule.pk])}?days=7"' in page
    assert ">Temperature high</a>" in page


def test_an_alarm_without_a_rule_is_named_and_leads_nowhere(browser: Client, rule: Rule) -> None:
    gone = happened(rule, 30, seconds=400)
    Alarm.objects.filter(pk=gone.pk).update(rule=None)
    assert "/performance/rules/" not in read(browser.get(PAGE))


def test_the_period_and_the_position_stand_in_the_address(browser: Client, rule: Rule) -> None:
    Position.objects.create(code="north", name="North desk")
    happened(rule, 30, seconds=400, position="north")
    happened(rule, 20, seconds=400, position="south")
    happened(rule, 3 * 1440, seconds=400, position="north")

    def counted(**query: str) -> int:
        return browser.get(PAGE, query).context["board"].figures.annunciations

    assert counted() == 3
    assert counted(days="1") == 2
    assert counted(days="1", position="north") == 1
    assert counted(days="nonsense", position="nowhere") == 3
    assert '<option value="north" selected>' in read(browser.get(PAGE, {"position": "north"}))


def test_the_chart_says_in_words_what_it_shows(browser: Client, rule: Rule) -> None:
    other = factories.rule(rule.asset, "Other")
    for number in range(14):
        happened((rule, other)[number % 2], 300 + number / 100, seconds=0.1)
    page = read(browser.get(PAGE, {"days": "1"}))
    peak = browser.get(PAGE, {"days": "1"}).context["board"].figures.peak_ten
    assert f'aria-label="Alarms per 10 minutes: on average 0.10, at most {peak}, ' in page


def test_without_an_alarm_the_page_says_so(browser: Client, db: None) -> None:
    page = read(browser.get(PAGE))
    assert "No alarm in this time" in page
    assert "No flood." in page
    assert "The journal covers 0 % of this time" in page


def test_what_is_not_judged_has_a_dash_and_no_tick(browser: Client, rule: Rule) -> None:
    def key_figures() -> dict[str, str]:
        page = read(browser.get(PAGE, {"days": "1"}))
        return dict(re.findall(r'<div data-kpi="(\w+)"[^>]*>.*?<span class="v([^"]*">.*?)</span></div>', page))

    empty = key_figures()
    assert len(empty) == 6
    for words in empty.values():
        assert words.startswith('"><span aria-hidden="true">–</span>not known: ') and "<svg" not in words
    page = read(browser.get(PAGE, {"days": "1"}))
    assert "<dt>EEMUA 191 level</dt><dd>not known</dd>" in page
    assert 'data-figure="per_ten" data-standing="unknown"' in page
    # One rule's alarms are all of them: 100 % of a target of 1 %.
    happened(rule, 60, seconds=3)
    drawn = key_figures()
    assert drawn["top_ten_share"].startswith('"><span aria-hidden="true">–</span>not judged: ')
    assert "<svg" in drawn["per_ten"]


def test_a_standing_alarm_is_listed_with_its_age(browser: Client, rule: Rule) -> None:
    happened(rule, 60 * 26)
    page = read(browser.get(PAGE))
    assert "Standing now" in page
    assert "1 d 02 h" in page
    assert browser.get(PAGE).context["board"].figures.worst_stale == 1


def test_the_page_costs_the_same_number_of_queries_for_3_and_for_300_alarms(browser: Client, rule: Rule) -> None:
    def cost() -> list[str]:
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(PAGE).status_code == 200
        return [query["sql"][:160] for query in queries.captured_queries]

    for number in range(3):
        happened(rule, 60 + number, seconds=30)
    small = cost()
    for number in range(297):
        happened(rule, 70 + number, seconds=30)
    large = cost()
    assert len(large) == len(small), "\n".join(large)
    assert len(large) <= BUDGET, "\n".join(large)


@pytest.fixture
def drafted(rule: Rule) -> DraftChange:
    """Gives an open draft of the operator's."""
    operator = User.objects.get(username="operator")
    return drafts.draft(rule=rule, changes={"on_delay": 8}, reason="Chatters", user=operator, now=timezone.now())


def test_an_open_draft_is_shown_and_only_who_may_change_rules_applies_it(browser: Client, drafted: DraftChange) -> None:
    page = read(browser.get(PAGE))
    assert "on-delay 8 s instead of 0 s" in page
    assert "An engineer applies it." in page
    assert browser.post(reverse("draft-apply", args=[drafted.pk])).status_code == 403
    drafted.refresh_from_db()
    assert drafted.state == "open"
    engineer = factories.engineer()
    engineer.user_permissions.add(Permission.objects.get(codename="change_rule"))
    staff = Client()
    staff.force_login(engineer)
    assert reverse("draft-apply", args=[drafted.pk]) in read(staff.get(PAGE))
    answer = staff.post(reverse("draft-apply", args=[drafted.pk]), {"next": "https://evil.example/"}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "The change is in force." in read(answer)
    assert drafted.rule is not None
    drafted.rule.refresh_from_db()
    assert drafted.rule.on_delay == 8.0


def test_one_s_own_draft_may_be_discarded_and_another_s_not(browser: Client, drafted: DraftChange) -> None:
    stranger = Client()
    stranger.force_login(factories.viewer())
    assert stranger.post(reverse("draft-discard", args=[drafted.pk])).status_code == 403
    assert "The draft is discarded" in read(browser.post(reverse("draft-discard", args=[drafted.pk]), follow=True))
    again = browser.post(reverse("draft-discard", args=[drafted.pk]), follow=True)
    assert "This draft is discarded already" in read(again)
    assert browser.post(reverse("draft-discard", args=[987654])).status_code == 404
