"""One way: devices know nothing of alarms, alarms nothing of pages; the cores know nothing of Django."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# (folder or file, what it must not import, why)
ARROWS = [
    ("devices", {"alerts", "plant", "tests"}, "devices stand below alarms and pages"),
    ("alerts", {"plant", "tests"}, "alarms stand below the pages"),
    ("plant", {"tests"}, "the product does not know its tests"),
]
PURE = [
    "alerts/engine",
    "alerts/lifecycle.py",
    "alerts/chain.py",
    "alerts/calling/wall.py",
    "alerts/calling/rota.py",
    "alerts/calling/ical.py",
    "alerts/calling/plan.py",
    "alerts/calling/decision.py",
    "alerts/figures/answers.py",
    "alerts/figures/events.py",
    "alerts/figures/nuisance.py",
    "alerts/figures/rates.py",
    "alerts/figures/staffing.py",
    "alerts/figures/summary.py",
    "alerts/figures/targets.py",
    "alerts/workbench/grid.py",
    "alerts/workbench/price.py",
    "alerts/silence/tree.py",
    "alerts/flood/counter.py",
    "alerts/flood/causes.py",
    "devices/telemetry/batch.py",
    "devices/telemetry/codec.py",
    "devices/telemetry/admission.py",
]
DJANGO = {"django", "channels", "celery", "redis", "simple_history", "ninja"}


def _files(place: str) -> list[Path]:
    path = ROOT / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Gives (line, module) of every import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def _offences(place: str, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in _files(place)
        for line, module in _imports(path)
        if module.split(".")[0] in forbidden
    ]


@pytest.mark.parametrize(("place", "forbidden", "why"), ARROWS)
def test_imports_follow_the_arrow(place: str, forbidden: set[str], why: str) -> None:
    assert _offences(place, forbidden) == [], why


@pytest.mark.parametrize("place", PURE)
def test_cores_import_no_django(place: str) -> None:
    assert _offences(place, DJANGO | {"plant", "alerts.models", "devices.models"}) == []


def test_an_offence_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "bad.py").write_text("x = 1\n\n\ndef f():\n    from alerts import rules\n")
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    assert _offences("devices", {"alerts"}) == ["devices/bad.py:5 imports alerts"]
