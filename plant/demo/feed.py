"""`python -m plant.demo.feed`: runs the demo plant by the clock and sends what its gateways report."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from plant.demo.keeping import hold
from plant.demo.layout import Layout, read
from plant.demo.loading import PROGRESS, TOKENS, write_privately
from plant.demo.plant import DemoPlant, Second
from plant.demo.recording import SOURCE, TAG, Recording
from plant.demo.sender import Sender, encode, joined

log = logging.getLogger("plant.demo")

BACKFILL_SECONDS = 1800
BACKFILL_STEP = 10  # seconds between two readings of the time before the start
BACKFILL_SLICE = 300  # seconds of the past in one request
GAP_AT_MOST = 60  # seconds of standstill that are simulated; longer ones are jumped
NOTE_EVERY = 10  # seconds between two notes of how far it is
READY_AFTER = 0.5  # seconds between two looks whether the server is up


class Feed:
    """The demo plant with one sender for each source."""

    def __init__(self, url: str, folder: Path, layout: Layout) -> None:
        self.url, self.folder, self.layout = url, folder, layout
        self.stopping = threading.Event()
        self.senders = {
            name: Sender(name, url, lambda name=name: self._token(name))  # type: ignore[misc]  # bound at once
            for name in self._tokens()
        }
        self.recorded_from = 0
        self.last = 0

    def _tokens(self) -> dict[str, str]:
        return dict(json.loads((self.folder / TOKENS).read_text(encoding="utf-8")))

    def _token(self, name: str) -> str:
        try:
            return self._tokens().get(name, "")
        except (OSError, ValueError):
            return ""

    def run(self) -> None:
        """Fills in what is missing of the last half hour, then goes with the clock until it is stopped."""
        self._wait_until_up()
        if self.stopping.is_set():
            return
        for sender in self.senders.values():
            sender.start()
        now = int(time.time())
        first = self._first(now)
        self.recording = Recording(self.recorded_from)
        # Stories begin with the first second that is live.
        plant = DemoPlant(first, float(now), layout=self.layout)
        self.last = first
        log.info("sending %d sensors of %d sources", len(self.layout.tags) + 1, len(self.senders))
        self._backfill(plant, now)
        self._live(plant)
        self._note()
        for sender in self.senders.values():
            sender.stop()

    def _wait_until_up(self) -> None:
        """Waits for the server, so that the plant does not begin behind a closed door."""
        told = False
        while not self.stopping.is_set():
            try:
                with urllib.request.urlopen(f"{self.url.rstrip('/')}/healthz", timeout=5):  # noqa: S310  our own server
                    return
            except urllib.error.HTTPError:
                return
            except OSError as error:
                if not told:
                    log.info("waiting for %s (%s)", self.url, error)
                    told = True
            self.stopping.wait(READY_AFTER)

    def _first(self, now: int) -> int:
        """Gives the second at which to begin: half an hour ago, or where the last run stopped."""
        earliest = now - BACKFILL_SECONDS
        try:
            kept = json.loads((self.folder / PROGRESS).read_text(encoding="utf-8"))
            self.recorded_from = int(kept["recorded_from"])
            return min(max(int(kept["sent"]), earliest), now)
        except (OSError, ValueError, KeyError, TypeError):
            self.recorded_from = earliest
            return earliest

    def _backfill(self, plant: DemoPlant, until: int) -> None:
        """Sends the past in slices, each only when the one before has left."""
        bodies: dict[str, list[bytes]] = {name: [] for name in self.senders}
        counts = dict.fromkeys(self.senders, 0)
        slice_end = plant.time + BACKFILL_SLICE
        while plant.time < until and not self.stopping.is_set():
            before = plant.time
            second = plant.step(min(before + BACKFILL_STEP, until))
            for name, body, count in self._requests(second, before):
                bodies[name].append(body)
                counts[name] += count
            if second.time >= min(slice_end, until):
                for name, parts in bodies.items():
                    self.senders[name].put(joined(parts), counts[name])
                    parts.clear()
                    counts[name] = 0
                slice_end = second.time + BACKFILL_SLICE
                while not all(sender.wait(0, 0.5) for sender in self.senders.values()) and not self.stopping.is_set():
                    pass
        self.last = plant.time

    def _live(self, plant: DemoPlant) -> None:
        """Goes with the clock, second by second; never ahead of it."""
        noted = time.monotonic()
        while not self.stopping.is_set():
            behind = time.time() - (plant.time + 1)
            if behind < 0:
                self.stopping.wait(-behind)
                continue
            # After a standstill the plant's time jumps: what nobody measured is not made up.
            before = plant.time
            upto = before + 1 if behind < GAP_AT_MOST else int(time.time())
            for name, body, count in self._requests(plant.step(upto), upto - 1):
                self.senders[name].put(body, count)
            self.last = upto
            if time.monotonic() - noted >= NOTE_EVERY:
                noted = time.monotonic()
                self._note()

    def _requests(self, second: Second, before: int) -> list[tuple[str, bytes, int]]:
        """Gives what each source sends for a second: its name, the body, the number of readings."""
        found = []
        for place, (name, _) in enumerate(self.layout.sources):
            if name == SOURCE or name not in self.senders or place in second.silent:
                continue
            due = second.of(place, self.layout)
            if len(due):
                tags = [self.layout.tags[index] for index in due]
                found.append((name, encode(second.time, tags, second.values[due].tolist()), len(due)))
        if SOURCE in self.senders:
            times = range(before + 1, second.time + 1)
            parts = [encode(at, [TAG], [self.recording.at(at)]) for at in times]
            body = parts[0] if len(parts) == 1 else b",".join(parts)
            found.append((SOURCE, body, len(parts)))
        return found

    def _note(self) -> None:
        """Keeps how far it is, so that the next run goes on from there."""
        if self.last:
            kept = {"sent": self.last, "recorded_from": self.recorded_from}
            write_privately(self.folder / PROGRESS, json.dumps(kept))


def main(arguments: list[str] | None = None) -> int:
    """Runs the feed. Gives: the exit code."""
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(prog="python -m plant.demo.feed", description="Sends the demo plant's readings.")
    port = os.environ.get("ANDON_PORT") or "8000"
    parser.add_argument("--url", default=f"http://127.0.0.1:{port}", help="the server (default: %(default)s)")
    folder = Path(os.environ.get("ANDON_VAR") or root / "var")
    parser.add_argument("--var", type=Path, default=folder, help="where demo-tokens.json lies (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stdout)
    try:
        feed = Feed(chosen.url, chosen.var, read())
    except (OSError, ValueError) as error:
        log.error("the demo's tokens cannot be read (%s); `manage.py prepare` on an empty database makes them", error)
        return 1

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    # One feed for a plant: another one of a worker's or of the supervisor's has its turn when this one ends.
    hold(chosen.var, wait=True)

    def stop(number: int, frame: FrameType | None) -> None:
        feed.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    feed.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
