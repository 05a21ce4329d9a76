"""Live tiles, shortened: a value costs a text and nothing else, and ten seconds of them leave nothing behind.

The whole of it, a thousand tiles for a minute or for half an hour against the limits of time, is tests/bench/tiles.py.
Here nothing is measured against a clock, which another program on the machine could break: what is done is counted.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.bench import tiles
from tests.browser.conftest import FURNISHED, Plant, until
from tests.browser.walking import Opened, Wire

pytestmark = pytest.mark.browser

SECONDS, PARTS = 12, 4
PAINTS = 4  # a second
# A line of its own: a machine of another journey's that was sent a reading takes no older one any more.
MACHINES = 60
LINE = "/a/store/tiles/"
SETUP = f"""{FURNISHED}
from devices.models import Asset, Level
store = services.create_asset(code="store", name="Store", level=Level.AREA, parent=Asset.objects.get(code="works"))
line = services.create_asset(code="tiles", name="Tiles", level=Level.LINE, parent=store)
for number in range({MACHINES}):
    code = f"tile-{{number:02}}"
    furnish(services.create_asset(code=code, name=f"Tile {{number:02}}", level=Level.MACHINE, parent=line))
"""
TAGS = [f"tile-{number:02}/{key}" for number in range(MACHINES) for key in ("temp", "oil")]

# What is written where, by a tile's tag; and what comes or goes as an element anywhere on the page but in its clock.
COUNT = """() => {
  window.texts = new Map();
  window.came = [];
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes, removedNodes } of changes) {
      const nodes = [...addedNodes, ...removedNodes];
      for (const node of nodes) if (node instanceof Element) window.came.push(node.outerHTML.slice(0, 120));
      const place = target instanceof Element ? target : target.parentElement;
      const tag = place?.closest("#main .val[data-tag]")?.dataset.tag;
      if (tag && type !== "attributes") window.texts.set(tag, (window.texts.get(tag) ?? 0) + 1);
    }
  }).observe(document.getElementById("main"), { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module", autouse=True)
def tiles_line(plant: Plant) -> None:
    """Makes the line whose cards these tests look at."""
    plant.stack.script(SETUP)


@pytest.fixture
def sending(plant: Plant) -> Iterator[list[int]]:
    """Sends a new value of every tile four times a second; gives how many rounds there were so far."""
    ended, rounds = threading.Event(), [0]

    def send() -> None:
        while not ended.wait(1 / PAINTS):
            rounds[0] += 1
            plant.send({tag: 40.0 + (rounds[0] + place) % 20 for place, tag in enumerate(TAGS)})

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    yield rounds
    ended.set()
    sender.join()


def test_a_value_costs_one_text_and_ten_seconds_leave_nothing_behind(
    plant: Plant, opened: Opened, sending: list[int]
) -> None:
    page = opened(LINE, viewport={"width": 1920, "height": 4000})  # what is not seen is not drawn
    live = page.locator('#main .val[data-tag="tile-00/temp"] .v')
    expect(live).not_to_have_text(live.inner_text())
    shown = page.locator("#main .mai[data-tag]").evaluate_all("parts => parts.map((part) => part.dataset.tag)")
    shown = [tag for tag in shown if tag in TAGS]  # a page of the line's cards
    assert len(shown) >= 100
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.evaluate(COUNT)
    page.wait_for_timeout(4_000)  # what is made once is made
    began, counted = time.monotonic(), [tiles.metrics(session)]
    page.evaluate("() => { window.texts.clear(); window.came.length = 0; }")
    rounds = sending[0]
    for _ in range(PARTS):
        page.wait_for_timeout(SECONDS / PARTS * 1000)
        counted.append(tiles.metrics(session))
    texts: dict[str, int] = dict(page.evaluate("() => [...window.texts]"))
    came: list[str] = page.evaluate("() => window.came")
    passed = time.monotonic() - began
    assert sending[0] > rounds + 5  # it was live
    assert came == []
    # One node of text for each value that is drawn, however many are sent.
    assert set(texts) == set(shown)
    assert max(texts.values()) <= PAINTS * passed + 1, texts
    # What leaks grows in each part. The engine's own, code that it compiles once, comes in one of them.
    for name, most in (("Nodes", 0.005), ("JSEventListeners", 0.0), ("JSHeapUsedSize", 0.015)):
        figures = [one[name] for one in counted[1:]]
        assert min(after - before for before, after in pairwise(figures)) <= figures[0] * most, (name, figures)


# Moves the pointers of the page from end to end, in twelve frames.
MOVE = """async () => {
  const pointers = [...document.querySelectorAll("#main .mai .ptr")];
  for (let step = 0; step < 12; step += 1) {
    await new Promise(requestAnimationFrame);
    pointers.forEach((pointer, place) => {
      const at = `${(step * 37 + place * 13) % 101}%`;
      pointer.setAttribute("x1", at);
      pointer.setAttribute("x2", at);
    });
    await new Promise((done) => setTimeout(done, 50));
  }
}"""
# The numbers that fit in the room of a value, as wide as they may be; what is wider than its box, or changed its size.
WIDEST = """() => {
  const found = [];
  for (const place of [...document.querySelectorAll("#main .kv .val .v.fits")].slice(0, 3)) {
    const size = () => [place.getBoundingClientRect(), place.closest(".kv").getBoundingClientRect()]
      .map(({ width, height, top }) => [width, height, top]).join();
    const before = size();
    for (const text of ["\u2212888", "\u221288.8", "88888", "888.8", "–"]) {
      place.textContent = text;
      const range = document.createRange();
      range.selectNodeContents(place);
      const { left, right } = range.getBoundingClientRect();
      const box = place.getBoundingClientRect();
      if (left < box.left - 0.5 || right > box.right + 0.5) found.push(`${text} is wider than its box`);
      if (size() !== before) found.push(`${text} changes a size`);
    }
    place.classList.remove("fits");
    place.textContent = "88.8";
    if (size() !== before) found.push("its box is another than that of a value that does not fit");
    place.classList.add("fits");
  }
  return found;
}"""
# The time of the frames in which values and in which the clocks were drawn.
TIMES = """() => {
  window.drawn = { values: new Set(), clocks: new Set() };
  const note = (name) => () => window.drawn[name].add(document.timeline.currentTime);
  const how = { childList: true, characterData: true, subtree: true };
  new MutationObserver(note("values")).observe(document.getElementById("main"), how);
  new MutationObserver(note("clocks")).observe(document.getElementById("live-age"), how);
}"""


def test_a_number_that_changes_lays_out_itself_alone_and_a_pointer_that_moves_sorts_no_layers(
    plant: Plant, opened: Opened
) -> None:
    page = opened(LINE, viewport={"width": 1366, "height": 768})
    machine = machines_of(page)[0]
    value = page.locator(f'#main .val[data-tag="{machine}/temp"] .v')
    plant.send({f"{machine}/temp": 45.5})
    expect(value).to_have_text("45.5")
    expect(value).to_have_class("v fits")
    expect(value).to_have_css("contain", "size layout")
    assert page.evaluate(WIDEST) == []
    plant.send({f"{machine}/temp": 149.9})
    expect(value).to_have_text("over 104.0")
    expect(value).to_have_class("v")  # it is as wide as it is
    expect(value).to_have_css("contain", "none")
    events = tiles.trace(page, ["blink", "devtools.timeline"], lambda: page.evaluate(MOVE))
    names = [event["name"] for event in events]
    assert names.count("Paint") >= 12, "they moved"
    assert names.count("PaintArtifactCompositor::Update") < 6


def test_what_moves_on_by_itself_lays_out_no_whole_page(opened: Opened, sending: list[int]) -> None:
    page = opened(LINE, viewport={"width": 1366, "height": 768})
    live = page.locator('#main .val[data-tag="tile-00/temp"] .v')
    expect(live).not_to_have_text(live.inner_text())
    page.wait_for_timeout(2_000)  # what is laid out once is
    left = 600 - time.time() % 600  # each ten minutes the banner writes since when it counts
    if left < 15:
        page.wait_for_timeout((left + 3) * 1000)
    began = sending[0]
    told = ["blink", "benchmark", "devtools.timeline", "disabled-by-default-devtools.timeline"]
    events = tiles.trace(page, told, lambda: page.wait_for_timeout(4_000))
    assert sending[0] > began + 5  # it was live
    ended = [event["args"].get("endData", {}) for event in events if event["name"] == "LocalFrameView::layout"]
    roots = Counter(root["nodeName"] for data in ended for root in data.get("layoutRoots", []))
    assert "#document" not in roots
    assert roots["SPAN class='v fits'"] > 50 and any("live-age" in name for name in roots), "values and clocks are"


def test_the_clocks_are_drawn_in_the_frames_of_values(plant: Plant, opened: Opened, sending: list[int]) -> None:
    page = opened(LINE, viewport={"width": 1366, "height": 768})
    live = page.locator('#main .val[data-tag="tile-00/temp"] .v')
    expect(live).not_to_have_text(live.inner_text())
    page.evaluate(TIMES)
    began, alone, together = sending[0], 0, 0
    for _ in range(6):  # until values come as often as they are sent: beside late ones the clocks are drawn alone
        page.evaluate("() => { window.drawn.values.clear(); window.drawn.clocks.clear(); }")
        page.wait_for_timeout(3_000)
        alone, together = page.evaluate(
            "() => [...window.drawn.clocks].reduce(([alone, both], at) =>"
            " window.drawn.values.has(at) ? [alone, both + 1] : [alone + 1, both], [0, 0])"
        )
        if page.evaluate("window.drawn.values.size") >= 3 * PAINTS - 2:
            break
    assert sending[0] > began + 5  # it was live
    assert together > alone  # those alone are of values that came late


def machines_of(page: Page) -> list[str]:
    """Gives the machines whose cards the line's page shows, in their order."""
    cards = page.locator('#main [data-card^="tile-"]')
    codes: list[str] = cards.evaluate_all("cards => cards.map((card) => card.dataset.card)")
    return codes


def test_a_card_out_of_sight_is_drawn_when_it_comes_and_before_nothing_moves_any_more(
    plant: Plant, opened: Opened
) -> None:
    page = opened(LINE, viewport={"width": 1366, "height": 600})
    wire = Wire(page)
    cards = machines_of(page)
    near, far, farther = cards[0], cards[-2], cards[-1]
    shown = {code: page.locator(f'#main .val[data-tag="{code}/temp"] .v') for code in (near, far, farther)}
    plant.send({f"{code}/temp": 41.5 for code in shown})
    expect(shown[near]).to_have_text("41.5")
    assert shown[far].inner_text() != "41.5"  # what nobody sees costs nothing
    page.locator(f'[data-card="{far}"]').scroll_into_view_if_needed()
    expect(shown[far]).to_have_text("41.5")
    page.locator(f'[data-card="{near}"]').scroll_into_view_if_needed()
    plant.send({f"{code}/temp": 42.5 for code in shown})
    expect(shown[near]).to_have_text("42.5")
    # On paper all of them are.
    assert shown[far].text_content() != "42.5"
    until(  # three machines' values may come in more than one frame
        page,
        lambda: page.evaluate("dispatchEvent(new Event('beforeprint'))"),
        lambda: [shown[code].text_content() for code in shown] == ["42.5"] * 3,
    )
    plant.send({f"{code}/temp": 43.5 for code in shown})
    expect(shown[near]).to_have_text("43.5")
    assert shown[far].text_content() == "42.5"
    page.wait_for_timeout(1_000)
    wire.cut()
    # All are as they were when the connection was lost, wherever they stand.
    assert [shown[code].text_content() for code in shown] == ["43.5"] * 3


def test_a_card_keeps_the_alarm_that_the_page_was_made_with_until_something_is_heard(
    plant: Plant, opened: Opened
) -> None:
    page = opened(LINE, viewport={"width": 1366, "height": 600})
    machine = machines_of(page)[0]
    plant.send({f"{machine}/temp": 97.4})
    card = page.locator(f'#main [data-card="{machine}"]')
    until(page, page.reload, lambda: card.count() and "p1" in (card.get_attribute("class") or ""))
    page.route_web_socket(re.compile("/ws/live"), lambda _socket: None)  # it opens, and nothing comes
    page.reload()
    page.locator("#main [data-card]").last.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # it is away
    card.scroll_into_view_if_needed()
    page.locator("#not-live").wait_for()  # all cards were drawn as they were
    expect(card).to_have_class(re.compile(r"\bal p1\b"))
