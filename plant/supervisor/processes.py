"""supervisord as ./run uses it: started, asked, started again if it was killed, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from plant.supervisor.child import die_with_parent
from plant.supervisor.config import Plan, process_name

STOP_SECONDS = 40.0  # more than any program is given to stop


def spawn(
    command: list[str], environment: dict[str, str], *, with_signal: int = signal.SIGTERM, **more: Any
) -> subprocess.Popen[str]:
    """Starts a program that ends when this process does, away from the terminal's Ctrl-C."""
    parent = os.getpid()

    def bind() -> None:
        die_with_parent(parent, with_signal)

    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=bind,  # no thread is running yet
        text=True,
        **more,
    )


class Supervisord:
    """The running supervisord."""

    def __init__(self, plan: Plan, environment: dict[str, str], lock: int) -> None:
        self._plan, self._environment, self._lock = plan, environment, lock
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers. Raises: TimeoutError, with the last lines of its log."""
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._plan.var / "supervisord.conf")]
        self._process = spawn(
            command,
            self._environment,
            cwd=self._plan.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[self._lock],  # the folder stays locked until it has ended, even where ./run was killed
        )
        until = time.monotonic() + 15
        while time.monotonic() < until and self.alive:
            with contextlib.suppress(OSError, xmlrpc.client.Error):
                self._ask().getState()
                return
            time.sleep(0.02)
        raise TimeoutError(f"supervisord does not start:\n{tail(self._plan.var / 'log' / 'supervisord.log')}")

    @property
    def alive(self) -> bool:
        """Tells whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start_programs(self, names: Iterable[str]) -> None:
        """Starts those that are not running, in order, without waiting for any to be ready."""
        running = {row["name"] for row in self.programs() if row["statename"] in ("RUNNING", "STARTING", "BACKOFF")}
        for name in names:
            if name not in running:
                self._ask().startProcess(process_name(name), False)

    def programs(self) -> list[dict[str, Any]]:
        """Gives what supervisord knows of every program."""
        return list(self._ask().getAllProcessInfo())

    def stop(self) -> None:
        """Ends supervisord and all it started."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends everything at once: its programs go with it (child.py)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _ask(self) -> Any:
        """Gives its XML-RPC interface. A connection of its own: one that was lost would stay lost."""
        transport = SupervisorTransport(None, None, f"unix://{self._plan.supervisor_socket}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor


def redis_answers(path: Path) -> bool:
    """Tells whether the Redis at a Unix socket is up and has read its file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def port_is_free(port: int) -> bool:
    """Tells whether this machine lets us listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            connection.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def tail(path: Path, lines: int = 15) -> str:
    """Gives a log's last lines, indented."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return f"    ({path} is not there)"
    return "\n".join("    " + line for line in text.splitlines()[-lines:])
