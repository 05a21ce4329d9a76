"""The frame of every page: shift, version, wall displays, and the pages that say what went wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client, override_settings
from django.utils import timezone

from plant.session import ENDS
from plant.version import version
from tests import factories


def text(browser: Client, address: str = "/alarms/", **options: Any) -> str:
    return browser.get(address, **options).content.decode()


# --- Shift, version --------------------------------------------------------------------------------------------------


def test_the_shift_stands_in_the_top_bar_where_shifts_are_known(browser: Client) -> None:
    assert 'id="shift"' not in text(browser)
    with override_settings(SHIFTS=["All day 00:00-00:00"], TIME_ZONE="Europe/Berlin"):
        page = text(browser)
    assert "<b data-name>All day</b>" in page
    given = re.search(r'data-shifts="([^"]+)"', page)
    assert given is not None
    name, start, end = json.loads(given[1].replace("&quot;", '"'))[0]
    assert (name, start < timezone.now().timestamp() * 1000 < end) == ("All day", True)


def test_a_page_and_the_socket_name_the_same_version(browser: Client) -> None:
    from plant.live import View, snapshot

    assert f'data-version="{version()}"' in text(browser)
    assert snapshot(View())["version"] == version()


def test_every_page_has_the_one_button_that_a_newer_version_shows(browser: Client) -> None:
    for address in ("/rules/", "/alarms/", f"/alarms/?at={timezone.now():%Y-%m-%d}T00:00:00Z"):
        button = re.findall(r'<button[^>]*id="new-version"[^>]*>', text(browser, address))
        assert [("hidden" in found, 'data-act="reload"' in found) for found in button] == [(True, True)]


# --- Wall displays ---------------------------------------------------------------------------------------------------


def test_the_wall_is_asked_for_in_the_address_and_kept_by_the_browser(browser: Client) -> None:
    assert 'data-density="wall"' not in text(browser)
    assert 'data-density="wall"' in text(browser, "/alarms/?density=wall")
    browser.cookies["density"] = "wall"
    assert 'data-density="wall"' in text(browser)
    assert 'data-density="wall"' not in text(browser, "/alarms/?density=")


def expiry(browser: Client) -> float:
    session = Session.objects.get(session_key=browser.session.session_key)
    return (session.expire_date - timezone.now()).total_seconds()


def test_a_display_that_only_looks_stays_signed_in_and_nobody_else(browser: Client, client: Client) -> None:
    # One browser: first an operator's, then the display's.
    assert browser.post("/session", {"wall": "1"}).json()["stays"] is False
    assert expiry(browser) <= django_settings.SESSION_COOKIE_AGE
    client.force_login(factories.viewer())
    said = client.post("/session", {"wall": "1"}).json()
    assert said == {"stays": True, "ends": client.session[ENDS]}
    assert expiry(client) > 390 * 86_400
    assert "data-looks-only" in text(client)
    # Off the wall it is an ordinary session again.
    assert client.post("/session", {"wall": ""}).json()["stays"] is False
    assert expiry(client) <= django_settings.SESSION_COOKIE_AGE
    assert Client().post("/session", {"wall": "1"}).status_code == 302


def test_a_display_that_may_do_more_puts_off_nothing_by_itself_and_a_press_does(browser: Client) -> None:
    """An old page asks by itself for as long as it hangs: nobody would be signed out after twelve hours."""
    session = browser.session
    session[ENDS] = 1
    session.save()
    assert browser.post("/session", {"wall": "1"}).json() == {"ends": 1, "stays": False}
    assert browser.post("/session").json()["ends"] > 1


def test_a_displays_session_ends_like_any_other_once_its_account_may_do_more(
    client: Client, db: None, clean_redis: Any
) -> None:
    viewer = factories.viewer()
    client.force_login(viewer)
    client.post("/session", {"wall": "1"})
    assert expiry(client) > 390 * 86_400
    viewer.user_permissions.add(Permission.objects.get(codename="change_rule"))
    client.get("/words")
    assert expiry(client) <= django_settings.SESSION_COOKIE_AGE
    ends = client.session[ENDS]
    assert client.post("/session", {"wall": "1"}).json() == {"ends": ends, "stays": False}
    assert expiry(client) <= django_settings.SESSION_COOKIE_AGE


# --- What went wrong -------------------------------------------------------------------------------------------------


def test_who_is_refused_reads_who_they_are_and_who_can_grant_it(client: Client, db: None, clean_redis: Any) -> None:
    from django.contrib.auth.models import User

    factories.plant()
    User.objects.create_superuser("tanja", password="a long enough password", first_name="Tanja", last_name="Haas")
    client.force_login(factories.viewer())
    answer = client.post("/maintenance/add", {})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Vera Viewer" in page and "Tanja Haas" in page
    assert 'id="banner"' in page and 'class="nav"' in page


def test_whoever_looks_after_the_accounts_is_named_wherever_somebody_may_not(
    client: Client, db: None, clean_redis: Any
) -> None:
    from django.contrib.auth.models import User

    factories.sensor(machine := factories.plant()[0])
    rule = factories.rule(machine)
    keeper = User.objects.create_user("kim", password="a long enough password", first_name="Kim", is_staff=True)
    keeper.user_permissions.add(Permission.objects.get(codename="change_user"))
    client.force_login(factories.viewer())
    assert "Kim" in client.post("/maintenance/add", {}).content.decode()
    assert "Kim can make you one." in client.get(f"/rules/{rule.pk}/edit/").content.decode()


def test_the_admin_names_its_icon_so_that_no_browser_asks_for_another(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    assert re.search(r'<link rel="icon" href="/static/[0-9a-f]{12}/img/andon[^"]*\.svg"', page)


def test_a_page_that_does_not_exist_keeps_the_frame(browser: Client) -> None:
    answer = browser.get("/a/no-such/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "There is no asset with this code." in page and 'id="banner"' in page
    assert browser.get("/no/such/page").status_code == 404


def test_a_broken_page_keeps_the_frame_and_has_a_code_that_is_in_the_log(
    browser: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("the page is broken")

    factories.plant()
    browser.raise_request_exception = False
    monkeypatch.setattr("plant.pages.area.Page", fail)
    answer = browser.get("/a/hall/")
    page = answer.content.decode()
    code = re.search(r"<b>([0-9A-F]{4}-[0-9A-F]{4})</b>", page)
    assert answer.status_code == 500 and code is not None
    assert 'id="banner"' in page and "the page is broken" not in page
    assert code[1] in caplog.text


def test_where_even_the_frame_is_broken_a_plain_page_says_so(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("the database is away")

    factories.plant()
    browser.raise_request_exception = False
    monkeypatch.setattr("plant.pages.area.tree_for", fail)
    monkeypatch.setattr("plant.pages.shell.tree_for", fail)
    answer = browser.get("/a/hall/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert re.search(r"Code [0-9A-F]{4}-[0-9A-F]{4}\.", page)
    assert 'id="banner"' not in page and "the database is away" not in page
