"""The operator's journeys, by clicks and by keys alone: cause, on call, three at once, shelve; the horn.

The journeys 3 and 7 of the design, the engineer's, are in test_engineer.py, which says why 6 and 8 are nowhere yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Plant, until
from tests.browser.walking import PHONE, SHELVE_ALL, Opened, list_with, row

pytestmark = pytest.mark.browser

SHELVE_CRITICAL_TOO = SHELVE_ALL.replace('["minutes", "60"]', '["critical", "1"], ["minutes", "60"]')
TONES = """(() => {
  window.tones = [];
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (when) {
    window.tones.push(this.frequency.value);
    return start.call(this, when);
  };
})();"""


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until something has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


# --- Journey 1: critical alarm to cause ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["click", "keys"])
def test_from_the_banner_to_the_cause_and_acknowledged(plant: Plant, quiet: Page, press: str, way: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    expect(quiet.locator("#banner .code")).to_have_text(press)
    if way == "click":
        quiet.locator("#banner .what").click()
    else:
        tab_to(quiet, "#banner .what")
        quiet.keyboard.press("Enter")
    expect(quiet).to_have_url(re.compile(f"/{press}/$"))
    expect(quiet.locator("#why")).to_contain_text("The fan stands.")
    expect(quiet.locator("#why")).to_be_in_viewport()
    if way == "click":
        quiet.locator("#banner [data-act=ack-banner]").click()
    else:
        quiet.locator("#live-word", has_text="Live").wait_for(state="attached")
        quiet.keyboard.press("a")
    expect(quiet.locator("#banner-unacked")).to_have_text("0")


# --- Journey 2: on call, from a phone --------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["tap", "keys"])
def test_on_call_from_the_link_in_a_message_to_the_acknowledgement(
    plant: Plant, opened: Opened, press: str, way: str
) -> None:
    plant.send({f"{press}/temp": 97.4})
    console = list_with(opened, press)
    alarm = console.locator("tr[data-alarm]").get_attribute("data-alarm")
    phone = opened(f"/alarms/{alarm}/", **PHONE)
    button = phone.locator("#draw").get_by_role("button", name="Ack")
    expect(button).to_be_in_viewport()
    if way == "tap":
        box = button.bounding_box()
        assert box is not None and box["height"] >= 44
        button.tap()
    else:
        phone.keyboard.press("a")
    expect(phone.locator("#draw .word")).to_have_text("Acked")
    expect(phone.locator("#draw .acts .who")).to_contain_text("Acknowledged by olga at")
    # Who has the console open sees who it was, in the row.
    expect(console.locator("tr[data-alarm] .c-act .who")).to_have_text("by olga")


# --- Journey 4: three at once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["click", "keys"])
def test_three_alarms_at_once(plant: Plant, quiet: Page, codes: Iterator[str], way: str) -> None:
    one, other = next(codes), next(codes)
    plant.send({f"{one}/temp": 97.4, f"{one}/oil": 85.0, f"{other}/temp": 98.0})
    expect(quiet.locator("#banner-unacked")).to_have_text("3")
    if way == "keys":
        expect(quiet.locator("#attention li[data-alarm]", has_text=other)).to_have_count(1)  # it is drawn
        for key in "ga":
            quiet.keyboard.press(key)
    else:
        quiet.locator('.nav a[href="/alarms/"]').click()
    quiet.locator("#live-word", has_text="Live").wait_for(state="attached")
    waiting = quiet.locator("tr[data-alarm].un")
    expect(waiting).to_have_count(3)
    if way == "keys":
        for key in "xjxjxa":
            quiet.keyboard.press(key)
    else:
        for place in range(3):
            waiting.nth(place).locator(".cb").click()
        expect(quiet.locator("[data-bulk]")).to_have_text("3")
        quiet.locator("#bulk").get_by_role("button", name="Ack").click()
        # The key is meant as it is pressed; of several a button asks once, and Enter is its answer.
        expect(quiet.locator("#asking h2")).to_have_text("Acknowledge 3 alarms?")
        expect(waiting).to_have_count(3)
        expect(quiet.locator("#asking .what li")).to_have_count(3)
        quiet.keyboard.press("Enter")
    expect(quiet.locator(".toast")).to_contain_text("Acknowledged. That was done to 3 alarms.")
    expect(waiting).to_have_count(0)
    expect(quiet.locator("#bulk")).to_be_hidden()


def test_the_drawer_acts_on_the_alarm_that_it_shows_and_on_no_other(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(opened, press, rows=2)
    first, second = (page.locator("tr[data-alarm]").nth(place) for place in (0, 1))
    shown, wanted = first.get_attribute("data-alarm"), second.get_attribute("data-alarm")
    first.locator(".msg").click()
    button = page.locator("#draw").get_by_role("button", name="Ack")
    expect(button).to_be_visible()
    # The drawer scrolls by itself: there is nothing below the window.
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0
    assert page.evaluate(
        "(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)(document.getElementById('draw'))"
    )
    # Another one is asked for and does not come: its content is not there, so its name is not either.
    answers: list[Any] = []
    page.route(re.compile(rf"/alarms/{wanted}/"), lambda route: answers.append(route))
    second.locator(".msg").click()
    page.wait_for_function("() => document.querySelectorAll('tr[aria-selected=true]').length === 1")
    assert page.locator("#draw").get_attribute("data-alarm") == shown
    until(page, lambda: None, lambda: answers)
    answers[0].abort()
    expect(page.locator(".toast")).to_contain_text("The alarm could not be read")
    expect(button).to_have_count(0)
    expect(page.locator("#draw")).to_have_attribute("data-alarm", "")
    page.unroute_all()
    second.locator(".msg").click()
    expect(page.locator("#draw")).to_have_attribute("data-alarm", str(wanted))
    button.click()
    expect(page.locator(f"tr[data-alarm='{wanted}'] .c-act .who")).to_have_text("by olga")
    expect(page.locator(f"tr[data-alarm='{shown}'] .c-act .who")).to_have_count(0)


def test_the_drawer_says_that_there_is_no_data_only_once_it_has_read(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press)
    held: list[Any] = []
    page.route(re.compile(rf"/history.*{press}|{press}.*/history"), lambda route: held.append(route))
    row(page, press).locator(".msg").click()
    until(page, lambda: None, lambda: held)
    page.wait_for_timeout(1200)  # a live trend is drawn once a second
    expect(page.locator("#draw .lane")).to_be_visible()
    expect(page.locator("#draw .nothing")).to_be_hidden()
    held[0].fulfill(json={"times": [], "values": []})
    expect(page.locator("#draw .nothing")).to_have_text("No data in this range")


# --- Journey 5: shelve -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["click", "keys"])
def test_shelved_for_an_hour_with_a_reason_and_listed(plant: Plant, opened: Opened, press: str, way: str) -> None:
    plant.send({f"{press}/oil": 85.0})
    list_with(opened, press).evaluate(SHELVE_ALL)
    shelf = opened(f"/alarms/?show=shelved&q={press}", user="max")
    expect(shelf.locator("tr[data-key]")).to_have_count(1)
    count = shelf.locator('[data-count="shelved"]')
    before = int(count.inner_text())
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press)
    if way == "click":
        row(page, press).locator(".msg").click()
        page.locator("#draw").get_by_role("link", name="Shelve").click()
        page.locator("#asking").get_by_text("1 h", exact=True).click()
        page.get_by_label("Reason").fill("Work on the transmitter")
        page.get_by_role("button", name=re.compile(r"^Shelve until \d\d:\d\d$")).click()
    else:
        page.keyboard.press("j")
        page.keyboard.press("s")
        expect(page.get_by_label("Reason")).to_be_focused()
        page.keyboard.type("Work on the transmitter")
        page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Shelved.")
    expect(row(page, press)).to_have_count(0)
    # The other screen hears of it: its count at once, its list when somebody asks for what is new.
    expect(count).to_have_text(str(before + 1))
    expect(shelf.locator("#newer")).to_be_visible()
    shelf.keyboard.press("n")
    listed = shelf.locator(f"tr[data-key='{press}/Temperature high']")
    expect(listed).to_contain_text("Work on the transmitter")
    listed.get_by_role("button", name="Unshelve").click()
    expect(count).to_have_text(str(before))
    # Presented again, it is on the first screen at once: there is no row there that it could move.
    expect(row(page, press)).to_have_count(1)
    expect(page.locator("#newer")).to_be_hidden()


# --- The horn --------------------------------------------------------------------------------------------------------


def test_the_horn_sounds_by_priority_until_it_is_silenced_and_never_acknowledges(
    plant: Plant, opened: Opened, quiet: Page, press: str
) -> None:
    page = list_with_tones(opened, press)
    horn = page.locator("#horn")
    plant.send({f"{press}/oil": 85.0})
    # Until somebody touches the page, the browser is mute, and the page says so.
    expect(horn).to_have_attribute("data-now", "blocked")
    assert page.evaluate("window.tones") == []
    page.keyboard.press("j")
    expect(horn).to_have_attribute("data-now", "sounding")
    page.wait_for_function("() => window.tones.includes(587)")
    assert set(page.evaluate("window.tones")) == {587}  # medium
    plant.send({f"{press}/temp": 97.4})
    page.wait_for_function("() => window.tones.includes(988)")  # critical is heard over it
    page.keyboard.press("m")
    expect(horn).to_have_attribute("data-now", "quiet")
    expect(page.locator("#banner-unacked")).to_have_text("2")
    # What comes after the silence is heard.
    plant.send({f"{press}/oil": 20.0, f"{press}/temp": 20.0})
    plant.send({f"{press}/temp": 97.4})
    expect(horn).to_have_attribute("data-now", "sounding")
    horn.get_by_role("button").click()
    expect(horn).to_have_attribute("data-now", "quiet")


def test_what_the_server_has_not_silenced_sounds_again(plant: Plant, opened: Opened, quiet: Page, press: str) -> None:
    page = list_with_tones(opened, press)
    horn = page.locator("#horn")
    plant.send({f"{press}/temp": 97.4})
    page.keyboard.press("j")
    expect(horn).to_have_attribute("data-now", "sounding")
    # As if it had been announced anew, unacknowledged as before, while the wish was on its way.
    nothing = {"message": "No alarm sounds.", "done": False}
    page.route("**/alarms/silence", lambda route: route.fulfill(json=nothing))
    page.keyboard.press("m")
    expect(horn).to_have_attribute("data-now", "quiet")
    expect(horn).to_have_attribute("data-now", "sounding")


def list_with_tones(opened: Opened, code: str) -> Page:
    """Opens the list of a machine; what is played is written down."""
    page = opened(f"/alarms/?q={code}")
    page.add_init_script(TONES)
    page.reload()
    page.locator("#live-word", has_text="Live").wait_for(state="attached")
    return page


# --- Rows keep their place -------------------------------------------------------------------------------------------

# Where each row stands whenever the page is drawn, and which of them has the pointer on it.
PLACES = """() => {
  window.places = new Set();
  const look = () => {
    const rows = [...document.querySelectorAll("tr[data-alarm]")];
    window.places.add(JSON.stringify(rows.map((row) => [row.dataset.alarm, row.getBoundingClientRect().top])));
    window.under = document.querySelector("tr[data-alarm]:hover")?.dataset.alarm;
    requestAnimationFrame(look);
  };
  look();
}"""


def test_a_burst_of_alarms_moves_no_row_under_the_pointer(
    plant: Plant, opened: Opened, quiet: Page, codes: Iterator[str]
) -> None:
    mine = [next(codes) for _ in range(3)]
    plant.send({f"{code}/oil": 85.0 for code in mine})
    for code in mine:
        list_with(opened, code).close()
    page = opened("/alarms/")
    rows = page.locator("tr[data-alarm]")
    pointed = row(page, mine[0], "Oil temperature high")
    pointed.scroll_into_view_if_needed()
    pointed.hover()
    page.evaluate(PLACES)
    shown = rows.count()
    # Higher ones, which belong above all of them, one after the other; and what is over leaves its row standing.
    for code in mine:
        plant.send({f"{code}/temp": 97.4})
        plant.send({f"{code}/oil": 20.0})
    expect(page.locator("#newer")).to_contain_text(f"{len(mine)} new alarms")
    row(opened(f"/alarms/?q={mine[0]}", user="max"), mine[0], "Oil").get_by_role("button", name="Ack").click()
    expect(pointed.get_by_role("button", name="Ack")).to_have_count(0)
    page.wait_for_timeout(500)
    assert len(page.evaluate("() => [...window.places]")) == 1
    assert page.evaluate("() => window.under") == pointed.get_attribute("data-alarm")
    assert rows.count() == shown
    page.keyboard.press("n")
    expect(row(page, mine[0], "Temperature high").filter(has_not_text="Oil")).to_have_count(1)


# --- Keys ------------------------------------------------------------------------------------------------------------


def test_single_keys_can_be_switched_off_and_are_all_in_the_list(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press, user="max")
    page.keyboard.press("?")
    keys = page.locator("#keys")
    for key in "/ACJKMNSTWX?":
        expect(keys.locator("kbd", has_text=re.compile(f"^{re.escape(key)}$")).first).to_be_visible()
    with page.expect_response("**/screen") as kept:
        keys.get_by_label("Single keys").click()
    assert kept.value.ok
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("tr[aria-selected=true]")).to_have_count(0)
    page.reload()
    page.locator("#live-word", has_text="Live").wait_for(state="attached")
    page.keyboard.press("j")
    expect(page.locator("tr[aria-selected=true]")).to_have_count(0)
    page.get_by_role("button", name="Keyboard and sound").click()
    with page.expect_response("**/screen"):  # stored: whoever comes after has their keys
        keys.get_by_label("Single keys").click()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("tr[aria-selected=true]")).to_have_count(1)


def test_the_list_follows_what_is_typed_and_the_address_keeps_it(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(opened, press, rows=2)
    page.evaluate("window.sameDocument = true")
    field = page.get_by_label("Filter alarms")
    field.fill(f"{press} oil")
    expect(page.locator("tr[data-alarm]")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"q={press}\+oil$"))
    expect(page.locator(".tabrow a", has_text="Unacked")).to_have_attribute("href", re.compile(r"q=.*show=unacked"))
    expect(page.locator(".kept .keep")).to_be_visible()
    page.get_by_label("State").select_option("cleared")
    expect(page.locator("#rows")).to_contain_text("No alarm matches the filter")
    assert page.evaluate("window.sameDocument") is True
    page.get_by_role("link", name="Show all").click()
    expect(page).to_have_url(re.compile("/alarms/$"))


# --- Several at once, presented again --------------------------------------------------------------------------------


def test_several_are_unshelved_after_one_question(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    list_with(opened, press, rows=2).evaluate(SHELVE_CRITICAL_TOO)
    page = opened(f"/alarms/?show=shelved&q={press}")
    listed = page.locator("tr[data-key]")
    expect(listed).to_have_count(2)
    expect(page.locator("#bulk")).to_be_hidden()
    page.locator("[data-choose-all]").click()
    expect(page.locator("[data-bulk]")).to_have_text("2")
    page.locator("#bulk").get_by_role("button", name="Unshelve").click()
    expect(page.locator("#asking h2")).to_have_text("Unshelve 2 alarms?")
    page.keyboard.press("Escape")
    expect(listed).to_have_count(2)
    expect(page.locator("#asking")).to_be_hidden()
    page.keyboard.press("u")
    expect(page.locator("#asking")).to_be_visible()
    expect(page.locator("#asking h2")).to_have_text("Unshelve 2 alarms?")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("That was done to 2 alarms.")
    expect(listed).to_have_count(0)
    expect(page.locator("#bulk")).to_be_hidden()


def test_a_row_of_the_shelf_is_chosen_by_keys_and_unshelved(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    list_with(opened, press, rows=2).evaluate(SHELVE_CRITICAL_TOO)
    page = opened(f"/alarms/?show=shelved&q={press}")
    expect(page.locator("tr[data-key]")).to_have_count(2)
    for key in "jju":
        page.keyboard.press(key)
    expect(page.locator("#asking h2")).to_have_text("Unshelve 1 alarm?")
    expect(page.locator("#asking .what li")).to_have_text(
        page.locator("tr[data-key][aria-selected=true]").get_attribute("data-key").replace("/", ", ")
    )
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-key]")).to_have_count(1)


def test_a_chosen_row_of_the_shelf_is_no_alarm_to_acknowledge(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/oil": 85.0})
    list_with(opened, press).evaluate(SHELVE_ALL)
    page = opened(f"/alarms/?show=shelved&q={press}")
    expect(page.locator("tr[data-key]")).to_have_count(1)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for keys in ("xa", "ja"):  # as the chosen row, and as the current one
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator(".toast")).to_have_text("Choose an alarm first.")
        page.reload()
        page.locator("#live-word", has_text="Live").wait_for(state="attached")
    assert sent == []


SAYS_WHAT_TO_DO = """
from alerts.models import Rule
from alerts.rules import update_rule
rule = Rule.objects.get(asset__code="%s", name="Temperature high")
update_rule(
    rule=rule,
    cause="The bearing of the fan runs dry, or its belt has slipped off the pulley and no air comes through.",
    consequence="The oil boils within minutes, and the press trips.",
    action="Start the standby fan\\nLower the speed to 60 %%\\nCall maintenance",
    reason="It is known now",
)
"""


@pytest.mark.parametrize("locale", ["en", "de-DE"])
def test_beside_the_list_of_a_low_screen_cause_and_action_are_seen_without_scrolling(
    plant: Plant, opened: Opened, press: str, locale: str
) -> None:
    plant.stack.script(SAYS_WHAT_TO_DO % press)
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press, locale=locale)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    drawer = page.locator("#draw")
    expect(drawer.locator("canvas").first).to_be_attached()
    fold = drawer.locator(".acts").bounding_box()
    assert fold is not None
    for words in ("its belt has slipped", "Call maintenance"):
        box = drawer.get_by_text(words).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= fold["y"], words
    assert drawer.evaluate("element => element.scrollTop") == 0
