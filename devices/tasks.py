"""What workers do for the readings: load, call, log."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.conf import settings

from devices.models import Checkpoint
from devices.telemetry import history, stream

log = structlog.get_logger(__name__)


@shared_task(expires=10)
def drain(shard: int) -> None:
    """Takes what waits in a shard's stream through history and rules."""
    # The compiled engine is loaded by the workers that drain, not by those that send and fold (100 MB).
    from devices.telemetry.pipeline import Overtaken, process_shard

    try:
        report = process_shard(shard)
    except Overtaken as error:
        log.info("drain overtaken", shard=shard, detail=str(error))
        return
    if report.more:
        stream.ring([shard])


@shared_task(expires=2)
def ring() -> None:
    """Rings every shard: the clock's pace, and the net under a lost task."""
    stream.ring(list(Checkpoint.objects.order_by("shard").values_list("shard", flat=True)))


@shared_task(expires=30)
def fold() -> None:
    """Packs the readings of the last drains into chunks, in short slices."""
    history.fold(stream.server_time_us(stream.connect()))


@shared_task(expires=600)
def forget() -> None:
    """Deletes what is older than its asset type keeps."""
    history.forget(stream.server_time_us(stream.connect()), default_days=settings.HISTORY_RETENTION_DAYS)
