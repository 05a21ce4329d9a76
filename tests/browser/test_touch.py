"""With fingers on a phone, and without a script: what must work where there is neither mouse nor JavaScript."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import Plant
from tests.browser.walking import PHONE, Opened, Wire, list_with, row

pytestmark = pytest.mark.browser

Point = tuple[float, float]

PLAIN = {"live": False, "java_script_enabled": False}


def fingers(session: CDPSession, *ways: tuple[Point, Point], steps: int = 8) -> None:
    """Puts fingers down where their ways begin, moves them along and lifts them, as the screen of a phone tells it."""

    def touch(kind: str, share: float | None) -> None:
        points = [] if share is None else [
            {"x": x + (to_x - x) * share, "y": y + (to_y - y) * share, "id": number}
            for number, ((x, y), (to_x, to_y)) in enumerate(ways)
        ]  # fmt: skip
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0)
    for step in range(1, steps + 1):
        touch("touchMove", step / steps)
    touch("touchEnd", None)


def box_of(page: Page, selector: str) -> tuple[float, float, float, float]:
    found = page.locator(selector).bounding_box()
    assert found is not None, selector
    return found["x"], found["y"], found["width"], found["height"]


# --- Fingers ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quiet")
def test_one_tap_in_the_banner_acknowledges(plant: Plant, opened: Opened, press: str) -> None:
    page = opened("/", **PHONE)
    plant.send({f"{press}/temp": 97.4})
    expect(page.locator("#banner")).to_contain_text(press)
    button = page.locator("#banner [data-act=ack-banner]")
    _x, _y, width, height = box_of(page, "#banner [data-act=ack-banner]")
    assert width >= 44 and height >= 44
    button.tap()
    expect(page.locator("#banner .some")).to_be_hidden()
    expect(page.locator(".toast")).to_contain_text("acknowledged")


def test_the_bar_of_playback_is_dragged_by_a_finger_and_the_page_stays_where_it_is(opened: Opened) -> None:
    page = opened(f"/?at={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - 1800))}", live=False, **PHONE)
    handle = page.get_by_role("slider", name="Time")
    expect(handle).not_to_have_attribute("aria-valuenow", "0")
    expect(page.locator("#player")).not_to_have_attribute("aria-busy", "true")
    before, scrolled = handle.get_attribute("aria-valuenow"), page.evaluate("scrollY")
    x, y, width, height = box_of(page, "#scrub")
    session = page.context.new_cdp_session(page)
    # A finger goes up and down a little on its way.
    fingers(session, ((x + width * 0.8, y + height / 2), (x + width * 0.25, y + height / 2 - 30)))
    expect(handle).not_to_have_attribute("aria-valuenow", before or "")
    lowest, highest = (int(handle.get_attribute(f"aria-value{end}") or 0) for end in ("min", "max"))
    reached = int(handle.get_attribute("aria-valuenow") or 0)
    assert abs(reached - (lowest + (highest - lowest) * 0.25)) < (highest - lowest) * 0.03
    assert page.evaluate("scrollY") == scrolled
    # What the finger takes hold of may be the handle itself.
    knob_x, knob_y, knob_width, knob_height = box_of(page, "#scrub-handle")
    start = (knob_x + knob_width / 2, knob_y + knob_height / 2)
    fingers(session, (start, (x + width * 0.6, start[1])))
    expect(handle).not_to_have_attribute("aria-valuenow", str(reached))
    assert (
        abs(int(handle.get_attribute("aria-valuenow") or 0) - (lowest + (highest - lowest) * 0.6))
        < (highest - lowest) * 0.05
    )


def test_a_finger_that_has_tapped_the_list_keeps_no_order_in_it(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/oil": 85.0})
    page = list_with(opened, press, viewport={"width": 1366, "height": 768}, has_touch=True)
    wire = Wire(page)
    row(page, press, "Oil temperature high").locator(".word").tap()
    expect(page.locator("#draw")).to_contain_text("Oil temperature high")
    assert page.locator("#rows").evaluate("(list) => list.matches(':hover')")  # where no pointer is
    with page.expect_request(re.compile("fragment=1")):
        wire.tell({"type": "beat", "floods": [["works", "Works", 0, 300]]})
    expect(page.locator("#newer")).to_be_hidden()


def test_two_fingers_bring_a_trend_nearer_and_one_moves_it(plant: Plant, opened: Opened, press: str) -> None:
    now = time.time()
    plant.send_series(f"{press}/temp", [(now - ago, 50.0) for ago in range(60, 0, -5)])
    page = opened(f"/trends/?s={press}/temp&t=1h", **PHONE)
    page.wait_for_function("() => performance.getEntriesByName('trend-drawn').some((mark) => mark.detail.whole)")
    x, y, width, height = box_of(page, "#chart")
    session = page.context.new_cdp_session(page)
    middle = y + min(height / 2, 160)

    def span() -> float:
        found: float = page.evaluate(
            "() => { const { searchParams: asked } = new URL(location.href);"
            " return (Date.parse(asked.get('to')) - Date.parse(asked.get('from'))) / 1000; }"
        )
        return found

    fingers(
        session,
        ((x + width * 0.55, middle), (x + width * 0.8, middle)),
        ((x + width * 0.45, middle), (x + width * 0.2, middle)),
    )
    expect(page).to_have_url(re.compile(r"from=.*&to="))
    nearer = span()
    assert 300 < nearer < 1200  # six times as far apart: a sixth of an hour
    panned = page.url
    fingers(session, ((x + width * 0.3, middle), (x + width * 0.7, middle)))
    expect(page).not_to_have_url(panned)
    assert abs(span() - nearer) < 2


# --- Without a script ------------------------------------------------------------------------------------------------


def test_without_a_script_an_alarm_is_shelved_and_comes_back(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4})
    list_with(opened, press)
    page = opened(f"/alarms/?q={press}", **PLAIN)
    row(page, press).locator("a.msg").click()
    page.get_by_role("link", name="Shelve").click()
    page.get_by_text("1 h", exact=True).click()
    page.get_by_role("button", name="Shelve", exact=True).click()
    assert page.get_by_label("Reason").evaluate("(field) => field.matches(':invalid')")  # the browser asks for it
    page.get_by_label("Reason").fill("Work on the transmitter")
    page.get_by_role("button", name="Shelve", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Shelved")).to_be_visible()
    page.goto(f"/alarms/?q={press}")
    expect(row(page, press)).to_have_count(0)
    page.goto(f"/alarms/?show=shelved&q={press}")
    listed = page.locator(f"tr[data-key='{press}/Temperature high']")
    expect(listed).to_contain_text("Work on the transmitter")
    listed.get_by_role("button", name="Unshelve").click()
    page.goto(f"/alarms/?q={press}")
    expect(row(page, press)).to_have_count(1)


def test_without_a_script_a_subscription_is_made_and_deleted(opened: Opened, press: str) -> None:
    page = opened("/subscriptions/add", user="max", **PLAIN)
    page.get_by_label("Alarms of").select_option(press)
    page.locator("[name=lowest_priority][value='2']").check(force=True)
    page.locator("[name=channel][value=email]").check(force=True)
    page.get_by_role("button", name="Show what it means").click()
    expect(page.locator(".means")).to_contain_text("Not saved yet.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile("/subscriptions/$"))
    made = page.locator("ul.subs li").filter(has_text=f"Press 1.{press.rpartition('-')[2]}")
    expect(made).to_be_visible()
    made.locator("summary").click()
    made.get_by_role("button", name="Delete").click()
    expect(made).to_have_count(0)
