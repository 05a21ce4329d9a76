"""A page speaks its reader's language and shows their clock; who is not signed in gets the browser's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from alerts.models import Alarm, Contact
from plant.pages import words
from tests import factories


@pytest.fixture(autouse=True)
def no_language_is_left_behind() -> Iterator[None]:
    """Ends the language of the last request, as the next request does in a server's thread."""
    yield
    translation.deactivate()


@pytest.fixture
def operator(db: None) -> User:
    """Gives somebody who operates."""
    return factories.operator()


@pytest.fixture
def browser(db: None, clean_redis: Any, operator: User) -> Client:
    """Gives the operator's browser, which asks for German."""
    client = Client(headers={"accept-language": "de-DE,de;q=0.9,en;q=0.5"})
    client.force_login(operator)
    return client


def _wishes(operator: User, **values: str) -> None:
    Contact.objects.update_or_create(user=operator, defaults=values)


def _read(answer: HttpResponse) -> str:
    return answer.content.decode()


def test_a_page_is_in_the_browsers_language_until_the_person_chooses_one(browser: Client, operator: User) -> None:
    assert '<html lang="de"' in _read(browser.get("/alarms/")) and "Alarme" in _read(browser.get("/alarms/"))
    _wishes(operator, language="en")
    assert '<html lang="en"' in _read(browser.get("/alarms/"))


def test_the_switch_in_the_shell_keeps_the_language_with_the_person(browser: Client, operator: User) -> None:
    answer = browser.post("/language", {"language": "en"}, headers={"referer": "http://testserver/alarms/"})
    assert (answer.status_code, answer["Location"]) == (302, "http://testserver/alarms/")
    assert Contact.objects.get(user=operator).language == "en"
    assert browser.post("/language", {"language": "xx"}).status_code == 400
    assert Contact.objects.get(user=operator).language == "en"


def test_the_api_speaks_english_and_asks_for_no_reader(browser: Client, operator: User) -> None:
    _wishes(operator, language="de", time_zone="Asia/Tokyo")
    answer = browser.get("/api/v1/alarms?show=nothing")
    assert (answer.status_code, answer["Content-Language"]) == (422, "en")
    with CaptureQueriesContext(connection) as asked:
        browser.get("/api/v1/alarms")
    assert not [one for one in asked if "alerts_contact" in one["sql"]]


def test_the_sign_in_page_speaks_the_browsers_language_or_the_chosen_one(db: None, clean_redis: Any) -> None:
    stranger = Client(headers={"accept-language": "de"})
    assert "Anmelden" in _read(stranger.get("/sign-in"))
    stranger.post("/language", {"language": "en"})
    assert "Sign in" in _read(stranger.get("/sign-in"))
    assert "User name or password is wrong" in _read(stranger.post("/sign-in", {"username": "x", "password": "y"}))


def test_scripts_read_their_words_from_an_address_that_changes_with_them(browser: Client) -> None:
    address = words.catalogue_address("de")
    assert f'<script defer src="{address}"></script>' in _read(browser.get("/alarms/"))
    answer = Client().get(address)
    assert "immutable" in answer["Cache-Control"]
    assert "Quittieren" in _read(answer) and "Verbindung" in _read(answer)
    old = Client().get(reverse("words", args=["de", "0123456789ab"]))
    assert (old.status_code, old["Cache-Control"]) == (200, "no-cache")
    assert Client().get(reverse("words", args=["xx", "0123456789ab"])).status_code == 404


def test_a_page_in_the_sources_language_loads_no_words(browser: Client, operator: User) -> None:
    _wishes(operator, language="en")
    assert "/words/" not in _read(browser.get("/alarms/"))


@override_settings(TIME_ZONE="Europe/Berlin")
def test_times_are_by_the_persons_clock_and_one_switch_shows_the_plants(
    browser: Client, operator: User, raise_alarm: Callable[..., Alarm]
) -> None:
    alarm = raise_alarm(factories.plant()[0], raised=datetime(2026, 3, 17, 17, 36, 42, tzinfo=UTC))
    address = f"/alarms/{alarm.pk}/"
    assert "18:36:42" in _read(browser.get(address))
    _wishes(operator, time_zone="America/New_York")
    page = _read(browser.get(address))
    assert "13:36:42" in page and 'data-zone="America/New_York"' in page
    assert page.count('class="zone trunc" title="America/New_York">New York<') == 2  # live, and without a connection
    browser.post("/clock", {"clock": "plant"})
    page = _read(browser.get(address))
    assert "18:36:42" in page and 'data-zone="Europe/Berlin"' in page and 'class="zone' not in page
    assert browser.post("/clock", {"clock": "moon"}).status_code == 400


@override_settings(TIME_ZONE="Europe/Berlin")
def test_the_setting_of_a_time_zone_says_that_pages_follow_it(browser: Client, operator: User) -> None:
    _wishes(operator, language="en")
    page = _read(browser.get("/subscriptions/"))
    assert "Of my hours, my messages and all times on pages" in page and "Time zone of my hours" not in page


@override_settings(TIME_ZONE="Europe/Berlin")
def test_nobody_is_asked_which_clock_where_there_is_but_one(browser: Client, operator: User) -> None:
    assert 'name="clock"' not in _read(browser.get("/alarms/"))
    _wishes(operator, time_zone="America/New_York")
    assert 'name="clock"' in _read(browser.get("/alarms/"))


def test_numbers_of_a_page_have_the_readers_decimal_sign(browser: Client, operator: User) -> None:
    assert 'data-decimal=","' in _read(browser.get("/alarms/"))
    _wishes(operator, language="en")
    assert 'data-decimal="."' in _read(browser.get("/alarms/"))
