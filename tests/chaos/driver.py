"""Lets one thing go wrong on a whole running Andon, and says what was lost: python -m tests.chaos.driver NAME FOLDER.

Prints one JSON object. A process of its own: its Django stands on the stack's own database.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.stack import Stack

if TYPE_CHECKING:
    from alerts.engine.rules import RuleSpec

PLANT = """
asset_types:
  - code: machine
    name: Machine
    sensors:
      - {key: temp, name: Temperature, range: [0, 200], interval: 0.2}
      - {key: flow, name: Flow, range: [0, 200], interval: 0.2}
      - {key: state, name: State, interval: 1}
    rules:
      - {name: Hot, sensor: temp, kind: high, limit: 90, deadband: 3, on_delay: 0.3, off_delay: 0.2, priority: critical}
      - {name: Very hot, sensor: temp, kind: high, limit: 95, priority: high}
      - {name: Low flow, sensor: flow, kind: low, limit: 20, on_delay: 0.5, priority: medium}
      - {name: Rises fast, sensor: temp, kind: rate_high, limit: 1500, window: 1, per: 60, priority: low}
      - {name: Stuck, sensor: state, kind: flatline, duration: 1.5, tolerance: 0, priority: low}
      - {name: Outside, sensor: flow, kind: outside, low: 10, high: 95, priority: low}
assets:
  - {code: site, name: Site, level: site}
MACHINES
sources:
  - {name: edge, scope: site}
