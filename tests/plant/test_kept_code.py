"""Compiled loops belong to the code that they were compiled from."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from plant.supervisor import kept_code
from plant.supervisor.config import Plan
from plant.supervisor.run import environment

ROOT = Path(settings.BASE_DIR)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Gives a tree with an engine and some of the telemetry."""
    for name, text in (
        ("alerts/engine/kernel.py", "loop"), ("alerts/engine/layout.py", "ACTIVE = 1"),
        ("devices/telemetry/admission.py", "from devices.telemetry.compiled import compiled"),
        ("devices/telemetry/batch.py", "BAD = 2"), ("devices/telemetry/stream.py", "a stream"),
    ):  # fmt: skip
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "tree"


def keep(folder: Path) -> Path:
    """Keeps a compiled loop in a folder, as Numba does."""
    made = folder / "engine_0123" / "kernel.run_rows.nbi"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"")
    return made


@pytest.mark.parametrize(
    ("changed", "renewed"),
    [
        ("alerts/engine/kernel.py", True),
        ("alerts/engine/layout.py", True),  # a constant of another module
        ("devices/telemetry/admission.py", True),
        ("devices/telemetry/batch.py", True),
        ("devices/telemetry/stream.py", False),
    ],
)
def test_another_folder_is_used_when_code_or_a_constant_changes(
    tree: Path, tmp_path: Path, changed: str, renewed: bool
) -> None:
    base = tmp_path / "numba"
    before = kept_code.folder_of(base, tree)
    keep(before)
    (tree / changed).write_text("ACTIVE = 2")
    after = kept_code.folder_of(base, tree)
    assert (after != before) is renewed
    # What no code can read any more goes.
    assert before.exists() is not renewed


def test_folders_of_versions_before_go_too_and_nothing_else(tree: Path, tmp_path: Path) -> None:
    base = tmp_path / "numba"
    old = keep(base)
    (base / "notes").mkdir()
    found = kept_code.folder_of(base, tree)
    assert not old.exists() and (base / "notes").exists() and found.exists()


def test_a_folder_that_somebody_named_is_emptied_when_the_code_is_another(tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    assert kept_code.renew(folder, tree)
    made = keep(folder)
    assert not kept_code.renew(folder, tree) and made.exists()
    (tree / "alerts/engine/layout.py").write_text("ACTIVE = 2")
    assert kept_code.renew(folder, tree) and not made.exists()
    # What is named by its code is right already.
    named = kept_code.folder_of(tmp_path / "numba", tree)
    keep(named)
    assert not kept_code.renew(named, tree)


def test_a_run_gives_its_processes_the_folder_of_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    plan = Plan(root=ROOT, var=tmp_path, port=8000, redis=None, demo=False)
    assert environment(plan)["NUMBA_CACHE_DIR"] == str(tmp_path / "numba" / kept_code.code_of(ROOT))


def _read_by(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("alerts", "devices"):
            module = ROOT.joinpath(*node.module.split("."))
            yield from (module / f"{one.name}.py" for one in node.names)
            yield module.with_suffix(".py")


def test_every_module_whose_names_compiled_loops_may_read_counts() -> None:
    counted = set(kept_code.sources(ROOT))
    compiling = [path for path in counted if "import compiled" in path.read_text()]
    assert {"kernel.py", "admission.py", "index.py"} <= {path.name for path in compiling}
    read = {other for path in compiling for other in _read_by(path) if other.exists()}
    assert read <= counted
