"""Trips a feeder on a whole running Andon, ten alarms every 0.3 s: python -m tests.chaos.trip FOLDER MACHINES.

Prints one JSON object. A process of its own: its Django stands on the stack's own database.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import websockets

from tests.alerts.notify.wire import MailServer
from tests.chaos.driver import deliver
from tests.stack import Stack

PLANT = """
asset_types:
  - code: feeder
    name: Feeder
    sensors:
      - {key: tripped, name: Breaker open}
    rules:
      - {name: Feeder trip, sensor: tripped, kind: high, limit: 0.5, priority: critical, group: trip}
  - code: machine
    name: Machine
    sensors:
SENSORS
    rules:
RULES
assets:
  - {code: site, name: Site, level: site}
  - {code: feeder-1, name: Feeder 1, level: machine, parent: site, type: feeder}
  - {code: hall, name: Hall, level: area, parent: site}
  - {code: running, name: Running line, level: line, parent: hall}
MACHINES
sources:
  - {name: edge, scope: site}
"""
SENSORS = 10
EVERY = 0.3  # seconds from one machine's trip to the next: 2,000 alarms a minute
LATE = 3.0  # that the feeder's own word comes late
PRIORITIES = ("high", "medium", "medium")  # of a machine's first sensors, the others' is low
CAST = """
from django.contrib.auth.models import User
from alerts.models import Subscription
from devices.models import Asset
for name, asset, lowest in (("chief", None, 4), ("electrician", None, 2), ("hand", "hall", 4)):
    user = User.objects.create_user(name, f"{name}@works.example")
    where = Asset.objects.get(code=asset) if asset else None
    Subscription.objects.create(user=user, asset=where, lowest_priority=lowest, channel="email")
"""


def is_critical(machine: int) -> bool:
    """Tells whether a machine's first alarm is critical: that of every tenth."""
    return machine % 10 == 0


def plant(machines: int) -> str:
    """Gives the plant: one feeder, and machines that trip with it."""
    numbers = range(SENSORS)
    rows = []
    for number in range(machines):
        rows.append(f"  - code: m{number}\n    name: Machine {number}\n    level: machine\n    parent: running")
        rows.append("    type: machine")
        if is_critical(number):
            rows.append("    rules:\n      - {name: High 0, priority: critical}")
    return (
        PLANT.replace("SENSORS", "\n".join(f"      - {{key: s{n}, name: S {n}}}" for n in numbers))
        .replace(
            "RULES",
            "\n".join(
                f"      - {{name: High {n}, sensor: s{n}, kind: high, limit: 90, group: feeder-1/trip, "
                f"priority: {PRIORITIES[n] if n < len(PRIORITIES) else 'low'}}}"
                for n in numbers
            ),
        )
        .replace("MACHINES", "\n".join(rows))
    )


class Screen(threading.Thread):
    """A browser's socket: keeps each alarm frame with the moment at which it came."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self.address = url.replace("http", "ws") + "/ws/live"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.numbers: list[int] = []  # of the journal's rows, in the order in which they came
        self.came: dict[str, float] = {}  # when each sensor's alarm came first
        self.ready, self.ended = threading.Event(), threading.Event()

    def run(self) -> None:
        """Looks until it is ended."""
        asyncio.run(self._look())

    async def _look(self) -> None:
        async with websockets.connect(
            self.address, additional_headers=self.headers, max_size=None, origin=None
        ) as socket:
            await socket.send(json.dumps({"type": "subscribe", "assets": None, "alarms": True, "values": False}))
            while not self.ended.is_set():
                with contextlib.suppress(TimeoutError):
                    frame = json.loads(await asyncio.wait_for(socket.recv(), 0.5))
                    self.ready.set()
                    if frame["type"] == "alarm":
                        self.numbers.append(frame["journal"])
                        self.came.setdefault(frame["alarm"]["sensor"], time.monotonic())


class Edge:
    """The plant's gateway: sends, and remembers when each alarm's cause left it."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url + "/api/v1/telemetry"
        self.headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self.left: dict[str, float] = {}

    def send(self, *moments: tuple[float, dict[str, float]], causes: tuple[str, ...] = ()) -> None:
        """Sends readings in one request; times are seconds since the epoch."""
        body = json.dumps([{"time": round(at * 1000), "values": values} for at, values in moments]).encode()
        self.left.update(dict.fromkeys(causes, time.monotonic()))
        with urllib.request.urlopen(urllib.request.Request(self.url, body, self.headers), timeout=10) as answer:
            assert answer.status == 202, answer.status

    def trip(self, machines: int) -> None:
        """Lets the feeder trip, and with it machine after machine; the whole plant is sent all the while."""
        values = {f"m{machine}/s{sensor}": 20.0 for machine in range(machines) for sensor in range(SENSORS)}
        self.send((time.time(), {**values, "feeder-1/tripped": 0.0}))
        time.sleep(1)
        began, feeder = time.time(), time.monotonic() + LATE
        tripped = False
        time.sleep(0.05)
        for machine in range(machines):
            at, tags = time.time(), tuple(f"m{machine}/s{sensor}" for sensor in range(SENSORS))
            # One sensor after the other; the rest of the plant says what it said before.
            first = {**{tag: value for tag, value in values.items() if tag not in tags}, tags[0]: 95.0}
            rest = [(at + number / 1000, {tag: 95.0}) for number, tag in enumerate(tags) if number]
            self.send((at, first), *rest, causes=tags)
            values.update(dict.fromkeys(tags, 95.0))
            if not tripped and time.monotonic() >= feeder:
                self.send((began, {"feeder-1/tripped": 1.0}), causes=("feeder-1/tripped",))
                tripped = True
            time.sleep(max(0.0, began + (machine + 1) * EVERY - time.time()))


