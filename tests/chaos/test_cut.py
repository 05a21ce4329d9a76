"""500 sensors behind one source that is cut off: one alarm, one message, one return; and none when Andon was away."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not os.environ.get("ANDON_CHAOS"), reason="three minutes by itself: ANDON_CHAOS=short runs it"),
]


def test_five_hundred_sensors_that_are_cut_off_make_one_alarm(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.cut", str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert found.pop("after") < 20
    assert found == {
        "high": True,
        "noticed": True,
        "alarms": ["No data from sources edge, gate"],
        "kept": True,
        "hidden": 500,
        "messages": 1,
        "returned": True,
        "released": True,
        "presented": 1,
        "kept_after": True,
        "after_outage": 1,
        "held_after_outage": 0,
        "kept_after_outage": True,
    }
