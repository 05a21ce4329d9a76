"""What the journeys need: a whole Andon of their own, Chromium, people who are signed in, a gateway that sends."""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from plant.supervisor.check import CHROMIUM, SHELL
from tests.stack import Stack

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
expect.set_options(timeout=15_000)  # the first drain compiles its loop, and the machine may have other work
MACHINES = 99  # each journey takes one of its own, from the tenth: no code is the beginning of another

FURNISHED = """
from alerts.models import Position
from devices import services
from devices.models import Asset, Level
from tests import factories

def furnish(machine):
    for key, name in (("temp", "Temperature"), ("oil", "Oil temperature")):
        factories.sensor(machine, key, name=name, normal_low=20.0, normal_high=70.0)
    factories.rule(machine, "Temperature high", cause="The fan stands.", action="Start the fan\\nCall maintenance")
    factories.rule(machine, "Oil temperature high", sensor_key="oil", limit=80.0, priority=3)
    # Each has its operator: what one journey leaves is no flood to another, in which alarms stand under causes.
    Position.objects.create(code=f"seat-{machine.code}", name=f"Seat {machine.code}", scope=machine)
"""
SETUP = f"""{FURNISHED}
import json
from django.utils import timezone
from plant.tokens import make_link

for machine in factories.plant(machines={MACHINES}):
    furnish(machine)
# The journeys send when they like.
token = services.create_source(name="gateway", scope=Asset.objects.get(code="works"), silent_after=86400.0)[1]
people = [factories.operator("olga"), factories.operator("max"), factories.viewer("vera")]
people[1].first_name, people[1].last_name = "Max", "Osei"
people[1].save()
links = {{person.username: make_link(user=person, now=timezone.now()) for person in people}}
print(json.dumps({{"token": token, "links": links}}))
"""

# A worker that gets more journeys than there are machines makes others, and none of these is another's beginning.
MORE = f"""{FURNISHED}
line = Asset.objects.get(code="line-1")
for number in range(30):
    code = f"press-1-%s{{number:02}}"
    furnish(services.create_asset(code=code, name=f"Press 1.{{code[8:]}}", level=Level.MACHINE, parent=line))
"""

# But those of one machine, where one is named.
ACK_ALL = """async (but) => {
  const { items } = await (await fetch("/api/v1/alarms?state=open")).json();
  const token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
  const waiting = items.filter((alarm) => "BDE".includes(alarm.state) && alarm.asset !== but)
    .map((alarm) => ["alarm", alarm.id]);
  if (!waiting.length) return;
  const answer = await fetch("/alarms/ack", {
    method: "POST",
    headers: { "X-CSRFToken": token, "X-Requested-With": "fetch" },
    body: new URLSearchParams(waiting),
  });
  if (!answer.ok && answer.status !== 409) throw new Error(String(answer.status));
}"""


def until(page: Page, act: Callable[[], object], wanted: Callable[[], object]) -> None:
    """Waits for what no locator tells; whenever it is not there yet, `act` is done once more. Raises: it never came."""
    for _ in range(100):
        if wanted():
            return
        page.wait_for_timeout(100)
        act()
    raise AssertionError("What was waited for never came")


@dataclass
class Plant:
    """A running Andon with a small plant in it."""

    stack: Stack
    token: str
    links: dict[str, str]

    def send(self, values: dict[str, float], *, at: float | None = None) -> None:
        """Sends readings as a gateway does; they are accepted when this returns."""
        self._post({"time": round((at or time.time()) * 1000), "values": values})

    def send_series(self, tag: str, readings: list[tuple[float, float]]) -> None:
        """Sends many readings of a sensor, (s, value) in order, as a gateway does that was cut off for a while."""
        times, values = [round(at * 1000) for at, _ in readings], [value for _, value in readings]
        self._post({"series": [{"sensor": tag, "times": times, "values": values}]})

    def _post(self, body: Any) -> None:
        request = urllib.request.Request(
            f"{self.stack.intake_url}/api/v1/telemetry",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 202


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """Gives the session's Andon; the intake runs beside the web process, so that either can be cut alone."""
    with Stack(tmp_path_factory.mktemp("browser"), intake=True) as stack:
        made = json.loads(stack.script(SETUP).splitlines()[-1])
        stack.start()
        yield Plant(stack, made["token"], made["links"])


def launch(playwright: Playwright, names: Sequence[str]) -> Browser:
    """Starts the first of some programs that the machine has; without one there is nothing to click with."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("There is no such Chromium on this machine. On Debian: apt install chromium")
    return playwright.chromium.launch(executable_path=found, args=ARGUMENTS)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Gives what drives browsers; there can be one in a process."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Gives Chromium, the machine's own: the one without a window where it is installed."""
    browser = launch(playwright, (SHELL, *CHROMIUM))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def sessions(plant: Plant, chromium: Browser) -> Callable[[str], Any]:
    """Gives a function that signs a person in by their one-time link, once, and gives their cookies."""
    kept: dict[str, Any] = {}

    def of(username: str) -> Any:
        if username not in kept:
            context = chromium.new_context(service_workers="block")
            page = context.new_page()
            page.goto(plant.stack.url + plant.links[username])
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{plant.stack.url}/")
            kept[username] = context.storage_state()
            context.close()
        return kept[username]

    return of


@pytest.fixture
def workers() -> str:
    """Tells whether pages have their service worker; a module that looks for it overrides this.

    Each test's browser is a new one, in which it would come and fetch all of Andon's files once more: half of what it
    costs to open a page.
    """
    return "block"


@pytest.fixture
def opened(
    plant: Plant, chromium: Browser, sessions: Callable[[str], Any], workers: str
) -> Iterator[Callable[..., Page]]:
    """Gives a function that opens a page in a person's own browser; a script's error fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(address: str, *, user: str = "olga", live: bool = True, **options: Any) -> Page:
        usual = {"viewport": {"width": 1366, "height": 768}, "color_scheme": "dark", "service_workers": workers}
        chosen = {**usual, **options}
        context = chromium.new_context(base_url=plant.stack.url, storage_state=sessions(user), **chosen)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(f"{address}: {error}"))
        page.goto(address)
        if live:
            page.locator("#live-word", has_text="Live").wait_for(state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def codes(plant: Plant) -> Iterator[str]:
    """Gives machines that no other journey has, and that have read nothing yet."""

    def made() -> Iterator[str]:
        yield from (f"press-1-{number}" for number in range(10, MACHINES + 1))
        for letter in ascii_lowercase:
            plant.stack.script(MORE % letter)
            yield from (f"press-1-{letter}{number:02}" for number in range(30))

    return made()


@pytest.fixture
def press(codes: Iterator[str]) -> str:
    """Gives the journey's own machine."""
    return next(codes)


@pytest.fixture
def quiet(opened: Callable[..., Page]) -> Page:
    """Acknowledges what other journeys have left: what comes now is the most important. Gives the overview."""
    page = opened("/")
    # What another journey's alarm does meanwhile is no reason to stop.
    until(page, lambda: page.evaluate(ACK_ALL), lambda: page.locator("#banner-unacked").inner_text() == "0")
    return page
