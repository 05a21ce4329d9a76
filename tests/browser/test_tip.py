"""The tip of a machine on the overview: key values that come, are read anew, and are never old ones as fresh."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.axe import violations
from tests.browser.conftest import Plant, until
from tests.browser.walking import Opened, Wire

pytestmark = pytest.mark.browser

TELLS_ITS_STATE = """
from devices.models import Asset
from tests import factories

labels = {{"1": "execute", "2": "held"}}
machine = Asset.objects.get(code="{press}")
factories.sensor(machine, "state", quantity="state", unit="", range_low=None, range_high=None, labels=labels)
"""
TIP = re.compile(r"/a/.*[?&]tip=")

# What comes and goes in less than the tip waits for.
PASSES_OVER = """(link) => {
  const over = () => new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" });
  link.dispatchEvent(over());
  document.body.dispatchEvent(over());
}"""


def box(tip: Locator) -> dict[str, float]:
    found = tip.bounding_box()
    assert found is not None
    return dict(found)


def follow_state(plant: Plant, press: str) -> None:
    """Lets a machine tell its state, and sends two hours of it."""
    plant.stack.script(TELLS_ITS_STATE.format(press=press))
    now = time.time()
    plant.send_series(f"{press}/state", [(now - ago, 2.0 if ago > 5400 else 1.0) for ago in range(7200, -1, -60)])
    plant.send({f"{press}/temp": 51.7, f"{press}/oil": 48.2})


def hexagon(page: Page, press: str) -> Locator:
    return page.locator(f'a.hexg[data-asset="{press}"]')


def beside(page: Page, press: str) -> tuple[str, str]:
    """Gives the arrow to the machine before it in its line: that was given out already, the next is still to be."""
    codes: list[str] = hexagon(page, press).evaluate(
        "(link) => [...link.closest('.honey').querySelectorAll('a.hexg')].map((one) => one.dataset.asset)"
    )
    return "ArrowUp", codes[codes.index(press) - 1]


def figures(page: Page) -> Locator:
    return page.locator(".tip .fig")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_tip_keeps_the_place_of_its_values_reads_them_anew_and_tells_the_state(
    plant: Plant, opened: Opened, press: str, theme: str
) -> None:
    follow_state(plant, press)
    page = opened("/", color_scheme=theme)
    held: list[Route] = []
    page.route(TIP, lambda route: held.append(route))
    hexagon(page, press).hover()
    tip = page.locator(".tip")
    expect(figures(page)).to_have_text(["–", "–", "–"])
    before = box(tip)
    while held:
        held.pop().continue_()
    page.unroute(TIP)
    expect(figures(page)).to_have_text([re.compile(r"^Temperature\s*51\.7°C"), re.compile(r"^Oil temperature"), ""])
    lasts = re.compile(r"execute\s*for 1 h 3\d")  # of fresh readings alone
    fresh = {f"{press}/state": 1.0, f"{press}/temp": 51.7, f"{press}/oil": 48.2}
    until(page, lambda: plant.send(fresh), lambda: lasts.search(tip.text_content() or ""))
    assert box(tip) == before
    assert violations(page) == []
    plant.send({f"{press}/temp": 62.4, f"{press}/oil": 48.2})
    expect(figures(page).first).to_contain_text("62.4")
    assert box(tip) == before
    # The pointer stands on the mark, which an alarm makes another one: the tip stays the same.
    tip.evaluate("(tip) => (tip.id = 'first')")
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 48.2})
    expect(page.locator("#first")).to_contain_text("Temperature high")
    expect(figures(page).first.locator(".val")).to_have_class(re.compile(r"\bal p1\b"))
    assert violations(page) == []


def test_in_playback_the_tip_has_the_values_of_its_moment(plant: Plant, opened: Opened, press: str) -> None:
    now = time.time()
    plant.send_series(f"{press}/temp", [(now - ago, 42.5) for ago in range(310, 290, -1)])
    plant.send({f"{press}/temp": 62.4})
    page = opened(f"/?at={datetime.fromtimestamp(now - 300, UTC):%Y-%m-%dT%H:%M:%SZ}", live=False)
    cell = hexagon(page, press)
    until(page, lambda: cell.evaluate("(cell) => (cell.blur(), cell.focus())"), lambda: figures(page).count())
    expect(figures(page).first).to_have_text(re.compile(r"42\.5°C$"))
    expect(figures(page).first.locator(".val")).to_have_class("val")


def test_a_tip_that_is_passed_over_asks_nothing_and_one_that_is_left_asks_no_more(
    plant: Plant, opened: Opened, codes: Iterator[str]
) -> None:
    passed, left = next(codes), next(codes)
    page = opened("/")
    arrow, there = beside(page, left)
    plant.send({f"{left}/temp": 51.7, f"{there}/temp": 62.4})
    asked: list[str] = []
    late: list[Route] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url.split("/")[-2])
        if asked[-1] == left:
            late.append(route)
        else:
            route.continue_()

    page.route(TIP, answer)
    hexagon(page, passed).evaluate(PASSES_OVER)
    hexagon(page, left).focus()
    expect(page.locator(".tip")).to_contain_text(left)
    until(page, lambda: None, lambda: late)
    hexagon(page, left).press(arrow)
    expect(page.locator(".tip")).to_contain_text(there)
    expect(figures(page).first).to_contain_text("62.4")
    late[0].continue_()
    # Once more and more than two seconds later nothing else was asked.
    until(page, lambda: None, lambda: asked.count(there) >= 3)
    assert asked == [left, there, there, there]
    expect(figures(page).first).to_contain_text("62.4")
    page.keyboard.press("Escape")
    expect(page.locator(".tip")).to_have_count(0)


def test_without_a_connection_the_tip_has_no_values_and_they_come_back_with_it(
    plant: Plant, opened: Opened, codes: Iterator[str]
) -> None:
    press = next(codes)
    page = opened("/")
    arrow, other = beside(page, press)
    plant.send({f"{press}/temp": 51.7, f"{other}/temp": 62.4})
    wire = Wire(page)
    hexagon(page, press).focus()
    expect(figures(page).first).to_contain_text("51.7")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    wire.cut()
    asked.clear()  # until it was lost it might ask
    expect(figures(page)).to_have_text(["–", "–", "–"])
    hexagon(page, press).press(arrow)
    expect(page.locator(".tip")).to_contain_text(other)
    expect(figures(page)).to_have_text(["–", "–", "–"])
    assert [url for url in asked if TIP.search(url)] == []
    wire.mend()
    expect(figures(page).first).to_contain_text("62.4")
