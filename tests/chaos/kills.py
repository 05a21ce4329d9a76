"""Kills workers, again and again, while alarms come and go and people are told.

python -m tests.chaos.kills FOLDER TRANSITIONS KILLS prints one JSON object. A process of its own: its Django stands on
the stack's own database.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from tests.alerts.notify.wire import MailServer
from tests.chaos.driver import Sender, settle
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
MACHINES, SENSORS = 8, 4
EVERY = 0.3  # seconds from one turn of all sensors to the next: about a hundred transitions a second
CRITICAL = 4  # machines whose first sensor's alarm is critical: each is a message by itself
CLAIM = 15.0
PEOPLE = ("day", "night")
WATCHERS = 10  # see what is critical alone: in a flood each has a message a minute, and some worker is always sending
MAILS_WITHIN = 5.0  # seconds that a kill waits for three more mails: in a flood they come with the digests
CAST = """
from django.contrib.auth.models import User
from alerts.models import Subscription
for name in PEOPLE:
    user = User.objects.create_user(name, f"{name}@works.example")
    Subscription.objects.create(user=user, lowest_priority=4, channel="email")
for number in range(WATCHERS):
    user = User.objects.create_user(f"watcher-{number}", f"watcher-{number}@works.example")
    Subscription.objects.create(user=user, lowest_priority=1, channel="email")
"""


def plant() -> str:
    """Gives the plant: a limit on every sensor."""
    numbers = range(SENSORS)
    return (
        PLANT.replace("SENSORS", "\n".join(f"      - {{key: s{n}, name: S {n}}}" for n in numbers))
        .replace(
            "RULES",
            "\n".join(
                f"      - {{name: High {n}, sensor: s{n}, kind: high, limit: 90, priority: low}}" for n in numbers
            ),
        )
        .replace(
            "MACHINES",
            "\n".join(
                f"  - code: m{n}\n    name: Machine {n}\n    level: machine\n    parent: site\n    type: machine"
                + "\n    rules:\n      - {name: High 0, priority: critical}" * (n < CRITICAL)
                for n in range(MACHINES)
            ),
        )
    )


class SlowMailServer(MailServer):
    """Takes a mail, and answers a little later, as servers do: a worker that is killed meanwhile never learns of it."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Takes a mail."""
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(0.08)
        return answer


class Turns(Sender):
    """Lets every sensor pass its limit and come back, turn by turn; each turn is sent until it is accepted."""

    def __init__(self, url: str, token: str, transitions: int) -> None:
        super().__init__(url, token, 0)
        self.turns = transitions // (MACHINES * SENSORS)
        self.transitions = self.turns * MACHINES * SENSORS
        self.made: set[tuple[str, str, int]] = set()  # event, sensor, µs

    def run(self) -> None:
        """Sends all of them, and on until it is stopped."""
        tags = [f"m{machine}/s{sensor}" for machine in range(MACHINES) for sensor in range(SENSORS)]
        for turn in count():
            if turn >= self.turns and self.ended.is_set():
                return
            at, high = time.time_ns() // 1_000_000, turn % 2 == 0
            self.send(json.dumps({"time": at, "values": dict.fromkeys(tags, 95.0 if high else 20.0)}).encode())
            self.made.update(("raise" if high else "clear", tag, at * 1000) for tag in tags)
            time.sleep(EVERY)


def kill(stack: Stack, turns: Turns, mail: MailServer, kills: int) -> None:
    """Kills one of four workers after the other, whatever it is doing, and starts it again.

    It goes by what was done, since a busy machine takes its time to start one: the next is killed when its share of the
    transitions has been journaled and a few more mails have come, or should have.
    """
    from alerts.models import JournalEntry

    stack.commands["telemetry-2"] = [word.replace("t1@", "t2@") for word in stack.commands["telemetry-1"]]
    stack.commands["work-2"] = [word.replace("work@", "work2@") for word in stack.commands["worker-work"]]
    stack.start("telemetry-2", "work-2")
    workers = ("telemetry-1", "worker-work", "telemetry-2", "work-2")
    share, mails = turns.transitions / (kills + 1), 0
    for number in range(kills):
        until = time.monotonic() + 60
        while time.monotonic() < until and JournalEntry.objects.count() < share * (number + 1):
            time.sleep(0.05)
        until = time.monotonic() + MAILS_WITHIN
        while time.monotonic() < until and len(mail.mails) < mails + 3:
            time.sleep(0.05)
        time.sleep(random.Random().uniform(0.0, 0.2))
        mails = len(mail.mails)
        stack.kill(workers[number % len(workers)])
        stack.start(workers[number % len(workers)])


