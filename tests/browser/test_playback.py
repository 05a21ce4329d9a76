"""What happened: from the live page to the past, played with keys and bar, and back to live."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Route, expect

from tests.browser.axe import violations
from tests.browser.conftest import until
from tests.browser.walking import list_with

pytestmark = pytest.mark.browser

LINK = """
from django.contrib.auth.models import User
from django.utils import timezone
from plant.tokens import make_link
print(make_link(user=User.objects.get(username="olga"), now=timezone.now()))
"""


YOUNGEST = 2.5  # s: of the past nothing younger than two seconds is shown
SAID = """() => {
    window.said = [];
    new MutationObserver((changes) => {
        for (const { addedNodes } of changes)
            for (const node of addedNodes) if (node.matches?.(".toast")) window.said.push(node.textContent);
    }).observe(document.body, { childList: true });
}"""


@pytest.fixture
def story(plant, press, opened):
    """Gives the moments (s) of an alarm's story on a press: before it, raised, acknowledged."""
    plant.send({f"{press}/temp": 40.0})
    time.sleep(1.5)
    before = time.time() - 0.3
    plant.send({f"{press}/temp": 95.0})
    page = opened(f"/a/{press}/")
    button = page.locator("#why, #alarms, main").get_by_role("button", name="Ack").first
    button.wait_for()
    raised = time.time()
    time.sleep(0.5)
    button.click()
    expect(page.locator("main")).to_contain_text("Ack", timeout=5000)
    time.sleep(1.5)
    return before, raised, time.time()


def looked_back(opened, address, **options):
    """Opens a page of the past and waits until its player is there."""
    page = opened(address, live=False, **options)
    expect(page.locator("#scrub-handle")).not_to_have_attribute("aria-valuenow", "0")
    return page


def at_of(page):
    """Gives the moment in the page's address."""
    return page.evaluate("new URL(location.href).searchParams.get('at')")


def iso(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_what_happened_is_played_from_before_the_alarm_to_its_acknowledgement(plant, press, story, opened):
    before, _raised, _after = story
    page = looked_back(opened, f"/alarms/?at={iso(before)}&q={press}")
    expect(page.locator(".top .disc.past")).to_contain_text("not live")
    row = page.locator("tr[data-alarm]", has_text=press)
    expect(row).to_have_count(0)
    stood = at_of(page)
    page.keyboard.press("]")  # to the next alarm
    expect(row).to_have_count(1)
    assert at_of(page) > stood
    # Nothing can be done to it.
    assert page.locator("[data-act=ack-banner]").get_attribute("aria-disabled") == "true"
    assert "past" in page.locator("[data-act=ack-banner]").get_attribute("title")
    # A link stays in the past.
    page.locator(".nav a", has_text="Overview").click()
    page.wait_for_url(re.compile(r"/\?at="))
    expect(page.locator(".top .disc.past")).to_be_visible()
    # What has no past leaves no empty place, and nobody is told to have switched off what the past has not.
    expect(page.locator("#kpi-pipeline")).to_be_hidden()
    expect(page.locator("#horn button")).to_have_attribute("title", "Alarms of the past are seen here and not heard.")
    page.keyboard.press("l")
    page.wait_for_url(plant.stack.url + "/")
    expect(page.locator("#live-word")).to_have_text("Live")


def test_one_goes_from_alarm_to_alarm_and_narrows_the_list_without_leaving_the_past(plant, press, story, opened):
    _before, _raised, after = story
    page = looked_back(opened, f"/alarms/?at={iso(after - 1)}")
    stood = at_of(page)
    page.keyboard.press("[")
    page.wait_for_function("at => new URL(location.href).searchParams.get('at') < at", arg=stood)
    first = at_of(page)
    for _time in range(2):
        page.locator(".filters [name=q]").fill(press)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"at=.*q={press}|q={press}.*at="))
        page.locator(".filters [name=q]").blur()
    page.keyboard.press(",")
    page.wait_for_function("at => new URL(location.href).searchParams.get('at') < at", arg=first)
    moved = at_of(page)
    page.locator(".filters [name=q]").fill(f"{press} ")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1500)
    assert at_of(page) == moved


def test_an_alarm_that_is_found_late_takes_nobody_away_who_has_gone_elsewhere(press, story, opened):
    _before, _raised, after = story
    page = looked_back(opened, f"/alarms/?at={iso(after - 1)}")
    held: list[Route] = []
    page.route(re.compile(r"[?&]before="), lambda route: held.append(route))
    stood = at_of(page)
    page.keyboard.press("[")
    until(page, lambda: None, lambda: held)
    page.keyboard.press(",")
    page.wait_for_function("at => new URL(location.href).searchParams.get('at') < at", arg=stood)
    moved = at_of(page)
    with page.expect_response(re.compile(r"[?&]before=")):
        held[0].continue_()
    page.wait_for_timeout(500)
    assert at_of(page) == moved


