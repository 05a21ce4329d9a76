"""A feeder trips, and its own word comes late: the screens, the messages and the journal of the flood that follows.

The short form is 400 alarms in 12 s; ANDON_CHAOS=long is all of it, 2,000 in 60 s. The bound of two seconds is what the
product promises for the screens, on any machine that it may run on; the times are printed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

pytestmark = pytest.mark.chaos

MACHINES = 200 if os.environ.get("ANDON_CHAOS") == "long" else 40


def test_feeder_trip_is_one_cause_and_three_messages_and_on_the_screens_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.trip", str(tmp_path), str(MACHINES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    alarms = MACHINES * 10 + 1
    assert (found["alarms"], found["raised"], found["critical"]) == (alarms, alarms, MACHINES // 10 + 1)
    assert found["groups"] == ["feeder-1/trip"]
    assert (found["earliest"], found["first_out"]) == ("feeder-1/tripped", ["feeder-1/tripped"])
    assert found["floods"] == 1
    assert (found["in_order"], found["never_shown"]) == (True, 0)
    assert found["critical_seconds"]["max"] < 2
    assert found["all_seconds"]["median"] < 2
    assert sorted(found["mails"]) == [f"{name}@works.example" for name in ("chief", "electrician", "hand")]
    for mails in found["mails"].values():
        assert len(mails) <= 3, mails
        assert "held back" in mails[-1]
        assert f"{MACHINES // 10 - 1} Critical" in mails[-1]
    # Each critical alarm is named, in the digest or by itself; the hand never asked for the feeder.
    assert found["never_named"] == {
        "chief@works.example": [],
        "electrician@works.example": [],
        "hand@works.example": ["feeder-1/tripped"],
    }
    assert 0 < found["longest_wait"] < 63  # a minute, and the second in which it is looked at
    assert found["mails_before_the_digest"] == sum(map(len, found["mails"].values()))
    for name in ("chief", "electrician"):
        assert "[1 Critical] feeder-1 feeder trip" in found["mails"][f"{name}@works.example"][1]
    # The chief asked for everything, the hand for the hall, the electrician for what is high: each alarm has its word.
    assert found["words"] == alarms + (alarms - 1) + (MACHINES + 1)
    assert (found["outcomes"]["due"], found["outcomes"]["held"], found["outcomes"]["dead"]) == (0, 0, 0)
    assert found["own_alarms"] == []
    assert "as they were written" in found["verified"]
