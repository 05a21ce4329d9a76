"""A page of the past is the page that was: what Chromium showed live, held beside what it shows as of that moment."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import ACK_ALL, Plant
from tests.browser.walking import Opened, list_with, machine_page

pytestmark = pytest.mark.browser

Picture = dict[str, list[list[str | None]]]

TALL: ViewportSize = {"width": 1366, "height": 6000}  # all cards of a line are seen: what is not seen is not drawn
APART = 1_300  # ms between two looks at a live page: it draws what has grown old once a second

# What a page says of the plant, without what only time moves on: ages, durations, the phase of the flashing.
PICTURE = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const classes = (element) => [...element.classList].sort().join(" ");
  const text = (element) => {
    if (!element) return null;
    const copy = element.cloneNode(true);
    for (const part of copy.querySelectorAll("[data-since], form, .vh, button")) part.remove();
    return copy.textContent.replace(/\\s+/g, " ").trim();
  };
  const shown = (element) => element.checkVisibility();
  const symbols = (element) => [...(element?.querySelectorAll("svg.pr") ?? [])].map(classes).join(", ");
  const sorted = (rows) => rows.map((row) => row.map((part) => part ?? null)).sort();
  return {
    machines: sorted(all("#main a.hexg").map((one) => [
      one.dataset.asset, classes(one), one.getAttribute("aria-label"),
    ])),
    values: sorted(all("#main .val[data-tag]").map((one) => [
      one.dataset.tag, classes(one), text(one.querySelector(".v")),
    ])),
    bars: sorted(all("#main .mai[data-tag]").map((one) => [
      one.dataset.tag, classes(one), one.getAttribute("aria-valuenow"), one.getAttribute("aria-valuetext"),
    ])),
    cards: sorted(all("#main [data-card]").map((one) => [
      one.dataset.card, classes(one), symbols(one.querySelector("[data-symbols]")), text(one.querySelector(".st")),
    ])),
    alarms: sorted(all("#main tr[data-alarm]").map((one) => [
      one.dataset.alarm, String(one.classList.contains("un")), text(one.querySelector(".word")), symbols(one),
      text(one.querySelector(".c-tag")), text(one.querySelector(".msg")), text(one.querySelector(".c-val")),
      text(one.querySelector(".c-lim")), text(one.querySelector(".c-time")), text(one.querySelector(".c-act .who")),
    ])),
    mine: sorted(all("#mine li[data-alarm]").map((one) => [
      one.dataset.alarm, symbols(one), text(one),
    ])),
    state: all("#state").map((one) => [text(one)]),
    why: all("#why").filter(shown).map((one) => [text(one.querySelector("h2, b"))]),
    counts: all("#banner-counts, #counts").map((one) => [symbols(one), text(one)]),
    unacked: all("#banner-unacked").map((one) => [text(one)]),
    banner: all("#banner .some").filter(shown).map((one) => [
      text(one.querySelector(".msg")), text(one.querySelector(".reading")), text(one.querySelector(".limit")),
      text(one.querySelector(".code")),
    ]),
  };
}"""


def settled(page: Page) -> tuple[Picture, float]:
    """Gives what a live page shows, and a moment (s) at which it did: two looks apart from each other agree."""
    before, began = page.evaluate(PICTURE), time.time()
    for _ in range(12):
        page.wait_for_timeout(APART)
        after, ended = page.evaluate(PICTURE), time.time()
        if after == before:
            return after, began  # what time alone had changed by then would be drawn by the second look
        before, began = after, ended
    raise AssertionError(f"{page.url} does not come to rest")


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def looked_back(page: Page, address: str) -> Page:
    """Goes to a page as of a moment and waits until its first picture is drawn."""
    page.goto(address)
    expect(page.locator("#scrub-handle")).not_to_have_attribute("aria-valuenow", "0")
    expect(page.locator("#player")).not_to_have_attribute("aria-busy", "true")
    return page


