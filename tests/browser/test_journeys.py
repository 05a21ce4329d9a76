"""What operators do, in a real browser on real processes: see, acknowledge, comment, lose the connection."""

from __future__ import annotations

import re
import signal
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Plant, until
from tests.browser.walking import PHONE, Opened, Wire, list_with, machine_page, row

pytestmark = pytest.mark.browser


@pytest.fixture
def workers() -> str:
    """Gives pages their service worker."""
    return "allow"


NOT_LIVE_WITHIN = 5_000  # ms


# --- Signing in ------------------------------------------------------------------------------------------------------


def test_a_one_time_link_signs_in_once(plant: Plant, opened: Opened) -> None:
    page = opened("/")  # by the link
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.context.clear_cookies()
    answer = page.goto(plant.links["olga"])
    assert answer is not None and answer.status == 410
    page.goto("/alarms/")
    expect(page).to_have_url(re.compile("/sign-in"))


# --- From a reading to the screen ------------------------------------------------------------------------------------


def test_a_reading_over_the_limit_is_seen_on_every_page(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 61.0, "press-1-2/oil": 85.0})  # a list without a row shows at once what comes
    overview, console, machine = opened("/"), opened("/alarms/"), opened(machine_page(press))
    until(console, console.reload, row(console, "press-1-2", "Oil temperature high").count)
    expect(machine.locator(f'.sensors .val[data-tag="{press}/temp"] .v')).to_have_text("61.0")
    shown = console.locator("tr[data-alarm]").count()
    plant.send({f"{press}/temp": 97.4})
    expect(machine.locator("#mine li[data-alarm]")).to_contain_text("Temperature high")
    expect(machine.locator("#why")).to_contain_text("The fan stands.")
    expect(machine.locator(f'.sensors .val.al.p1[data-tag="{press}/temp"]')).to_be_visible()
    expect(overview.locator("#banner")).to_contain_text("Temperature high")
    expect(overview.locator(f'a.hexg[data-asset="{press}"]')).to_have_class(re.compile(r"\bal p1 un\b"))
    # The list does not move by itself: what is new waits behind its bar.
    expect(console.locator("#newer")).to_contain_text("1 new alarm")
    assert console.locator("tr[data-alarm]").count() == shown
    console.keyboard.press("n")
    expect(row(console, press)).to_contain_text("97.4")
    expect(console.locator("#newer")).to_be_hidden()


