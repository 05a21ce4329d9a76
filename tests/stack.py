"""Andon's real processes in a folder of their own: for the browser, chaos and benchmark tests."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plant.supervisor import kept_code
from plant.supervisor.config import Plan
from plant.supervisor.processes import spawn
from tests import migrated
from tests.redis_server import start_redis

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Gives a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """A whole Andon: Redis, web, workers, beat; each can be stopped, killed and started again.

    Use as a context manager. `environment` is what a process needs to be one of it (ANDON_VAR and so on).
    """

    def __init__(
        self, folder: Path, *, workers: int = 1, intake: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.intake_port = free_port() if intake else self.port
        self.url = f"http://127.0.0.1:{self.port}"
        self.intake_url = f"http://127.0.0.1:{self.intake_port}"
        # A Unix socket's path has to be short.
        self.redis_socket = Path("/tmp") / f"andon-{os.getpid()}-{secrets.token_hex(3)}.sock"
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if name not in ("DATABASE_URL", "EMAIL_URL", "SMS_URL")
            },
            "ANDON_VAR": str(folder),
            "REDIS_URL": f"unix://{self.redis_socket}",
            "PUBLIC_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "plant.settings",
            "NUMBA_CACHE_DIR": str(kept_code.folder_of(ROOT / "var" / "numba", ROOT)),
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "INFO",
            **(env or {}),
        }
        self.processes: dict[str, subprocess.Popen[Any]] = {}
        plan = Plan(root=ROOT, var=folder, port=self.port, redis=None, demo=False)
        self.commands = {program.name: list(program.command) for program in plan.programs()}
        telemetry = self.commands.pop("worker-telemetry")
        for number in range(1, workers + 1):
            self.commands[f"telemetry-{number}"] = [word.replace("telemetry@", f"t{number}@") for word in telemetry]
        if intake:
            self.commands["intake"] = self._intake()

    def _intake(self) -> list[str]:
        return [sys.executable, "-m", "devices.intake.standalone", "--port", str(self.intake_port)]

    def __enter__(self) -> Stack:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.start_redis()
            if "DATABASE_URL" in self.environment:
                self.run("manage.py", "migrate", "--verbosity", "0")
            elif not (self.folder / "andon.sqlite3").exists():
                migrated.copy_to(self.folder / "andon.sqlite3")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in [name for name in self.processes if name != "redis"] + ["redis"]:
            process = self.processes.pop(name, None)
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self.redis_socket.unlink(missing_ok=True)

    def start_redis(self) -> None:
        """Starts Redis on the stack's file, or again on it."""
        self.processes["redis"] = start_redis(self.folder / "redis", self.redis_socket)

    def start(self, *names: str) -> None:
        """Starts processes by name; all but Redis if none is given. Web and intake answer when this returns."""
        for name in names or tuple(self.commands):
            log = (self.folder / f"{name}.log").open("ab")
            # Ends when this process does, however that ends.
            self.processes[name] = spawn(self.commands[name], self.environment, cwd=ROOT, stdout=log, stderr=log)
        for name in names or tuple(self.commands):
            if name == "web":
                self.wait_for(f"{self.url}/healthz")
            if name == "intake":
                self.wait_for(f"{self.intake_url}/healthz")

    def revive(self) -> list[str]:
        """Starts what has ended by itself, as the supervisor of `./run` does; gives the names."""
        ended = [name for name, process in self.processes.items() if name != "redis" and process.poll() is not None]
        for name in ended:
            self.start(name)
        return ended

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends a process at once and waits until it is gone."""
        process = self.processes.pop(name)
        process.send_signal(how)
        process.wait()

    def run(self, *words: str, input: str | None = None) -> str:
        """Runs one of the stack's Python programs to its end and gives what it printed."""
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.environment, text=True, capture_output=True, input=input
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def script(self, code: str) -> str:
        """Runs Python code with Django set up on the stack's database."""
        return self.run("-c", "import django; django.setup()\n" + code)

    def wait_for(self, url: str, seconds: float = 60) -> None:
        """Waits until an address answers with anything but a server's failure."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))
        raise RuntimeError(f"{url} does not answer after {seconds:g} s.\n{logs}")
