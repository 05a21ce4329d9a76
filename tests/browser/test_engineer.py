"""The engineer's journeys, by clicks and by keys alone: a nuisance alarm silenced for good; what happened at night.

The journeys of the design: 1, 2, 4 and 5, the operator's, are in test_console.py, 3 and 7 are here. Two have no page
to be walked on: 6 (why OEE is low) and 8 (shift change) begin on the shift report, which comes with a later issue.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Plant, until
from tests.browser.walking import Opened, machine_page, row

pytestmark = pytest.mark.browser

ENGINEER = """
from django.utils import timezone
from plant.roles import ensure_roles
from plant.tokens import make_link
from tests import factories
ensure_roles()
print(make_link(user=factories.engineer("enya"), now=timezone.now()))
"""
SPIKES = 40  # more than any other alarm of the session's plant has raised
YOUNGEST = 2.5  # s: of the past nothing younger than two seconds is shown
FIRST, EACH = 240, 5  # s: how long ago the first spike was, and one after the other


@pytest.fixture(scope="module")
def engineer(plant: Plant) -> Iterator[str]:
    """Gives somebody who may change rules."""
    plant.links["enya"] = plant.stack.script(ENGINEER).splitlines()[-1]
    yield "enya"
    # So many spikes are a flood of their seat, which would end in the midst of another journey.
    plant.stack.script("from alerts.models import FloodLoad; FloodLoad.objects.update(count=0, since=None, before=0)")


@pytest.fixture
def nuisance(plant: Plant, press: str, chromium: Browser, sessions: Callable[[str], Any]) -> str:
    """Gives a machine whose alarm came and went with each of many spikes, once that is history."""
    now = time.time()
    spikes = [now - FIRST + place * EACH for place in range(SPIKES)]
    plant.send_series(f"{press}/temp", [one for at in spikes for one in ((at, 95.0), (at + 1, 60.0))])
    context = chromium.new_context(base_url=plant.stack.url, storage_state=sessions("olga"))
    start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (now - FIRST - 60, now))
    for _ in range(300):
        answer = context.request.get("/api/v1/summary", params={"sensor": f"{press}/temp", "start": start, "end": end})
        if answer.json()["items"][0]["readings"] == 2 * SPIKES:
            context.close()
            return press
        time.sleep(0.1)
    raise AssertionError(f"{press} has no history")


def tab_to(page: Page, place: Locator, *, most: int = 200) -> None:
    """Presses Tab until a place has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if place.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {place}")


def walker(page: Page, way: str) -> Callable[[Locator], None]:
    """Gives a function that takes a step: by the mouse, or with Tab and Enter."""

    def go(place: Locator) -> None:
        place.wait_for()
        if way == "click":
            place.click()
        else:
            tab_to(page, place)
            page.keyboard.press("Enter")

    return go


# --- Journey 3: silence a nuisance alarm for good ----------------------------------------------------------------


