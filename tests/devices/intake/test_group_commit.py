"""Requests that come together share one append, are answered together, and keep their order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from devices.intake import commit, http
from devices.telemetry import stream
from tests.devices.intake.conftest import FRESH, SECOND, TAG, Sender

Append = Callable[..., Awaitable[stream.Appended]]


def body(number: int, size: int = 1) -> dict[str, Any]:
    return {"series": [{"sensor": TAG, "times": [FRESH + number + n for n in range(size)], "values": [number] * size}]}


@pytest.fixture
def appends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gives the readings of each append, as they happen."""
    happened: list[int] = []
    append = stream.append_async

    async def noted(client: Any, parcels: list[stream.Parcel], layout: int | None) -> stream.Appended:
        happened.append(sum(parcel.readings for parcel in parcels))
        return await append(client, parcels, layout)

    monkeypatch.setattr(stream, "append_async", noted)
    return happened


async def test_requests_at_one_time_share_an_append(sender: Sender, appends: list[int]) -> None:
    await sender.post(body(0))
    appends.clear()
    answers = await asyncio.gather(*(sender.post(body(1 + number)) for number in range(50)))
    assert [answer.status for answer in answers] == [202] * 50
    assert sum(appends) == 50
    assert len(appends) <= 2


async def test_what_comes_during_an_append_goes_with_the_next(
    sender: Sender, appends: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await sender.post(body(0))
    appends.clear()
    under_way, go_on = asyncio.Event(), asyncio.Event()
    append = stream.append_async

    async def held(client: Any, parcels: list[stream.Parcel], layout: int | None) -> stream.Appended:
        under_way.set()
        await go_on.wait()
        return await append(client, parcels, layout)

    monkeypatch.setattr(stream, "append_async", held)
    first = asyncio.create_task(sender.post(body(1)))
    await under_way.wait()
    others = [asyncio.create_task(sender.post(body(2 + number))) for number in range(5)]
    while len(http.application._commit._group.waiting) < 5:
        await asyncio.sleep(0)
    assert not first.done()
    assert not any(task.done() for task in others)
    go_on.set()
    await asyncio.gather(first, *others)
    assert appends == [1, 5]


async def test_the_order_of_arrival_is_the_order_in_the_stream(sender: Sender) -> None:
    sizes = [1, 1, 40, 1, 16, 17, 1, 1]  # as lists and as arrays, mixed
    await asyncio.gather(*(sender.post(body(1000 * number, size)) for number, size in enumerate(sizes)))
    expected = [float(1000 * number) for number, size in enumerate(sizes) for _ in range(size)]
    assert [value for _, _, value, _ in sender.stored()] == expected


async def test_each_shard_gets_its_own_readings(sender: Sender) -> None:
    both = {"series": [{"sensor": tag, "times": list(range(30)), "values": [1] * 30} for tag in (TAG, SECOND)]}
    await asyncio.gather(*(sender.post(both) for _ in range(3)))
    stored = sender.stored()
    assert len(stored) == 180
    for tag in (TAG, SECOND):
        assert [at for one, at, _, _ in stored if one == tag] == [n * 1000 for n in range(30)] * 3


@pytest.mark.parametrize("error", [RedisConnectionError("lost"), TimeoutError(), OSError("gone"), KeyError("a bug")])
async def test_an_append_without_an_answer_fails_everybody_in_it_and_nobody_after(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    await sender.post(body(0))

    async def lost(*_: Any) -> stream.Appended:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(stream, "append_async", lost)
        answers = await asyncio.gather(*(sender.post(body(1 + number)) for number in range(5)))
    assert [answer.status for answer in answers] == [503] * 5
    assert (await sender.post(body(9))).status == 202


async def test_a_sender_that_goes_takes_nobody_with_it(sender: Sender) -> None:
    await sender.post(body(0))
    tasks = [asyncio.create_task(sender.post(body(1 + number))) for number in range(3)]
    while not http.application._commit._group.waiting:
        await asyncio.sleep(0)
    tasks[1].cancel()
    answers = await asyncio.gather(tasks[0], tasks[2])
    assert [answer.status for answer in answers] == [202, 202]


async def test_more_than_memory_should_hold_is_put_off(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    await sender.post(body(0))
    monkeypatch.setattr(commit, "WAITING_MOST", 40)
    answers = await asyncio.gather(*(sender.post(body(100 * number, 30)) for number in range(4)))
    statuses = [answer.status for answer in answers]
    assert statuses == [202, 202, 429, 429]
    assert all(answer.headers["retry-after"] for answer in answers if answer.status == 429)


async def test_a_silent_bell_calls_one_worker_however_many_requests(sender: Sender) -> None:
    queue = "andon-celery:telemetry"
    await asyncio.gather(*(sender.post(body(number)) for number in range(20)))
    await sender.post(body(30))
    await asyncio.to_thread(http.application._commit._bells.close)
    shard = next(key for key in sender.client.scan_iter("andon:bell:*"))
    assert sender.client.llen(queue) == 1
    assert sender.client.ttl(shard) in (2, 3)
