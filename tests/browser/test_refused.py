"""axe-core finds nothing on what stands in a page's place, and in what a page asks for: refusals, faults, dialogs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Plant
from tests.browser.walking import Opened, list_with

pytestmark = pytest.mark.browser

THEMES = ("dark", "light")
# Somebody who may do all that asks for words first.
MAY = """
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from plant.tokens import make_link
from tests import factories
made = factories.operator("ansel")
made.user_permissions.add(Permission.objects.get(codename="service_alarm"))
print(make_link(user=made, now=timezone.now()))
"""
# Takes a page's table away, or brings it back: that page, and no other, cannot be made.
RENAME = """
from django.db import connection
from plant.models import MapLayer
name = MapLayer._meta.db_table
with connection.cursor() as cursor:
    cursor.execute("ALTER TABLE {} RENAME TO {}".format(%s))
"""
BARE = """
from django.template import loader
from django.utils import translation
with translation.override("de"):
    print(loader.render_to_string("500.html", {"code": "AB12-CD34"}))
"""


@pytest.fixture(scope="module")
def ansel(plant: Plant) -> str:
    """Gives somebody who may shelve, comment and take out of service."""
    plant.links["ansel"] = plant.stack.script(MAY).splitlines()[-1]
    return "ansel"


@pytest.fixture
def broken(plant: Plant) -> Iterator[str]:
    """Gives the address of a page that cannot be made; it can again when the test is over."""
    plant.stack.script(RENAME % 'name, name + "_away"')
    yield "/map/layers/"
    plant.stack.script(RENAME % 'name + "_away", name')


def in_both_themes(page: Page, words: str, where: str | None = None) -> list[str]:
    """Gives what a page violates, by theme."""
    found = []
    for theme in THEMES:
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        found += [f"{words}, {theme}: {said}" for said in violations(page, where)]
    return found


def test_what_stands_in_a_page_s_place_violates_nothing(plant: Plant, opened: Opened, broken: str) -> None:
    page = opened("/", user="vera", locale="de-DE", reduced_motion="reduce")
    found = []
    for address, status in (("/synoptics/new/", 403), ("/nowhere/", 404), ("/a/nowhere/", 404), (broken, 500)):
        answer = page.goto(address)
        assert answer is not None and answer.status == status, address
        page.locator("#banner").wait_for()  # in the frame: the banner stays live
        found += in_both_themes(page, address)
    # Without the frame, where what every page needs is what failed.
    bare = plant.stack.script(BARE)
    page.route("**/bare", lambda route: route.fulfill(status=500, content_type="text/html", body=bare))
    page.goto("/bare")
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"
    expect(page.locator(".btn.primary")).to_have_css("transition-duration", "0s")  # who asks for no motion sees none
    found += in_both_themes(page, "without its frame")
    assert found == []


def test_no_dialog_violates_anything(plant: Plant, opened: Opened, ansel: str, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(
        opened, press, rows=2, user=ansel, reduced_motion="reduce", viewport={"width": 1920, "height": 1080}
    )
    found = []

    def look(dialog: str, words: str) -> None:
        page.locator(f"{dialog}[open]").wait_for()
        found.extend(in_both_themes(page, words))
        page.keyboard.press("Escape")
        expect(page.locator(f"{dialog}[open]")).to_have_count(0)

    for key, dialog in (("?", "#keys"), ("/", "#find")):
        page.keyboard.press(key)
        look(dialog, key)
    page.keyboard.press("j")
    page.keyboard.press("s")
    look("#asking", "shelve")
    page.locator("tr[data-alarm] .msg").first.click()
    page.locator("#draw").get_by_role("link", name="Out of service").click()
    look("#asking", "out of service")
    page.keyboard.press("Escape")
    for place in range(2):
        page.locator("tr[data-alarm] .cb").nth(place).check()
    page.keyboard.press("c")
    look("#asking", "comment")
    assert found == []
