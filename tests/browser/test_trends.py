"""The trend explorer by mouse and by keys alone: choose, pan, zoom, compare, annotate, come back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.axe import violations
from tests.browser.conftest import Plant, until
from tests.browser.walking import PHONE, Opened, Wire

pytestmark = pytest.mark.browser

WHOLE = "() => performance.getEntriesByName('trend-drawn').some((mark) => mark.detail.whole)"


@pytest.fixture(scope="module")
def told(plant: Plant, codes: Iterator[str], chromium: Browser, sessions: Callable[[str], Any]) -> str:
    """Gives a machine that has reported for a while, once what it sent is history."""
    press, now = next(codes), time.time()
    for second in range(20, 0, -1):
        plant.send({f"{press}/temp": 60.0 + second % 5, f"{press}/oil": 40.0}, at=now - second)
    context = chromium.new_context(base_url=plant.stack.url, storage_state=sessions("olga"))
    start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (now - 60, now))
    for _ in range(300):
        answer = context.request.get("/api/v1/summary", params={"sensor": f"{press}/oil", "start": start, "end": end})
        if answer.json()["items"][0]["readings"] == 20:
            context.close()
            return press
        time.sleep(0.1)
    raise AssertionError(f"{press} has no history")


def shown(page: Page) -> Page:
    """Waits until the view is drawn whole."""
    page.wait_for_function(WHOLE)
    return page


def figure(page: Page, tag: str, of: str) -> Any:
    return page.locator(f'tr[data-tag="{tag}"] [data-of={of}]')


def test_by_mouse_one_chooses_pans_zooms_and_comes_back(plant: Plant, opened: Opened, told: str) -> None:
    page = opened(f"/trends/?s={told}/temp&t=1h")
    shown(page)
    expect(figure(page, f"{told}/temp", "low")).to_have_text("60.0")
    expect(figure(page, f"{told}/temp", "high")).to_have_text("64.0")
    # By typing: the nearest first, Enter takes it.
    page.get_by_role("searchbox", name="Filter sensors").fill(f"{told} oil")
    expect(page.get_by_role("treeitem")).to_have_count(1)
    page.get_by_role("treeitem").click()
    expect(figure(page, f"{told}/oil", "mean")).to_have_text("40.0")
    expect(page).to_have_url(re.compile(rf"s={told}/temp&s={told}/oil&t=1h$"))
    # Live: what comes now is drawn and told.
    plant.send({f"{told}/temp": 66.6, f"{told}/oil": 40.0})
    expect(figure(page, f"{told}/temp", "at").locator("span[class='val']")).to_have_text("66.6°C")
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 400, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 640, box["y"] + 150, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    expect(page).to_have_url(re.compile(r"from=.*&to=.*Z$"))
    panned = page.url
    page.mouse.wheel(0, 600)
    expect(page).not_to_have_url(panned)
    page.go_back()
    expect(page).to_have_url(panned)
    page.go_back()
    expect(page).to_have_url(re.compile("t=1h$"))
    expect(page.get_by_role("button", name="Back to live")).to_be_hidden()


def test_what_is_not_fresh_looks_old_and_nothing_follows_without_a_connection(
    plant: Plant, opened: Opened, told: str
) -> None:
    page = opened(f"/trends/?s={told}/temp&s={told}/oil&t=1h")
    wire = Wire(page)
    shown(page)
    value = figure(page, f"{told}/temp", "at").locator("span.val")
    fresh = figure(page, f"{told}/temp", "at").locator("span[class='val']")  # both in one look
    plant.send({f"{told}/temp": 61.5, f"{told}/oil": 40.0})
    expect(fresh).to_have_text("61.5°C")
    expect(value).to_have_class("val stale")  # one reading a second is expected
    expect(value).to_have_text("61.5°C, stale")
    plant.send({f"{told}/temp": 62.5, f"{told}/oil": 40.0})
    expect(fresh).to_have_text("62.5°C")
    wire.cut()
    expect(value).to_have_class("val stale")
    follows = page.locator("#follows")
    expect(follows.get_by_text("Stands still, no connection")).to_be_visible()
    expect(follows.get_by_text("Follows the present")).to_be_hidden()
    page.keyboard.press("v")  # the table stands in the picture's place
    wire.mend()
    expect(follows.get_by_text("Follows the present")).to_be_visible()
    expect(follows.get_by_text("Stands still, no connection")).to_be_hidden()
    plant.send({f"{told}/temp": 63.5})
    expect(fresh).to_have_text("63.5°C")


def test_a_sensor_that_is_chosen_before_another_is_read_takes_no_one_s_place(opened: Opened, told: str) -> None:
    page = opened("/trends/?t=1h")
    held: list[Route] = []
    page.route(re.compile(r"/trends/sensors\?"), lambda route: held.append(route))
    for key in ("temp", "oil"):
        page.get_by_role("searchbox", name="Filter sensors").fill(f"{told}/{key}")
        page.locator(f'[role=treeitem][data-key="{told}/{key}"]').click()
    until(page, lambda: None, lambda: len(held) == 2)
    for route in held:
        route.continue_()
    expect(figure(page, f"{told}/temp", "mean")).to_be_visible()
    expect(figure(page, f"{told}/oil", "mean")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"s={told}/temp&s={told}/oil&t=1h$"))


def test_an_axis_is_as_wide_as_its_widest_number(plant: Plant, opened: Opened, codes: Iterator[str]) -> None:
    press, now = next(codes), time.time()
    plant.send_series(f"{press}/temp", [(now - ago, 10_000_000.0 + ago) for ago in range(60, 0, -5)])
    page = opened(f"/a/hall/line-1/{press}/?t=15m")
    widths = page.locator("#trends .u-over").evaluate_all("(all) => all.map((over) => parseFloat(over.style.left))")
    assert widths and len(set(widths)) == 1  # lanes stand under each other
    page.wait_for_function("() => parseFloat(document.querySelector('#trends .u-over').style.left) > 58")
    room = page.evaluate("""() => {
      const ctx = document.createElement('canvas').getContext('2d');
      ctx.font = `11px ${getComputedStyle(document.documentElement).getPropertyValue('--font')}`;
      const widest = ctx.measureText('10\u2009000\u2009000.0').width;
      const lefts = [...document.querySelectorAll('#trends .u-over')].map((over) => parseFloat(over.style.left));
      return [widest, ...lefts];
    }""")
    assert all(left >= room[0] for left in room[1:]) and len(set(room[1:])) == 1


def test_a_range_without_data_says_so_and_is_not_the_newest_hours(opened: Opened, told: str) -> None:
    page = opened(f"/trends/?s={told}/temp&t=8h")
    shown(page)
    usual = page.get_by_role("button", name="8 h", exact=True)
    expect(usual).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#no-data")).to_be_hidden()
    for _ in range(4):
        page.keyboard.press("[")
    expect(page.locator("#no-data")).to_have_text("No data in this range")
    expect(usual).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("0")
    expect(page.locator("#no-data")).to_be_hidden()
    expect(usual).to_have_attribute("aria-pressed", "true")


def test_what_is_shown_is_compared_with_the_time_before_it_or_one_that_is_picked(opened: Opened, told: str) -> None:
    page = opened(f"/trends/?s={told}/temp&t=1h")
    shown(page)
    compared = page.locator("#compare-chip")
    compared.click()
    dialog = page.locator("#compare-dialog")
    expect(dialog.locator("[value=previous]")).to_be_checked()
    dialog.get_by_role("button", name="Compare", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(re.compile("c=previous"))
    expect(compared).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#then")).to_be_visible()
    # A time of one's own begins before what is shown.
    compared.click()
    dialog.locator("[value=picked]").check()
    dialog.locator("#compare-from").fill("2199-01-01T00:00:00")
    dialog.get_by_role("button", name="Compare", exact=True).click()
    expect(dialog.locator(".problem")).to_have_text("The compared period begins before the shown one.")
    dialog.get_by_role("button", name="Compare with nothing").click()
    expect(compared).to_have_attribute("aria-pressed", "false")
    expect(page).not_to_have_url(re.compile("c="))


# By how much the end that is proposed for a range lies before now, asked in the last half of a second.
LATE_IN_A_SECOND = """async () => {
  document.querySelector("[data-act=trend-live]").click();
  while (Date.now() % 1000 < 700 || Date.now() % 1000 > 900) await new Promise((done) => setTimeout(done, 20));
  document.querySelector("[data-act=trend-when]").click();
  await new Promise((done) => setTimeout(done, 0));
  if (!document.getElementById("range-dialog").open) throw new Error("it is not open yet");
  return Date.now() - Date.parse(`${document.getElementById("range-to").value.replace(" ", "T")}Z`);
}"""


def test_a_time_is_written_by_24_hours_where_the_browsers_own_field_has_am_and_pm(opened: Opened, told: str) -> None:
    asked = re.compile(r"^\d{4}-\d\d-\d\d [0-2]\d:[0-5]\d:[0-5]\d$")
    page = opened(f"/trends/?s={told}/temp&t=1h", locale="en-US")
    shown(page)
    page.locator("[data-act=trend-when]").first.click()
    begin = page.locator("#range-from")
    expect(begin).to_have_attribute("type", "text")
    expect(begin).to_have_value(asked)
    begin.fill("2026-11-26 8:45 PM")
    assert begin.evaluate("(field) => field.validity.patternMismatch")
    begin.fill("2020-03-17 18:05")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("from=2020-03-17T"))
    assert page.evaluate(LATE_IN_A_SECOND) >= 0  # ms; what is left as it is stays a time that was
    # A clock of 24 hours, and a finger, have the browser's own.
    for options in ({"locale": "en-GB"}, {"locale": "en-US", **PHONE}):
        page = opened("/incident/", **options)
        expect(page.locator("#from")).to_have_attribute("type", "datetime-local")


def test_one_plays_back_from_the_end_of_a_trend_or_a_minute_before_the_present(opened: Opened, told: str) -> None:
    end = int(time.time()) - 600
    written = [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (end - 3600, end)]
    for address, wanted in ((f"from={written[0]}&to={written[1]}", end), ("t=1h", None)):
        page = opened(f"/trends/?s={told}/temp&{address}")
        shown(page)
        began = int(time.time())
        page.get_by_role("button", name="Play back from here").click()
        page.wait_for_url(re.compile(r"/\?at="))
        moment = page.evaluate("Date.parse(new URL(location.href).searchParams.get('at'))") / 1000
        if wanted is None:
            assert began - 61 <= moment <= time.time() - 59
        else:
            assert moment == wanted
        expect(page.locator(".top .disc.past")).to_be_visible()


def test_by_keys_alone_one_chooses_moves_the_cursor_and_zooms(plant: Plant, opened: Opened, told: str) -> None:
    page = opened("/trends/")
    expect(page.locator("#no-pens")).to_be_visible()
    page.get_by_role("searchbox", name="Filter sensors").focus()
    page.keyboard.type(f"{told}/temp")
    expect(page.get_by_role("treeitem")).to_have_count(1)
    page.keyboard.press("Enter")
    shown(page)
    expect(page.get_by_role("treeitem")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("Escape")
    page.locator("#chart").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#at-cursor")).to_contain_text("At cursor")
    read = page.locator("#at-cursor").inner_text()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#at-cursor")).not_to_have_text(read)
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("from="))
    page.keyboard.press("0")
    expect(page).to_have_url(re.compile("t=4h$"))
    page.keyboard.press("v")
    expect(page.locator("#rows caption")).to_have_text("Temperature")


def test_a_note_is_written_seen_by_others_and_deleted(opened: Opened, told: str) -> None:
    page = opened(f"/trends/?s={told}/temp&t=1h")
    shown(page)
    page.keyboard.press("n")
    page.get_by_label("Text").fill("Strainer cleaned")
    page.get_by_role("button", name="Save note").click()
    note = page.get_by_role("button", name="Strainer cleaned")
    expect(note).to_be_visible()
    other = opened(f"/trends/?s={told}/temp&t=1h", user="vera")
    other.get_by_role("button", name="Strainer cleaned").click()
    expect(other.locator("#note-by")).to_have_text("By Olga Operator")
    expect(other.get_by_role("button", name="Save note")).to_be_hidden()
    note.click()
    page.get_by_role("button", name="Delete").click()
    expect(note).to_have_count(0)


def test_a_link_shows_the_same_and_the_picture_can_be_kept(opened: Opened, told: str) -> None:
    page = opened(f"/trends/?s={told}/temp&s={told}/oil&t=8h&c=day&layout=one&off=limits")
    shown(page)
    expect(page.get_by_role("button", name="One chart")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Limits")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#then")).to_be_visible()
    page.locator("details.export summary").click()
    csv = page.locator("[data-format=csv]").get_attribute("href")
    assert csv is not None and f"sensor={told}%2Ftemp&sensor={told}%2Foil" in csv
    with page.expect_download() as kept:
        page.get_by_role("button", name="PNG").click()
    assert kept.value.path().read_bytes()[:4] == b"\x89PNG"
    with page.expect_download() as kept:
        page.locator("[data-format=csv]").click()
    assert kept.value.path().read_text().count(f"{told}/temp") >= 20


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_explorer_passes_axe(opened: Opened, told: str, theme: str) -> None:
    page = opened(f"/trends/?s={told}/temp&s={told}/oil&t=1h&c=previous", color_scheme=theme)
    shown(page)
    assert violations(page, "#main") == []


def test_on_a_phone_sensors_are_chosen_and_nothing_is_cut_off(opened: Opened, told: str) -> None:
    page = opened(f"/trends/?s={told}/temp&t=1h", **PHONE)
    shown(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Sensors").click()
    page.get_by_role("treeitem", name=re.compile("oil")).first.click()
    page.locator("#picker").get_by_role("button", name="Close").click()
    expect(page.locator("#figures tbody tr")).to_have_count(2)
