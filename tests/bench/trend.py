"""Measures the trend explorer in a real Chromium: a month of 1 Hz from the click to the picture, and panning in it.

    python -m tests.bench.trend [--days 30] [--pens 6]

Only Redis and the web process run beside the browser; the history is written as drains and folds leave it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from plant.supervisor.check import CHROMIUM
from tests.stack import Stack

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
FRAME = 1000 / 60  # ms

FILL = """
import json, time
import numpy as np
from django.utils import timezone
from devices.telemetry import history
from devices.telemetry.batch import Batch
from plant.tokens import make_link
from tests import factories
from tests.bench.history import signal

days, pens = {days}, {pens}
machine = factories.plant(machines=1)[0]
keys = [("temp", "degC"), ("oil", "degC"), ("flow", "m3/h"), ("pressure", "bar"), ("current", "A"), ("speed", "rpm")]
count = days * 86_400
times = (int(time.time()) - count + np.arange(count)) * 1_000_000
values = signal(count)
for place, (key, unit) in enumerate(keys[:pens]):
    sensor = factories.sensor(machine, key, unit=unit, normal_low=50.0, normal_high=70.0)
    if place == 0:
        factories.rule(machine)
    for first in range(0, count, 86_400):  # a day each, as chunks hold it
        rows = slice(first, first + 86_400)
        n = len(times[rows])
        batch = Batch(np.full(n, sensor.pk, np.int32), times[rows], np.roll(values, place * 40_000)[rows],
                      np.zeros(n, np.uint8))
        history.append(0, batch, np.zeros(n, np.bool_))
        history.fold(int(times[rows][-1]), everything=True)
print(json.dumps({{"link": make_link(user=factories.operator(), now=timezone.now()), "count": count}}))
"""

# What happens between the click and the first picture that shows all of the range, and in each frame of a pan.
CLICK = """async (span) => {
  performance.clearMarks("trend-drawn");
  const begun = performance.now();
  document.querySelector(`[data-act=trend-range][data-span="${span}"]`).click();
  for (;;) {
    await new Promise((done) => requestAnimationFrame(done));
    const marks = performance.getEntriesByName("trend-drawn");
    const drawn = marks.find((mark) => mark.detail.whole && mark.startTime > begun);
    if (drawn) return drawn.startTime - begun;
    if (performance.now() - begun > 20_000) return null;
  }
}"""
PAN = """async (frames) => {
  const chart = document.getElementById("chart");
  const box = chart.getBoundingClientRect();
  chart.setPointerCapture = () => {};  // no real pointer is there to be captured
  const send = (type, x) => chart.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, clientX: box.left + x, clientY: box.top + 120, button: 0, bubbles: true, pointerType: "mouse" }));
  const times = [], script = [];
  let before = await new Promise((done) => requestAnimationFrame(done));
  let blank = 0;
  send("pointerdown", box.width * 0.3);
  for (let frame = 1; frame <= frames; frame += 1) {
    performance.clearMarks("trend-drawn");
    send("pointermove", box.width * 0.3 + frame * 6);
    const now = await new Promise((done) => requestAnimationFrame(done));
    times.push(now - before);
    before = now;
    script.push(performance.now() - now);
    const drawn = performance.getEntriesByName("trend-drawn").at(-1);
    if (drawn && !drawn.detail.whole) blank += 1;
  }
  send("pointerup", box.width * 0.3 + frames * 6);
  return { times, script, blank };
}"""


@contextmanager
def explorer(days: int, pens: int) -> Iterator[tuple[Page, str, int]]:
    """Gives a browser's page signed in at an Andon with that history, its address, and how many readings a pen has."""
    folder = Path(tempfile.mkdtemp(prefix="andon-trend-"))
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise SystemExit("There is no Chromium on this machine. On Debian: apt install chromium")
    try:
        with Stack(folder / "var") as stack, sync_playwright() as playwright:
            made = json.loads(stack.script(FILL.format(days=days, pens=pens)).splitlines()[-1])
            stack.start("web")
            browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1920, "height": 1080}, bypass_csp=True)
            page.goto(stack.url + made["link"])
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{stack.url}/")
            yield page, stack.url, made["count"]
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def percentile(values: list[float], share: float) -> float:
    """Gives the value below which a share of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """Fills, opens, clicks, pans, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--pens", type=int, default=6)
    options = parser.parse_args()
    keys = ["temp", "oil", "flow", "pressure", "current", "speed"][: options.pens]
    begun = time.perf_counter()
    with explorer(options.days, len(keys)) as (page, url, count):
        print(f"{count:,} readings a pen, written in {time.perf_counter() - begun:.0f} s\n")
        print(f"{'pens':>5}{'click to drawn, ms: best':>26}{'median':>8}{'longest':>9}   goal 300")
        for pens in sorted({1, len(keys)}):
            measure(page, url, keys[:pens], options.days)


def measure(page: Page, url: str, keys: list[str], days: int) -> None:
    """Clicks and pans with some pens, and prints how long it took."""
    query = "&".join(f"s=press-1-1/{key}" for key in keys)
    page.goto(f"{url}/trends/?{query}&t=1h")
    page.wait_for_function("performance.getEntriesByName('trend-drawn').some((mark) => mark.detail.whole)")
    waits: list[float] = []
    for _ in range(5):
        waits.append(page.evaluate(CLICK, 2_592_000))
        page.wait_for_timeout(1500)  # what is read beside the view is read by then
        page.evaluate(CLICK, 3600)
    print(f"{len(keys):>5}{min(waits):>26.0f}{statistics.median(waits):>8.0f}{max(waits):>9.0f}")
    for span, name in ((days * 86_400 // 5, "a fifth of it"), (3600, "an hour")):
        end = time.time() - days * 86_400 / 4
        start, stop = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (end - span, end))
        page.goto(f"{url}/trends/?{query}&from={start}&to={stop}")
        page.wait_for_function("performance.getEntriesByName('trend-drawn').some((mark) => mark.detail.whole)")
        page.wait_for_timeout(1500)
        found: dict[str, Any] = page.evaluate(PAN, 180)
        frames, script = found["times"], found["script"]
        late = sum(frame > FRAME * 1.5 for frame in frames)
        print(
            f"      panning {name:14} {1000 / statistics.mean(frames):5.0f} frames/s, median "
            f"{statistics.median(frames):.1f} ms, p95 {percentile(frames, 0.95):.1f} ms, {late} of {len(frames)} late; "
            f"script median {statistics.median(script):.1f} ms, p95 {percentile(script, 0.95):.1f} ms; "
            f"{found['blank']} not whole",
            flush=True,
        )


if __name__ == "__main__":
    main()
