"""Find in a real browser: Enter opens what the words that stand there lead to, whatever stood there before."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import until
from tests.browser.walking import Opened

pytestmark = pytest.mark.browser


def test_enter_before_the_answer_opens_nothing_of_an_older_search(opened: Opened, press: str) -> None:
    page = opened("/")
    page.keyboard.press("/")
    page.keyboard.type("Trends")
    expect(page.locator("#found [role=option]").first).to_contain_text("Trends")
    page.keyboard.press("Escape")
    held: list[Route] = []
    page.route(re.compile("/find"), lambda route: held.append(route))
    page.keyboard.press("/")
    page.keyboard.type(f"{press}/oil")
    page.keyboard.press("Enter")
    until(page, lambda: None, lambda: any("oil" in route.request.url for route in held))
    page.wait_for_timeout(300)
    assert page.locator("#find[open]").count()
    expect(page.locator("#find[open] .hint")).to_have_text(f"Looking for “{press}/oil” …")
    for route in held:
        route.continue_()
    expect(page).to_have_url(re.compile(f"/{press}/#sensor-oil$"))


def test_an_asset_is_there_without_the_server_and_a_heading_says_how_many_more(opened: Opened, press: str) -> None:
    page = opened("/")
    page.keyboard.press("/")
    page.keyboard.type("oil press-1")
    expect(page.locator("#found .kind").first).to_have_text(re.compile(r"^Sensors, \d of \d\d+$"))
    page.route(re.compile("/find"), lambda route: route.abort())
    page.keyboard.press("Control+a")
    page.keyboard.type(press)
    expect(page.locator("#found [role=option]").first).to_contain_text(press)
    expect(page.locator("#find .hint")).to_have_text("Find needs the connection to the plant server.")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/{press}/$"))
