"""The banner and what stands over a page: they move nothing under the pointer or the focus, and follow their alarm."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import Plant
from tests.browser.walking import Opened, Wire, leave, list_with, machine_page, place_of, wait_for_live

pytestmark = pytest.mark.browser

# What of the banner is wider than its place, or too narrow to be read.
ROOM = """() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const [form, button, message] = ["#banner .some", "#banner [data-act=ack-banner]", "#banner .msg"].map(box);
  const found = [];
  if (button.right > form.right) found.push("the button is outside");
  if (message.width < 110) found.push(`the message has ${message.width} px`);
  for (const part of document.querySelectorAll("#banner .some > :is(.what, .where), #banner .what > .row > *")) {
    const { right } = part.getBoundingClientRect();
    if (part.checkVisibility() && right > button.left + 1) found.push(`${part.className} is under the button`);
  }
  if (box("#clock").right > innerWidth) found.push("the clock is cut off");
  return found;
}"""


def test_a_flood_moves_nothing_under_the_pointer_and_says_so_above_it(opened: Opened) -> None:
    page = opened("/alarms/")
    floods: list[list[object]] = []

    def connect(live: WebSocketRoute) -> None:
        def pass_on(text: str | bytes) -> None:
            frame = json.loads(text)
            live.send(json.dumps(frame | {"floods": floods}) if "floods" in frame else text)

        live.connect_to_server().on_message(pass_on)

    page.route_web_socket(re.compile("/ws/live"), connect)
    page.reload()
    wait_for_live(page)
    words, mark = page.locator("#floods"), page.locator("#flood")
    told, tab = words.get_by_text("Night shift: 31 alarms since"), page.locator("#console").get_by_role("link").first
    for begins in (True, False):
        tab.hover()
        before = place_of(tab)
        floods[:] = [["night", "Night shift", int(time.time() * 1000), 31]] if begins else []
        expect(mark).to_have_class("flood is-flood" if begins else "flood")
        expect(mark).to_be_visible()
        if begins:
            expect(words).to_be_hidden()
        else:
            expect(words.get_by_text("The alarm flood is over.")).to_be_visible()
            expect(told).to_be_hidden()
        assert place_of(tab) == before
        leave(page)
        expect(told).to_be_visible() if begins else expect(words).to_be_hidden()
    # Where the banner has no room for its part, the words come at once.
    page.set_viewport_size({"width": 1024, "height": 768})
    expect(mark).to_be_hidden()
    tab.hover()
    floods[:] = [["night", "Night shift", int(time.time() * 1000), 31]]
    expect(told).to_be_visible()


def test_the_banner_shows_what_came_meanwhile_when_the_focus_leaves_it(
    plant: Plant, quiet: Page, codes: Iterator[str]
) -> None:
    one, other = next(codes), next(codes)
    plant.send({f"{one}/oil": 85.0})
    expect(quiet.locator("#banner .code")).to_have_text(one)
    quiet.keyboard.press("Shift")
    quiet.locator("#banner [data-act=ack-banner]").focus()
    plant.send({f"{other}/temp": 97.4})
    expect(quiet.locator("#banner .more")).to_have_text("+1 critical")
    expect(quiet.locator("#banner .code")).to_have_text(one)
    quiet.keyboard.press("Tab")
    expect(quiet.locator("#banner .code")).to_have_text(other, timeout=2000)


def test_the_banners_symbol_follows_its_alarm(plant: Plant, quiet: Page, codes: Iterator[str]) -> None:
    one, two, other = next(codes), next(codes), next(codes)
    symbol, code = quiet.locator("#banner .symbol svg.pr"), quiet.locator("#banner .code")
    plant.send({f"{one}/temp": 97.4})
    expect(code).to_have_text(one)
    expect(symbol).to_contain_class("unack")
    plant.send({f"{one}/temp": 30.0})  # never acknowledged: it waits on
    expect(symbol).to_contain_class("hollow")
    # Also while it is held, and another one waits beside it.
    quiet.locator("#banner [data-act=ack-banner]").click()
    leave(quiet)
    plant.send({f"{two}/oil": 85.0})
    expect(code).to_have_text(two)
    quiet.keyboard.press("Shift")
    quiet.locator("#banner [data-act=ack-banner]").focus()
    plant.send({f"{other}/temp": 97.4})
    expect(quiet.locator("#banner .more")).to_have_text("+1 critical")
    plant.send({f"{two}/oil": 30.0})
    expect(symbol).to_contain_class("hollow")
    expect(code).to_have_text(two)


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (1024, 768), (720, 900), (390, 844)])
def test_the_banners_button_is_where_it_was_whatever_sounds_and_however_many_wait(
    plant: Plant, quiet: Page, codes: Iterator[str], size: tuple[int, int]
) -> None:
    quiet.set_viewport_size({"width": size[0], "height": size[1]})
    horn, button = quiet.locator("#horn"), quiet.locator("#banner [data-act=ack-banner]")
    first, *others = (next(codes) for _ in range(11))
    plant.send({f"{first}/oil": 85.0})
    expect(quiet.locator("#banner .code")).to_have_text(first)
    expect(horn).to_have_attribute("data-now", "blocked")

    def place() -> tuple[float, float]:
        """Gives where it begins and how wide it is; pressed it goes down by half a pixel."""
        box = button.bounding_box()
        assert box is not None
        return box["x"], box["width"]

    before = place()
    assert quiet.evaluate(ROOM) == []
    # The first press of all lets the horn be heard; the pointer goes up where it went down.
    button.hover()
    quiet.mouse.down()
    expect(horn).to_have_attribute("data-now", "sounding")
    assert place() == before
    quiet.mouse.up()
    expect(quiet.locator(".toast")).to_contain_text("acknowledged")
    leave(quiet)
    expect(horn).to_have_attribute("data-now", "quiet")
    plant.send({f"{code}/oil": 85.0 for code in others})
    expect(quiet.locator("#banner-unacked")).to_have_text("10")
    expect(horn).to_have_attribute("data-now", "sounding")
    assert place() == before
    quiet.keyboard.press("m")
    expect(horn).to_have_attribute("data-now", "quiet")
    assert place() == before


def test_the_banner_leads_to_no_other_alarms_machine(
    plant: Plant, quiet: Page, opened: Opened, codes: Iterator[str]
) -> None:
    one, other = next(codes), next(codes)
    plant.send({f"{one}/oil": 85.0})
    expect(quiet.locator("#banner .code")).to_have_text(one)
    page = opened(machine_page(one))
    code, link = page.locator("#banner .code"), page.locator("#banner a.what")
    page.route(re.compile(r"/places\b(?!\.js)"), lambda route: route.fulfill(status=503))
    page.reload()
    page.locator("#live-word", has_text="Live").wait_for(state="attached")
    expect(link).to_have_attribute("href", machine_page(one))
    plant.send({f"{other}/temp": 97.4})
    expect(code).to_have_text(other)
    expect(link).to_have_attribute("href", re.compile(r"^/alarms/\d+/$"))
    # Where the machine is is asked for again.
    page.unroute_all()
    plant.send({f"{one}/temp": 30.0})
    plant.send({f"{one}/temp": 97.4})
    expect(link).to_have_attribute("href", machine_page(other))
    expect(page.locator("#banner .place")).to_contain_text("Line 1")


def test_the_banner_follows_the_words_of_an_alarm_without_a_place(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/oil": 85.0})
    page = list_with(opened, press)
    wire = Wire(page)
    own = {"id": 10**9, "state": "B", "priority": 1, "asset": "", "sensor": None, "suppressed": [], "value": None}
    own |= {
        "limit": None,
        "unit": "",
        "acked": None,
        "raised": "2026-01-01T00:00:00Z",
        "silenced": "2026-01-01T00:00:00Z",
    }
    for number, words in ((10**9, "Readings of one machine are not judged"), (10**9 + 1, "Readings of forty are not")):
        wire.tell({"type": "alarm", "journal": number, "alarm": own | {"message": words}})
        expect(page.locator("#banner .msg")).to_have_text(words)
