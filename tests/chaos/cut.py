"""Cuts a source with 500 sensors off a running Andon, then Andon off the source: python -m tests.chaos.cut FOLDER.

Prints one JSON object. A process of its own: its Django stands on the stack's own database.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.stack import Stack

PLANT = """
asset_types:
  - code: machine
    name: Machine
    sensors:
SENSORS
    rules:
RULES
assets:
  - {code: site, name: Site, level: site}
MACHINES
sources:
  - {name: edge, scope: site}
"""
MACHINES, SENSORS = 50, 10


def plant() -> str:
    """Gives the plant: on every sensor a limit and a stale rule, more patient or less than the judge of silence."""
    numbers = range(SENSORS)
    return (
        PLANT.replace("SENSORS", "\n".join(f"      - {{key: s{n}, name: S {n}, interval: 1}}" for n in numbers))
        .replace(
            "RULES",
            "\n".join(
                f"      - {{name: Lost {n}, sensor: s{n}, kind: stale, timeout: {4 + 2 * n}, priority: critical}}\n"
                f"      - {{name: High {n}, sensor: s{n}, kind: high, limit: 90, off_delay: 3, priority: critical}}"
                for n in numbers
            ),
        )
        .replace(
            "MACHINES",
            "\n".join(
                f"  - {{code: m{n}, name: Machine {n}, level: machine, parent: site, type: machine}}"
                for n in range(MACHINES)
            ),
        )
    )


class Sender(threading.Thread):
    """Sends every sensor once a second while it is not held; one sensor in ten is over its limit."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self.url = url + "/api/v1/telemetry"
        self.token = token
        self.speaks = threading.Event()
        self.ended = threading.Event()

    def run(self) -> None:
        """Sends until it is ended; what is refused is lost."""
        values = {f"m{m}/s{s}": 95.0 if s == 0 else 20.0 for m in range(MACHINES) for s in range(SENSORS)}
        while not self.ended.is_set():
            if self.speaks.is_set():
                body = json.dumps({"values": values}).encode()
                headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=5).close()
            time.sleep(1.0)


def main(folder: Path) -> dict[str, Any]:
    """Cuts, waits, joins again; then ends Andon's intake and starts it again."""
    stack = Stack(folder, env={"SILENCE_SETTLE": "10"})
    os.environ.update(stack.environment)
    with stack:
        (folder / "plant.yaml").write_text(plant())
        stack.script("from devices.services import ensure_shards; ensure_shards()")
        stack.run("manage.py", "plant", "import", str(folder / "plant.yaml"))
        token = stack.run("manage.py", "source", "add", "gate", "--scope", "site").split()[-1]
        stack.script(
            "from django.contrib.auth.models import User; from alerts.models import Subscription, Contact\n"
            "user = User.objects.create_user('operator')\n"
            "Contact.objects.update_or_create(user=user, defaults={'email': 'operator@works.example'})\n"
            "Subscription.objects.create(user=user, lowest_priority=4, channel='email')\n"
        )
        stack.start()
        import django

        django.setup()
        from alerts.models import Alarm, Delivery, Held

        def until(what: Any, seconds: float) -> bool:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if what():
                    return True
                time.sleep(0.2)
            return False

        def standing() -> set[tuple[str, str]]:
            rows = Alarm.objects.filter(closed=None, suppressed=[]).exclude(rule=None)
            return set(rows.values_list("asset_code", "state"))

        silent = Alarm.objects.filter(rule=None, message__startswith="No data")
        sender = Sender(stack.url, token)
        sender.speaks.set()
        sender.start()
        found: dict[str, Any] = {"high": until(lambda: len(standing()) == MACHINES, 60)}
        time.sleep(25)  # Andon has just begun to listen: senders have their time
        before, told = standing(), Delivery.objects.count()
        sender.speaks.clear()
        cut = time.monotonic()
        found["noticed"] = until(silent.exists, 40)
        found["after"] = round(time.monotonic() - cut, 1)
        time.sleep(30)
        found["alarms"] = [alarm.message for alarm in silent]
        found["kept"] = standing() == before
        found["hidden"] = Alarm.objects.filter(closed=None, suppressed=["by_design"]).count()
        found["messages"] = Delivery.objects.exclude(outcome="withheld").count() - (told)
        sender.speaks.set()
        found["returned"] = until(lambda: silent.filter(active=False).count() == 1, 30)
        found["released"] = until(lambda: not Held.objects.exists(), 30)
        time.sleep(5)
        found["presented"] = Alarm.objects.filter(annunciations__gt=0).count() - MACHINES
        found["kept_after"] = standing() == before
        stack.kill("web")
        time.sleep(25)
        stack.start("web")
        time.sleep(40)
        found["after_outage"] = Alarm.objects.filter(annunciations__gt=0).count() - MACHINES
        found["held_after_outage"] = Held.objects.count()
        found["kept_after_outage"] = standing() == before
        sender.ended.set()
        return found


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
