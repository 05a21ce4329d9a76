"""The overview, an area, a machine, the wall and the first start in a real browser: live, steady, by keyboard."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Page, Route, WebSocketRoute, expect

from tests.browser.conftest import ACK_ALL, Plant, until
from tests.browser.walking import PHONE, Opened, list_with, machine_page, wait_for_live

pytestmark = pytest.mark.browser

AREA = "/a/hall/line-1/"


WATCH = """() => {
  window.moved = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const main = document.getElementById("main"); // the frame around it is looked at in test_banner.py
      for (const { node, previousRect: was, currentRect: is } of entry.sources) {
        // A text that grows away from the edge that it stands at, such as an age, has not moved.
        const far = (side) => Math.abs(is[side] - was[side]) >= 1;
        const moved = far("top") || (far("left") && far("right"));
        if (!node || !main.contains(node) || entry.hadRecentInput || !moved) continue;
        const part = node instanceof Element ? node : node.parentElement;
        window.moved.push([part.outerHTML.slice(0, 160), node.textContent.slice(0, 40), was.toJSON(), is.toJSON()]);
      }
    }
  }).observe({ type: "layout-shift", buffered: false });
}"""

# A line of its own, longer than a page of cards.
YARD = """
from devices import services
from devices.models import Asset, Level

if not Asset.objects.filter(code="yard").exists():
    yard = services.create_asset(code="yard", name="Yard", level=Level.AREA, parent=Asset.objects.get(code="works"))
    quay = services.create_asset(code="quay", name="Quay", level=Level.LINE, parent=yard)
    for number in range(1, 76):
        services.create_asset(code=f"crane-{number}", name=f"Crane {number}", level=Level.MACHINE, parent=quay)
"""

# The page that asks for a part of the plant, as it is where there are too many for a list.
AS_OF_A_LARGE_PLANT = """
import json
from unittest import mock

from django.contrib.auth.models import User
from django.test import Client
from plant.pages import subscription_form

client = Client(HTTP_HOST="127.0.0.1")
client.force_login(User.objects.get(username="olga"))
with mock.patch.object(subscription_form, "MOST_LISTED", 4):
    answer = client.get("/incident/")
