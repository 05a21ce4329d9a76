"""Workers that are killed while alarms come and go and people are told: nothing is lost, what came twice is counted.

The short form is 6 kills in 1,500 transitions; ANDON_CHAOS=long is 200 in 50,000, about a quarter of an hour.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not os.environ.get("ANDON_CHAOS"), reason="two minutes by itself: ANDON_CHAOS=short runs it"),
]

TRANSITIONS, KILLS = (50_000, 200) if os.environ.get("ANDON_CHAOS") == "long" else (1_500, 6)


def test_no_transition_and_no_call_is_lost_whichever_worker_is_killed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.kills", str(tmp_path), str(TRANSITIONS), str(KILLS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert found["transitions"] > TRANSITIONS - 40
    assert (found["lost"], found["made_up"], found["twice_in_the_journal"]) == (0, 0, 0)
    assert found["without_word"] == 0
    assert set(found["outcomes"]) <= {"sent", "gathered", "withheld"}
    assert (found["sent_and_never_come"], found["come_and_not_sent"]) == (0, 0)
    # Only what a worker was sending when it was killed may come twice, and each is known and shown.
    assert found["come_twice_and_not_counted"] == 0
    assert found["come_twice"] <= found["perhaps_twice"] == found["lost_workers_tries"]
    assert found["shown_as_perhaps_twice"]
    assert found["own_alarms"] == []
    assert "as they were written" in found["verified"]
