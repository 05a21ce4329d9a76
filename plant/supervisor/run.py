"""./run after the installation: prepares the database, keeps the processes alive, ends them all."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

from plant.supervisor import kept_code
from plant.supervisor.config import Plan, redis_conf, supervisord_conf
from plant.supervisor.install import ROOT, VAR, Missing, parser, redis_server, say
from plant.supervisor.processes import Supervisord, port_is_free, redis_answers, spawn, tail

READY_SECONDS = 90.0
FILES = 65_536  # open files that the web process may have: one a live connection


class Interrupted(Exception):
    """Somebody asked to stop."""


class Stopping:
    """Remembers that a signal asked to stop."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked.set()

    def pause(self, seconds: float) -> None:
        """Waits. Raises: Interrupted."""
        if self.asked.wait(seconds):
            raise Interrupted


def lock(var: Path, port: int) -> TextIO:
    """Takes the folder for this run. Raises: Missing, saying who has it."""
    path = var / "run.lock"
    file = path.open("a+")
    until = time.monotonic() + 15
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            owner = _owner(path)
            # A run that was killed leaves its processes a moment to end.
            if _lives(owner.get("pid", 0)) or time.monotonic() > until:
                file.close()
                raise Missing(
                    f"Andon already runs in this folder, at http://localhost:{owner.get('port', '?')} "
                    f"(process {owner.get('pid', '?')}). Stop it there with Ctrl-C, or use that one."
                ) from None
            time.sleep(0.1)
    file.seek(0)
    file.truncate()
    file.write(json.dumps({"pid": os.getpid(), "port": port}))
    file.flush()
    return file


def _owner(path: Path) -> dict[str, Any]:
    """Gives what the run that has the folder wrote."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def _lives(pid: int) -> bool:
    """Tells whether a process exists and has not ended yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return pid > 0
    return pid > 0 and state != "Z"  # ended, and nobody has asked how


def environment(plan: Plan) -> dict[str, str]:
    """Gives the processes' environment; what a person has set is respected."""
    given = {
        "PUBLIC_URL": f"http://localhost:{plan.port}",
        "ANDON_VAR": str(plan.var),
        "ANDON_PORT": str(plan.port),
        "NUMBA_CACHE_DIR": str(kept_code.folder_of(plan.var / "numba", plan.root)),
        "PYTHONUNBUFFERED": "1",
        # glibc would keep an arena for every thread of a worker.
        "MALLOC_ARENA_MAX": "2",
    }
    return {**given, **os.environ, "ANDON_VAR": str(plan.var), "ANDON_PORT": str(plan.port)}


def write_files(plan: Plan) -> None:
    """Writes the generated configuration."""
    for folder in (plan.var / name for name in ("log", "redis", "numba", "static")):
        folder.mkdir(parents=True, exist_ok=True)
    (plan.var / "supervisord.conf").write_text(supervisord_conf(plan))
    (plan.var / "redis.conf").write_text(redis_conf(plan))


def prepare(plan: Plan, environ: dict[str, str], stopping: Stopping) -> dict[str, Any]:
    """Brings the database up to date. Gives: what manage.py prepare found. Raises: Missing, Interrupted."""
    command = [sys.executable, "manage.py", "prepare", *([] if plan.demo else ["--no-demo"])]
    process = spawn(command, environ, cwd=plan.root, stdout=subprocess.PIPE)
    try:
        while process.poll() is None:
            stopping.pause(0.02)
    except Interrupted:
        process.terminate()
        process.wait()
        raise
    out, _ = process.communicate()
    if process.returncode:
        raise Missing("The database could not be prepared; what went wrong stands above.")
    return dict(json.loads(out.strip().splitlines()[-1]))


def warm(plan: Plan, environ: dict[str, str]) -> subprocess.Popen[str] | None:
    """Begins to compile the rule engine, where no start before this one did; gives the process."""
    if any(Path(environ["NUMBA_CACHE_DIR"]).rglob("*.nbi")):
        return None
    return spawn([sys.executable, "-m", "alerts.engine.warm"], environ, cwd=plan.root)


