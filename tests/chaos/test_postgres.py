"""Andon on PostgreSQL: whole, while workers and the server are ended; and the tests in which the database matters."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres_server import needs_postgres
from tests.stack import ROOT

pytestmark = [pytest.mark.chaos, needs_postgres]

# Where SQL, locks and types matter; all of them: python -m tests.postgres_server ./test tests/alerts tests/devices
OF_THE_DATABASE = [
    "tests/alerts/test_at_once.py",
    "tests/alerts/test_evaluation.py",
    "tests/alerts/test_journal.py",
    "tests/alerts/test_queries.py",
    "tests/alerts/test_retention.py",
    "tests/alerts/test_rules.py",
    "tests/alerts/test_services.py",
    "tests/alerts/notify/test_meanwhile.py",
    "tests/alerts/notify/test_outbox.py",
    "tests/alerts/notify/test_workers.py",
    "tests/devices/configuration/test_round_trip.py",
    "tests/devices/telemetry/history",
    "tests/devices/test_services.py",
    "tests/plant/test_refusing.py",
]


def run(*words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "ANDON_TEST_DATABASE_URL"}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(os.environ.get("ANDON_CHAOS") != "long", reason="a minute by itself: ANDON_CHAOS=long runs it")
def test_nothing_is_lost_or_doubled_on_postgresql_whatever_dies(tmp_path: Path) -> None:
    found = json.loads(run("-m", "tests.chaos.on_postgres", str(tmp_path)).splitlines()[-1])
    print(found)
    assert found["accepted"] > 200
    assert found["transitions"] > 50
    assert (found["missing"], found["stored_twice"]) == (0, 0)
    assert (found["journal_only"], found["replay_only"]) == (0, 0)
    assert found["reference_transitions"] >= found["transitions"]
    assert (found["not_in_reference"], found["reference_only"]) == (0, 0)
    assert (found["without_delivery"], found["deliveries_open"]) == (0, 0)
    assert found["acked"] > 0
    # Forty at once wait for a connection instead of opening forty, and those who leave early give theirs back.
    assert found["crowd"] == [200]
    assert found["connections"] <= 25
    assert found["segments_left"] == 0
    assert found["exported"] == found["accepted"]
    assert found["backtest_active"] > 0


def test_what_the_database_does_it_does_on_postgresql_too() -> None:
    run("-m", "tests.postgres_server", sys.executable, "-m", "pytest", "-q", "-k", "not large_plant", *OF_THE_DATABASE)