def test_what_the_list_is_narrowed_to_holds_though_the_past_moves_on_before_it_is_read(plant, press, codes, opened):
    other = next(codes)
    plant.send({f"{press}/temp": 95.0, f"{other}/temp": 95.0})
    live = list_with(opened, other)
    stood = time.time()
    until(live, lambda: None, lambda: time.time() - stood > YOUNGEST)
    page = looked_back(opened, f"/alarms/?at={iso(stood)}")
    expect(page.locator("tr[data-alarm]", has_text=other)).to_have_count(1)
    held: list[Route] = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(r"/alarms/\?.*fragment=1"), hold_the_first)
    page.locator(".filters [name=q]").fill(press)
    until(page, lambda: None, lambda: held)
    page.locator(".filters [name=q]").blur()
    with page.expect_response(re.compile(r"/alarms/\?.*fragment=1")):
        page.keyboard.press(".")  # the list is read as of then, before the answer to what was typed
    held[0].continue_()
    expect(page).to_have_url(re.compile(f"at=.*q={press}|q={press}.*at="))
    expect(page.locator("tr[data-alarm]", has_text=press)).to_have_count(1)
    expect(page.locator("tr[data-alarm]", has_text=other)).to_have_count(0)


def test_the_end_of_the_session_is_said_in_the_past_too_and_is_put_off_or_taken_there(plant, press, opened):
    page = opened(f"/a/{press}/")

    def ends_soon(route):
        answer = route.fetch()
        soon = f'data-session-ends="{int((time.time() + 60) * 1000)}"'
        route.fulfill(response=answer, body=re.sub(r'data-session-ends="[^"]*"', soon, answer.text()))

    # A session of its own: it is ended here.
    page.context.clear_cookies()
    page.goto(plant.stack.script(LINK).strip())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{plant.stack.url}/")
    page.route(re.compile(rf"/a/{press}/"), ends_soon)
    address = f"/a/{press}/?at={iso(time.time() - 1800)}"
    page.goto(address)
    expect(page.locator("#session-end")).to_be_visible()
    with page.expect_response(re.compile("/session$")) as answer:
        page.get_by_role("button", name="Stay signed in").click()
    assert answer.value.ok
    expect(page.locator("#session-end")).to_be_hidden()
    page.goto(address)
    expect(page.locator("#session-end")).to_be_visible()
    page.locator("#session-end").get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in"))


def test_playing_moves_the_time_and_the_values(plant, press, story, opened):
    before, _raised, _after = story
    page = looked_back(opened, f"/a/{press}/?at={iso(before)}")
    value = page.locator(f".val[data-tag='{press}/temp']").first
    expect(value).to_contain_text("40")
    page.locator("[data-speed='10']").click()
    page.keyboard.press("p")
    expect(value).to_contain_text("95", timeout=10_000)
    # Played to the present it stops by itself.
    expect(page.locator("#player-play")).to_have_attribute("aria-pressed", "false", timeout=15_000)


def test_a_reading_of_the_past_that_fails_is_said_once_and_nothing_waits_for_it(plant, press, opened):
    page = looked_back(opened, f"/a/{press}/?at={iso(time.time() - 1800)}")
    player = page.locator("#player")
    expect(player).not_to_have_attribute("aria-busy", "true")
    page.evaluate(SAID)
    page.keyboard.press("p")
    page.route(re.compile(r"/playback/frames"), lambda route: route.abort())
    page.keyboard.press(">")
    expect(page.locator(".toast")).to_have_text("The past could not be read. Try again.")
    page.wait_for_timeout(600)
    assert page.evaluate("window.said") == ["The past could not be read. Try again."]
    expect(player).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#player-play")).to_have_attribute("aria-pressed", "false")


def test_bar_is_moved_by_the_keyboard_and_by_the_pointer(plant, press, opened):
    page = looked_back(opened, f"/?at={iso(time.time() - 1800)}")
    handle = page.get_by_role("slider", name="Time")
    at = int(handle.get_attribute("aria-valuenow"))
    handle.focus()
    page.keyboard.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuenow", str(at - 288))
    box = page.locator("#scrub").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 10)
    page.mouse.up()
    expect(handle).not_to_have_attribute("aria-valuenow", str(at - 288))
    lowest, highest = (int(handle.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
    assert abs(int(handle.get_attribute("aria-valuenow")) - (lowest + (highest - lowest) * 0.25)) < 60


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_page_in_playback_has_no_violation(plant, press, opened, scheme):
    options = {"viewport": {"width": 1920, "height": 1080}, "color_scheme": scheme}
    page = looked_back(opened, f"/alarms/?at={iso(time.time() - 60)}", **options)
    light = page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")
    assert light == (scheme == "light")
    # What playback adds to a page, and what it changes of it.
    assert violations(page, {"include": ["#player", ".top", "main"]}) == []
