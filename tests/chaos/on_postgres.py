"""Runs a whole Andon on a PostgreSQL and ends parts of both: python -m tests.chaos.on_postgres FOLDER.

Prints one JSON object: what the other scenarios say before and after folding, and what only a server can get wrong.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.chaos.driver import begin, deliver, settle, verdict
from tests.postgres_server import Postgres
from tests.stack import Stack

SECONDS = 60.0  # the most; it ends when everything has gone wrong
PACE = 0.15


class Person:
    """Somebody with a personal token who may acknowledge."""

    def __init__(self, stack: Stack) -> None:
        stack.script("from django.contrib.auth.models import User; User.objects.create_superuser('engineer')")
        token = stack.run("manage.py", "token", "engineer").split()[-1]
        self.stack = stack
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, path: str, body: Any = None) -> tuple[int, bytes]:
        """Gives an answer of the API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.stack.url}/api/v1/{path}", data, self.headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def acknowledge(self) -> int:
        """Acknowledges what stands, by four hands; gives how often that was taken."""
        rows = json.loads(self.ask("alarms?limit=50")[1])["items"]
        with ThreadPoolExecutor(4) as hands:
            answers = list(hands.map(lambda row: self.ask(f"alarms/{row['id']}/ack", {"comment": "seen"})[0], rows))
        assert set(answers) <= {200, 409}, answers
        return answers.count(200)

    def crowd(self) -> list[int]:
        """Asks forty times at once, and as often leaves before the answer; gives the answers' statuses."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        for _ in range(40):
            with socket.create_connection(("127.0.0.1", self.stack.port)) as line:
                line.sendall(f"GET /api/v1/alarms?state=all HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
        with ThreadPoolExecutor(40) as crowd:
            return [status for status, _ in crowd.map(lambda _: self.ask("alarms?state=all"), range(40))]


def connections() -> int:
    """Gives how many connections other processes have to the database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def main(folder: Path) -> dict[str, Any]:
    """Runs it."""
    with Postgres() as server:
        stack = Stack(folder, workers=2, env={"DATABASE_URL": server.url()})
        os.environ.update(stack.environment)
        with stack:
            sender = begin(stack, SECONDS, PACE)
            person = Person(stack)
            acked = person.acknowledge()
            stack.kill("telemetry-1")
            stack.start("telemetry-1")
            statuses = person.crowd()
            most = connections()
            server.crash()
            time.sleep(0.3)
            server.start()
            from django.db import connection

            connection.close()
            time.sleep(2)
            acked += person.acknowledge()
            stack.kill("telemetry-2")
            stack.start("telemetry-2")
            time.sleep(3)
            settle(stack, sender)
            deliver(stack, "due")
            take_up_lost_claims()
            return {
                **verdict(sender),
                "acked": acked,
                "crowd": sorted(set(statuses)),
                "connections": most,
                **after_folding(person),
            }


def take_up_lost_claims() -> None:
    """Sends, as five minutes later a worker will, what was being sent when the database went."""
    from django.utils import timezone

    from alerts.notify import outbox

    while outbox.send_due(timezone.now() + outbox.CLAIM):
        pass


def after_folding(person: Person) -> dict[str, Any]:
    """Folds all there is, and gives what an export and a backtest find then, and what is left in segments."""
    from devices.models import Segment
    from devices.telemetry import history, stream

    history.fold(stream.server_time_us(stream.connect()), everything=True)
    span = "start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"
    rule = {"kind": "high", "sensor": "temp", "limit": 95}
    _, csv = person.ask(f"export?asset=site&{span}")
    _, found = person.ask(
        "backtest", {"asset": "m0", "rule": rule, "start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
    )
    return {
        "segments_left": Segment.objects.count(),
        "exported": len(csv.splitlines()) - 1,
        "backtest_active": json.loads(found)["active"],
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
