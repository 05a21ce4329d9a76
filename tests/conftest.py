"""Fixtures of all tests: a real Redis of their own, the plant's cast, a clean slate for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.utils import translation

from plant.supervisor.check import whole_processes
from tests import migrated
from tests.environment import FOLDER, ROOT
from tests.redis_server import start_redis

# Modules whose tests take longest: begun last, one of them would keep a worker while the other is idle. Those that wait
# and those that keep the machine busy take turns.
LONG = (
    "test_chaos", "test_journeys", "test_run", "test_console", "test_every_page", "test_trends", "test_playback",
    "test_postgres", "test_trip",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the modules that take longest at the beginning; the order inside a module stays.

    Raises: a test is marked in a module where ./test does not look for such, and would never run.
    """
    marked = {item.path for item in items if item.get_closest_marker("chaos") or item.get_closest_marker("browser")}
    if strangers := marked - {ROOT / name for name in whole_processes()}:
        raise pytest.UsageError(f"Write pytest.mark.chaos or .browser into {', '.join(map(str, sorted(strangers)))}")
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Gives the address of the session's own Redis."""
    process = start_redis(FOLDER / "redis", FOLDER / "redis.sock")
    yield os.environ["REDIS_URL"]
    process.kill()
    process.wait()


@pytest.fixture(autouse=True)
def words_end_with_the_test() -> Iterator[None]:
    """Ends the language that a request left active: Django sets it at the begin of a request and leaves it."""
    yield
    translation.deactivate()


@pytest.fixture
def shards() -> int:
    """Gives how many shards a test's plant has: each costs a drain at every step, and four are as apart as sixteen."""
    return 4


@pytest.fixture(autouse=True)
def plant_of_few_shards(settings: Any, shards: int) -> None:
    """Lets a plant of the test's own have so many shards; a whole Andon has as many as any."""
    settings.TELEMETRY_SHARDS = shards


@pytest.fixture(autouse=True)
def static_files_are_found_when_asked_for(settings: Any) -> None:
    """Spares each of a test's clients the list of all static files, which a server makes once, at its start."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def clean_redis(redis_server: str) -> Iterator[redis.Redis]:
    """Gives a client of an empty Redis, and forgets what this process remembers of the streams."""
    from devices.telemetry import stream
    from devices.telemetry.pipeline import forget_shards

    client = stream.connect()
    client.flushall()
    forget_shards()
    yield client
    forget_shards()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Puts SQLite's test database into a file: threads share it as workers do, which they cannot in memory.

    PostgreSQL goes without its pool: Django's test client closes no connection at a request's end, and a thread that
    ends with its connection would never give it back.
    """
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(FOLDER / "test.sqlite3")
        migrated.copy_to(FOLDER / "test.sqlite3")
    else:
        connection.settings_dict["OPTIONS"].pop("pool")
        connection.settings_dict["TEST"]["NAME"] = connection.creation._get_test_db_name()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Has Django take the migrated file that lies there, instead of an empty one."""
    from django.db import connection

    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Ends what threads have left open before PostgreSQL's test database is taken away."""
    from django.db import connection

    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session", autouse=True)
def journal_can_be_emptied_between_tests() -> Iterator[None]:
    """Takes the append-only journal's triggers off while Django empties the test database, and only then."""
    from django.db import connection

    operations: Any = type(connection.ops)
    flush = operations.execute_sql_flush

    def without_triggers(self: Any, sql_list: list[str]) -> None:
        if connection.vendor == "sqlite":
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                triggers = cursor.fetchall()
            off, on = [f"DROP TRIGGER {name}" for name, _ in triggers], [sql for _, sql in triggers]
        else:
            tables = ("alerts_journalentry", "alerts_journalhead")
            off, on = (
                [f"ALTER TABLE {table} {verb} TRIGGER USER" for table in tables] for verb in ("DISABLE", "ENABLE")
            )
        flush(self, off + sql_list + on)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", without_triggers)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Spares the tests the half second that a password's real hash is meant to take."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_unconfigure() -> None:
    """Takes the session's folder away."""
    shutil.rmtree(FOLDER, ignore_errors=True)