def open_messages() -> Iterator[int]:
    """Gives how many messages are neither told nor left, until there are none or two minutes bring no fewer."""
    from alerts.models import Delivery

    fewest, until = math.inf, time.monotonic() + 120
    while time.monotonic() < until and (left := Delivery.objects.filter(outcome__in=["due", "sending"]).count()):
        if left < fewest:
            fewest, until = left, time.monotonic() + 120
        yield left


def send_held() -> None:
    """Sends what waits for a digest, without waiting for its time."""
    from alerts.calling import digests
    from alerts.models import Delivery
    from alerts.notify import outbox

    for _ in range(50):
        waits = Delivery.objects.filter(outcome="held").order_by("-due").values_list("due", flat=True).first()
        if waits is None:
            return
        digests.send_held(waits)
        while outbox.send_due(waits):
            pass


def verdict(stack: Stack, turns: Turns, mails: Counter[str]) -> dict[str, Any]:
    """Compares what was sent with the journal, and the journal with what people got."""
    from alerts.instants import to_us
    from alerts.models import Alarm, Attempt, Delivery, JournalEntry

    # Andon's own alarms, of workers that did not come in time, are of no rule.
    rows = JournalEntry.objects.filter(event__in=["raise", "clear"], rule_id__isnull=False)
    journal = Counter((row.event, row.tag, to_us(row.time)) for row in rows)
    raised = rows.filter(event="raise")
    wanted = raised.count() * len(PEOPLE) + raised.filter(alarm__priority=1).count() * WATCHERS
    told = Delivery.objects.exclude(outcome__in=["withheld", "gathered", "held"])
    sent = {row.message_id: row for row in told.filter(outcome="sent")}
    with urllib.request.urlopen(f"{stack.url}/metrics") as answer:
        shown = next(
            line for line in answer.read().decode().splitlines() if line.startswith("andon_deliveries_perhaps")
        )
    more = {number: times - 1 for number, times in mails.items() if times > 1}
    doubts = {row.message_id: row.unlearned for row in Delivery.objects.filter(unlearned__gt=0)}
    return {
        "transitions": len(turns.made),
        "lost": len(turns.made - journal.keys()),
        "made_up": len(journal.keys() - turns.made),
        "twice_in_the_journal": sum(journal.values()) - len(journal),
        "without_word": wanted - Delivery.objects.filter(event="raise", alarm__rule__isnull=False).count(),
        "outcomes": dict(Counter(Delivery.objects.values_list("outcome", flat=True))),
        "mails": sum(mails.values()),
        "sent_and_never_come": len(sent.keys() - mails.keys()),
        "come_and_not_sent": len(mails.keys() - sent.keys()),
        "come_twice": sum(more.values()),
        "come_twice_and_not_counted": sum(max(0, times - doubts.get(number, 0)) for number, times in more.items()),
        "perhaps_twice": sum(doubts.values()),
        "shown_as_perhaps_twice": float(shown.split()[-1]) == sum(1 for number in doubts if number in sent),
        "lost_workers_tries": Attempt.objects.filter(answer="its worker was lost").count(),
        "own_alarms": list(Alarm.objects.filter(rule=None).values_list("message", flat=True)),
        "verified": stack.run("manage.py", "journal", "verify").strip(),
    }


def main(folder: Path, transitions: int, kills: int) -> dict[str, Any]:
    """Runs it."""
    mail = SlowMailServer()
    mail.start()
    environment = {
        "EMAIL_URL": f"smtp://127.0.0.1:{mail.port}",
        "OUTBOX_CLAIM": f"{CLAIM:g}",
        "MESSAGES_PER_HOUR": "1000000",  # every critical alarm is told
    }
    stack = Stack(folder, env=environment)
    os.environ.update(stack.environment)
    with stack:
        (folder / "plant.yaml").write_text(plant())
        stack.script("from devices.services import ensure_shards; ensure_shards()")
        stack.run("manage.py", "plant", "import", str(folder / "plant.yaml"))
        token = stack.run("manage.py", "source", "add", "gate", "--scope", "site").split()[-1]
        stack.script(f"PEOPLE, WATCHERS = {PEOPLE}, {WATCHERS}\n{CAST}")
        stack.start()
        import django

        django.setup()
        turns = Turns(stack.url, token, transitions)
        began = time.monotonic()
        turns.start()
        kill(stack, turns, mail, kills)
        turns.stop()
        took = time.monotonic() - began
        settle(stack, turns)
        for _ in open_messages():
            stack.revive()
            time.sleep(0.5)
        send_held()
        mails = Counter(str(message["Message-ID"]) for message in mail.mails)
        mail.stop()
        return {"kills": kills, "seconds": round(took), **verdict(stack, turns, mails)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
