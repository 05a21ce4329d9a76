"""A message that comes while no page speaks for it: Chromium's own worker shows it and leads to the alarm.

Chromium's message service is not reached from a test; what the service would hand over is given to the worker instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from plant.supervisor.check import CHROMIUM

from .conftest import Plant, launch, until

pytestmark = pytest.mark.browser


@pytest.fixture
def workers() -> str:
    """Gives pages their service worker."""
    return "allow"


SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
    .map((one) => [one.title, one.tag, one.data.url, one.requireInteraction])"""


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Gives the whole Chromium: the one without a window shows no message."""
    browser = launch(playwright, CHROMIUM)
    yield browser
    browser.close()


def is_shown(page: Page, title: str) -> bool:
    return [row[0] for row in page.evaluate(SHOWN)] == [title]


def test_a_message_is_shown_by_the_worker_and_a_later_one_takes_its_place(
    plant: Plant, opened: Callable[..., Page]
) -> None:
    page = opened("/subscriptions/", permissions=["notifications"])
    expect(page.get_by_role("button", name="Switch on in this browser")).to_be_visible()
    wire = page.context.new_cdp_session(page)
    registered: list[dict[str, Any]] = []
    wire.on("ServiceWorker.workerRegistrationUpdated", lambda news: registered.extend(news["registrations"]))
    wire.send("ServiceWorker.enable")
    page.wait_for_function("() => navigator.serviceWorker.ready.then((worker) => Boolean(worker.active))")
    for title in ("press high", "press still high"):
        said = {"title": title, "body": "97 °C", "url": "https://elsewhere.example/alarms/7/", "tag": "alarm-7"}
        wire.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": plant.stack.url,
                "registrationId": registered[-1]["registrationId"],
                "data": json.dumps({**said, "stays": True}),
            },
        )
        until(page, lambda: None, partial(is_shown, page, title))
    assert page.evaluate(SHOWN) == [["press still high", "alarm-7", f"{plant.stack.url}/alarms/7/", True]]
