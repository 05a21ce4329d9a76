"""The workbench: proposals with their price, and one click that drafts one with its reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts import rules
from alerts.instants import to_us
from alerts.models import DraftChange, Rule
from alerts.workbench.turn import turn
from devices import services
from devices.telemetry import history
from devices.telemetry.batch import Batch
from tests import factories


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


def spikes(rule: Rule) -> None:
    """Stores an hour of one spike each 40 s, which ended an hour ago."""
    count = 3600
    values = np.where(np.arange(count) % 40 == 0, 95.0, 60.0)
    times = to_us(timezone.now() - timedelta(hours=2)) + np.arange(count, dtype=np.int64) * 1_000_000
    sensor = np.full(count, rule.asset.sensors.get().pk, np.int32)
    history.append(0, Batch(sensor, times, values, np.zeros(count, np.uint8)), np.zeros(count, np.bool_))


@pytest.fixture
def rule(browser: Client) -> Rule:
    """Gives a rule that chatters; the browser's operator may draft."""
    operator = User.objects.get(username="operator")
    operator.user_permissions.add(Permission.objects.get(codename="add_draftchange"))
    press = factories.plant(machines=1)[0]
    factories.sensor(press)
    made = factories.rule(press)
    spikes(made)
    return made


def test_proposals_come_with_the_alarms_they_save_and_one_click_drafts_one(browser: Client, rule: Rule) -> None:
    answer = browser.get(reverse("workbench", args=[rule.pk]))
    page = read(answer)
    assert "Backtest over the stored history: 90 alarms, 0 of them true" in page
    option = answer.context["options"][0]
    assert option.settings == "On-delay 2 s"
    assert '0 <span class="muted">of 90</span>' in page
    assert f'href="/rules/{rule.pk}/edit/?on_delay=2.0"' in page
    sent = {**dict(option.fields), "reason": option.reason}
    done = browser.post(reverse("workbench-draft", args=[rule.pk]), sent, follow=True)
    assert "Drafted. Nothing changes until somebody who may change rules applies it." in read(done)
    made = DraftChange.objects.get()
    assert (made.rule, made.after, made.drafted_by.username) == (rule, {"on_delay": 2.0}, "operator")
    assert "0 alarms instead of 90" in made.reason
    rule.refresh_from_db()
    assert rule.on_delay == 0.0


def test_a_rule_of_a_type_may_be_changed_for_all_its_machines(browser: Client, rule: Rule) -> None:
    pump = factories.asset_type()
    services.create_type_sensor(
        type=pump, key="temp", name="Temperature", quantity="temperature", unit="degC", range_low=0.0, range_high=150.0
    )
    template = rules.create_type_rule(type=pump, name="Hot", kind="high", sensor_key="temp", limit=90.0)
    made = services.create_asset(code="pump-1", name="Pump 1", level="machine", parent=rule.asset.parent, type=pump)
    copy = made.rules.get()
    spikes(copy)
    assert "Draft for all 1 of Pump" in read(browser.get(reverse("workbench", args=[copy.pk])))
    sent = {"on_delay": "2.0", "reason": "Chatters", "for": "type"}
    browser.post(reverse("workbench-draft", args=[copy.pk]), sent)
    assert DraftChange.objects.get().type_rule == template


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"on_delay": "soon", "reason": "Chatters"}, "on_delay: “soon” is no number."),
        ({"on_delay": "2.0"}, "A change needs a reason."),
        ({"on_delay": "-1", "reason": "Chatters"}, "on_delay"),
        ({"on_delay": "nan", "reason": "Chatters"}, "on_delay"),
        ({"reason": "Chatters"}, "The rule has these values already."),
    ],
)
def test_what_cannot_be_drafted_is_refused_in_words(
    browser: Client, rule: Rule, sent: dict[str, str], words: str
) -> None:
    assert words in read(browser.post(reverse("workbench-draft", args=[rule.pk]), sent, follow=True))
    assert not DraftChange.objects.exists()


def test_who_may_only_look_drafts_nothing(rule: Rule) -> None:
    viewer = Client()
    viewer.force_login(factories.viewer())
    address = reverse("workbench-draft", args=[rule.pk])
    assert address not in read(viewer.get(reverse("workbench", args=[rule.pk])))
    assert viewer.post(address, {"on_delay": "2.0", "reason": "x"}).status_code == 403


def test_while_another_backtest_is_under_way_the_page_says_so(browser: Client, rule: Rule) -> None:
    with turn:
        answer = browser.get(reverse("workbench", args=[rule.pk]))
    assert answer.status_code == 429
    assert "Another backtest is under way; try again when it is done." in read(answer)


def test_a_rule_that_is_not_there_is_not_found(browser: Client) -> None:
    assert browser.get(reverse("workbench", args=[987654])).status_code == 404
