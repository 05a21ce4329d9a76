"""Forgetting: what is older than its asset's type keeps."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from django.conf import settings
from django.db import transaction

from devices.models import Chunk, Segment, Sensor
from devices.telemetry.codec import SegmentReader
from devices.telemetry.history.reading import batches
from devices.telemetry.history.writing import prepare

_DAY = 86_400_000_000
_CHUNKS_A_SLICE = 500


def forget(now_us: int, *, default_days: int | None = None) -> int:
    """Deletes readings older than their asset's type keeps them.

    A chunk goes as a whole once its last reading is too old, so a reading may stay up to 32 days longer; in segments,
    which hold what is not folded yet, readings go one by one.

    Takes: the clock in µs; days where the type names none, settings.HISTORY_RETENTION_DAYS unless given.
    Gives: how many readings went. Cost: a query for each 500 sensors; transactions of a few milliseconds.
    """
    default = settings.HISTORY_RETENTION_DAYS if default_days is None else default_days
    days = {
        sensor: default if kept is None else kept
        for sensor, kept in Sensor.objects.order_by().values_list("pk", "asset__type__retention_days")
    }
    by_days: dict[int, list[int]] = defaultdict(list)
    for sensor, kept in days.items():
        by_days[kept].append(sensor)
    gone = 0
    for kept, sensors in by_days.items():
        for ids in batches(sorted(sensors)):
            gone += _forget_chunks(ids, now_us - kept * _DAY)
    # Readings of deleted sensors go when everything else of their age does.
    cutoffs = {sensor: now_us - kept * _DAY for sensor, kept in days.items()}
    return gone + _forget_in_segments(cutoffs, now_us - default * _DAY)


def _forget_chunks(sensor_ids: list[int], before: int) -> int:
    gone = 0
    while True:
        old = Chunk.objects.filter(sensor_id__in=sensor_ids, end__lt=before).order_by()
        rows = dict(old.values_list("pk", "count")[:_CHUNKS_A_SLICE])
        if not rows:
            return gone
        # What a fold made into a bigger chunk meanwhile is asked for again.
        Chunk.objects.filter(pk__in=list(rows)).delete()
        gone += sum(rows.values())


def _forget_in_segments(cutoffs: dict[int, int], otherwise: int) -> int:
    gone = 0
    latest = max([otherwise, *cutoffs.values()])
    for key, shard, index, data in list(
        Segment.objects.filter(first_time__lt=latest).order_by("pk").values_list("pk", "shard", "sensors", "data")
    ):
        batch, late = SegmentReader(index, data).whole()
        sensors, place = np.unique(batch.sensor, return_inverse=True)
        cutoff = np.array([cutoffs.get(sensor, otherwise) for sensor in sensors.tolist()], np.int64)[place]
        stays = batch.time >= cutoff
        if stays.all():
            continue
        rest = prepare(shard, batch.take(stays), late[stays]) if stays.any() else None
        with transaction.atomic():
            # A fold may have been there first: then its chunks are looked at next time.
            if not Segment.objects.filter(pk=key).delete()[0]:
                continue
            if rest is not None:
                rest.save(force_insert=True)
        gone += int((~stays).sum())
    return gone