def differences(live: Picture, past: Picture) -> list[str]:
    """Gives what two pictures do not have in common."""
    found = []
    for part, rows in live.items():
        found += [f"live only, {part}: {row}" for row in rows if row not in past[part]]
        found += [f"past only, {part}: {row}" for row in past[part] if row not in rows]
    return found


def test_what_the_browser_showed_live_is_what_it_shows_of_that_moment(plant: Plant, opened: Opened, press: str) -> None:
    tag, oil = f"{press}/temp", f"{press}/oil"
    # Before the first alarm that was ever recorded, the past does not know which alarms stood.
    plant.send({tag: 97.4})
    list_with(opened, press).evaluate(ACK_ALL)
    plant.send({tag: 55.0, oil: 44.0})
    pages = {
        "/": opened("/"),
        "/a/hall/line-1/": opened("/a/hall/line-1/", viewport=TALL),
        machine_page(press): opened(machine_page(press)),
        f"/alarms/?q={press}": opened(f"/alarms/?q={press}"),
    }
    machine = pages[machine_page(press)]
    value = machine.locator(f'.sensors .val[data-tag="{tag}"] .v')
    seen: list[tuple[str, str, Picture, float]] = []

    last: dict[str, float] = {}

    def look(words: str, *, fresh: bool = True) -> None:
        """Keeps what each page shows now, or when it has come to rest; unless told otherwise, of fresh readings."""
        for address, page in pages.items():
            if fresh:
                plant.send(last)
            if "/alarms/" in address:  # its rows wait for a person to take them in, and keep their place until then
                page.reload()
                page.locator("#live-word", has_text="Live").wait_for(state="attached")
            seen.append((words, address, *settled(page)))

    def send(**values: float) -> None:
        last.update({f"{press}/{key}": figure for key, figure in values.items()})
        plant.send(last)
        if "temp" in values:
            expect(value).to_have_text(f"{values['temp']:.1f}")

    send(temp=56.0, oil=45.0)
    look("nothing wrong")
    send(temp=97.4, oil=45.0)
    expect(machine.locator("#mine li[data-alarm]")).to_have_count(1)
    look("a critical alarm")
    machine.locator("#mine").get_by_role("button", name="Ack").click()
    expect(machine.locator("#mine").get_by_role("button", name="Ack")).to_have_count(0)
    machine.mouse.move(2, 2)  # under a pointer the list would keep its rows
    send(temp=98.0, oil=88.0)
    expect(machine.locator("#mine li[data-alarm]")).to_have_count(2)
    look("acknowledged, and another one")
    send(temp=20.0, oil=21.0)
    expect(machine.locator("#mine li[data-alarm]")).to_have_count(1)
    machine.wait_for_timeout(6_000)
    look("returned, one unacknowledged, and the values are old", fresh=False)
    past = opened("/", live=False, viewport=TALL)
    found = []
    for words, address, picture, moment in seen:
        joint = "&" if "?" in address else "?"
        looked_back(past, f"{address}{joint}at={iso(moment)}")
        then = past.evaluate(PICTURE)
        for _ in range(5):  # a page of the past comes to rest as well
            if then == picture:
                break
            past.wait_for_timeout(APART)
            then = past.evaluate(PICTURE)
        found += [f"{words}, {address}, {one}" for one in differences(picture, then)]
        assert any(then.values()), address
    assert found == [], "\n".join(found)


# --- Drawings and the map ------------------------------------------------------------------------------------------

