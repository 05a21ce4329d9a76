"""A plant with two presses, a sender with a token for one line, and the intake on a real Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from pytest_django.plugin import DjangoDbBlocker

from devices import services
from devices.intake import http
from devices.intake.http import PATH, application
from devices.models import Checkpoint, Sensor
from devices.telemetry import stream
from tests import factories
from tests.asgi import Answer, call

TAG = "press-1-1/temp"
SECOND = "press-1-2/temp"
ELSEWHERE = "press-2-1/temp"  # on a line outside the sender's scope
FRESH = 1_772_344_800_250  # 2026-03-01T06:00:00.250Z in ms


class Sender:
    """Sends to the intake with the token of a source that may write below line-1."""

    def __init__(self, client: Any, token: str) -> None:
        self.client = client
        self.token = token
        self.ids = {sensor.tag: sensor.pk for sensor in Sensor.objects.select_related("asset")}

    async def post(self, body: Any, *, token: str | None = None, **headers: str) -> Answer:
        """Posts a body: JSON from Python, or bytes as they are, or several of them as chunks."""
        raw = body if isinstance(body, bytes) or _chunks(body) else json.dumps(body).encode()
        names = {
            "authorization": f"Bearer {self.token if token is None else token}",
            "content-type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        answer = await call(application, PATH, raw, headers=names)
        assert answer is not None
        return answer

    def stored(self) -> list[tuple[str, int, float, int]]:
        """Gives the readings in all streams as (tag, µs, value, quality), each stream in its order; copies left out."""
        tags = {pk: tag for tag, pk in self.ids.items()}
        found = []
        for shard in Checkpoint.objects.order_by("shard").values_list("shard", flat=True):
            entries, _ = stream.read(self.client, shard, stream.START, 10_000_000)
            for batch in (entry.batch for entry in entries if not entry.copy):
                rows = zip(batch.sensor, batch.time, batch.value, batch.quality, strict=True)
                found += [(tags[int(pk)], int(at), float(value), int(quality)) for pk, at, value, quality in rows]
        return found


def _chunks(body: Any) -> bool:
    return isinstance(body, Sequence) and bool(body) and all(isinstance(part, bytes) for part in body)


def build() -> str:
    """Makes two lines of two presses with a temperature each; gives the token of a source for the first line."""
    machines = factories.plant(lines=2)
    for machine in machines:
        factories.sensor(machine)
    _, token = services.create_source(name="edge-1", scope=machines[0].parent)
    return token


@pytest.fixture(scope="session")
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Sees to it that there is a test database: pytest-django makes none for a run without marked tests."""
    made = []
    with django_db_blocker.unblock():
        if str(connection.settings_dict["NAME"]) != str(connection.settings_dict["TEST"]["NAME"]):
            made = setup_databases(0, False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, 0)


@pytest.fixture(scope="module")
def standing_plant(database: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Gives a token of a plant that a whole file of tests shares, because none of them changes it."""
    with django_db_blocker.unblock():
        yield build()
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
async def sender(standing_plant: str, clean_redis: Any) -> AsyncIterator[Sender]:
    """Gives a sender to a fresh intake of the shared plant."""
    Checkpoint.objects.update(epoch="", position=stream.START)
    yield Sender(clean_redis, standing_plant)
    await http.application.close()


@pytest.fixture
def own_plant(transactional_db: None) -> str:
    """Gives a token of a plant that the test may change."""
    return build()


@pytest.fixture
async def own_sender(own_plant: str, clean_redis: Any) -> AsyncIterator[Sender]:
    """Gives a sender to a fresh intake of the test's own plant."""
    yield Sender(clean_redis, own_plant)
    await http.application.close()


async def in_thread(work: Callable[[], Any]) -> Any:
    """Does work that asks the database, as another process would."""

    def closing() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(closing)
