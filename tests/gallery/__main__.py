"""Takes every page's picture: python -m tests.gallery [PAGE …]. Writes docs/gallery/ and its index.

A whole Andon of its own with the demo plant (the same seed each time) runs for it under var/gallery. Begun and not
finished, it goes on with what is missing; --again takes all of them anew, names of pages only those.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from plant.supervisor.check import CHROMIUM
from plant.supervisor.install import ROOT, say
from plant.supervisor.processes import spawn
from tests.gallery.pages import FACTS, SHOWN, Shown, there
from tests.stack import Stack

FOLDER = ROOT / "docs" / "gallery"
SIZES = ((1920, 1080), (1366, 768), (390, 844))
THEMES = ("dark", "light")
QUALITY = 25  # of WebP; the whole gallery is to stay below 12 MB
TALL = 2400  # pixels of a page that is longer than its window
AT_ONCE = 5  # pages open at the same time
FRONT = 0.35  # seconds in which a page that comes to the front is drawn
SETTLE = 2.5  # seconds in which charts and values are drawn
DEMO_SECONDS = 240.0  # until the demo's half hour is judged and its first alarms stand
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
USER = "admin"


def picture(shown: Shown, width: int, theme: str) -> Path:
    """Gives where a picture lies."""
    return FOLDER / f"{shown.file}-{width}-{theme}.webp"


def main() -> int:
    """Takes what is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("pages", nargs="*", help="only these, by the names in tests/gallery/pages.py")
    parser.add_argument("--again", action="store_true", help="also those that are there")
    chosen = parser.parse_args()
    wanted = [shown for shown in SHOWN if not chosen.pages or shown.file in chosen.pages]
    again = chosen.again or bool(chosen.pages)
    FOLDER.mkdir(parents=True, exist_ok=True)
    due = {
        (width, height, theme): left
        for width, height in SIZES
        for theme in THEMES
        if (left := [shown for shown in wanted if again or not picture(shown, width, theme).exists()])
    }
    if due:
        folder = ROOT / "var" / "gallery"
        shutil.rmtree(folder, ignore_errors=True)
        with Stack(folder) as stack:
            take(stack, due)
    index()
    size = sum(path.stat().st_size for path in FOLDER.glob("*.webp"))
    say(f"{len(list(FOLDER.glob('*.webp')))} pictures, {size / 1e6:.1f} MB")
    return 0


def take(stack: Stack, due: dict[tuple[int, int, str], list[Shown]]) -> None:
    """Starts the demo plant, signs in, and goes from page to page."""
    stack.script("from plant.demo import loading; loading.load()")
    stack.start()
    feed = [sys.executable, "-m", "plant.demo.feed", "--url", stack.url, "--var", str(stack.folder)]
    with (stack.folder / "demo.log").open("ab") as log:
        stack.processes["demo"] = spawn(feed, stack.environment, cwd=ROOT, stdout=log, stderr=log)
    say("the demo plant starts …")
    wait_for_alarms(stack)
    facts = json.loads(stack.script(FACTS.format(user=USER)).splitlines()[-1])
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        state = signed_in(browser, stack.url, facts["link"])
        for (width, height, theme), pages in due.items():
            options = {
                "viewport": {"width": width, "height": height},
                "color_scheme": theme,
                "reduced_motion": "reduce",
            }
            inside = browser.new_context(base_url=stack.url, storage_state=state, service_workers="block", **options)
            outside = browser.new_context(base_url=stack.url, service_workers="block", **options)
            there_now = [(shown, address) for shown in pages if (address := there(shown, facts))]
            for start in range(0, len(there_now), AT_ONCE):
                shoot(
                    [
                        (inside if shown.signed_in else outside, shown, address, picture(shown, width, theme))
                        for shown, address in there_now[start : start + AT_ONCE]
                    ],
                    stack.url,
                )
            say(f"{width} × {height}, {theme}: {len(pages)} pages")
            inside.close()
            outside.close()
        browser.close()


def wait_for_alarms(stack: Stack) -> None:
    """Waits until the demo's past is judged and an alarm stands."""
    until = time.monotonic() + DEMO_SECONDS
    ask = "from alerts.models import Alarm; print(Alarm.objects.filter(closed=None, rule__isnull=False).count())"
    while time.monotonic() < until and int(stack.script(ask).splitlines()[-1]) < 3:
        time.sleep(5)


def signed_in(browser: Browser, url: str, link: str) -> object:
    """Signs the first person in by a one-time link. Gives: their cookies."""
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto(link)
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    state = context.storage_state()
    context.close()
    return state


def shoot(wanted: list[tuple[BrowserContext, Shown, str, Path]], url: str) -> None:
    """Takes some pages, which settle together."""
    opened: list[tuple[Page, Path]] = []
    try:
        for context, shown, address, path in wanted:
            context.add_cookies([{"name": "density", "value": "wall" if shown.wall else "", "url": url}])
            page = context.new_page()
            opened.append((page, path))
            page.goto(address)
        opened[-1][0].wait_for_timeout(SETTLE * 1000)
        for page, path in opened:
            page.bring_to_front()
            page.wait_for_timeout(FRONT * 1000)
            path.write_bytes(webp(page))
    finally:
        for page, _path in opened:
            page.close()


def webp(page: Page) -> bytes:
    """Gives the page as a small picture, as long as it is, up to a bound."""
    size = page.viewport_size or {"width": 1920, "height": 1080}
    tall = min(TALL, max(size["height"], page.evaluate("document.documentElement.scrollHeight")))
    if tall > size["height"]:
        # A window as tall as the page: what is drawn only where it is seen is drawn then.
        page.set_viewport_size({"width": size["width"], "height": tall})
        page.wait_for_timeout(FRONT * 1000)
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    return base64.b64decode(taken["data"])


def index() -> None:
    """Writes the list of pages, with what differs from the design."""
    lines = [
        "# Gallery",
        "",
        "Every page in both themes at three widths, made by `.venv/bin/python -m tests.gallery` on the demo plant, and",
        "held beside the design. What differs from it, and why, stands with each; what is not named is as designed.",
        "",
        "| page | beside | differs | 1920 | 1366 | 390 |",
        "|---|---|---|---|---|---|",
    ]
    for shown in SHOWN:
        cells = []
        for width, _height in SIZES:
            links = [
                f"[{theme}]({picture(shown, width, theme).name})"
                for theme in THEMES
                if picture(shown, width, theme).exists()
            ]
            cells.append(", ".join(links) or "–")
        lines.append(f"| {shown.file} | {shown.design or '–'} | {shown.differs or '–'} | {' | '.join(cells)} |")
    (FOLDER / "README.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
