"""Without the server a browser shows the last known state, marked as old, to whoever is signed in, to nobody else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import Plant

pytestmark = pytest.mark.browser

PEOPLE = """
import json
from django.utils import timezone
from plant.tokens import make_link
from tests import factories
people = [factories.operator("ida"), factories.operator("noah")]
for person, name in zip(people, ("Ida", "Noah")):
    person.first_name = name
    person.save()
print(json.dumps([make_link(user=person, now=timezone.now()) for person in people]))
"""
KEPT = """async () => {
    const cache = await caches.open("andon-pages");
    const pages = await Promise.all((await cache.keys()).map((request) => cache.match(request)));
    return (await Promise.all(pages.map((page) => page.text()))).join();
}"""


# Takes a file out of what the worker keeps; gives how often it was there.
LOSE = """async (end) => {
    let lost = 0;
    for (const name of (await caches.keys()).filter((one) => one.startsWith("andon-files-"))) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) if (request.url.endsWith(end)) lost += await cache.delete(request);
    }
    return lost;
}"""


@pytest.fixture
def without(plant: Plant) -> Iterator[Callable[[], None]]:
    """Gives a function that takes the server away; it is back when the test is over."""

    def cut() -> None:
        plant.stack.kill("web")

    yield cut
    if "web" not in plant.stack.processes:
        plant.stack.start("web")


def _enter(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name=re.compile("Sign in")).click()
    page.locator("#live-word", has_text="Live").wait_for(state="attached")


def test_the_last_known_state_is_marked_as_old_and_goes_with_the_session(
    plant: Plant, chromium: Browser, without: Callable[[], None]
) -> None:
    ida, noah = json.loads(plant.stack.script(PEOPLE).splitlines()[-1])
    context = chromium.new_context(base_url=plant.stack.url, viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(20_000)
    _enter(page, ida)
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    for address in ("/alarms/", "/"):
        page.goto(address)
    page.wait_for_function(f"async () => (await ({KEPT})()).split('<!doctype').length === 3")

    without()
    page.reload()
    expect(page.locator("html")).to_have_class("disc-on")
    expect(page.locator("#not-live")).to_be_visible()
    expect(page.locator("#lost-age")).to_have_text(re.compile(r"\d"))
    expect(page.locator(".honey").first).to_be_visible()
    assert page.locator("#live-word").inner_text() != "Live"
    page.goto("/deliveries/")
    expect(page.get_by_role("heading", name="The server cannot be reached")).to_be_visible()
    expect(page.locator("#kept")).to_have_text(re.compile(r"Overview.* old.*Alarms.* old|Alarms.* old.*Overview.* old"))
    # A page of which a script was not kept says what it is all the same, and comes back by itself.
    assert page.evaluate(LOSE, "/js/ui/console/page.js") == 1
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.get_by_role("link", name="Alarms").click()
    expect(page.locator("#not-live")).to_be_visible()
    expect(page.locator("#lost-age")).to_have_text(re.compile(r"\d"))

    plant.stack.start("web")
    expect(page.locator("#not-live")).to_be_hidden(timeout=30_000)
    expect(page.locator("html")).not_to_have_attribute("data-kept", re.compile(""))
    expect(page.locator("#live-word")).to_have_text("Live")

    # Another person at the same browser, though nobody signed out.
    assert "Ida" in page.evaluate(KEPT)
    context.clear_cookies()
    page.goto(noah)
    assert page.evaluate(KEPT) == ""
    _enter(page, noah)
    page.goto("/")
    page.wait_for_function(f"async () => (await ({KEPT})()) !== ''")
    assert "Noah" in page.evaluate(KEPT) and "Ida" not in page.evaluate(KEPT)

    page.locator(".nav .foot").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert page.evaluate(KEPT) == ""
    without()
    page.goto("/")
    expect(page.locator("#none-kept")).to_be_visible()
    context.close()
