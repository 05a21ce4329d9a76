"""A synoptic in a real browser: it follows the plant, keys reach it, and a hostile file does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from plant.synoptic.cleaning import clean
from tests.browser.axe import violations
from tests.browser.conftest import Plant
from tests.browser.walking import Opened
from tests.plant.synoptic.vectors import VECTORS

pytestmark = pytest.mark.browser

DRAW = """
from django.contrib.auth.models import Permission, User
from devices.models import Asset
from plant.synoptic.services import create_synoptic

User.objects.get(username="max").user_permissions.add(*Permission.objects.filter(content_type__app_label="plant"))
file = '''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 400">
  <g data-asset="{press}"><rect x="40" y="40" width="200" height="120" fill="#eee" stroke="#555" data-alarm="{press}"/>
    <text x="60" y="80" font-size="20">{press}</text></g>
  <text id="value" x="400" y="80" font-size="24" data-sensor="{press}/temp">00.0</text>
  <rect id="vessel" x="400" y="120" width="80" height="200" fill="#fff" stroke="#555"
    data-sensor="{press}/temp" data-bind="level" data-range="0..200"/>
  <path id="needle" d="M600 200L604 140L608 200z" data-sensor="{press}/temp" data-bind="rotate" data-range="0..200"
    data-angle="-90..90" data-pivot="604 200"/>
  <text id="hot" x="600" y="300" data-sensor="{press}/temp" data-bind="visible" data-when="&gt;= 90">hot</text>
  <text id="nothing" x="600" y="360" font-size="20" data-sensor="{press}/none">00</text>
</svg>'''
print(create_synoptic(name="Cell {press}", asset=Asset.objects.get(code="line-1"), file=file.encode()).pk)
"""


@pytest.fixture(scope="module")
def press(codes: Iterator[str]) -> str:
    """Gives the machine of the drawing."""
    return next(codes)


@pytest.fixture(scope="module")
def address(plant: Plant, press: str) -> str:
    """Gives the page of the drawing."""
    return f"/synoptics/{plant.stack.script(DRAW.format(press=press)).splitlines()[-1]}/"


def test_the_drawing_follows_values_and_alarms(plant: Plant, opened: Opened, press: str, address: str) -> None:
    plant.send({f"{press}/temp": 50.0})
    page = opened(address)
    drawing = page.locator("svg.sy-draw")
    value = drawing.locator("text", has_text="50.0 °C")
    expect(value).to_be_visible()
    expect(drawing.locator(".sy-level")).to_have_attribute("height", "50.00")
    expect(drawing.locator("[data-pivot]")).to_have_attribute("transform", "rotate(-45.00 604.00 200.00)")
    expect(drawing.get_by_text("hot", exact=True)).to_be_hidden()
    expect(drawing.locator(".unknown .sy-unknown")).to_be_visible()
    width = drawing.locator(".sy-box").get_attribute("width")
    plant.send({f"{press}/temp": 100.0})
    expect(drawing.locator("text", has_text="100.0 °C")).to_be_visible()
    expect(drawing.locator(".sy-level")).to_have_attribute("height", "100.00")
    expect(drawing.get_by_text("hot", exact=True)).to_be_visible()
    # The alarm: a box around the value, a symbol with its digit at the machine and at the value, words for who listens.
    expect(drawing.locator(".al.p1 > .sy-box")).to_have_count(1)
    symbols = drawing.locator(".sy-badge svg.pr.p1.unack")
    expect(symbols).to_have_count(2)
    sizes = [symbols.nth(place).bounding_box() for place in range(2)]
    assert all(size is not None and 13 <= size["width"] <= 27 for size in sizes), sizes
    expect(drawing.locator("a.sy-link").first).to_have_attribute(
        "aria-label", re.compile("critical alarm, unacknowledged")
    )
    expect(drawing.locator(".sy-box")).to_have_attribute("width", width or "")  # nothing moved
    expect(page.locator(f'.sy-card .val.al[data-tag="{press}/temp"]')).to_contain_text("100.0")


def test_a_value_that_is_old_is_hatched(plant: Plant, opened: Opened, press: str, address: str) -> None:
    plant.send({f"{press}/temp": 50.0})
    page = opened(address)
    expect(page.locator(".sy-part.stale > .sy-box")).to_have_count(1, timeout=15_000)
    assert "hatch" in page.locator(".sy-part.stale .sy-level").evaluate("part => getComputedStyle(part).fill")


def test_by_keys_alone_one_zooms_moves_and_gets_to_the_machine(opened: Opened, press: str, address: str) -> None:
    page = opened(address)
    drawing = page.locator("svg.sy-draw")
    expect(drawing).to_have_attribute("viewBox", "0.00 0.00 800.00 400.00")
    page.locator("#synoptic-stage").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(drawing).to_have_attribute("viewBox", re.compile(r"^240\.00 66\.67 533\.33 266\.67$"))
    page.keyboard.press("0")
    expect(drawing).to_have_attribute("viewBox", "0.00 0.00 800.00 400.00")
    page.keyboard.press("Tab")
    expect(page.locator("a.sy-link").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/a/hall/line-1/{press}/$"))


def test_no_page_of_it_has_an_accessibility_violation(opened: Opened, address: str) -> None:
    found: list[str] = []
    pages = (address, "/synoptics/", "/synoptics/new/", f"{address}change/")
    for theme, width, shown in (("dark", 1920, pages), ("light", 390, pages[:2])):
        page = opened(shown[0], user="max", color_scheme=theme, viewport={"width": width, "height": 900})
        for where in shown:
            if where != shown[0]:
                page.goto(where)
            found += [f"{where} {theme}: {words}" for words in violations(page, "#main")]
    assert found == []


def test_a_link_of_the_drawing_has_a_name_before_the_first_values_come(opened: Opened, address: str) -> None:
    page = opened("/synoptics/")
    page.route_web_socket(re.compile("/ws/live"), lambda _socket: None)  # it opens, and nothing comes
    page.goto(address)
    page.locator("svg.sy-draw.ready").wait_for()
    links = page.locator("a.sy-link")
    expect(links.first).to_be_attached()
    assert [link.get_attribute("aria-label") for link in links.all()] == [None] * links.count()  # not drawn yet
    assert violations(page, "svg.sy-draw") == []


# --- Files that want to do more than be looked at --------------------------------------------------------------------


def ran(chromium: Browser, drawings: list[str]) -> tuple[list[str], list[str]]:
    """Gives what scripts of some drawings did, and what was fetched, in a page where everything is clicked."""
    context = chromium.new_context()
    page = context.new_page()
    done: list[str] = []
    fetched: list[str] = []
    page.expose_function("alert", lambda *_: done.append("alert"))
    page.on("dialog", lambda dialog: dialog.dismiss())

    def refuse(route: Route) -> None:
        fetched.append(route.request.url)
        route.abort()

    context.route("**/*", refuse)
    page.set_content(f"<!doctype html><main id='main'>{''.join(drawings)}</main>")
    page.evaluate(
        """() => {
          for (const element of document.querySelectorAll("main *")) {
            for (const name of ["load", "click", "mouseover", "focus", "begin", "end", "error"])
              element.dispatchEvent(new Event(name, { bubbles: true, cancelable: true }));
          }
        }"""
    )
    page.wait_for_timeout(300)
    inside = page.evaluate("document.querySelectorAll('main > svg').length")
    assert page.evaluate("document.querySelectorAll('body > *').length") == 1  # nothing broke out
    context.close()
    assert inside == len(drawings)
    return done, fetched


def test_nothing_of_a_hostile_file_runs_or_is_fetched(chromium: Browser) -> None:
    cleaned = [clean(file).drawing for file in VECTORS.values()]
    assert ran(chromium, cleaned) == ([], [])


def test_what_was_not_cleaned_would_have_run(chromium: Browser) -> None:
    done, fetched = ran(chromium, [VECTORS[name] for name in ("onload inside", "image from elsewhere", "script")])
    assert done and fetched