PLACES = """
from devices import services
from devices.models import Asset
from plant.synoptic.services import create_synoptic
from tests import factories
line = Asset.objects.get(code="line-1")
still = services.create_asset(
    code="then-1", name="Then 1", level="machine", parent=line, latitude=54.30, longitude=1.50
)
factories.sensor(still, "temp", name="Temperature")
factories.rule(still)
rover = services.create_asset(code="then-rover", name="Rover", level="machine", parent=line)
fields = dict(unit="deg", range_low=None, range_high=None, interval=3600.0)
factories.sensor(rover, "north", quantity="latitude", **fields)
factories.sensor(rover, "east", quantity="longitude", **fields)
file = '''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 400">
  <g data-asset="then-1"><rect x="40" y="40" width="200" height="120" fill="#eee" data-alarm="then-1"/></g>
  <text x="400" y="80" font-size="24" data-sensor="then-1/temp">00.0</text>
  <rect x="400" y="120" width="80" height="200" data-sensor="then-1/temp" data-bind="level" data-range="0..200"/>
</svg>'''
print(create_synoptic(name="Then", asset=line, file=file.encode()).pk)
"""


@pytest.fixture(scope="module")
def then(plant: Plant) -> dict[str, Any]:
    """Gives a drawing and a map on which something happened and is over: the moment of it, and one before."""
    synoptic = plant.stack.script(PLACES).splitlines()[-1]
    plant.send({"then-1/temp": 50.0, "then-rover/north": 54.31, "then-rover/east": 1.51})
    time.sleep(3)
    before = time.time() - 0.5
    plant.send({"then-1/temp": 100.0, "then-rover/north": 54.29, "then-rover/east": 1.48})
    time.sleep(4)
    raised = time.time() - 0.5
    plant.send({"then-1/temp": 20.0, "then-rover/north": 54.32, "then-rover/east": 1.55})
    time.sleep(4)
    return {"synoptic": f"/synoptics/{synoptic}/", "before": before, "raised": raised, "after": time.time() - 0.5}


def test_a_drawing_shows_the_values_and_alarms_of_then(opened: Opened, then: dict[str, Any]) -> None:
    page = opened(then["synoptic"], live=False)
    drawing, symbols = page.locator("svg.sy-draw"), page.locator("svg.sy-draw .sy-badge svg.pr.p1")
    for moment, value, level, alarms in (
        ("raised", "100.0 °C", "100.00", 2),
        ("before", "50.0 °C", "50.00", 0),
        ("after", "20.0 °C", "20.00", 2),  # returned, and nobody has acknowledged it
    ):
        looked_back(page, f"{then['synoptic']}?at={iso(then[moment])}")
        expect(page.locator(".top .disc.past")).to_contain_text("not live")
        expect(drawing.locator("text", has_text=value)).to_be_visible()
        expect(drawing.locator(".sy-level")).to_have_attribute("height", level)
        expect(symbols).to_have_count(alarms)
        expect(page.locator('.sy-card .val[data-tag="then-1/temp"]')).to_contain_text(value.split()[0])
        if alarms:
            expect(symbols.first).to_have_class(re.compile("unack" if moment == "raised" else "hollow"))
    # A link of the drawing stays in the past.
    page.locator("a.sy-link").first.click()
    page.wait_for_url(re.compile(r"/then-1/\?at="))


def test_the_map_shows_the_alarms_and_places_of_then(opened: Opened, then: dict[str, Any]) -> None:
    page = opened("/map/", live=False)
    still, rover = (page.locator(f'#map a.spot[data-code="{code}"]') for code in ("then-1", "then-rover"))
    data = json.loads(page.locator("#map-data").inner_text())
    assert any(spot["code"] == "then-rover" for spot in data["spots"])
    places = {}
    for moment, alarm in (("before", r"^(?!.*\bal\b)"), ("raised", r"\bal p1 un\b"), ("after", r"\bal p1\b(?! un)")):
        looked_back(page, f"/map/?at={iso(then[moment])}")
        expect(page.locator(".top .disc.past")).to_contain_text("not live")
        page.locator("#map-list input").fill("then-1")
        page.locator("#map-list li button").first.click()
        expect(still).to_have_class(re.compile(alarm))
        page.keyboard.press("0")
        expect(rover).to_be_visible()
        places[moment] = rover.get_attribute("transform")
    assert len(set(places.values())) == 3, places
