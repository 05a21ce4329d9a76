"""Nothing moves under the pointer or the focus; what waited for that is shown once it is left."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ACK_ALL, Plant, until
from tests.browser.walking import SHELVE_ALL, Opened, Wire, leave, list_with, machine_page, place_of, row, wait_for_live

pytestmark = pytest.mark.browser

# A machine's alarm that is announced anew after an hour; and its time is up.
ANNOUNCED_ANEW = """
from alerts.models import Rule
from alerts.rules import update_rule
rule = Rule.objects.get(asset__code="%s", name="Temperature high")
update_rule(rule=rule, realarm=3600.0, reason="It is forgotten")
"""
ITS_TIME_IS_UP = """
from django.utils import timezone
from alerts.models import Alarm
mine = Alarm.objects.filter(asset_code="%s", rule_name="Temperature high", closed=None)
assert mine.update(realarm_due=timezone.now()) == 1
"""


def machine_with(opened: Opened, code: str, *, alarms: int) -> Page:
    """Opens a machine's page once its alarms are there."""
    page = opened(machine_page(code))
    until(page, page.reload, lambda: page.locator("#mine [data-alarm]").count() == alarms)
    page.locator("#live-word", has_text="Live").wait_for(state="attached")
    return page


def unshelve(shelf: Page) -> None:
    """Presents the one alarm again that stands on a shelf."""
    shelf.locator("[data-choose-all]").click()
    expect(shelf.locator("[data-bulk]")).to_have_text("1")
    shelf.keyboard.press("u")
    expect(shelf.locator("#asking h2")).to_have_text("Unshelve 1 alarm?")
    shelf.keyboard.press("Enter")
    expect(shelf.locator("tr[data-key]")).to_have_count(0)


