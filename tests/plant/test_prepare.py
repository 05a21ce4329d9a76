"""What a person reads while `./run` prepares the database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command

from plant.management.commands import prepare

pytestmark = pytest.mark.django_db

WRITTEN = (
    "Running migrations:\n",
    "  Applying devices.0001_initial...",
    " OK\n",
    "  Applying alerts.0001_initial...",
    " OK\n",
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Gives the clock, which each look moves by two seconds."""
    now = [0.0]

    def look() -> float:
        now[0] += 2.0
        return now[0]

    monkeypatch.setattr(prepare, "monotonic", look)
    return now


def test_migrating_says_every_few_seconds_which_step_it_is_at(clock: list[float]) -> None:
    said: list[str] = []
    progress = prepare.Progress(60, said.append)
    for number in range(1, 7):
        progress.write(f"  Applying alerts.{number:04d}_more...")
        progress.write(" OK\n")
    # Two seconds from look to look, and one look more where something is said.
    assert said == [f"migrating the database: step {number} of 60, alerts …" for number in (2, 4, 6)]


def test_prepare_hands_the_steps_on_and_its_last_line_stays_json(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def migrate(name: str, *, stdout: Any, **options: Any) -> None:
        assert (name, options["interactive"]) == ("migrate", False)
        for text in WRITTEN:
            stdout.write(text)

    monkeypatch.setattr(prepare.MigrationExecutor, "migration_plan", lambda *_: ["one", "another"])
    monkeypatch.setattr(prepare, "call_command", migrate)
    call_command("prepare", "--no-demo", "--no-link")
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "andon: migrating the database …",
        "andon: migrating the database: step 2 of 2, alerts …",
    ]
    assert json.loads(out.splitlines()[-1]) == {"link": None, "demo": False}
    assert len(out.splitlines()) == 1


def test_what_is_migrated_already_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prepare", "--no-demo", "--no-link")
    assert capsys.readouterr().err == ""
