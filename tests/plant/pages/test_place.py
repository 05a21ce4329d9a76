"""Choosing a part of the plant: from a list while it is short, else by its code."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from plant.pages import subscription_form
from tests import factories

ASKING = (
    "/incident/", "/maintenance/", "/told/", "/subscriptions/add", "/rules/new/", "/synoptics/new/",
)  # fmt: skip


@pytest.fixture
def everybody(browser: Client) -> Client:
    """Gives somebody to whom every form is shown, in a plant of a few machines."""
    factories.plant(lines=1, machines=3)
    User.objects.filter(pk=browser.session["_auth_user_id"]).update(is_superuser=True)
    return browser


@pytest.mark.parametrize("address", ASKING)
def test_a_short_list_is_shown_and_a_long_one_is_a_field_for_the_code(
    everybody: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = everybody.get(address).content.decode()
    assert len(re.findall(r'<option value="press-1-[123]"', short)) == 3
    assert "data-find-place" not in short
    monkeypatch.setattr(subscription_form, "MOST_LISTED", 4)
    long = everybody.get(address).content.decode()
    assert '<option value="press-1-1"' not in long
    assert re.search(
        r'<input class="inp" id="asset" name="asset" value=""[^>]* list="asset-found" data-find-place', long
    )
    assert 'for="asset"' in long and '<datalist id="asset-found"></datalist>' in long


@pytest.mark.parametrize(("address", "means"), [
    ("/incident/", None), ("/maintenance/", None), ("/synoptics/new/", None),
    ("/told/", "No machine: an alarm of Andon itself"), ("/subscriptions/add", "The whole plant, Works"),
])  # fmt: skip
def test_where_a_part_has_to_be_chosen_nothing_is_said_of_an_empty_field(
    everybody: Client, address: str, means: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = everybody.get(address).content.decode()
    assert f'<option value="">{means or "Choose"}</option>' in short
    monkeypatch.setattr(subscription_form, "MOST_LISTED", 4)
    long = everybody.get(address).content.decode()
    assert re.findall(r'<p class="note">Empty: (.*?)</p>', long) == ([means] if means else [])


def test_a_code_that_nobody_knows_is_refused_and_stays_in_the_field(
    everybody: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_form, "MOST_LISTED", 4)
    answer = everybody.post("/maintenance/add", {
        "asset": "press-9", "start": "2026-01-01T10:00", "end": "2099-01-01T10:00", "reason": "bearing",
    })  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code == 400 and "There is no “press-9” in the plant." in page
    assert re.search(r'name="asset" value="press-9"[^>]* aria-invalid="true"', page)
    told = everybody.get("/told/?asset=press-9&priority=1").content.decode()
    assert "There is no “press-9” in the plant." in told and 'value="press-9"' in told


def test_a_new_rule_of_a_code_that_nobody_knows_is_asked_for_again(
    everybody: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_form, "MOST_LISTED", 4)
    answer = everybody.get("/rules/new/?asset=press-9")
    page = answer.content.decode()
    assert answer.status_code == 400 and "<h1>New rule</h1>" in page
    assert re.search(r'name="asset" value="press-9"[^>]* aria-invalid="true" aria-describedby="asset-note"', page)
    assert re.search(r'<p class="note wrong" id="asset-note">.*<span>There is no asset press-9\.</span>', page)
    assert "asset-note" not in everybody.get("/rules/new/").content.decode()
    assert everybody.get("/rules/new/?asset=%20press-1-1%20").status_code == 200