def wait_for_engine(process: subprocess.Popen[str] | None, stopping: Stopping) -> None:
    """Waits until the engine is compiled; where that failed, the worker tries again. Raises: Interrupted."""
    if process is not None and process.poll() is None:
        say("compiling the rule engine, once …")
        while process.poll() is None:
            stopping.pause(0.05)


def wait_for_redis(plan: Plan, stopping: Stopping) -> None:
    """Waits until Redis has read its file. Raises: Missing, Interrupted."""
    until = time.monotonic() + READY_SECONDS
    while plan.redis is not None and not redis_answers(plan.redis_socket):
        if time.monotonic() > until:
            raise Missing(
                f"Redis does not answer. The end of var/log/redis.log:\n{tail(plan.var / 'log' / 'redis.log')}"
            )
        stopping.pause(0.02)


def wait_for_pages(plan: Plan, stopping: Stopping) -> None:
    """Waits until the web process answers. Raises: Missing, Interrupted."""
    until = time.monotonic() + READY_SECONDS
    while not _healthy(plan.port):
        if time.monotonic() > until:
            raise Missing(
                f"The pages do not come up. The end of var/log/web.log:\n{tail(plan.var / 'log' / 'web.log')}"
            )
        stopping.pause(0.05)


def _healthy(port: int) -> bool:
    """Tells whether /healthz answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def watch(supervisord: Supervisord, names: list[str], stopping: Stopping) -> NoReturn:
    """Keeps supervisord alive for as long as nobody asks to stop. Raises: Interrupted."""
    while True:
        stopping.pause(0.5)
        if not supervisord.alive:
            say("supervisord was killed; starting it again")
            supervisord.start()
            supervisord.start_programs(names)


def serve(plan: Plan, file: TextIO, stopping: Stopping) -> int:
    """Starts everything, says where it is, and stays until asked to stop."""
    environ = environment(plan)
    write_files(plan)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if hard == resource.RLIM_INFINITY else min(FILES, hard), hard))
    supervisord = Supervisord(plan, environ, file.fileno())
    try:
        supervisord.start()
        engine = warm(plan, environ)
        say("preparing the database …")
        found = prepare(plan, environ, stopping)
        # Nothing simulated is sent into somebody's own plant.
        names = [program.name for program in plan.programs() if program.name != "demo" or found["demo"]]
        wait_for_redis(plan, stopping)
        say(f"starting {', '.join(names)} …")
        # The pages first: what the others need to start would only make a person wait for them.
        supervisord.start_programs(["web"])
        wait_for_pages(plan, stopping)
        wait_for_engine(engine, stopping)
        supervisord.start_programs(names)
        address = environ["PUBLIC_URL"].rstrip("/")
        say(f"running at {address} - sign in once with {address}{found['link']} (valid for 24 hours; Ctrl-C stops)")
        watch(supervisord, names, stopping)
    except Interrupted:
        say("stopping …")
        return 0
    except (Missing, TimeoutError) as error:
        print(f"andon: {error}", file=sys.stderr)
        return 1
    finally:
        supervisord.stop()
        say("every process has ended")


def main(arguments: Sequence[str]) -> int:
    """Runs Andon until Ctrl-C."""
    chosen = parser().parse_args(arguments)
    own_redis = not (os.environ.get("REDIS_URL") or os.environ.get("REDIS_URL_FILE"))
    plan = Plan(ROOT, VAR.resolve(), chosen.port, redis_server() if own_redis else None, demo=not chosen.no_demo)
    stopping = Stopping()
    try:
        if long := plan.sockets_too_long():
            raise Missing(
                f"{long[0]} is too long for a Unix socket: move this folder, or set ANDON_VAR to a shorter path"
            )
        plan.var.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = lock(plan.var, plan.port)
        if not port_is_free(plan.port):
            raise Missing(f"Port {plan.port} is taken by another program. ./run --port {plan.port + 1} takes another")
    except Missing as error:
        print(f"andon: {error}", file=sys.stderr)
        return 1
    return serve(plan, file, stopping)
