"""The rule editor in a real browser: by hand, by keyboard, without a script, for who may only look."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Plant
from tests.browser.walking import Opened

pytestmark = pytest.mark.browser

# An engineer, and an hour of the first press: a spike each forty seconds.
SETUP = """
import json
import numpy as np
from datetime import timedelta
from django.utils import timezone
from alerts.instants import to_us
from alerts.models import Rule
from devices.models import Sensor
from devices.telemetry import history
from devices.telemetry.batch import Batch
from plant.roles import ensure_roles
from plant.tokens import make_link
from tests import factories
ensure_roles()
count = 3600
sensor = Sensor.objects.get(asset__code="press-1-1", key="temp")
values = np.where(np.arange(count) % 40 == 0, 95.0, 60.0)
times = to_us(timezone.now() - timedelta(hours=2)) + np.arange(count, dtype=np.int64) * 1_000_000
history.append(sensor.asset.shard, Batch(np.full(count, sensor.pk, np.int32), times, values, np.zeros(count, np.uint8)),
               np.zeros(count, np.bool_))
rule = Rule.objects.get(asset__code="press-1-1", name="Temperature high")
print(json.dumps([rule.pk, make_link(user=factories.engineer("emil"), now=timezone.now())]))
"""


@pytest.fixture(scope="module")
def editor(plant: Plant) -> str:
    """Gives the address of a rule's editor; emil may change it."""
    rule, plant.links["emil"] = json.loads(plant.stack.script(SETUP).splitlines()[-1])
    plant.send({"press-1-1/temp": 60.0})  # the newest reading goes the way of all, so that live and past tell the same
    return f"/rules/{rule}/edit/"


def test_the_backtest_follows_the_fields_and_a_proposal_and_is_saved_with_a_reason(editor: str, opened: Opened) -> None:
    page = opened(editor, user="emil")
    figure = page.locator(".res[data-period='30'] .n")
    # The engine is loaded by the first backtest.
    expect(figure).to_have_text("90", timeout=60_000)
    expect(page.locator("#sentence")).to_have_text("When Temperature is at or over 90 °C, raise a critical alarm.")
    page.locator("#sentence a", has_text="90 °C").click()
    expect(page.locator("#f-limit")).to_be_focused()
    page.keyboard.type("96")
    expect(page.locator("#sentence")).to_contain_text("at or over 96 °C")
    expect(figure).to_have_text("0")
    expect(page.locator("#unsaved")).to_be_visible()
    page.locator("#f-limit").fill("65")
    expect(page.locator("#note-limit")).to_contain_text("65 lies within the normal range, 20 to 70")
    page.locator("#f-limit").fill("500")
    expect(page.locator("#note-limit")).to_contain_text("lies outside the sensor’s range")
    expect(page.locator("#f-limit")).to_have_attribute("aria-invalid", "true")
    # What cannot be tried leaves the backtest of the rule before, and says that it is that.
    page.locator("#f-limit").fill("abc")
    expect(page.locator("#trouble")).to_contain_text("What is shown here is of the rule as it was tried before.")
    expect(page.locator("#outcome")).to_have_class(re.compile(r"\bof-before\b"))
    # The key's twin of dragging.
    page.locator("#f-limit").fill("90")
    expect(figure).to_have_text("90")
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#outcome")).not_to_have_class(re.compile(r"\bof-before\b"))
    grip = page.get_by_role("slider", name="Limit")
    grip.focus()
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("#f-limit")).to_have_value("91")
    box, plot = grip.bounding_box(), page.locator("#charts .u-over").bounding_box()
    assert box is not None and plot is not None
    page.mouse.move(plot["x"] + 200, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(plot["x"] + 200, plot["y"] + 4, steps=4)
    # While it is held, the scale stands still under the hand, whatever the backtest answers meanwhile.
    reaches = [grip.get_attribute(f"aria-value{end}") for end in ("min", "max")]
    expect(figure).to_have_text("0")
    page.wait_for_timeout(600)
    assert page.locator("#charts .u-over").bounding_box() == plot
    expect(grip).to_be_focused()
    assert [grip.get_attribute(f"aria-value{end}") for end in ("min", "max")] == reaches
    page.mouse.move(plot["x"] + 200, plot["y"] + 2, steps=4)
    page.mouse.up()
    expect(page.locator("#f-limit")).not_to_have_value("91")
    expect(figure).to_have_text("0")
    page.locator("#f-limit").fill("90")
    option = page.locator(".opt", has_text="On-delay 2 s")
    written = page.locator("#f-on_delay").input_value()
    option.click()
    expect(figure).to_have_text("0")
    expect(option).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#f-on_delay")).to_have_value("2")
    # Back to what is written, and to the other settings once more: the options stay.
    as_written = page.locator("[data-act=rule-as-written]")
    as_written.click()
    expect(as_written).to_have_attribute("aria-pressed", "true")
    expect(option).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#f-on_delay")).to_have_value(written)
    expect(figure).to_have_text("90")
    option.click()
    expect(figure).to_have_text("0")
    expect(page.locator("#f-on_delay")).to_have_value("2")
    page.locator(".pagehead [value=save]").click()
    expect(page.locator("#f-reason")).to_be_focused()
    page.keyboard.type("spikes of the fan")
    page.keyboard.press("Enter")  # tries the rule, and saves nothing
    expect(page).to_have_url(re.compile("/edit/$"))
    page.locator(".pagehead [value=save]").click()
    expect(page.locator(".cal[role=status]")).to_contain_text("Saved as version 2.")
    expect(page.locator(".changes")).to_contain_text("spikes of the fan")


def test_without_a_script_it_is_a_form_with_a_button(editor: str, opened: Opened) -> None:
    page = opened(editor, user="emil", live=False, java_script_enabled=False)
    page.locator("#f-limit").fill("80")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator(".res[data-period='30'] .n, .res .n").first).to_be_visible()
    expect(page.locator("#f-limit")).to_have_value("80")
    page.locator("#f-kind").select_option("stale")
    page.get_by_role("button", name="Show its fields").click()
    expect(page.locator("#f-timeout")).to_be_visible()
    expect(page.locator("#f-limit")).to_be_hidden()


@pytest.mark.parametrize(
    ("scheme", "user", "options"),
    [("dark", "emil", {}), ("light", "vera", {"viewport": {"width": 390, "height": 844}, "is_mobile": True})],
)
def test_the_pages_are_accessible_in_both_themes_and_on_the_phone(
    editor: str, opened: Opened, scheme: str, user: str, options: dict[str, Any]
) -> None:
    page = opened("/rules/", user=user, color_scheme=scheme, **options)
    for address in ("/rules/", editor):
        page.goto(address)
        if address == editor:
            expect(page.locator("#charts canvas").first).to_be_visible(timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page, "#main") == []
