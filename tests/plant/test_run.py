"""./run as a person uses it: a copy of the tree, real processes, real signals."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.stack import ROOT, free_port

pytestmark = pytest.mark.chaos

PATIENCE = 180.0  # seconds; only a failure takes so long, or a machine that is busy with something else
PROGRAMS = {"redis-server", "daphne", "telemetry", "work", "beat"}


def until(true: Callable[[], object], what: str, seconds: float = PATIENCE) -> float:
    """Waits for something. Gives: how long it took."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes a checkout of its own; only what is installed is shared with this one."""
    target = tmp_path_factory.mktemp("a plant")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for name in (".venv", "node_modules"):
        (target / name).symlink_to(ROOT / name)
    return target


class Running:
    """One ./run."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.mark = f"ANDON_TEST_RUN={uuid.uuid4()}"
        self.port = free_port()
        self._folder = folder
        name, _, value = self.mark.partition("=")
        unset = ("ANDON_VAR", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "NUMBA_CACHE_DIR", "PUBLIC_URL")
        environment = {key: text for key, text in os.environ.items() if key not in unset}
        self._out = (folder.parent / f"{value}.txt").open("w+")
        self.process = subprocess.Popen(
            ["./run", "--port", str(self.port), *(arguments or ("--no-demo",))],
            cwd=folder,
            env={**environment, name: value},
            stdout=self._out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        """Gives what it printed so far."""
        return Path(self._out.name).read_text()

    def ready(self) -> Running:
        """Waits for the line with the link."""
        until(lambda: "/sign-in/link/" in self.output or self.process.poll() is not None, "the link")
        assert self.process.poll() is None, self.output
        return self

    def processes(self) -> dict[int, str]:
        """Gives every process that carries this run's mark, however it was started: command line by id.

        Redis writes its title over its environment, and names its socket there.
        """
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                marked = self.mark.encode() in (entry / "environ").read_bytes().split(b"\0")
                if command and (marked or f"redis-server unixsocket:{self._folder}/" in command):
                    found[int(entry.name)] = command
        return found

    def pid(self, program: str) -> int | None:
        """Gives the process of a program."""
        pattern = {"telemetry": "-Q telemetry", "work": "-Q work", "beat": "plant.beat", "daphne": "-m plant.web"}
        wanted = pattern.get(program, program)
        return next(
            (pid for pid, command in self.processes().items() if wanted in command and " -S " not in command), None
        )

    def answers(self) -> bool:
        """Tells whether /healthz answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def is_gone(self) -> bool:
        """Tells whether no process is left."""
        return not self.processes()


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Running]:
    run = Running(folder)
    try:
        yield run.ready()
    finally:
        stop(run)


def test_one_line_has_the_address_and_a_link_that_signs_in(running: Running) -> None:
    lines = [line for line in running.output.splitlines() if f"http://localhost:{running.port}" in line]
    assert len(lines) == 1
    link = re.search(r"http://localhost:\d+/sign-in/link/\S+", lines[0])
    assert link
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(link[0]).read().decode()
    assert "sessionid" not in {cookie.name for cookie in jar}
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    answer = browser.open(link[0], urllib.parse.urlencode({"csrfmiddlewaretoken": token[1]}).encode())
    assert answer.url.endswith("/sign-in/password")
    assert "sessionid" in {cookie.name for cookie in jar}


def test_a_stranger_sees_the_door_only(running: Running) -> None:
    def status(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{running.port}{path}", timeout=10) as answer:
                return answer.status, urllib.parse.urlsplit(answer.url).path
        except urllib.error.HTTPError as error:
            return error.code, path

    for path in ("/", "/alarms", "/admin/", "/sign-in/password"):
        assert status(path)[1] == "/sign-in", path
    for path in ("/api/v1/assets", "/api/v1/alarms", "/api/v1/openapi.json", "/api/v1/events"):
        assert status(path)[0] in (401, 403) or status(path)[1] == "/sign-in", path
    assert status(f"{settings.STATIC_URL}css/tokens.css")[0] == 200
    assert status(f"{settings.STATIC_URL}vendor/uplot/uPlot.min.css")[0] == 200


def test_a_second_run_says_that_one_runs(running: Running, folder: Path) -> None:
    second = Running(folder)
    assert second.process.wait(PATIENCE) == 1
    assert f"already runs in this folder, at http://localhost:{running.port}" in second.output


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_what_is_killed_comes_back(running: Running, program: str) -> None:
    until(lambda: running.pid(program), program)
    killed = running.pid(program)
    assert killed
    os.kill(killed, signal.SIGKILL)
    until(lambda: running.pid(program) not in (None, killed), f"{program} again")
    until(running.answers, "the pages")


def test_a_killed_supervisord_comes_back_and_leaves_no_second_redis(running: Running) -> None:
    killed = running.pid("supervisor.supervisord")
    assert killed
    os.kill(killed, signal.SIGKILL)
    until(lambda: running.pid("supervisor.supervisord") not in (None, killed), "supervisord")
    until(running.answers, "the pages")
    until(lambda: all(running.pid(program) for program in PROGRAMS), "every program")
    commands = list(running.processes().values())
    assert sum("redis-server" in command for command in commands) == 1
    assert sum("-m plant.web" in command for command in commands) == 1


def test_everything_written_is_below_var(running: Running, folder: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    known = set(listed.stdout.splitlines())
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if not path.is_dir() and name.split("/")[0] not in (".venv", "node_modules", "var"):
            assert name in known, f"./run wrote {name}"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_leaves_no_process(folder: Path, running: Running, how: signal.Signals) -> None:
    stop(running)
    run = Running(folder).ready()
    assert run.processes()
    run.process.send_signal(how)
    assert run.process.wait(PATIENCE) == 0
    assert run.is_gone()


def test_killed_without_warning_it_leaves_no_process_and_starts_again(folder: Path, running: Running) -> None:
    stop(running)
    run = Running(folder).ready()
    run.process.kill()
    again = Running(folder)  # at once: it waits for what still ends
    until(run.is_gone, "no process")
    again.ready()
    until(again.answers, "the pages")
    stop(again)
    assert again.is_gone()


def test_asked_to_stop_while_it_starts_it_leaves_no_process(folder: Path, running: Running) -> None:
    stop(running)
    run = Running(folder)
    until(lambda: "preparing the database" in run.output, "the start")
    run.process.send_signal(signal.SIGINT)
    run.process.wait(PATIENCE)
    assert run.is_gone()


def test_a_taken_port_is_told(folder: Path, running: Running) -> None:
    stop(running)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = str(other.getsockname()[1])
        told = subprocess.run(["./run", "--port", taken], cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 1
    assert f"Port {taken} is taken by another program" in told.stderr


def stop(run: Running) -> None:
    """Ends a run that may have ended already."""
    if run.process.poll() is None:
        run.process.send_signal(signal.SIGINT)
        run.process.wait(PATIENCE)
