"""The files of a page have its version in their address: kept for good there, and found from another version's page."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import Client

from plant.version import FOLDERS, digest_of, version

ROOT: Path = settings.BASE_DIR


def test_a_file_of_this_version_is_kept_for_good(client: Client) -> None:
    answer = client.get(static("css/tokens.css"))
    assert answer.status_code == 200
    assert "immutable" in answer["Cache-Control"]
    assert f"/{version()}/" in static("css/tokens.css")


@pytest.mark.parametrize("other", ["0" * 12, "ffffffffffff"])
def test_another_versions_page_gets_the_files_of_now_and_keeps_none(client: Client, other: str) -> None:
    mine, theirs = (client.get(f"/static/{one}/css/tokens.css") for one in (version(), other))
    assert theirs.status_code == 200
    assert b"".join(theirs) == b"".join(mine)
    assert theirs["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["css/tokens.css", "000000000000/none.css", "0123/css/tokens.css", "", "000000000000"])
def test_what_is_no_file_of_any_version_is_not_found_and_not_kept(client: Client, path: str) -> None:
    answer = client.get(f"/static/{path}")
    assert answer.status_code == 404
    assert "immutable" not in answer.get("Cache-Control", "")


def test_a_file_that_was_changed_since_the_start_is_not_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plant.files.STARTED", 0.0)
    assert client.get(static("css/tokens.css"))["Cache-Control"] == "no-cache"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Gives a copy of what the version is made of."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("requirements.txt", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "brought").mkdir()
    (tmp_path / "brought" / "chart.js").write_text("1")
    return tmp_path


CHANGED = (
    "static/js/main.js",
    "static/img/andon-192.png",
    "templates/base.html",
    "requirements.txt",
    "brought/chart.js",
)


@pytest.mark.parametrize("changed", CHANGED)
def test_another_file_is_another_version(project: Path, changed: str) -> None:
    before = digest_of(project, [project / "brought"])
    assert before == digest_of(project, [project / "brought"])
    with (project / changed).open("ab") as file:
        file.write(b" ")
    assert digest_of(project, [project / "brought"]) != before


def test_what_an_editor_leaves_and_what_nobody_may_read_stops_no_process(project: Path) -> None:
    before = digest_of(project)
    (project / "static" / "js" / ".main.js.swp").write_text("half of it")
    (project / "templates" / "gone.html").symlink_to("nowhere")
    assert digest_of(project) == before