def test_a_new_alarm_waits_only_where_the_list_would_show_it(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/oil": 85.0})
    mine, low = list_with(opened, press), opened("/alarms/?priority=4")
    plant.send({f"{press}/temp": 99.0})
    expect(mine.locator("#newer")).to_contain_text("1 new alarm")
    assert low.locator("#newer").is_hidden()


def test_a_list_without_a_row_shows_at_once_what_comes_and_reads_a_burst_once(
    plant: Plant, opened: Opened, press: str
) -> None:
    page = opened(f"/alarms/?q={press}")
    expect(page.locator("#rows .empty")).to_be_visible()
    read: list[str] = []
    page.on("request", lambda asked: read.append(asked.url) if "fragment=1" in asked.url else None)
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    expect(page.locator("tr[data-alarm]")).to_have_count(2)
    expect(page.locator("#rows .empty")).to_have_count(0)
    expect(page.locator("#newer")).to_be_hidden()
    assert len(read) == 1, read


def test_what_is_over_before_it_is_taken_in_does_not_wait_any_more(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/oil": 85.0})
    page = list_with(opened, press)
    unacked = opened(f"/alarms/?q={press}&show=unacked")
    plant.send({f"{press}/temp": 97.4})
    for one in (page, unacked):
        expect(one.locator("#newer")).to_contain_text("1 new alarm")
    # Acknowledged elsewhere it stands on, and leaves the list of those that wait for somebody.
    machine = opened(machine_page(press), user="max")
    machine.locator("#mine li", has_text="Temperature high").get_by_role("button", name="Ack").first.click()
    expect(unacked.locator("#newer")).to_be_hidden()
    expect(page.locator("#newer")).to_contain_text("1 new alarm")
    plant.send({f"{press}/temp": 20.0})
    expect(page.locator("#newer")).to_be_hidden()


# --- Acknowledge and comment -----------------------------------------------------------------------------------------


def test_acknowledging_by_key_and_by_click_changes_the_row_in_place(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(opened, press, rows=2)
    order = page.locator("tr[data-alarm]").evaluate_all("rows => rows.map((row) => row.dataset.alarm)")
    page.keyboard.press("j")
    page.keyboard.press("a")
    first, second = page.locator("tr[data-alarm]").nth(0), page.locator("tr[data-alarm]").nth(1)
    expect(first.locator(".word")).to_have_text("Acked")
    expect(first.get_by_role("button", name="Ack")).to_have_count(0)
    second.get_by_role("button", name="Ack").click()
    expect(page.locator(".toast")).to_contain_text(f"Alarm {order[1]} acknowledged")
    expect(second.locator(".word")).to_have_text("Acked")
    assert page.locator("tr[data-alarm]").evaluate_all("rows => rows.map((row) => row.dataset.alarm)") == order
    # Pressed again it answers nothing else.
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("waits for no acknowledgement")


def test_several_are_chosen_by_keys_and_acknowledged_together(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(opened, press, rows=2)
    for key in "jxjxa":
        page.keyboard.press(key)
    expect(page.locator(".toast")).to_contain_text("Acknowledged. That was done to 2 alarms.")
    expect(page.locator("tr[data-alarm].un")).to_have_count(0)
    expect(page.locator("#bulk")).to_be_hidden()


def test_what_the_page_was_made_with_is_acknowledged_before_the_socket_says_anything(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(opened, press, rows=2)
    page.route_web_socket(re.compile("/ws/live"), lambda _socket: None)  # it opens, and nothing comes
    page.reload()
    until(page, lambda: page.keyboard.press("j"), page.locator("tr[data-alarm][aria-selected=true]").count)
    for key in "kxjxa":
        page.keyboard.press(key)
    expect(page.locator(".toast")).to_contain_text("Acknowledged. That was done to 2 alarms.")


def test_the_field_of_a_dialog_that_was_closed_takes_no_key(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press)
    page.keyboard.press("/")
    page.locator("#find[open]").wait_for()
    page.evaluate("""() => {
      document.getElementById("find").close();
      const pressed = new KeyboardEvent("keydown", { key: "j", bubbles: true });
      document.querySelector("#find input").dispatchEvent(pressed);  // where Chromium leaves the focus for some ms
    }""")
    expect(page.locator("tr[data-alarm]")).to_have_attribute("aria-selected", "true")


def test_a_comment_is_typed_into_the_drawer_and_escape_closes_it(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press)
    page.keyboard.press("j")
    page.keyboard.press("c")
    field = page.get_by_label("Comment", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("Fan ordered, jxan")  # keys are text inside a field
    page.keyboard.press("Enter")
    expect(page.locator("#draw .tlv")).to_contain_text("olga: Fan ordered, jxan")
    expect(page).to_have_url(re.compile(r"alarm=\d+"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#draw")).to_be_hidden()
    expect(page).not_to_have_url(re.compile(r"alarm=\d+"))


def test_the_second_browser_sees_the_first_and_is_told_who_was_first(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    olga, max_ = list_with(opened, press), list_with(opened, press, user="max")
    without_scripts = opened(f"/alarms/?q={press}", user="max", live=False, java_script_enabled=False)
    row(olga, press).get_by_role("button", name="Ack").click()
    expect(row(max_, press).locator(".word")).to_have_text("Acked")
    expect(row(max_, press).locator(".c-act")).to_have_text("by olga")
    expect(row(max_, press).locator(".who")).to_have_attribute("title", re.compile(r"Acknowledged by olga at \d\d:"))
    # His other browser has an old page; its form is answered by the one who was first.
    row(without_scripts, press).get_by_role("button", name="Ack").click()
    expect(without_scripts.get_by_role("status").filter(has_text="Already")).to_contain_text(
        "Already acknowledged by Olga Operator"
    )


def test_who_may_only_look_sees_why_the_button_is_off(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press, user="vera")
    button = row(page, press).get_by_role("button", name="Ack")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("title", re.compile("An administrator"))
    button.click(force=True)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("You can look.")
    expect(row(page, press).locator(".word")).to_have_text("Unacked")


# --- Old data, lost connection ---------------------------------------------------------------------------------------


def test_a_silent_sensor_is_hatched_until_it_speaks_again(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 50.0, f"{press}/oil": 50.0})
    page = opened(machine_page(press))
    value = page.locator(f'.sensors .val[data-tag="{press}/temp"]')
    expect(value).to_have_class(re.compile(r"\bstale\b"), timeout=8_000)
    expect(page.locator(f'.mai[data-tag="{press}/temp"]')).to_have_class(re.compile(r"\bstale\b"))
    # Whatever the machine is busy with: a value that came and is old again was fresh meanwhile.
    until(
        page,
        lambda: plant.send({f"{press}/temp": 51.0}),
        lambda: "stale" not in (value.get_attribute("class") or "stale"),
    )
    expect(page.locator(f'.sensors .val[data-tag="{press}/oil"]')).to_have_class(re.compile(r"\bstale\b"))


def test_silence_is_shown_within_seconds_and_heals_by_itself(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press)
    page.evaluate("window.sameDocument = true")
    web = plant.stack.processes["web"]
    began = time.monotonic()
    web.send_signal(signal.SIGSTOP)  # the connection stands, and nothing comes
    try:
        expect(page.locator("#not-live")).to_be_visible(timeout=NOT_LIVE_WITHIN + 1_000)
        assert time.monotonic() - began > 2
        expect(page.locator("#lost-age")).to_have_text(re.compile(r"^\d+(\.\d)? s$"))
        button = row(page, press).get_by_role("button", name="Ack")
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_attribute("title", "Not possible without a connection")
        page.keyboard.press("j")
        page.keyboard.press("a")
        expect(page.locator(".toast")).to_contain_text("Ack is not possible without a connection")
        page.keyboard.press("s")
        expect(page.locator(".toast")).to_contain_text("That is not possible without a connection")
        page.keyboard.press("m")
        expect(page.locator(".toast")).to_contain_text("Silence is not possible without a connection")
    finally:
        web.send_signal(signal.SIGCONT)
    expect(page.locator("#not-live")).to_be_hidden()
    expect(button).not_to_have_attribute("aria-disabled", "true")
    assert page.evaluate("window.sameDocument") is True


def test_after_the_server_was_away_the_page_has_what_it_missed(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 60.0})
    page, console = opened(machine_page(press)), opened(f"/alarms/?q={press}")
    page.evaluate("window.sameDocument = true")
    plant.stack.kill("web")
    expect(page.locator("#not-live")).to_be_visible(timeout=NOT_LIVE_WITHIN)
    plant.send({f"{press}/temp": 98.0})  # by the intake process, which still stands
    plant.stack.start("web")
    for open_page in (page, console):
        expect(open_page.locator("#not-live")).to_be_hidden(timeout=20_000)
    expect(page.locator(f'.sensors .val[data-tag="{press}/temp"] .v')).to_have_text("98.0")
    expect(page.locator("#mine li[data-alarm]")).to_contain_text("Temperature high")
    expect(console.locator("tr[data-alarm]")).to_contain_text("Temperature high")  # into an empty list at once
    assert page.evaluate("window.sameDocument") is True


def test_an_alarm_that_was_raised_while_the_page_was_on_its_way_has_its_reason(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 60.0})
    page, there = opened(machine_page(press)), opened(machine_page(press))
    wire = Wire(page)
    wire.cut()
    page.reload()  # it is made, and has not heard its first snapshot
    expect(page.locator("#not-live")).to_be_visible()
    expect(page.locator("#mine [data-alarm]")).to_have_count(0)
    plant.send({f"{press}/temp": 97.4})
    expect(there.locator("#mine [data-alarm]")).to_have_count(1)
    expect(page.locator("#mine [data-alarm]")).to_have_count(0)
    wire.mend()
    expect(page.locator("#mine [data-alarm]")).to_have_count(1)
    expect(page.locator("#why")).to_contain_text("The fan stands.")


# --- Trend -----------------------------------------------------------------------------------------------------------


def test_the_trend_follows_buttons_and_keys(plant: Plant, opened: Opened, press: str) -> None:
    now = time.time()
    for ago, value in ((1500, 40.0), (1499, 41.0), (300, 50.0), (2, 55.0)):
        plant.send({f"{press}/temp": value}, at=now - ago)
    page = opened(machine_page(press))
    lane = page.locator(f'.lane[data-tag="{press}/temp"]')
    # What was accepted may be judged and stored a moment after the page was read.
    words = "Temperature between 50.0 and 55.0 °C, last 55.0"
    until(page, page.reload, lambda: lane.get_attribute("aria-label") == words)
    page.get_by_role("button", name="90 min").click()
    expect(lane).to_have_attribute("aria-label", "Temperature between 40.0 and 55.0 °C, last 55.0")
    expect(page).to_have_url(re.compile(r"t=90m"))
    page.keyboard.press("v")
    rows = page.locator("#trend-rows table").first.locator("tbody td:nth-child(2)")
    expect(rows).to_have_text(["55.0", "50.0", "41.0", "40.0"])
    page.keyboard.press("+")
    page.keyboard.press("+")
    back = page.get_by_role("button", name="Back to live")
    expect(back).to_be_visible()
    expect(rows).to_have_text(["55.0", "50.0"])
    page.keyboard.press("0")
    expect(back).to_be_hidden()
    expect(lane).to_have_attribute("aria-label", "Temperature between 40.0 and 55.0 °C, last 55.0")  # it is read
    page.locator("#trends").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(lane.locator(".read")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d  50\.0 °C$"))


def test_a_trend_of_a_sensor_that_was_heard_before_its_range_says_that_there_is_nothing(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 51.0}, at=time.time() - 7200)
    page = opened(machine_page(press))
    lane = page.locator(f'.lane[data-tag="{press}/temp"]')
    until(page, page.reload, lambda: "51.0" in lane.locator(".read").inner_text())
    page.wait_for_timeout(2500)  # a live trend is drawn once a second
    expect(lane.locator(".nothing")).to_be_visible()
    expect(lane).to_have_attribute("aria-label", "Temperature: no data in this range")


# How much of the plot's width the longest row of a colour takes; colours as the canvas writes them.
LONGEST = """(canvas, name) => {
  const colour = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const { width, height } = canvas;
  const one = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  one.fillStyle = colour;
  one.fillRect(0, 0, 1, 1);
  const wanted = one.getImageData(0, 0, 1, 1).data;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const rows = Array.from({ length: height }, (_, row) => {
    let found = 0;
    for (let at = row * width * 4; at < (row + 1) * width * 4; at += 4)
      found += [0, 1, 2].every((part) => Math.abs(data[at + part] - wanted[part]) < 24);
    return found / width;
  });
  return Math.max(...rows);
}"""


def test_a_limit_at_a_round_value_is_not_hidden_by_the_grid(plant: Plant, opened: Opened, press: str) -> None:
    now = time.time()
    for ago in range(20, 0, -1):
        plant.send({f"{press}/oil": 50.0}, at=now - ago)
    lane = opened(machine_page(press)).locator(f'.lane[data-tag="{press}/oil"]')
    expect(lane).to_have_attribute("aria-label", re.compile("last 50.0"))
    assert lane.locator("canvas").evaluate(LONGEST, "--p3-line") > 0.3  # a dashed line from edge to edge, at 80


# --- Phone -----------------------------------------------------------------------------------------------------------


def test_on_a_phone_an_alarm_is_a_page_of_its_own(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row(page, press).locator(".msg").tap()
    expect(page).to_have_url(re.compile(r"/alarms/\d+/$"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#draw").get_by_role("button", name="Ack").tap()
    expect(page.locator("#draw .word")).to_have_text("Acked")
    page.goto(machine_page(press))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
