"""Whatever dies: readings are kept once, the journal is a replay's and the slow reference's, no message is lost.

The short form lets everything go wrong on one Andon; ANDON_CHAOS=long runs each trouble by itself.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

pytestmark = pytest.mark.chaos


ONE_BY_ONE = ["worker_killed", "web_killed", "redis_killed", "beat_stopped", "two_workers"]


@pytest.mark.parametrize("name", ONE_BY_ONE if os.environ.get("ANDON_CHAOS") == "long" else ["everything"])
def test_nothing_accepted_is_lost_or_doubled(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.driver", name, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert found["accepted"] > 200
    assert found["transitions"] > 50
    assert (found["missing"], found["stored_twice"]) == (0, 0)
    assert (found["journal_only"], found["replay_only"]) == (0, 0)
    assert found["reference_transitions"] >= found["transitions"]
    assert (found["not_in_reference"], found["reference_only"]) == (0, 0)
    assert (found["without_delivery"], found["deliveries_open"]) == (0, 0)
    assert found["system_alarms"] == []
