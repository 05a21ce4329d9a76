"""The monthly report's page: a month and position by address, ready for print, mailed on request."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from alerts.models import Position, ReportSubscription
from tests import factories
from tests.plant.pages.test_performance import happened

PAGE = "/performance/report/"


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


def test_a_month_is_one_page_without_the_screens_frame(browser: Client) -> None:
    press = factories.plant(machines=1)[0]
    factories.sensor(press)
    happened(factories.rule(press), 1, seconds=20)
    page = read(browser.get(PAGE, {"month": timezone.localtime().strftime("%Y-%m")}))
    assert "The month is not over." in page
    assert "css/components/report.css" in page
    assert 'data-theme="light"' in page
    assert 'class="nav"' not in page
    assert "Temperature high" in page


def test_months_lead_to_their_neighbours_and_keep_the_position(browser: Client) -> None:
    Position.objects.create(code="north", name="North desk")
    page = read(browser.get(PAGE, {"month": "2026-01", "position": "north"}))
    assert "Alarm report, January 2026" in page
    assert f'href="{PAGE}?month=2025-12&amp;position=north"' in page
    assert f'href="{PAGE}?month=2026-02&amp;position=north"' in page


@pytest.mark.parametrize("query", [{"month": "soon"}, {"month": "2999-01"}, {"position": "nowhere"}])
def test_what_is_not_there_is_not_found(browser: Client, query: dict[str, str]) -> None:
    assert browser.get(PAGE, query).status_code == 404


def test_a_person_has_it_mailed_and_no_longer(browser: Client) -> None:
    Position.objects.create(code="north", name="North desk")
    sent = {"month": "2026-01", "position": "north", "on": "1"}
    page = read(browser.post(PAGE + "mail", sent, follow=True))
    assert "The report will be mailed to you on the first of each month." in page
    found = ReportSubscription.objects.get()
    assert (found.user, found.position is not None and found.position.code) == (
        User.objects.get(username="operator"), "north",
    )  # fmt: skip
    page = read(browser.post(PAGE + "mail", {**sent, "on": ""}, follow=True))
    assert "Mail it to me each month" in page
    assert not ReportSubscription.objects.exists()
    assert browser.get(PAGE + "mail").status_code == 405
