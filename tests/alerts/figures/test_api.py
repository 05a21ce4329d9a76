"""GET /api/v1/figures: OPC UA's names with the figures' values, and what it refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from alerts import journal
from alerts.models import Alarm, JournalEntry, Position
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/figures"


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(factories.viewer())
    return client


def raised(minutes: float, *, acked: float | None = None, position: str = "north") -> Alarm:
    """Writes an alarm that was raised so many minutes ago."""
    now = timezone.now()
    at = now - timedelta(minutes=minutes)
    alarm = Alarm.objects.create(
        rule_name="Hot", tag="p/t", asset_code="p", priority=1, state="B", raised=at, message="Hot", position=position
    )
    rows = [JournalEntry(time=at, event="raise", from_state="A", to_state="B", alarm=alarm, rule_id=7)]
    if acked is not None:
        when = now - timedelta(minutes=acked)
        rows.append(JournalEntry(time=when, event="ack", from_state="B", to_state="C", alarm=alarm, rule_id=7))
    with transaction.atomic():
        journal.write(rows, now)
    return alarm


def test_the_metrics_carry_the_names_of_opc_ua(browser):
    Position.objects.create(code="north", name="North")
    raised(90, acked=60)
    raised(5)
    raised(5, position="south")
    found = browser.get(ADDRESS, {"position": "north"}).json()
    metrics = found["metrics"]
    assert list(metrics) == [
        "AlarmCount", "StartTime", "MaximumActiveState", "MaximumUnAck", "CurrentAlarmRate", "MaximumAlarmRate",
        "MaximumReAlarmCount", "AverageAlarmRate",
    ]  # fmt: skip
    assert (metrics["AlarmCount"], metrics["MaximumReAlarmCount"]) == (2, 0)
    assert metrics["CurrentAlarmRate"] == metrics["MaximumAlarmRate"] == {"Value": 1, "Rate": 10}
    assert metrics["MaximumUnAck"] == 30 * 60_000
    assert metrics["MaximumActiveState"] == pytest.approx(90 * 60_000, abs=5_000)
    assert metrics["AverageAlarmRate"]["Value"] == pytest.approx(2 / 7 / 144)
    assert metrics["StartTime"] == found["start"]


def test_our_own_figures_come_with_their_targets(browser):
    raised(5)
    found = browser.get(ADDRESS).json()
    assert found["position"] is None
    assert found["figures"]["peak_ten"] == {
        "value": 1, "standing": "met", "target": "at most 10", "by": "ISA-18.2 / IEC 62682",
    }  # fmt: skip
    assert found["figures"]["critical_share"]["standing"] == "missed"
    assert [one["rule"] for one in found["top"]] == [one["rule"] for one in found["standing"]] == ["Hot"]
    assert found["hidden"]["now"] == {"shelved": 0, "by_design": 0, "out_of_service": 0}
    assert found["acknowledged"]["median"] is None


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"start": "2026-03-01T06:00:00"}, 422, "Times need an offset"),
        ({"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, 422, "ends before it starts"),
        ({"start": "2020-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, 422, "at most 366 days"),
        ({"start": "2999-01-01T00:00:00Z", "end": "2999-02-01T00:00:00Z"}, 422, "lies in the future"),
        ({"position": "nowhere"}, 404, "There is no operator position nowhere."),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(browser, query, status, words):
    answer = browser.get(ADDRESS, query)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True)


def test_a_stranger_is_told_to_sign_in(client):
    assert client.get(ADDRESS).status_code == 401