assert answer.status_code == 200
print(json.dumps(answer.content.decode()))
"""


def box_of(page: Page, selector: str) -> FloatRect:
    found = page.locator(selector).bounding_box()
    assert found is not None, selector
    return found


def test_a_card_follows_its_machine_and_nothing_on_the_page_moves(plant: Plant, opened: Opened) -> None:
    press = "press-1-2"  # on the first page of the line's cards, and no other journey's
    plant.send({f"{press}/temp": 50.0, f"{press}/oil": 50.0})
    page, overview = opened(AREA), opened("/")
    card = page.locator(f'[data-card="{press}"]')
    value = card.locator(f'.val[data-tag="{press}/temp"] .v')
    expect(value).to_have_text("50.0")
    page.evaluate(WATCH)
    overview.evaluate(WATCH)
    # What is beyond the range of the sensor is told as that.
    for figure, words in ((51.7, "51.7"), (9.0, "9.0"), (97.4, "97.4"), (149.9, "over 104.0")):
        plant.send({f"{press}/temp": figure, f"{press}/oil": figure / 2})
        expect(value).to_have_text(words)
    expect(card).to_have_class(re.compile(r"\bal p1\b"))
    expect(card.locator("[data-symbols] svg.p1")).to_be_visible()
    expect(card.locator(f'.mai.al.p1[data-tag="{press}/temp"]')).to_be_visible()
    expect(overview.locator(f'a.hexg[data-asset="{press}"]')).to_have_class(re.compile(r"\bal p1\b"))
    assert page.evaluate("window.moved") == []
    assert overview.evaluate("window.moved") == []


def test_an_age_that_grows_by_a_digit_moves_no_word_beside_it(opened: Opened) -> None:
    page = opened(AREA)
    note = page.locator("[data-card] [data-note]:visible").first  # a machine that was never heard
    note.wait_for()
    sizes = note.evaluate("""(note) => ["9 min 59 s", "10 min 00 s", "23 h 59 min"].map((words) => {
      note.querySelector("[data-age]").textContent = words;
      return note.firstElementChild.getBoundingClientRect().width;
    })""")
    assert len(set(sizes)) == 1, sizes


def test_the_overview_is_sent_states_and_counts_and_no_other_value(plant: Plant, opened: Opened) -> None:
    page = opened("/")
    sent: list[dict[str, Any]] = []
    page.on("websocket", lambda live: live.on("framereceived", lambda text: sent.append(json.loads(text))))
    page.reload()
    wait_for_live(page)
    press = "press-1-3"
    cell = page.locator(f'a.hexg[data-asset="{press}"]')
    fresh = page.locator("[data-kpi=fresh]")

    def of(*kinds: str) -> list[dict[str, Any]]:
        return [frame for frame in sent if frame["type"] in kinds]

    def is_told() -> bool:
        plant.send({f"{press}/temp": 51.5, f"{press}/oil": 20.5})
        told = {code for frame in of("freshness") for code, _newest in frame["machines"]}
        return press in told and int(fresh.inner_text()) >= 2

    until(page, lambda: page.wait_for_timeout(200), is_told)
    expect(cell).not_to_have_class(re.compile("stale|offline"))
    # In one look: both are drawn anew once a second.
    both = "['fresh', 'stale'].map((name) => Number(document.querySelector(`[data-kpi=${name}]`).textContent))"
    assert sum(page.evaluate(both)) == of("freshness")[-1]["sensors"][1]
    told = [row[0] for frame in of("snapshot", "values") for row in frame["values"]]
    assert [tag for tag in told if not tag.endswith("/state")] == []


def test_a_count_that_does_not_come_any_more_is_not_shown_as_the_present(plant: Plant, opened: Opened) -> None:
    plant.send({"press-1-3/temp": 51.5})
    page = opened("/")
    counts = True

    def connect(live: WebSocketRoute) -> None:
        def pass_on(text: str | bytes) -> None:
            if counts or json.loads(text)["type"] != "freshness":
                live.send(text)

        live.connect_to_server().on_message(pass_on)

    page.route_web_socket(re.compile("/ws/live"), connect)
    page.reload()
    wait_for_live(page)
    fresh = page.locator("[data-kpi=fresh]")
    expect(fresh).to_have_text(re.compile(r"^\d"))
    counts = False
    expect(fresh).to_have_text("–", timeout=10_000)
    expect(page.locator("#not-live")).to_be_hidden()
    counts = True
    expect(fresh).to_have_text(re.compile(r"^\d"))


def test_a_folded_line_stays_folded_and_unfolds_by_key(plant: Plant, opened: Opened) -> None:
    plant.stack.script(YARD)
    page = opened("/a/yard/")
    line = page.locator("#line-quay")
    button = line.locator("[data-act=fold]")
    expect(button).to_have_attribute("aria-expanded", re.compile("true|false"))
    if button.get_attribute("aria-expanded") == "false":
        button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(line.locator(".cards")).to_be_hidden()
    page.reload()
    expect(button).to_have_attribute("aria-expanded", "false")
    button.press("Enter")
    expect(line.locator("[data-card]").first).to_be_visible()
    # What is longer than a page of cards comes page by page.
    expect(line.locator("[data-card]")).to_have_count(60)
    more = line.locator("[data-act=more-cards]")
    expect(more).to_contain_text("Show 15 more")
    more.click()
    expect(line.locator("[data-card]")).to_have_count(75)
    expect(more).to_be_hidden()


def test_a_button_that_is_pressed_before_its_script_is_there_is_not_lost(plant: Plant, opened: Opened) -> None:
    plant.stack.script(YARD)
    page = opened("/a/yard/")
    button = page.locator("#line-quay").locator("[data-act=fold]")
    held: list[Route] = []
    page.route("**/js/ui/area.js", lambda route: held.append(route))
    page.reload(wait_until="domcontentloaded")
    until(page, lambda: None, lambda: held)
    before = button.get_attribute("aria-expanded")
    button.click()
    held[0].continue_()
    expect(button).to_have_attribute("aria-expanded", "true" if before == "false" else "false")


def test_further_machines_are_read_once_and_what_is_not_there_is_said(plant: Plant, opened: Opened) -> None:
    plant.stack.script(YARD)
    page = opened("/a/yard/")
    line = page.locator("#line-quay")
    button, more, cards = line.locator(".fold"), line.locator("[data-act=more-cards]"), line.locator("[data-card]")
    if button.get_attribute("aria-expanded") == "true":
        button.click()
        page.reload()
    expect(cards).to_have_count(0)
    page.route("**/*cards=*", lambda route: route.abort())
    button.click()
    expect(page.locator(".toast")).to_have_text("The machines could not be read, try again.")
    expect(button).to_have_attribute("aria-expanded", "false")
    page.unroute_all()
    button.click()
    expect(cards).to_have_count(60)
    more.evaluate("(link) => { link.click(); link.click(); }")
    expect(cards).to_have_count(75)
    expect(more).to_be_hidden()
    page.wait_for_timeout(500)
    expect(cards).to_have_count(75)


def test_a_comment_is_written_by_keyboard_and_stands_among_the_events(plant: Plant, opened: Opened, press: str) -> None:
    page = opened(f"{AREA}{press}/")
    page.keyboard.press("c")
    page.keyboard.type("Bypass is free, cx")
    page.keyboard.press("Enter")
    expect(page.locator("#events")).to_contain_text("olga Bypass is free, cx")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("")


def test_the_wall_has_nothing_to_click_and_is_kept(plant: Plant, opened: Opened) -> None:
    page = opened("/", user="vera")
    page.keyboard.press("w")
    expect(page.locator(".nav")).to_be_hidden()
    expect(page.locator("#banner")).to_be_visible()
    page.reload()
    expect(page.locator(".nav")).to_be_hidden()
    page.keyboard.press("w")
    expect(page.locator(".nav")).to_be_visible()
    page.goto("/alarms/?density=wall")
    page.locator("#live-word", has_text="Live").wait_for(state="attached")
    page.goto("/")
    expect(page.locator(".nav")).to_be_hidden()


def test_an_old_tab_offers_the_new_version_and_does_not_reload_by_itself(plant: Plant, opened: Opened) -> None:
    page = opened("/")
    expect(page.locator("#new-version")).to_be_hidden()
    # As if the server had been brought up to date since the tab was opened: its next snapshot names another version.
    page.evaluate("document.body.dataset.version = 'older'; window.sameDocument = true")
    plant.stack.kill("web")
    plant.stack.start("web")
    expect(page.locator("#new-version")).to_be_visible(timeout=20_000)
    assert page.evaluate("window.sameDocument") is True
    page.locator("#new-version").click()
    page.wait_for_function("() => window.sameDocument === undefined")


def test_a_part_of_a_large_plant_is_found_by_words_and_sent_by_its_code(
    plant: Plant, opened: Opened, press: str
) -> None:
    made = json.loads(plant.stack.script(AS_OF_A_LARGE_PLANT).splitlines()[-1])
    page = opened("/")
    page.route(
        re.compile(r"/incident/$"),
        lambda route: route.fulfill(status=200, content_type="text/html; charset=utf-8", body=made),
    )
    page.goto("/incident/")
    field_shown = page.get_by_label("Of", exact=True)
    field_shown.click()
    offered = page.locator("#asset-found option")
    expect(offered).to_have_count(20)
    for typed in (press, f"line 1 {press}", f"{press.upper()}  LINE", f"{press} "):
        field_shown.fill(typed)
        expect(offered).to_have_count(1)
        assert offered.get_attribute("value") == press
        # A browser shows only what holds the text as it was typed, in its code or in what it is called.
        shown = offered.evaluate("(option) => [option.value, option.label]")
        assert any(typed.lower() in text.lower() for text in shown), (typed, shown)
        assert (typed in shown[1]) == (typed != press), "what the code holds is not said twice"


def test_on_a_phone_what_comes_and_goes_on_a_machines_page_moves_nothing(
    plant: Plant, opened: Opened, press: str
) -> None:
    page = opened(machine_page(press), **PHONE)
    page.evaluate(WATCH)
    plant.send({f"{press}/temp": 97.4})
    expect(page.locator("#why")).to_contain_text("Temperature high")
    plant.send({f"{press}/oil": 97.4})
    expect(page.locator("#mine [data-alarm]")).to_have_count(2)
    expect(page.locator("#counts .pcount")).to_have_count(2)
    assert page.evaluate("window.moved") == []
    # Opened with an alarm, it begins with why; that place is there still when the alarm is over.
    page.reload()
    wait_for_live(page)
    assert box_of(page, "#why")["y"] < box_of(page, ".o-open")["y"] < box_of(page, ".o-trend")["y"]
    page.evaluate(WATCH)
    page.evaluate(ACK_ALL)
    plant.send({f"{press}/temp": 50.0, f"{press}/oil": 50.0})
    expect(page.locator("#mine [data-alarm]")).to_have_count(0)
    expect(page.locator("#why")).to_contain_text("No alarm stands any more.")
    # A row that is over leaves its list to the others; whatever stands outside stays.
    assert [moved for moved in page.evaluate("window.moved") if "data-alarm" not in moved[0]] == []


@pytest.mark.parametrize("options", [PHONE, {}], ids=["phone", "laptop"])
def test_alarms_move_nothing_on_the_overview(
    plant: Plant, opened: Opened, quiet: Page, options: dict[str, Any]
) -> None:
    page = opened("/", **options)
    places = [one for one in ("#area-hall", "#connections") if page.locator(one).is_visible()]
    before = [box_of(page, one) for one in places]
    page.evaluate(WATCH)
    mine = [f"press-1-{number}" for number in range(5, 9)]  # nobody else's, and quiet again at the end
    for press in mine:
        plant.send({f"{press}/temp": 97.4, f"{press}/oil": 97.4})
    expect(page.locator("#banner-unacked")).to_have_text("8")
    expect(page.locator("#attention li")).to_have_count(6)
    assert [box_of(page, one) for one in places] == before
    assert [moved for moved in page.evaluate("window.moved") if "data-alarm" not in moved[0]] == []
    plant.send({f"{press}/{key}": 50.0 for press in mine for key in ("temp", "oil")})


def test_figures_in_columns_move_none_beside_them(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 50.0, f"{press}/oil": 50.0})
    machine, table = opened(machine_page(press)), opened(f"{AREA}?view=table")
    explorer = opened(f"/trends/?s={press}/temp&s={press}/oil&t=1h")
    expect(explorer.locator(f'#figures tr[data-tag="{press}/temp"] [data-of=high]')).to_have_text("50.0")
    value = machine.locator("#sensor-temp .c-val .v")
    expect(value).to_have_text("50.0")
    pages = (machine, table, explorer)
    for page in pages:
        page.evaluate(WATCH)
    for figure, words in ((9.0, "9.0"), (97.4, "97.4"), (149.9, "over 104.0"), (-20.0, "under"), (50.0, "50.0")):
        plant.send({f"{press}/temp": figure, f"{press}/oil": figure})
        expect(value).to_contain_text(words)
    expect(table.locator(f'[data-row="{press}"] .pcount')).to_have_count(2)
    expect(machine.locator("#counts .pcount")).to_have_count(2)
    expect(explorer.locator(f'#figures tr[data-tag="{press}/temp"] [data-of=high]')).to_have_text("149.9")
    explorer.locator("#chart").hover()
    expect(explorer.locator("#at-cursor")).to_contain_text("At cursor")
    for page in pages:
        assert page.evaluate("window.moved") == []


def test_a_banner_of_two_lines_is_as_tall_as_one_of_one(plant: Plant, opened: Opened, quiet: Page, press: str) -> None:
    page = opened("/", **PHONE)
    tall = box_of(page, "#banner")["height"]
    assert tall == 64
    plant.send({f"{press}/temp": 97.4})
    expect(page.locator("#banner .msg")).to_be_visible()
    for words in ("Temperature high", "Second stage discharge temperature is far too high"):
        page.locator("#banner .msg").evaluate("(place, words) => (place.textContent = words)", words)
        assert box_of(page, "#banner")["height"] == tall
    assert page.locator("#banner .what").evaluate("(what) => what.getBoundingClientRect().height") <= tall - 1


def test_on_a_laptop_signing_out_is_in_sight_and_a_drawer_moves_no_row(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 97.4})
    for locale in ("en-GB", "de-DE"):
        page = list_with(opened, press, rows=2, locale=locale)
        expect(page.locator(".nav .foot button.plainlink")).to_be_in_viewport(ratio=1)
        rows = page.locator("tr[data-alarm]")
        before = [rows.nth(place).bounding_box() for place in (0, 1)]
        rows.first.locator(".c-tag").click()
        page.locator("#draw h2").wait_for()
        after = [rows.nth(place).bounding_box() for place in (0, 1)]
        assert [(row["y"], row["height"]) for row in after if row] == [
            (row["y"], row["height"]) for row in before if row
        ]


@pytest.mark.parametrize("width", [1024, 720])
def test_on_a_tablet_no_page_is_wider_than_its_window(opened: Opened, width: int) -> None:
    page = opened("/", viewport={"width": width, "height": 768})
    for address in ("/", "/trends/"):
        page.goto(address)
        page.locator("#live-word", has_text="Live").wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
