"""A page of a thousand live tiles in real Chromium: its long tasks, its share of a core, its memory.

An area of 336 machines with three values each, 1,008 moving indicators, all of which change four times a second.
Chromium, Andon and the sender share the machine; the page's own figures are those of its renderer process.

What it costs to look is not in them: frames are counted from the browser's own trace, in some seconds after those that
are measured. A counter in the page, which asks for every frame, is itself a cost: sixty frames a second, a millisecond
each, in which nothing is drawn, where the page needs a dozen.
"""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import CDPSession, Page, sync_playwright

from plant.supervisor.check import CHROMIUM
from tests.stack import Stack

LINES, MACHINES, VALUES = 4, 84, 3
TILES = LINES * MACHINES * VALUES
PACE = 0.25  # s
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
LONG = 50  # ms: what a long task is by its specification

PREPARE = """
from django.contrib.auth.models import Group, User
from django.utils import timezone
from plant.tokens import make_link
person = User.objects.create_user("bench", password="for the bench alone")
person.groups.set(Group.objects.filter(name="operator"))
print(make_link(user=person, now=timezone.now()))
"""
WATCH = """() => {
  window.long = [];
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.long.push(entry.duration); })
    .observe({ type: "longtask" });
}"""
FRAMES = "disabled-by-default-devtools.timeline.frame"  # of a trace: what it tells of each frame, and nothing else
TRACED = 5.0  # s


def plant_yaml() -> str:
    """Gives the plant: one area, four lines, their machines, three sensors with a rule each."""
    lines = ["asset_types:", "  - code: tile", "    name: Tile", "    sensors:"]
    lines += [
        f"      - {{key: v{key}, name: Value {key}, range: [0, 100], normal: [30, 70], interval: 1}}"
        for key in range(VALUES)
    ]
    lines.append("    rules:")
    lines += [
        f"      - {{name: High {key}, sensor: v{key}, kind: high, limit: 95, priority: low}}" for key in range(VALUES)
    ]
    lines += ["assets:", "  - {code: works, name: Works, level: site}"]
    lines.append("  - {code: hall, name: Hall, level: area, parent: works}")
    for line in range(LINES):
        lines.append(f"  - {{code: line-{line}, name: Line {line}, level: line, parent: hall}}")
        lines += [
            f"  - {{code: t{line}-{machine}, name: Tile {machine}, level: machine, parent: line-{line}, type: tile}}"
            for machine in range(MACHINES)
        ]
    return "\n".join([*lines, "sources:", "  - {name: bench, scope: works}"]) + "\n"


