"""Fixtures of all tests: a real Redis of their own, the plant's cast, a clean slate for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
import redis

from tests.environment import FOLDER
from tests.redis_server import start_redis


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Gives the address of the session's own Redis."""
    process = start_redis(FOLDER / "redis", FOLDER / "redis.sock")
    yield os.environ["REDIS_URL"]
    process.kill()
    process.wait()


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
    """Puts SQLite's test database into a file: threads share it as workers do, which they cannot in memory."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(FOLDER / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def journal_can_be_emptied_between_tests() -> Iterator[None]:
    """Takes the append-only journal's triggers off while Django empties the test database, and only then."""
    from django.db.backends.sqlite3.operations import DatabaseOperations

    flush = DatabaseOperations.execute_sql_flush

    def flush_without_triggers(self: DatabaseOperations, sql_list: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
        flush(self, [f"DROP TRIGGER {name}" for name, _ in triggers] + sql_list + [sql for _, sql in triggers])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_without_triggers)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Spares the tests the half second that a password's real hash is meant to take."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_unconfigure() -> None:
    """Takes the session's folder away."""
    shutil.rmtree(FOLDER, ignore_errors=True)
