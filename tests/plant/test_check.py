"""What ./test runs: whole Andons are started once for a module, whatever the versions of pytest and xdist."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from plant.supervisor import check

INI = "[pytest]\nmarkers =\n  chaos: as here\n  browser: as here\n"
MODULE = """
import os
from pathlib import Path
import pytest

@pytest.mark.chaos
@pytest.mark.parametrize("number", range(4))
def test_where(number):
    with (Path(__file__).parent / f"{Path(__file__).stem}.txt").open("a") as told:
        told.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def test_the_tests_of_one_module_of_whole_processes_run_in_one_worker(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(INI)
    for name in ("test_one", "test_two", "test_three"):
        (tmp_path / f"{name}.py").write_text(MODULE)
    command = [word for word in check.steps([])[-1][1] if not word.startswith("tests/")]
    subprocess.run(
        [*command, "-p", "no:django", "-c", "pytest.ini"],
        cwd=tmp_path,
        env=plain_environment(),
        check=True,
        stdout=subprocess.PIPE,
    )
    workers = [(tmp_path / f"{name}.txt").read_text().split() for name in ("test_one", "test_two", "test_three")]
    assert [len(those) for those in workers] == [4, 4, 4]
    assert [len(set(those)) for those in workers] == [1, 1, 1]


def test_whole_processes_are_looked_for_in_every_module_that_starts_them() -> None:
    found = check.whole_processes()
    assert {"tests/browser/test_push.py", "tests/chaos/test_trip.py", "tests/plant/test_run.py"} <= set(found)
    assert len(found) < 40
    assert check.steps([])[-1][1][-len(found) :] == found


def test_a_mark_that_the_text_of_its_module_does_not_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "test_hidden.py").write_text(
        "import pytest\npytestmark = getattr(pytest.mark, 'chaos')\ndef test_a(): ...\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "tests.conftest", "-c", "pytest.ini", "--co"]
    environment = {**plain_environment(), "PYTHONPATH": str(check.ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "test_hidden.py" in done.stderr
