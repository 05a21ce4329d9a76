"""What ./test runs: whole Andons are started once for a module, whatever the versions of pytest and xdist."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from plant.supervisor import check

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


def test_the_tests_of_one_module_of_whole_processes_run_in_one_worker(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  chaos: as here\n  browser: as here\n")
    for name in ("test_one", "test_two", "test_three"):
        (tmp_path / f"{name}.py").write_text(MODULE)
    command = check.steps([])[-1][1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    subprocess.run(
        [*command, "-p", "no:django", "-c", "pytest.ini"],
        cwd=tmp_path,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    workers = [(tmp_path / f"{name}.txt").read_text().split() for name in ("test_one", "test_two", "test_three")]
    assert [len(those) for those in workers] == [4, 4, 4]
    assert [len(set(those)) for those in workers] == [1, 1, 1]
