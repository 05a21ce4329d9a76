"""Find, theme and places."""

from __future__ import annotations

import pytest
from django.test import Client

from alerts.models import Contact
from devices import services
from tests import factories


def found(browser: Client, words: str) -> list[tuple[str, str]]:
    items = browser.get("/find", {"q": words}).json()["items"]
    return [(item["kind"], item["title"]) for item in items]


@pytest.fixture
def works(browser: Client) -> Client:
    for machine in factories.plant(lines=1, machines=3):
        factories.sensor(machine, "bearing-temp", name="Bearing temperature")
    return browser


def test_a_code_comes_before_what_only_contains_it(works: Client) -> None:
    services.create_asset(code="press-1", name="Older press", level="machine")
    assert found(works, "press-1")[0] == ("machine", "press-1")


def test_all_words_must_be_there_in_any_order(works: Client) -> None:
    assert found(works, "temp press-1-2") == [("sensor", "press-1-2/bearing-temp")]
    assert found(works, "bearing 1-2") == [("sensor", "press-1-2/bearing-temp")]


def test_pages_are_found_by_name_but_not_those_one_may_not_open(works: Client) -> None:
    assert ("page", "Overview") in found(works, "overv")
    assert found(works, "plant setup") == []


def test_nothing_leads_nowhere(works: Client) -> None:
    assert found(works, "") == []
    assert found(works, "  ") == []
    assert found(works, "zzz") == []
    assert found(works, "9" * 40) == []


def test_find_stays_short(works: Client) -> None:
    assert len(found(works, "e")) <= 12


def test_the_theme_is_stored_for_the_person_and_written_by_the_server(works: Client) -> None:
    assert "data-theme" not in works.get("/").content.decode()[:200]
    assert works.post("/theme", {"theme": "light"}, headers={"X-Requested-With": "fetch"}).status_code == 204
    assert 'data-theme="light"' in works.get("/").content.decode()[:200]
    assert Contact.objects.get(user__username="operator").theme == "light"


def test_a_theme_that_is_none_is_refused(works: Client) -> None:
    assert works.post("/theme", {"theme": "blue"}).status_code == 400


def test_the_theme_does_not_lead_to_another_site(works: Client) -> None:
    answer = works.post("/theme", {"theme": "dark"}, headers={"Referer": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"


def test_places_name_every_asset_with_its_area(works: Client) -> None:
    answer = works.get("/places").json()
    assert answer["places"]["press-1-1"] == ["Press 1.1", "Hall / Line 1", "/a/hall/line-1/press-1-1/", "hall"]
    assert answer["units"]["degC"] == "°C"


def test_a_stranger_gets_nothing(client: Client, db: None) -> None:
    for address in ("/", "/find?q=a", "/places", "/a/hall/"):
        assert client.get(address).status_code == 302
    assert client.post("/theme", {"theme": "dark"}).status_code == 302
