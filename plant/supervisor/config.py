"""What runs, as text for supervisord and for Redis: pure, so that it can be read and tested as text."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# A Unix socket's address has 108 bytes, the last of them zero. Source: unix(7)
SOCKET_PATH_MAX = 107
_PID = len(".4194304")  # supervisord binds to a name with its process id first, and renames
GROUP = "andon"
LOG_BYTES = "10MB"
LOG_BACKUPS = 3


@dataclass(frozen=True)
class Program:
    """One process to keep alive."""

    name: str
    command: tuple[str, ...]
    autostart: bool = False
    stop_seconds: int = 10


@dataclass(frozen=True)
class Plan:
    """Where everything is, and which processes belong to it."""

    root: Path
    var: Path
    port: int
    redis: Path | None  # none: REDIS_URL names one that somebody else runs
    demo: bool = True
    python: Path = Path(sys.executable)

    @property
    def supervisor_socket(self) -> Path:
        """Gives where supervisord listens."""
        return self.var / "supervisor.sock"

    @property
    def redis_socket(self) -> Path:
        """Gives where Redis listens; plant.settings names the same."""
        return self.var / "redis.sock"

    def programs(self) -> list[Program]:
        """Gives the processes, first to start first; Redis is the first and stops last."""
        # -q: no banner among the lines of the log.
        python, celery = str(self.python), (str(self.python), "-m", "celery", "-q", "-A", "plant")
        # Workers find each other through Redis anyway; without these three they do not chatter.
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        web = (
            "-m",
            "plant.web",
            "-b",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-v",
            "0",
            "--no-server-name",
            "plant.asgi:application",
        )
        telemetry = ("worker", "-Q", "telemetry", "-n", "telemetry@%h", "--pool", "solo", *quiet)
        work = ("worker", "-Q", "work", "-n", "work@%h", "--pool", "threads", "-c", "4", *quiet)
        # Kept in memory: what is due is due again after a restart, and no file can be damaged by a crash.
        beat = ("beat", "--scheduler", "celery.beat:Scheduler", "--pidfile=")
        found = [
            Program("web", (python, *web)),
            Program("worker-telemetry", (*celery, *telemetry)),
            Program("worker-work", (*celery, *work), stop_seconds=25),
            Program("beat", (python, "-m", "celery", "-q", "-A", "plant.beat", *beat)),
        ]
        if self.redis is not None:
            redis = (str(self.redis), str(self.var / "redis.conf"))
            found.insert(0, Program("redis", redis, autostart=True, stop_seconds=20))
        if self.demo:
            found.append(Program("demo", (python, "-m", "plant.demo.feed"), stop_seconds=5))
        return found

    def sockets_too_long(self) -> list[Path]:
        """Gives the socket paths that the system would refuse."""
        sizes = {self.supervisor_socket: SOCKET_PATH_MAX - _PID, self.redis_socket: SOCKET_PATH_MAX}
        return [path for path, most in sizes.items() if len(bytes(path)) > most]


def supervisord_conf(plan: Plan) -> str:
    """Gives supervisord's configuration; whatever dies comes back at once, and ever later if it keeps dying."""
    return "\n".join(
        [
            "; Written by ./run at every start.",
            *_section(
                "supervisord",
                nodaemon="true",
                logfile=plan.var / "log" / "supervisord.log",
                logfile_maxbytes=LOG_BYTES,
                logfile_backups=LOG_BACKUPS,
                pidfile=plan.var / "supervisord.pid",
                childlogdir=plan.var / "log",
                directory=plan.root,
            ),
            *_section("unix_http_server", file=plan.supervisor_socket, chmod="0700"),
            *_section(
                "rpcinterface:supervisor",
                **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
            ),
            *_section("supervisorctl", serverurl=f"unix://{plan.supervisor_socket}"),
            *(line for program in plan.programs() for line in _program(plan, program)),
            # A group stops as one; the one of the lowest priority, Redis, stops last.
            *_section(f"group:{GROUP}", programs=",".join(program.name for program in _grouped(plan)), priority=20),
        ]
    )


def _grouped(plan: Plan) -> list[Program]:
    """Gives the programs that stop together: all but Redis."""
    return [program for program in plan.programs() if program.name != "redis"]


def process_name(name: str) -> str:
    """Gives a program's name as supervisord wants to be asked for it."""
    return name if name == "redis" else f"{GROUP}:{name}"


def _program(plan: Plan, program: Program) -> list[str]:
    """Gives one process's section."""
    # Bound to supervisord's life: a supervisord that is killed without warning leaves no orphan.
    bound = (str(plan.python), "-P", "-S", str(plan.root / "plant" / "supervisor" / "child.py"), *program.command)
    return _section(
        f"program:{program.name}",
        command=shlex.join(bound),
        priority=10,
        autostart=str(program.autostart).lower(),
        autorestart="true",
        startsecs=1,
        startretries=1_000_000_000,  # it never gives up
        stopsignal="TERM",
        stopwaitsecs=program.stop_seconds,
        stopasgroup="false",
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=plan.var / "log" / f"{program.name}.log",
        stdout_logfile_maxbytes=LOG_BYTES,
        stdout_logfile_backups=LOG_BACKUPS,
    )


def _section(name: str, **values: object) -> list[str]:
    """Gives one section; a percent sign is doubled, as supervisord reads it."""
    return [f"[{name}]", *(f"{key}={str(value).replace('%', '%%')}" for key, value in values.items()), ""]


def redis_conf(plan: Plan) -> str:
    """Gives Redis's configuration: what it has answered for is on the disk (decision 0002)."""
    return "\n".join(
        [
            "# Written by ./run at every start.",
            *_lines(
                {
                    "port": "0",
                    "unixsocket": str(plan.redis_socket),
                    "unixsocketperm": "700",
                    "dir": str(plan.var / "redis"),
                    "daemonize": "no",
                    "appendonly": "yes",
                    "appendfsync": "always",
                    "no-appendfsync-on-rewrite": "no",
                    "auto-aof-rewrite-percentage": "100",
                    "auto-aof-rewrite-min-size": "256mb",
                    "maxmemory-policy": "noeviction",
                    "save": "",
                    "loglevel": "notice",
                }.items()
            ),
        ]
    )


def _lines(values: Iterable[tuple[str, str]]) -> list[str]:
    """Gives Redis's lines; its quotes take C's escapes."""
    return ['{} "{}"'.format(key, value.replace("\\", "\\\\").replace('"', '\\"')) for key, value in values] + [""]
