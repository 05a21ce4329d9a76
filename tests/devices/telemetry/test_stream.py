"""The streams in a real Redis: append, read, bell, epoch, margin and backlog."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings

from devices.models import Checkpoint
from devices.telemetry import codec, stream
from devices.telemetry.batch import Batch
from devices.telemetry.pipeline import listen

SECOND = 1_000_000


def batch(*values: float) -> Batch:
    n = len(values)
    return Batch(
        np.ones(n, np.int32), np.arange(n, dtype=np.int64), np.array(values, np.float64), np.zeros(n, np.uint8)
    )


def append(client: Any, shard: int, *values: float, copy: bool = False) -> str:
    return stream.append(client, stream.parcels(shard, batch(*values), copy=copy)).ids[-1]


def values(entries: list[stream.Entry]) -> list[float]:
    return [value for entry in entries for value in entry.batch.value.tolist()]


@pytest.fixture(autouse=True)
def trims_are_forgotten() -> None:
    stream._trimmed.clear()


def test_what_is_appended_is_read_in_order(clean_redis: Any) -> None:
    ids = [append(clean_redis, 3, n, n + 0.5) for n in range(3)]
    entries, more = stream.read(clean_redis, 3, stream.START, 1000)
    assert [entry.id for entry in entries] == ids
    assert values(entries) == [0, 0.5, 1, 1.5, 2, 2.5]
    assert not more
    assert [entry.id for entry in stream.read(clean_redis, 3, ids[0], 1000)[0]] == ids[1:]
    assert stream.read(clean_redis, 3, ids[-1], 1000) == ([], False)
    assert stream.read(clean_redis, 4, stream.START, 1000) == ([], False)


def test_an_entry_carries_its_arrival_and_whether_it_is_a_copy(clean_redis: Any) -> None:
    before = stream.server_time_us(clean_redis)
    append(clean_redis, 3, 1.0)
    append(clean_redis, 3, 2.0, copy=True)
    entries, _ = stream.read(clean_redis, 3, stream.START, 1000)
    assert [entry.copy for entry in entries] == [False, True]
    for entry in entries:
        assert before // 1000 * 1000 <= entry.arrival <= stream.server_time_us(clean_redis)


def test_entries_are_numbered_in_their_stream_copies_among_them_and_whatever_was_deleted(clean_redis: Any) -> None:
    for shard, copy in ((3, False), (3, True), (4, False), (3, False)):
        append(clean_redis, shard, 1.0, 2.0, copy=copy)
    assert [entry.number for entry in stream.read(clean_redis, 3, stream.START, 1000)[0]] == [0, 1, 2]
    assert [entry.number for entry in stream.read(clean_redis, 4, stream.START, 1000)[0]] == [0]
    clean_redis.delete(stream.stream_key(3))
    append(clean_redis, 3, 1.0)
    assert [entry.number for entry in stream.read(clean_redis, 3, stream.START, 1000)[0]] == [3]
    assert [heard.given for heard in listen(clean_redis, [3, 4, 5]).values()] == [4, 1, 0]


@pytest.mark.parametrize("most", [1, 7, 63, 64, 65, 150, 1000])
def test_reading_on_from_the_last_entry_gives_everything_once(clean_redis: Any, most: int) -> None:
    for n in range(150):
        append(clean_redis, 0, n)
    found: list[float] = []
    after, more = stream.START, True
    while more:
        entries, more = stream.read(clean_redis, 0, after, most)
        assert len(entries) <= most
        found += values(entries)
        after = entries[-1].id if entries else after
    assert found == list(range(150))


def test_a_large_batch_is_cut_into_entries(clean_redis: Any) -> None:
    size = 2 * stream.ENTRY_READINGS + 1
    append(clean_redis, 0, *range(size))
    entries, more = stream.read(clean_redis, 0, stream.START, size)
    assert [len(entry.batch) for entry in entries] == [stream.ENTRY_READINGS, stream.ENTRY_READINGS, 1]
    assert values(entries) == list(range(size))
    assert not more


def test_a_broken_entry_does_not_hold_up_the_shard(clean_redis: Any) -> None:
    append(clean_redis, 0, 1.0)
    clean_redis.xadd(stream.stream_key(0), {b"b": b"\xff broken"})
    append(clean_redis, 0, 2.0)
    entries, _ = stream.read(clean_redis, 0, stream.START, 1000)
    assert [len(entry.batch) for entry in entries] == [1, 0, 1]


def test_a_lost_redis_begins_a_new_epoch_and_a_kept_one_does_not(clean_redis: Any) -> None:
    assert stream.epoch(clean_redis) == ""
    append(clean_redis, 0, 1.0)
    first = stream.epoch(clean_redis)
    append(clean_redis, 1, 1.0)
    assert stream.epoch(clean_redis) == first
    clean_redis.flushall()
    append(clean_redis, 0, 1.0)
    assert stream.epoch(clean_redis) not in ("", first)


def test_an_append_works_after_redis_has_forgotten_its_scripts(clean_redis: Any) -> None:
    append(clean_redis, 0, 1.0)
    clean_redis.script_flush()
    append(clean_redis, 0, 2.0)
    assert values(stream.read(clean_redis, 0, stream.START, 10)[0]) == [1, 2]


# --- Bells -----------------------------------------------------------------------------------------------------------


def waiting_tasks(client: Any) -> int:
    return int(client.llen("andon-celery:telemetry"))


def test_a_bell_calls_once_until_it_is_heard(clean_redis: Any) -> None:
    parcel = stream.parcels(2, batch(1.0))
    assert stream.append(clean_redis, parcel).rung == [2]
    assert stream.append(clean_redis, parcel).rung == []
    stream.ring([2, 5])
    assert waiting_tasks(clean_redis) == 1  # for shard 5
    before = stream.server_time_us(clean_redis)
    assert before <= listen(clean_redis, [2])[2].clock <= stream.server_time_us(clean_redis)
    stream.ring([2, 5])
    assert waiting_tasks(clean_redis) == 2
    assert 0 < clean_redis.ttl(stream.bell_key(2)) <= stream.BELL_SECONDS


# --- Margin ----------------------------------------------------------------------------------------------------------


def fill(client: Any, shard: int, entries: int) -> list[str]:
    return [append(client, shard, *range(400)) for _ in range(entries)]


def remaining(client: Any, shard: int) -> int:
    return int(client.xlen(stream.stream_key(shard)))


def test_what_is_not_committed_is_never_trimmed(clean_redis: Any, settings: LazySettings) -> None:
    settings.TELEMETRY_MARGIN_SECONDS = 0.0
    settings.TELEMETRY_MARGIN_BYTES = 0
    ids = fill(clean_redis, 0, 50)
    later = stream.server_time_us(clean_redis) + 3600 * SECOND
    assert stream.trim(clean_redis, 0, stream.START, later) == 0
    stream.trim(clean_redis, 0, ids[30], later + 2 * SECOND)
    kept = [entry.id for entry in stream.read(clean_redis, 0, stream.START, 10**6)[0]]
    assert len(kept) < 50
    assert set(ids[30:]) <= set(kept)


def test_what_is_committed_stays_for_the_margin_of_time(clean_redis: Any, settings: LazySettings) -> None:
    settings.TELEMETRY_MARGIN_SECONDS = 600.0
    ids = fill(clean_redis, 0, 50)
    now = stream.server_time_us(clean_redis)
    assert stream.trim(clean_redis, 0, ids[-1], now + 599 * SECOND) == 0
    assert stream.trim(clean_redis, 0, ids[-1], now + 601 * SECOND) > 40


def test_the_margin_of_bytes_counts_all_shards_together(clean_redis: Any, settings: LazySettings) -> None:
    old = fill(clean_redis, 0, 30)
    size = int(clean_redis.hget(stream.TOTALS, "bytes"))
    # A later second: marks are set about once in one.
    clean_redis.hset(stream.TOTALS, "marked", 0)
    middle = fill(clean_redis, 1, 30)
    now = stream.server_time_us(clean_redis)
    settings.TELEMETRY_MARGIN_BYTES = size + size // 2
    assert stream.trim(clean_redis, 0, old[-1], now) == 0
    settings.TELEMETRY_MARGIN_BYTES = size // 2
    assert stream.trim(clean_redis, 0, old[-1], now + SECOND) > 20
    assert stream.trim(clean_redis, 1, middle[-1], now + SECOND) == 0
    assert remaining(clean_redis, 1) == 30


def test_a_process_looks_once_a_second(clean_redis: Any, settings: LazySettings) -> None:
    settings.TELEMETRY_MARGIN_SECONDS = 0.0
    ids = fill(clean_redis, 0, 50)
    later = stream.server_time_us(clean_redis) + 60 * SECOND
    assert stream.trim(clean_redis, 0, ids[10], later) > 0
    assert stream.trim(clean_redis, 0, ids[-1], later + SECOND // 2) == 0
    assert stream.trim(clean_redis, 0, ids[-1], later + SECOND) > 0


# --- Backlog ---------------------------------------------------------------------------------------------------------


def test_the_backlog_is_what_lies_behind_the_position(clean_redis: Any) -> None:
    ids = [append(clean_redis, 0, *range(n)) for n in (10, 20, 30)]
    append(clean_redis, 1, 1.0, 2.0)
    readings = [stream.backlog(clean_redis, {0: position})[0].readings for position in [stream.START, *ids]]
    assert readings == [60, 50, 30, 0]
    both = stream.backlog(clean_redis, {0: ids[1], 1: stream.START, 2: stream.START})
    assert {shard: lag.readings for shard, lag in both.items()} == {0: 30, 1: 2, 2: 0}
    assert both[2] == stream.Lag()


def test_a_copy_waits_but_is_not_counted_twice(clean_redis: Any) -> None:
    append(clean_redis, 0, 1.0)
    append(clean_redis, 1, 1.0, copy=True)
    found = stream.backlog(clean_redis, {0: stream.START, 1: stream.START})
    assert sum(lag.readings for lag in found.values()) == 1


def test_the_backlog_says_how_long_its_oldest_reading_waits(clean_redis: Any) -> None:
    arrived = stream.server_time_us(clean_redis) // 1000 - 5000
    clean_redis.xadd(stream.stream_key(0), {b"b": codec.pack(batch(1.0))}, id=f"{arrived}-0")
    append(clean_redis, 0, 2.0)
    before = stream.server_time_us(clean_redis)
    seconds = stream.backlog(clean_redis, {0: stream.START})[0].seconds
    after = stream.server_time_us(clean_redis)
    assert (before - arrived * 1000) / 1e6 <= seconds <= (after - arrived * 1000) / 1e6


def test_trimming_does_not_change_the_backlog(clean_redis: Any, settings: LazySettings) -> None:
    settings.TELEMETRY_MARGIN_SECONDS = 0.0
    ids = fill(clean_redis, 0, 50)
    before = stream.backlog(clean_redis, {0: ids[40]})[0].readings
    assert stream.trim(clean_redis, 0, ids[40], stream.server_time_us(clean_redis) + SECOND) > 0
    assert stream.backlog(clean_redis, {0: ids[40]})[0].readings == before == 9 * 400


@pytest.mark.django_db
def test_the_lag_goes_by_the_checkpoints_of_the_present_streams(clean_redis: Any) -> None:
    first = append(clean_redis, 0, 1.0, 2.0)
    append(clean_redis, 0, 3.0)
    checkpoint = Checkpoint.objects.create(shard=0, epoch=stream.epoch(clean_redis), position=first)
    assert stream.lag(clean_redis)[0].readings == 1
    Checkpoint.objects.filter(pk=checkpoint.pk).update(epoch="of a lost Redis")
    assert stream.lag(clean_redis)[0].readings == 3