def test_no_other_alarm_comes_under_the_pointer_on_a_machines_page(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = machine_with(opened, press, alarms=2)
    second = page.locator("#mine [data-alarm]", has_text="Oil temperature high")
    number = page.locator("#mine [data-alarm]", has_not_text="Oil").get_attribute("data-alarm")
    first = page.locator(f"#mine [data-alarm='{number}']")
    first.get_by_role("button", name="Ack").click()
    expect(first.get_by_role("button", name="Ack")).to_have_count(0)
    leave(page)
    button = second.get_by_role("button", name="Ack")
    button.hover()
    before = place_of(button)
    plant.send({f"{press}/temp": 30.0})
    expect(page.locator("#open-count")).to_have_text("1")
    page.wait_for_timeout(1500)  # the reason above is read half a second after the last change
    assert place_of(button) == before
    expect(first).to_contain_class("gone")
    leave(page)
    expect(page.locator("#mine [data-alarm]")).to_have_count(1)
    expect(page.locator("#why")).to_contain_text("Oil temperature high")


def test_the_alarms_of_a_machine_are_acknowledged_together_after_one_question(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = machine_with(opened, press, alarms=2)
    page.locator("#why").get_by_role("button", name="Ack 2 alarms").click()
    expect(page.locator("#asking h2")).to_have_text("Acknowledge 2 alarms?")
    expect(page.locator("#mine").get_by_role("button", name="Ack")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("That was done to 2 alarms.")
    expect(page.locator("#mine").get_by_role("button", name="Ack")).to_have_count(0)
    expect(page.locator("#why").get_by_role("button", name="Ack 2 alarms")).to_have_count(0)


def test_where_several_wait_on_a_machines_page_the_key_is_theirs_and_the_banners_else(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = machine_with(opened, press, alarms=2)
    banners = page.locator("#banner [data-act=ack-banner] kbd")
    expect(page.locator("#why").get_by_role("button", name="Ack 2 alarms").locator("kbd")).to_have_text("A")
    expect(banners).to_be_hidden()
    page.keyboard.press("a")
    expect(page.locator("#asking h2")).to_have_text("Acknowledge 2 alarms?")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("That was done to 2 alarms.")
    plant.send({f"{press}/temp": 30.0})
    plant.send({f"{press}/temp": 98.0})
    expect(banners).to_be_visible()
    page.locator("[data-act=trend-table]").click()  # its days are written as everywhere: 17 Mar
    expect(page.locator("#trend-rows td").first).to_have_text(re.compile(r"^\d{1,2} [A-Z][a-z]{2} \d\d:\d\d:\d\d$"))
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("acknowledged.")


def test_the_first_alarms_reason_waits_while_a_row_is_pointed_at(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 30.0, f"{press}/oil": 30.0})
    page = machine_with(opened, press, alarms=0)
    page.locator("#mine").hover()
    before = place_of(page.locator("#mine"))
    plant.send({f"{press}/oil": 85.0})
    expect(page.locator("#mine [data-alarm]")).to_have_count(1)
    page.wait_for_timeout(1500)
    assert place_of(page.locator("#mine")) == before
    expect(page.locator("#why")).to_be_hidden()
    leave(page)
    expect(page.locator("#why")).to_contain_text("Oil temperature high")


def test_the_reason_that_waited_for_the_pointer_is_shown_when_it_leaves(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/oil": 85.0})
    page = machine_with(opened, press, alarms=1)
    expect(page.locator("#why")).to_contain_text("Oil temperature high")
    page.locator("#why").hover()
    plant.send({f"{press}/temp": 97.4})
    expect(page.locator("#mine [data-alarm]")).to_have_count(2)
    page.wait_for_timeout(1500)
    expect(page.locator("#why")).to_contain_text("Oil temperature high")
    leave(page)
    expect(page.locator("#why")).to_contain_text("The fan stands.")


def test_what_needs_attention_is_listed_when_the_focus_leaves_the_list(
    plant: Plant, quiet: Page, codes: Iterator[str]
) -> None:
    one, other = next(codes), next(codes)
    plant.send({f"{one}/temp": 97.4})
    listed = quiet.locator("#attention li[data-alarm]")
    expect(listed.filter(has_text=one)).to_have_count(1)
    quiet.keyboard.press("Shift")
    listed.filter(has_text=one).locator("a").focus()
    plant.send({f"{one}/temp": 30.0, f"{other}/temp": 98.0})
    expect(quiet.locator("#banner .code")).to_have_text(one)  # cleared, but never acknowledged: it waits on
    expect(quiet.locator("#banner-unacked")).to_have_text("2")
    expect(listed.filter(has_text=other)).to_have_count(0)
    quiet.locator("#banner .what").focus()
    expect(listed.filter(has_text=other)).to_have_count(1, timeout=2000)


def test_what_was_chosen_stays_chosen_when_it_could_not_be_acknowledged(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(opened, press, rows=2)
    page.route("**/alarms/ack", lambda route: route.abort())
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk]")).to_have_text("2")
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("Ack failed")
    expect(page.locator("#bulk")).to_be_visible()
    expect(page.locator("[data-bulk]")).to_have_text("2")


# --- A lost connection: the banner tells how old all is, and nothing below it moves ----------------------------------


def test_a_machine_stays_as_it_was_heard_last_while_the_connection_is_lost(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 40.0})
    page = opened(machine_page(press))
    wire = Wire(page)
    state = page.locator("#state .st")
    expect(state).to_contain_text("Reporting")
    wire.cut()
    page.evaluate("(() => { const real = Date.now; Date.now = () => real() + 3_600_000; })()")
    expect(page.locator("#lost-age")).to_contain_text("1 h")
    page.wait_for_timeout(500)  # a state is looked at four times a second
    expect(state).to_contain_text("Reporting")
    wire.mend()
    expect(state).to_contain_text("Reporting")  # by the server's clock


HATCHED = "element => getComputedStyle(element).backgroundImage.startsWith('repeating-linear-gradient')"
DRIVE = """
from devices.models import Asset
from tests import factories
machine = Asset.objects.get(code="%s")
labels = {"0": "stopped", "2": "running"}
factories.sensor(machine, "state", quantity="state", unit="", range_low=None, range_high=None, labels=labels)
"""


def hatched(page: Page, selector: str) -> bool:
    """Tells whether all that is shown there looks old."""
    found = [part for part in page.locator(selector).all() if part.text_content()]
    return bool(found) and all(part.evaluate(HATCHED) for part in found)


def since(page: Page, press: str) -> int:
    """Gives since when the server says that the machine's state lasts, in s; 0 where it says nothing."""
    found = re.search(
        r'id="lasting">[^<]*<span class="num" data-since="(\d+)', page.request.get(machine_page(press)).text()
    )
    return int(found[1]) if found else 0


def test_nothing_is_counted_on_while_the_connection_is_lost_and_all_of_it_looks_old(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.stack.script(DRIVE % press)
    now = time.time()
    plant.send_series(f"{press}/state", [(now - ago, 0.0 if ago > 60 else 2.0) for ago in range(70, 0, -1)])
    plant.send({f"{press}/state": 2.0, f"{press}/temp": 97.4})
    page = opened("/alarms/")
    until(page, lambda: None, lambda: abs(since(page, press) - (now - 60)) < 2)
    page.goto(machine_page(press))
    wire = Wire(page)
    word, lasting, raised = "#state .st > span", page.locator("#lasting"), page.locator("#mine [data-since]")
    expect(page.locator(word)).to_have_text("Running")
    expect(lasting).to_have_text(re.compile(r"^for \d:\d\d$"))
    expect(raised).to_have_text(re.compile(r"^0:\d\d$"))
    until(page, lambda: plant.send({f"{press}/state": 2.0}), lambda: not hatched(page, word))
    wire.cut()
    assert hatched(page, f"{word}, #lasting, #data-age")
    before = [lasting.text_content(), raised.text_content()]
    page.wait_for_timeout(1500)
    assert [lasting.text_content(), raised.text_content()] == before
    # It stopped meanwhile, and runs again: since when is read from the server, not counted on.
    cut = time.time()
    plant.send({f"{press}/state": 0.0}, at=cut)
    plant.send({f"{press}/state": 2.0}, at=cut + 1)
    until(page, lambda: None, lambda: since(page, press) >= int(cut))
    wire.mend()
    until(page, lambda: plant.send({f"{press}/state": 2.0}), lambda: not hatched(page, word))
    expect(lasting.locator("[data-since]")).to_have_attribute("data-since", str(since(page, press)))
    assert since(page, press) >= int(cut)
    expect(raised).not_to_have_text(str(before[1]))


def test_what_is_unshelved_while_the_connection_is_lost_waits_behind_the_bar(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    list_with(opened, press, rows=2).evaluate(SHELVE_ALL)
    shelf = opened(f"/alarms/?show=shelved&q={press}", user="max")
    expect(shelf.locator("tr[data-key]")).to_have_count(1)
    page = list_with(opened, press)
    wire = Wire(page)
    expect(page.locator("tr[data-alarm]")).to_have_count(1)
    wire.cut()
    unshelve(shelf)
    wire.mend()
    expect(page.locator("#newer")).to_contain_text("1 new alarm")
    page.keyboard.press("n")
    expect(page.locator("tr[data-alarm]")).to_have_count(2)


def test_what_is_unshelved_while_the_page_is_on_its_way_waits_behind_the_bar(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/oil": 85.0})
    list_with(opened, press).evaluate(SHELVE_ALL)
    page, shelf = opened("/alarms/?priority=3"), opened(f"/alarms/?show=shelved&q={press}")
    wire = Wire(page)
    wire.cut()
    page.reload()  # it is made, and has not heard its first snapshot
    mine = row(page, press, "Oil temperature high")
    expect(mine).to_have_count(0)
    unshelve(shelf)
    wire.mend()
    # Behind the bar; an empty list takes it in by itself.
    expect(page.locator("#newer:not([hidden])").or_(mine).first).to_be_visible()


def test_what_is_announced_anew_waits_where_the_unacknowledged_stand(plant: Plant, opened: Opened, press: str) -> None:
    plant.stack.script(ANNOUNCED_ANEW % press)
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(opened, press, rows=2)
    hot = page.locator("tr[data-alarm][data-priority='1']")
    hot.get_by_role("button", name="Ack").click()
    expect(hot.locator(".word")).to_have_text("Acked")
    page.goto(f"/alarms/?show=unacked&q={press}")
    wait_for_live(page)
    expect(page.locator("tr[data-alarm]")).to_have_count(1)  # the oil's
    plant.stack.script(ITS_TIME_IS_UP % press)
    expect(page.locator("#newer")).to_contain_text("1 new alarm")
    page.keyboard.press("n")
    expect(page.locator("tr[data-alarm]")).to_have_count(2)
    plant.send({f"{press}/temp": 30.0})  # or it would be announced in other journeys too
    expect(hot.locator(".word")).to_have_text("Cleared")


def test_a_list_of_an_area_takes_note_of_an_alarm_while_it_is_not_known_where_it_is(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/oil": 85.0})
    page = opened("/")
    page.route(re.compile(r"/places\?"), lambda route: route.abort())
    page.goto(f"/alarms/?area=hall&q={press}")
    page.locator("#live-word", has_text="Live").wait_for(state="attached")
    until(page, page.reload, lambda: page.locator("tr[data-alarm]").count() == 1)
    plant.send({f"{press}/temp": 97.4})
    expect(page.locator("#newer")).to_contain_text("1 new alarm")


def test_what_is_over_is_chosen_no_longer(plant: Plant, opened: Opened, press: str) -> None:
    plant.send({f"{press}/temp": 97.4, f"{press}/oil": 85.0})
    page = list_with(opened, press, rows=2)
    page.evaluate(ACK_ALL)
    wire = Wire(page)
    page.locator("[data-choose-all]").click()
    expect(page.locator("[data-bulk]")).to_have_text("2")
    plant.send({f"{press}/oil": 30.0})
    expect(page.locator("[data-bulk]")).to_have_text("1")
    wire.cut()
    plant.send({f"{press}/temp": 30.0})
    there = opened(f"/alarms/?q={press}", user="max")
    until(there, there.reload, lambda: there.locator("tr[data-alarm]").count() == 0)
    expect(page.locator("[data-bulk]")).to_have_text("1")
    wire.mend()
    expect(page.locator("#bulk")).to_be_hidden()


def test_an_alarm_that_another_has_taken_the_place_of_is_chosen_no_longer(
    plant: Plant, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4})
    page = list_with(opened, press)
    page.locator("[data-choose-all]").click()
    expect(page.locator("[data-bulk]")).to_have_text("1")
    plant.send({f"{press}/temp": 30.0})
    expect(row(page, press).locator(".word")).to_have_text("Cleared")
    plant.send({f"{press}/temp": 98.0})
    expect(page.locator("#newer")).to_contain_text("1 new alarm")
    expect(page.locator("#bulk")).to_be_hidden()


def test_an_alarm_that_clears_says_so_and_stands_still_wherever_it_is_listed(
    plant: Plant, quiet: Page, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4})
    machine = machine_with(opened, press, alarms=1)
    phone = opened("/rules/", viewport={"width": 390, "height": 844})
    lasting = (
        quiet.locator("#attention li", has_text=press).locator(".num"),
        machine.locator("#mine li [data-lasts]"),
    )
    for place in lasting:
        expect(place).to_have_text(re.compile(r"^\d+:\d\d$"))
    # Another journey's alarm may have come since, and would come to the front as soon as this one has cleared.
    waiting = quiet.locator("#banner-unacked")
    until(quiet, lambda: quiet.evaluate(ACK_ALL, press), lambda: waiting.inner_text() == "1")
    expect(quiet.locator("#banner .code")).to_have_text(press)
    expect(quiet.locator("#banner .cleared")).to_be_empty()
    plant.send({f"{press}/temp": 30.0})
    for place in lasting:
        expect(place).to_have_text(re.compile(r"^cleared after \d+:\d\d$"))
    expect(machine.locator("#why .reasons")).to_contain_text("cleared after")
    expect(quiet.locator("#banner .cleared")).to_have_text("cleared")
    expect(phone.locator("#banner .for")).to_have_text("cleared")
    before = [place.inner_text() for place in lasting]
    quiet.wait_for_timeout(1_500)
    assert [place.inner_text() for place in lasting] == before
    # It comes again, and counts anew.
    plant.send({f"{press}/temp": 98.0})
    for place in (*lasting, phone.locator("#banner .for")):
        expect(place).to_have_text(re.compile(r"^\d+:\d\d$"))
    expect(quiet.locator("#banner .cleared")).to_be_empty()
