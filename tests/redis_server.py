"""A Redis server of a test's own."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import redis

from plant.supervisor.processes import spawn
from plant.supervisor.redis import find_server


def start_redis(folder: Path, socket: Path) -> subprocess.Popen[str]:
    """Starts a Redis as `./run` does: append-only file, fsync always, on a Unix socket; waits until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    process = spawn(
        [
            str(find_server()), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder),
            "--appendonly", "yes", "--appendfsync", "always", "--save", "",
        ],
        dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    client = redis.Redis(unix_socket_path=str(socket))
    for _ in range(3000):
        try:
            client.ping()
            break
        except redis.RedisError:
            if process.poll() is not None:
                raise RuntimeError("redis-server ended at once") from None
            time.sleep(0.01)
    else:
        raise RuntimeError("redis-server does not answer")
    client.close()
    return process
