"""300 alarms at once: announced on every screen, a few causes on the list, the highest priority by itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Plant
from tests.browser.walking import Opened, list_with
from tests.stack import Stack

pytestmark = pytest.mark.browser

LINES, MACHINES, RULES = 3, 10, 10

SETUP = f"""
import json
from django.utils import timezone
from devices import services
from devices.models import Asset
from plant.tokens import make_link
from tests import factories
from alerts.rules import create_type_rule

site = services.create_asset(code="works", name="Works", level="site")
area = services.create_asset(code="hall", name="Hall", level="area", parent=site)
kind = factories.asset_type(code="press", name="Press")
for number in range({RULES}):
    services.create_type_sensor(type=kind, key=f"t{{number}}", name=f"T{{number}}", interval=1.0)
    create_type_rule(type=kind, name=f"T{{number}} high", kind="high", sensor_key=f"t{{number}}", limit=90.0,
                     priority=1 if number == 0 else 2 + number % 3)
for line in range({LINES}):
    above = services.create_asset(code=f"line-{{line}}", name=f"Line {{line}}", level="line", parent=area)
    for machine in range({MACHINES}):
        services.create_asset(code=f"p{{line}}{{machine}}", name=f"Press {{line}}{{machine}}", level="machine",
                              parent=above, type=kind)
token = services.create_source(name="gateway", scope=site, silent_after=86400.0)[1]
people = [factories.operator("olga")]
links = {{person.username: make_link(user=person, now=timezone.now()) for person in people}}
print(json.dumps({{"token": token, "links": links}}))
"""


LONG_TASKS = """() => {
  window.longTasks = [];
  const note = (list) => window.longTasks.push(...list.getEntries().map((entry) => Math.round(entry.duration)));
  new PerformanceObserver(note).observe({ type: "longtask" });
}"""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """Gives an Andon of its own, with thirty machines on three lines."""
    with Stack(tmp_path_factory.mktemp("flood"), intake=True) as stack:
        stack.script("from devices.services import ensure_shards; ensure_shards()")
        made = json.loads(stack.script(SETUP).splitlines()[-1])
        stack.start()
        yield Plant(stack, made["token"], made["links"])


@pytest.fixture(scope="module")
def sessions(plant: Plant, chromium: object) -> Callable[[str], object]:
    """Signs in at this Andon, and not at the session's."""
    from tests.browser import conftest

    signed: Callable[[str], object] = conftest.sessions.__wrapped__(plant, chromium)  # type: ignore[attr-defined]
    return signed


def test_three_hundred_alarms_become_a_few_causes(plant: Plant, opened: Opened) -> None:
    page = opened("/")
    # Alarms are counted by the clock's ten minutes: the first and the others are to be in the same.
    left = 600 - time.time() % 600
    if left < 60:
        page.wait_for_timeout((left + 1) * 1000)
    # A list without a row takes in at once what comes, whoever points at it: there is one alarm before the others.
    plant.send({"p00/t0": 95.0})
    board, used = (list_with(opened, "") for _ in range(2))
    used.locator("#rows").hover()
    board.evaluate(LONG_TASKS)
    values = {f"p{line}{m}/t{n}": 95.0 for line in range(LINES) for m in range(MACHINES) for n in range(RULES)}
    plant.send(values, at=time.time())
    expect(page.locator("#floods")).to_be_visible(timeout=30_000)
    expect(page.locator("#floods .positions")).to_contain_text("Works: 300 alarms since", timeout=15_000)
    expect(page.locator("#flood")).to_have_class("flood is-flood")
    # The list is put in order when the flood begins; what comes after waits behind the bar, as ever.
    expect(board.locator("tr[data-alarm]").nth(1)).to_be_attached(timeout=15_000)
    expect(board.locator("#banner-unacked")).to_have_text("300", timeout=30_000)  # it has heard of them all
    board.keyboard.press("n")
    # Thirty critical ones, and a cause for each line; what stands under a cause is read when it is asked for.
    expect(board.locator("tr[data-alarm]")).to_have_count(33, timeout=30_000)
    buttons = board.locator("[data-act=cause]")
    expect(buttons).to_have_count(3)
    expect(buttons.first).to_have_text("and 89 more")
    expect(buttons.first).to_have_attribute("aria-expanded", "false")
    buttons.first.click()
    expect(board.locator("tr[data-alarm]")).to_have_count(122)
    expect(buttons.first).to_have_attribute("aria-expanded", "true")
    # A list that is read anew is unfolded as it was.
    with board.expect_response(re.compile("fragment=consequences")):
        board.keyboard.press("n")
    expect(board.locator("tr[data-alarm]")).to_have_count(122)
    expect(buttons.first).to_have_attribute("aria-expanded", "true")
    buttons.first.click()
    expect(board.locator("tr[data-alarm]")).to_have_count(33)
    # Under somebody's pointer the list has kept its order, and says that there is another.
    assert used.locator("tr[data-alarm]").count() == 1
    expect(used.locator("#newer")).to_contain_text("299 new alarms, by their causes")
    used.keyboard.press("n")
    expect(used.locator("tr[data-alarm]")).to_have_count(33)
    # All of them by one key for each row and one for the lot; the screen stays in hand meanwhile.
    for _ in range(10):
        board.keyboard.press("x")
        board.keyboard.press("j")
    board.keyboard.press("a")
    expect(board.locator("tr[data-alarm].un")).to_have_count(23)
    print("long tasks of the console, ms:", board.evaluate("window.longTasks"))
    phone = opened("/", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    expect(phone.locator("#floods")).to_be_visible()
