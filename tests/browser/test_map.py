"""The map in a real browser: symbols, groups, keys, a machine that moves, the list beside it; and find by keyboard."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.axe import violations
from tests.browser.conftest import Plant, until
from tests.browser.walking import PHONE, Opened

pytestmark = pytest.mark.browser

# Two machines a few metres apart, one far away that moves, and a pipeline that stands for the first.
YARD = """
from devices import services
from devices.models import Asset
from plant.site.services import add_outlines
from tests import factories
line = Asset.objects.get(code="line-1")
for place, code in enumerate(("yard-1", "yard-2")):
    machine = services.create_asset(
        code=code, name=code.title(), level="machine", parent=line, latitude=54.2, longitude=1.4 + place / 10_000
    )
    factories.sensor(machine, "temp", name="Temperature")
    factories.rule(machine)
crawler = services.create_asset(code="crawler", name="Crawler", level="machine", parent=line)
fields = dict(unit="deg", range_low=None, range_high=None, interval=3600.0)
factories.sensor(crawler, "north", quantity="latitude", **fields)
factories.sensor(crawler, "east", quantity="longitude", **fields)
add_outlines(name="Site", data=%r)
"""
PIPELINE = {
    "type": "Feature",
    "properties": {"kind": "pipeline", "name": "Line 1", "asset": "yard-1"},
    "geometry": {"type": "LineString", "coordinates": [[1.4, 54.2], [1.41, 54.21]]},
}


@pytest.fixture(scope="module", autouse=True)
def yard(plant: Plant) -> None:
    """Puts a yard with two machines and a crawler on the map."""
    plant.stack.script(YARD % json.dumps(PIPELINE).encode())


def test_symbols_stand_together_until_one_comes_nearer_and_show_their_alarm(plant: Plant, opened: Opened) -> None:
    first, second = "yard-1", "yard-2"
    plant.send({"crawler/north": 54.21, "crawler/east": 1.41, f"{first}/temp": 60.0, f"{second}/temp": 60.0})
    page = opened("/map/")
    group = page.locator("#map .cluster [role=button]")
    expect(group).to_have_attribute("aria-label", re.compile("^2 machines"))
    expect(page.locator("#map .outline.pipeline")).not_to_have_class(re.compile("al"))
    plant.send({f"{first}/temp": 97.4})
    expect(group).to_have_attribute("aria-label", re.compile("critical alarm, unacknowledged"))
    expect(page.locator("#map .outline.pipeline")).to_have_class(re.compile("al p1"))
    group.click()
    expect(page.locator(f'#map a.spot[data-code="{first}"]')).to_have_class(re.compile(r"\bal p1 un\b"))
    expect(page.locator(f'#map a.spot[data-code="{second}"]')).not_to_have_class(re.compile(r"\bal\b"))
    # The map's own keys: everything, and the list leads back to one.
    page.keyboard.press("0")
    expect(group).to_be_visible()
    page.locator("#map-list input").fill(second)
    expect(page.locator("#map-list li")).to_have_count(1)
    page.locator("#map-list li button").click()
    expect(page.locator(f'#map a.spot.lit[data-code="{second}"]')).to_be_visible()
    page.locator("#map-list li a").click()
    expect(page).to_have_url(re.compile(f"/{second}/$"))


def test_a_machine_that_moves_takes_its_way_with_it(plant: Plant, opened: Opened) -> None:
    began = time.time()
    plant.send({"crawler/north": 54.21, "crawler/east": 1.41}, at=began - 2)
    page = opened("/map/")
    crawler = page.locator('#map a.spot[data-code="crawler"]')
    before = crawler.get_attribute("transform")
    plant.send({"crawler/north": 54.205, "crawler/east": 1.4})
    expect(crawler).not_to_have_attribute("transform", before or "")
    expect(page.locator('#map .track[data-code="crawler"]')).to_have_attribute("d", re.compile("^M.*L"))


def test_how_far_back_ways_go_is_chosen_and_the_last_choice_counts(plant: Plant, opened: Opened) -> None:
    began = time.time()
    plant.send({"crawler/north": 54.21, "crawler/east": 1.41}, at=began - 2)
    plant.send({"crawler/north": 54.205, "crawler/east": 1.4}, at=began - 1)
    page = opened("/map/")
    hour, shift = (page.locator(f"[data-act=map-span][data-span='{span}']") for span in ("1h", "8h"))
    expect(hour).to_have_attribute("aria-pressed", "true")
    held: list[Route] = []
    with page.expect_response(re.compile("span=8h")) as answer:
        shift.click()
    assert "crawler" in answer.value.json()["tracks"]
    expect(shift).to_have_attribute("aria-pressed", "true")
    expect(hour).to_have_attribute("aria-pressed", "false")
    track = page.locator('#map .track[data-code="crawler"]')
    expect(track).to_have_attribute("d", re.compile("^M.*L"))
    page.route(re.compile("span=1h"), lambda route: held.append(route))
    hour.click()
    until(page, lambda: None, lambda: held)
    with page.expect_response(re.compile("span=8h")):
        shift.click()
    expect(track).to_have_attribute("d", re.compile("^M.*L"))
    drawn = track.get_attribute("d")
    with page.expect_response(re.compile("span=1h")):
        held[0].fulfill(json={"tracks": {}})
    page.wait_for_timeout(200)
    assert track.get_attribute("d") == drawn


def test_the_map_moves_by_keys_wheel_and_hand(opened: Opened) -> None:
    page = opened("/map/")
    ground = page.locator("#map .base")
    expect(ground).to_have_attribute("transform", re.compile("matrix"))

    def changed(act: Callable[[], object]) -> None:
        before = ground.get_attribute("transform")
        act()
        expect(ground).not_to_have_attribute("transform", before or "")

    page.locator("#map").focus()
    for key in ("ArrowLeft", "+", "-", "ArrowDown"):
        changed(lambda key=key: page.keyboard.press(key))  # type: ignore[misc]  # bound at once
    changed(lambda: page.get_by_role("button", name="Nearer").click())
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    changed(lambda: page.mouse.wheel(0, -240))

    def pull() -> None:
        page.mouse.down()
        page.mouse.move(box["x"] + 160, box["y"] + 90, steps=4)
        page.mouse.up()

    changed(pull)


def test_nothing_hangs_over_the_edge_of_a_phone(opened: Opened) -> None:
    page = opened("/map/", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#map").bounding_box()["height"] > 300  # type: ignore[index]  # it is there


def test_find_leads_by_keys_alone_from_any_page_to_a_sensor(opened: Opened) -> None:
    page = opened("/map/")
    page.keyboard.press("/")
    page.keyboard.type("temp yard-1")
    options = page.locator("#found [role=option]")
    expect(page.locator("#found .kind").first).to_have_text("Sensors")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(options.first).to_contain_text("yard-1/temp")
    assert violations(page, "#find") == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/yard-1/#sensor-temp$"))