@pytest.mark.parametrize("way", ["click", "keys"])
def test_from_a_bad_actor_to_the_rule_that_does_not_chatter_any_more(
    plant: Plant, opened: Opened, engineer: str, nuisance: str, way: str
) -> None:
    page = opened("/", user=engineer)
    page.set_default_timeout(90_000)  # the first backtest loads its engine
    go = walker(page, way)
    go(page.locator(".nav").get_by_role("link", name="Alarm performance"))
    actor = page.locator("ol.par li", has_text=nuisance)
    expect(actor.locator("b.num")).to_have_text(str(SPIKES))
    go(actor.get_by_role("link", name="Temperature high"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{nuisance}, Temperature high")
    cure = page.locator("table.opts tr", has_text="On-delay")
    expect(cure.first).to_contain_text(f"of {SPIKES}", timeout=60_000)
    go(page.get_by_role("link", name="Rule editor"))
    figure = page.locator(".res[data-period='30'] .n")
    expect(figure).to_have_text(str(SPIKES), timeout=60_000)
    option = page.locator(".opt", has_text="On-delay 2 s")
    go(option)
    expect(option).to_have_attribute("aria-pressed", "true")
    expect(figure).to_have_text("0")
    go(page.locator(".pagehead").get_by_role("button", name="Save as version 2"))
    expect(page.locator("#f-reason")).to_be_focused()
    page.keyboard.type("Spikes of the fan")
    go(page.locator(".why-of").get_by_role("button", name="Save as version 2"))
    expect(page.locator(".cal[role=status]")).to_contain_text("Saved as version 2.")
    expect(page.locator(".changes")).to_contain_text("Spikes of the fan")
    # For good: one more spike raises nothing, and what lasts does.
    page.goto(machine_page(nuisance))
    page.locator("#live-word", has_text="Live").wait_for(state="attached")
    now = time.time()
    plant.send_series(f"{nuisance}/temp", [(now - 1, 95.0), (now, 61.0)])
    expect(page.locator(f'.sensors .val[data-tag="{nuisance}/temp"] .v')).to_have_text("61.0")
    page.goto("/performance/")
    expect(actor.locator("b.num")).to_have_text(str(SPIKES))
    plant.send({f"{nuisance}/temp": 95.0})
    until(page, page.reload, lambda: actor.locator("b.num").inner_text() == str(SPIKES + 1))
    plant.send({f"{nuisance}/temp": 60.0})


# --- Journey 7: what happened at night -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["click", "keys"])
def test_what_happened_is_looked_at_from_a_trend_on_every_page(
    plant: Plant, opened: Opened, press: str, way: str
) -> None:
    tag = f"{press}/temp"
    plant.send({tag: 40.0}, at=time.time() - 90)
    page = opened(machine_page(press))
    plant.send({tag: 97.4})
    value = page.locator(f'.sensors .val[data-tag="{tag}"]')
    expect(page.locator(f'.sensors .val.al.p1[data-tag="{tag}"]')).to_be_visible()
    raised = time.time()
    go = walker(page, way)
    go(page.get_by_role("link", name="Open in trends").first)
    expect(page.locator(f'#figures tr[data-tag="{tag}"]')).to_be_visible()
    go(page.get_by_role("button", name="Play back from here"))
    page.wait_for_url(re.compile(r"/\?at="))
    past, hexagon = page.locator(".top .disc.past"), page.locator(f'a.hexg[data-asset="{press}"]')
    expect(past).to_contain_text("not live")
    handle = page.get_by_role("slider", name="Time")
    expect(handle).not_to_have_attribute("aria-valuenow", "0")
    expect(hexagon).not_to_have_class(re.compile(r"\bal\b"))  # a minute ago
    until(page, lambda: None, lambda: time.time() > raised + YOUNGEST)  # the bar's end is after the alarm
    if way == "click":
        box, knob = page.locator("#scrub").bounding_box(), handle.bounding_box()
        assert box is not None and knob is not None
        page.mouse.move(knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"], box["y"] + 10, steps=4)
        page.mouse.up()
    else:
        page.keyboard.press("p")  # at 60 times, a minute is a second
    expect(hexagon).to_have_class(re.compile(r"\bal p1\b"))
    expect(page.locator("#player-play")).to_have_attribute("aria-pressed", "false")
    stood = page.evaluate("new URL(location.href).searchParams.get('at')")
    assert datetime.fromisoformat(stood).timestamp() > raised
    plant.send({tag: 20.0})  # what comes now is not of then
    # The list and the machine show that time too.
    if way == "click":
        page.locator(".nav").get_by_role("link", name="Alarms").click()
    else:
        page.keyboard.press("g")
        page.keyboard.press("a")
    page.wait_for_url(re.compile(r"/alarms/\?at="))
    expect(past).to_contain_text("not live")
    expect(row(page, press)).to_contain_text("97.4")
    expect(handle).not_to_have_attribute("aria-valuenow", "0")
    if way == "click":
        page.go_back()
    else:
        page.keyboard.press("g")
        page.keyboard.press("o")
    page.wait_for_url(re.compile(r"\d/\?at="))
    expect(handle).not_to_have_attribute("aria-valuenow", "0")
    if way == "click":
        hexagon.click()
    else:
        # Each line is one stop of Tab, and the arrows go to its machines.
        tab_to(page, page.locator('#main .honey a[tabindex="0"]').first)
        for _ in range(page.locator("#main .honey a").count()):
            if hexagon.evaluate("(element) => element === document.activeElement"):
                break
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/{press}/\?at="))
    expect(past).to_contain_text("not live")
    expect(value.locator(".v")).to_have_text("97.4")
    assert page.evaluate("new URL(location.href).searchParams.get('at')") == stood
    if way == "click":
        page.locator("#player").get_by_role("link", name="Back to live").click()
    else:
        page.keyboard.press("l")
    page.wait_for_url(re.compile(rf"/{press}/$"))
    expect(page.locator("#live-word")).to_have_text("Live")
    expect(value.locator(".v")).to_have_text("20.0")