def figures(times: list[float]) -> dict[str, float]:
    """Gives seconds as a median and a maximum."""
    return {"median": round(statistics.median(times), 3), "max": round(max(times), 3)}


def main(folder: Path, machines: int) -> dict[str, Any]:
    """Trips, waits until all is told, and looks at what was."""
    mail = MailServer()
    mail.start()
    stack = Stack(folder, env={"EMAIL_URL": f"smtp://127.0.0.1:{mail.port}"})
    os.environ.update(stack.environment)
    with stack:
        (folder / "plant.yaml").write_text(plant(machines))
        stack.script("from devices.services import ensure_shards; ensure_shards()")
        stack.run("manage.py", "plant", "import", str(folder / "plant.yaml"))
        source = stack.run("manage.py", "source", "add", "gate", "--scope", "site").split()[-1]
        stack.script(CAST)
        person = stack.run("manage.py", "token", "chief").split()[-1]
        stack.start()
        import django

        django.setup()
        from alerts.calling import digests
        from alerts.flood.counter import INTERVAL, interval_of
        from alerts.models import Alarm, Delivery, JournalEntry
        from alerts.notify import outbox

        # All of it lies in one of the intervals in which floods are counted, and so in one digest.
        left = INTERVAL - time.time() % INTERVAL
        if left < machines * EVERY + 120:
            time.sleep(left)
        screen, edge = Screen(stack.url, person), Edge(stack.url, source)
        screen.start()
        assert screen.ready.wait(20)
        edge.trip(machines)
        raised = JournalEntry.objects.filter(event="raise")
        until = time.monotonic() + 60
        while time.monotonic() < until and (raised.count() < len(edge.left) or len(screen.came) < len(edge.left)):
            time.sleep(0.2)
        time.sleep(3)
        screen.ended.set()
        screen.join()
        # The digest of what is critical goes by itself, within a minute.
        held = Delivery.objects.filter(outcome=Delivery.Outcome.HELD)
        until = time.monotonic() + 75
        while time.monotonic() < until and held.exists():
            time.sleep(0.5)
        deliver(stack, "due", "sending")
        alone = len(mail.mails)
        # The interval's end, without waiting for it: nothing is left for it.
        end = datetime.fromtimestamp((interval_of(time.time()) + 1) * INTERVAL, UTC)
        digests.send_held(end)
        while outbox.send_due(end):
            pass
        mails, texts = defaultdict(list), defaultdict(list)
        for message in mail.mails:
            mails[str(message["To"])].append(str(message["Subject"]))
            body = message.get_body(("plain",))
            assert body is not None
            texts[str(message["To"])].append(body.get_content())
        mail.stop()
        critical = set(Alarm.objects.filter(priority=1).values_list("tag", flat=True))
        waits = {tag: screen.came[tag] - left for tag, left in edge.left.items() if tag in screen.came}
        first = min(Alarm.objects.all(), key=lambda alarm: alarm.raised)
        rows = dict(JournalEntry.objects.exclude(alarm=None).values_list("pk", "event"))
        return {
            "alarms": len(edge.left),
            "raised": raised.count(),
            "critical": len(critical),
            "earliest": first.tag,
            "first_out": list(Alarm.objects.filter(first_out=True).values_list("tag", flat=True)),
            "groups": sorted(set(Alarm.objects.values_list("group", flat=True))),
            "floods": JournalEntry.objects.filter(event="flood_begins").count(),
            "in_order": screen.numbers == sorted(set(screen.numbers)),
            "never_shown": len(rows.keys() - set(screen.numbers)),
            "critical_seconds": figures([wait for tag, wait in waits.items() if tag in critical]),
            "all_seconds": figures(list(waits.values())),
            "mails": mails,
            # Critical alarms that no mail to somebody names.
            "never_named": {
                to: sorted(tag for tag in critical if not any(tag.split("/")[0] + " " in text for text in told))
                for to, told in texts.items()
            },
            "longest_wait": max(
                (row.due - row.created).total_seconds()
                for row in Delivery.objects.filter(alarm__priority=1, outcome=Delivery.Outcome.GATHERED)
            ),
            "mails_before_the_digest": alone,
            "words": Delivery.objects.filter(event="raise").count(),
            "outcomes": {
                outcome: Delivery.objects.filter(outcome=outcome).count() for outcome in Delivery.Outcome.values
            },
            "own_alarms": list(Alarm.objects.filter(rule=None).values_list("message", flat=True)),
            "verified": stack.run("manage.py", "journal", "verify").strip(),
        }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
