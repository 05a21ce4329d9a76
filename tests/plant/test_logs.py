"""The processes log as the settings say."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import time
from pathlib import Path

import pytest
from django.conf import settings

from plant.supervisor.config import Plan
from tests.stack import ROOT

PLAN = Plan(root=ROOT, var=ROOT / "var", port=8000, redis=None, demo=False)


def test_the_settings_of_logging_are_in_force() -> None:
    assert logging.getLogger().level == logging.getLevelNamesMapping()[settings.LOG_LEVEL]
    assert logging.getLogger("celery.beat").level == logging.WARNING
    assert logging.getLogger("celery.worker.request").level == logging.WARNING


def test_a_library_that_names_addresses_says_nothing_of_them_at_any_level() -> None:
    assert logging.getLogger("urllib3.connectionpool").getEffectiveLevel() == logging.ERROR


@pytest.mark.parametrize("name", ["beat", "worker-work"])
def test_every_line_of_beat_and_workers_is_json_in_production(name: str, tmp_path: Path) -> None:
    """Nobody answers at the broker's address, so that each has something to say at once."""
    (program,) = (program for program in PLAN.programs() if program.name == name)
    environment = {
        **os.environ, "ANDON_VAR": str(tmp_path), "REDIS_URL": f"unix://{tmp_path}/nobody.sock", "LOG_JSON": "1",
        "LOG_LEVEL": "INFO", "DJANGO_SETTINGS_MODULE": "plant.settings", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    kept = tmp_path / "log"
    with kept.open("wb") as log:
        process = subprocess.Popen(program.command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            until = time.monotonic() + 90
            while time.monotonic() < until and b'"level": "error"' not in kept.read_bytes() and process.poll() is None:
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    lines = [line for line in kept.read_text().splitlines() if line]
    assert lines and any(json.loads(line)["level"] == "error" for line in lines), lines
    for line in lines:
        assert {"event", "level", "logger", "timestamp"} <= set(json.loads(line)), line


def test_celery_s_own_level_is_not_put_above_that_of_the_settings(tmp_path: Path) -> None:
    code = (
        "from plant.celery import app; import logging; app.log.setup('WARNING'); "
        "print(logging.getLogger().level, logging.getLogger('celery.beat').level)"
    )
    environment = {**os.environ, "ANDON_VAR": str(tmp_path), "LOG_LEVEL": "INFO"}
    python = str(PLAN.python)
    done = subprocess.run([python, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(logging.INFO), str(logging.WARNING)]