"""
MACHINES = 6


def plant() -> str:
    """Gives the plant: six machines; on the first a rule over two, and one over three sensors."""
    lines = []
    for number in range(MACHINES):
        lines.append(
            f"  - code: m{number}\n    name: Machine {number}\n    level: machine\n    parent: site\n    type: machine"
        )
        if number == 0:
            lines.append(
                "    rules:\n"
                "      - {name: Differs, kind: deviation, sensor: flow, reference: m1/flow, limit: 40, priority: low}\n"
                "      - {name: Mixed, kind: expression, inputs: {a: m0/temp, b: m2/temp, c: m3/flow},"
                ' expression: "a + b > 120 and c < 60", on_delay: 0.2, priority: medium}'
            )
    return PLANT.replace("MACHINES", "\n".join(lines))


class Sender(threading.Thread):
    """Sends every 40 ms, or at another pace, repeats a request until it is accepted, and remembers what was."""

    def __init__(self, url: str, token: str, seconds: float, pace: float = 0.04) -> None:
        super().__init__(daemon=True)
        self.url = url + "/api/v1/telemetry"
        self.token = token
        self.seconds = seconds
        self.pace = pace
        self.accepted: set[tuple[str, int]] = set()
        self.repeats = 0
        self.ended = threading.Event()
        self.ended_at = datetime.max.replace(tzinfo=UTC)
        self.seed = random.Random(11)

    def stop(self) -> None:
        """Ends after the request that is under way."""
        self.ended.set()
        self.join()
        self.ended_at = datetime.now(UTC)

    def run(self) -> None:
        """Sends until it is stopped, or for the given time."""
        until = time.monotonic() + self.seconds
        while time.monotonic() < until and not self.ended.is_set():
            at = time.time_ns() // 1_000_000
            values = {}
            for machine in range(MACHINES):
                values[f"m{machine}/temp"] = round(self.seed.uniform(20, 110), 2)
                values[f"m{machine}/flow"] = round(self.seed.uniform(0, 100), 2)
                if self.seed.random() < 0.05:
                    values[f"m{machine}/state"] = self.seed.randint(0, 2)
            self.send(json.dumps({"time": at, "values": values}).encode())
            self.accepted.update((tag, at * 1000) for tag in values)
            if self.seed.random() < 0.1:
                self.send(json.dumps({"time": at, "values": values}).encode())
            time.sleep(self.pace)

    def send(self, body: bytes) -> None:
        """Sends one request until it is accepted."""
        while True:
            request = urllib.request.Request(
                self.url, body, {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
            )
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    if answer.status == 202:
                        return
            except OSError:
                pass
            self.repeats += 1
            time.sleep(0.05)


def worker_killed(stack: Stack, times: int = 8) -> None:
    """Kills the worker wherever it is, and starts it again."""
    for _ in range(times):
        # Its start takes longer than that: the next kill finds it in its first drain.
        time.sleep(random.Random().uniform(0.1, 0.7))
        stack.kill("telemetry-1")
        stack.start("telemetry-1")
        time.sleep(4)


def web_killed(stack: Stack) -> None:
    """Kills the web process, and with it the intake."""
    for _ in range(3):
        time.sleep(1.5)
        stack.kill("web")
        stack.start("web")


def redis_killed(stack: Stack) -> None:
    """Kills Redis and starts it on its append-only file."""
    for _ in range(3):
        time.sleep(2)
        stack.kill("redis")
        time.sleep(0.3)
        stack.start_redis()


def beat_stopped(stack: Stack) -> None:
    """Stops beat for ten seconds."""
    time.sleep(1)
    stack.processes["beat"].send_signal(signal.SIGSTOP)
    time.sleep(10)
    stack.processes["beat"].send_signal(signal.SIGCONT)


def two_workers(stack: Stack) -> None:
    """Lets two workers run after the same shards, with bells rung for both."""
    stack.commands["telemetry-2"] = [word.replace("t1@", "t2@") for word in stack.commands["telemetry-1"]]
    stack.start("telemetry-2")
    from devices.tasks import drain

    until = time.monotonic() + 8
    while time.monotonic() < until:
        for shard in range(16):
            drain.apply_async(args=([shard],), expires=2)
            drain.apply_async(args=([shard],), expires=2)
        time.sleep(0.3)


def everything(stack: Stack) -> None:
    """All of it, one after the other, on one Andon: the short form."""
    worker_killed(stack, 3)
    web_killed(stack)
    redis_killed(stack)
    stack.revive()
    two_workers(stack)
    beat_stopped(stack)


SCENARIOS: dict[str, tuple[Callable[[Stack], None], float]] = {
    "everything": (everything, 60),
    "worker_killed": (worker_killed, 36),
    "web_killed": (web_killed, 10),
    "redis_killed": (redis_killed, 11),
    "beat_stopped": (beat_stopped, 12),
    "two_workers": (two_workers, 10),
}


def verdict(sender: Sender) -> dict[str, Any]:
    """Compares what was accepted with what is stored, and the journal with two replays of the stored history.

    One is the backtest's, by the very engine that judged live; the other is the slow reference's, over all sensors.
    """
    from django.utils import timezone

    from alerts import rules, system
    from alerts.backtest import stored
    from alerts.calling import digests
    from alerts.instants import to_us
    from alerts.models import Alarm, Delivery, JournalEntry
    from devices.models import Sensor
    from devices.telemetry import history

    found: list[tuple[str, int]] = []
    newest = 0
    for sensor in Sensor.objects.select_related("asset"):
        columns = history.read(sensor.pk, 0, 2**62)
        found += [(sensor.tag, int(at)) for at in columns.time]
        newest = max([newest, *columns.time.tolist()])
    specs = [spec for shard in range(16) for spec in rules.specs(shard)]
    again = sorted((row.rule, row.time, row.active) for row in stored(specs, 0, newest))
    until = time.monotonic() + 20
    while True:
        live = sorted(
            (entry.rule_id or 0, to_us(entry.time), entry.event == "raise")
            for entry in JournalEntry.objects.filter(event__in=["raise", "clear"])
            if to_us(entry.time) <= newest
        )
        # The clock of a sensor whose last readings came late is behind by as much: its last timers fire later.
        if live == again or time.monotonic() > until:
            break
        time.sleep(1)
    began = time.monotonic()
    slow = reference(specs, newest)
    seconds = time.monotonic() - began
    raised = JournalEntry.objects.filter(event="raise").count()
    waiting = Delivery.objects.filter(outcome__in=["due", "sending"]).count()
    # What limits and floods hold back is told in digests: nothing is left when their time has come.
    later = timezone.now()
    for _ in range(48):
        later += timedelta(hours=1)
        digests.send_held(later)
    held = Delivery.objects.filter(outcome="held").count()
    return {
        "accepted": len(sender.accepted),
        "repeats": sender.repeats,
        "missing": len(sender.accepted - set(found)),
        "stored_twice": len(found) - len(set(found)),
        "transitions": len(live),
        "journal_only": len([row for row in live if row not in again]),
        "replay_only": len([row for row in again if row not in live]),
        "differ": sorted(set(live) ^ set(again))[:9],
        "reference_transitions": len(slow),
        "reference_seconds": round(seconds, 1),
        "not_in_reference": len([row for row in live if row not in slow]),
        "reference_only": len([row for row in slow if row not in live]),
        "reference_differs": sorted(set(live) ^ set(slow))[:9],
        "raised": raised,
        "without_delivery": raised - Delivery.objects.filter(event="raise").values("journal_id").distinct().count(),
        "deliveries_open": waiting + held,
        # The source that ends sending is silent then, and said to be.
        "system_alarms": list(
            JournalEntry.objects.filter(
                alarm__in=Alarm.objects.filter(system.OWN), event="raise", recorded__lt=sender.ended_at
            ).values_list("alarm__message", flat=True)
        ),
    }


def reference(specs: Sequence[RuleSpec], newest: int) -> list[tuple[int, int, bool]]:
    """Gives what the slow reference makes of the whole stored history, without what the live rules did not see."""
    from alerts.instants import to_us
    from alerts.models import JournalEntry, LeftOut
    from devices.telemetry import history
    from tests.reference import Reading, over_stored

    readings = []
    for sensor in sorted({sensor for spec in specs for sensor in spec.inputs}):
        columns = history.read(sensor, 0, 2**62, late=False)
        rows = zip(columns.time.tolist(), columns.value.tolist(), columns.quality.tolist(), strict=True)
        readings += [Reading(sensor, at, value, quality, at) for at, value, quality in rows]
    passed: dict[int, list[tuple[int, int]]] = {}
    for entry in JournalEntry.objects.filter(rule_id__isnull=False, clock_from__isnull=False):
        assert entry.rule_id is not None and entry.clock_from is not None
        passed.setdefault(entry.rule_id, []).append((to_us(entry.clock_from), to_us(entry.time)))
    left_out = list(LeftOut.objects.values_list("rule_id", "sensor_id", "time"))
    found = over_stored(specs, readings, newest, left_out=left_out, passed=passed)
    return sorted((row.rule, row.time, row.kind == "active") for row in found)


def begin(stack: Stack, seconds: float, pace: float = 0.04) -> Sender:
    """Fills the plant, starts everything and gives a sender that has begun; Django is set up from here on."""
    path = stack.folder / "plant.yaml"
    path.write_text(plant())
    stack.script("from devices.services import ensure_shards; ensure_shards()")
    stack.run("manage.py", "plant", "import", str(path))
    token = stack.run("manage.py", "source", "add", "chaos", "--scope", "site").split()[-1]
    stack.script(
        "from django.contrib.auth.models import User; from alerts.models import Subscription, Contact\n"
        "user = User.objects.create_user('operator')\n"
        "Contact.objects.update_or_create(user=user, defaults={'email': 'operator@works.example'})\n"
        "Subscription.objects.create(user=user, lowest_priority=4, channel='email')\n"
    )
    stack.start()
    import django

    django.setup()
    sender = Sender(stack.url, token, seconds, pace)
    sender.start()
    return sender


def settle(stack: Stack, sender: Sender) -> None:
    """Ends sending, and waits until everything is judged."""
    from devices.telemetry import stream

    stack.revive()
    sender.stop()
    client = stream.connect()
    until = time.monotonic() + 60
    while time.monotonic() < until and any(lag.readings for lag in stream.lag(client).values()):
        time.sleep(0.2)
    time.sleep(5)  # the clock passes the newest reading by the grace, and beat rings


def deliver(stack: Stack, *open_outcomes: str) -> None:
    """Waits until no message has one of these outcomes any more."""
    from alerts.models import Delivery

    until = time.monotonic() + 60
    while time.monotonic() < until and Delivery.objects.filter(outcome__in=open_outcomes).exists():
        stack.revive()
        time.sleep(0.5)


def main(name: str, folder: Path) -> dict[str, Any]:
    """Runs one scenario."""
    disturb, seconds = SCENARIOS[name]
    stack = Stack(folder)
    os.environ.update(stack.environment)
    with stack:
        sender = begin(stack, seconds)
        disturb(stack)
        settle(stack, sender)
        deliver(stack, "due", "sending")
        return verdict(sender)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
