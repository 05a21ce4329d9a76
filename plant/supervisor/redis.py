"""Which Redis to start."""

from pathlib import Path

from plant.supervisor.install import Missing, redis_server


def find_server() -> Path:
    """Gives the machine's redis-server or valkey-server, else the one in .venv. Raises: Missing."""
    found = redis_server()
    if found is None:
        raise Missing("There is no Redis 6.2 or later. Run ./run once, or on Debian: apt install redis-server")
    return found