class Sender(threading.Thread):
    """Sends a new value of every sensor four times a second until it is stopped."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self.url, self.token = f"{url}/api/v1/telemetry", token
        self.ended = threading.Event()

    def run(self) -> None:
        """Sends."""
        tags = [f"t{line}-{m}/v{key}" for line in range(LINES) for m in range(MACHINES) for key in range(VALUES)]
        chance = random.Random(1)
        while not self.ended.wait(PACE - time.time() % PACE):
            values = {tag: round(chance.uniform(20, 80), 1) for tag in tags}
            body = json.dumps({"time": time.time_ns() // 1_000_000, "values": values}).encode()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
            urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=10).close()


@dataclass
class Look:
    """What a page cost from `began` to `ended`: heap in bytes after a collection, nodes, CPU seconds of its process."""

    seconds: float = 0.0
    cpu: float = 0.0
    long_tasks: list[float] = field(default_factory=list)  # ms
    frames: float = 0.0  # a second
    heap: list[float] = field(default_factory=list)  # bytes, at the start and after each part
    nodes: list[float] = field(default_factory=list)
    tiles: int = 0
    first: dict[str, float] = field(default_factory=dict)  # ms from asking for a page to its first content, by address


def metrics(session: CDPSession) -> dict[str, float]:
    """Gives what Chromium counts of a page, after a collection. Takes: a session whose `Performance` is enabled."""
    session.send("HeapProfiler.collectGarbage")
    return {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}


def trace(page: Page, categories: list[str], act: Callable[[], object]) -> list[dict[str, Any]]:
    """Gives the events of these categories that the browser of a page traced while `act` ran."""
    browser = page.context.browser
    assert browser is not None
    session = browser.new_browser_cdp_session()
    events: list[dict[str, Any]] = []
    ended: list[bool] = []
    session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    session.on("Tracing.tracingComplete", lambda _: ended.append(True))
    chosen = {"includedCategories": categories, "excludedCategories": ["*"]}
    session.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": chosen})
    act()
    session.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(20)
    session.detach()
    return events


def frames(page: Page, seconds: float) -> float:
    """Gives how many frames a second are drawn."""
    events = trace(page, [FRAMES], lambda: page.wait_for_timeout(seconds * 1000))
    return sum(event["name"] == "DrawFrame" for event in events) / seconds


def _renderer(browser_pid: int) -> psutil.Process:
    """Gives the process of the page: the renderer that has worked most."""
    found = [
        child
        for child in psutil.Process(browser_pid).children(recursive=True)
        if "--type=renderer" in " ".join(child.cmdline())
    ]
    return max(found, key=lambda process: sum(process.cpu_times()[:2]))


def unfold(page: Page) -> int:
    """Opens every line of the area and asks for every card; gives how many indicators the page has then."""
    for line in range(LINES):
        part = page.locator(f"#line-line-{line}")
        if "folded" in (part.get_attribute("class") or ""):
            part.locator("[data-act=fold]").click()
            part.locator("[data-act=fold][aria-expanded=true]").wait_for()  # its cards are there
        while part.locator("[data-card]").count() < MACHINES:
            before = part.locator("[data-card]").count()
            part.locator("[data-act=more-cards]").click()
            page.wait_for_function(
                "([line, before]) => document.querySelectorAll(`#line-line-${line} [data-card]`).length > before",
                arg=[line, before],
            )
    return page.locator(".mai[data-tag]").count()


PAGES = ("/", "/a/hall/", "/alarms/", "/a/hall/line-0/t0-0/")
CONTENT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def first_content(page: Page, address: str) -> float:
    """Asks for a page and gives when its first content was drawn, in ms after that."""
    page.goto(address)
    page.wait_for_function(CONTENT)
    found: float = page.evaluate(CONTENT)
    return found


def look(folder: Path, *, seconds: float, parts: int = 4) -> Look:
    """Opens the page on a whole Andon and watches it for so long."""
    with Stack(folder) as stack, sync_playwright() as playwright:
        (folder / "plant.yaml").write_text(plant_yaml())
        stack.script("from devices.services import ensure_shards; ensure_shards()")
        stack.run("manage.py", "plant", "import", str(folder / "plant.yaml"))
        token = stack.run("manage.py", "source", "add", "tiles", "--scope", "works").split()[-1]
        link = stack.script(PREPARE).split()[-1]
        stack.start()
        sender = Sender(stack.url, token)
        sender.start()
        path = next(filter(None, map(shutil.which, CHROMIUM)))
        before = {process.pid for process in psutil.process_iter()}
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(stack.url + link)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{stack.url}/")
            first = {address: first_content(page, f"{stack.url}{address}") for address in PAGES}
            page.goto(f"{stack.url}/a/hall/")
            page.locator("#live-word", has_text="Live").wait_for(state="attached")
            found = Look(first=first, tiles=unfold(page))
            root = min(
                process.pid
                for process in psutil.Process().children(recursive=True)  # others of the machine may start one as well
                if process.pid not in before and "chromium" in process.name()
            )
            time.sleep(5)
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            page.evaluate(WATCH)
            start = metrics(session)
            found.heap.append(start["JSHeapUsedSize"])
            found.nodes.append(start["Nodes"])
            renderer = _renderer(root)
            for _ in range(parts):
                page.evaluate("() => { window.long.length = 0; }")
                spent, began = sum(renderer.cpu_times()[:2]), time.monotonic()
                page.wait_for_timeout(seconds / parts * 1000)
                found.seconds += time.monotonic() - began
                found.cpu += sum(renderer.cpu_times()[:2]) - spent
                found.long_tasks += page.evaluate("() => window.long")
                # The collection is a long task of our own making, so it comes between the parts.
                now = metrics(session)
                found.heap.append(now["JSHeapUsedSize"])
                found.nodes.append(now["Nodes"])
            found.frames = frames(page, TRACED)
            return found
        finally:
            sender.ended.set()
            sender.join()
            browser.close()


def table(found: Look) -> str:
    """Gives the figures in words."""
    heap = ", ".join(f"{size / 1e6:.1f}" for size in found.heap)
    worst = f", the longest {max(found.long_tasks):.0f} ms" if found.long_tasks else ""
    rows: list[tuple[str, Any]] = [
        (f"{found.tiles:,} live tiles at 4 Hz, {found.seconds:.0f} s", ""),
        ("  tasks over 50 ms", f"{len(found.long_tasks)}{worst}   goal 0"),
        ("  of one core, the page's process", f"{found.cpu / found.seconds:.0%}   goal under 30 %"),
        ("  frames drawn a second", f"{found.frames:.0f}"),
        ("  script's memory after collecting, MB", f"{heap}   goal flat"),
        ("  nodes", ", ".join(f"{number:.0f}" for number in found.nodes)),
    ]
    rows += [(f"  first content of {address}", f"{ms:.0f} ms   goal 1,000") for address, ms in found.first.items()]
    return "\n".join(f"{name:44} {said}" for name, said in rows)
