"""What workers do for the readings: load, call, log."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from celery import shared_task
from django.conf import settings
from django.db import close_old_connections
from redis import RedisError

from devices.models import Checkpoint, Revision
from devices.telemetry import failing, history, stream

log = structlog.get_logger(__name__)


def _drain(shards: Sequence[int]) -> None:
    """Drains shards; what goes wrong with one does not keep the others waiting."""
    # The compiled engine is loaded by the workers that drain, not by those that send and fold (100 MB).
    from devices.telemetry.pipeline import process_shards

    stream.ring([report.shard for report in process_shards(shards, _failed) if report.more])


def _failed(shard: int, error: Exception) -> None:
    """Says why a shard was not drained. Nothing is lost: its checkpoint has not moved, and beat rings again."""
    from devices.telemetry.pipeline import Overtaken

    if isinstance(error, Overtaken):
        log.info("drain overtaken", shard=shard, detail=str(error))
    else:
        log.error("drain failed", shard=shard, exc_info=error)
        close_old_connections()
        client = stream.connect()
        try:
            failing.mark(client, shard, error, stream.server_time_us(client))
        except RedisError as gone:
            log.warning("failing drain not marked", shard=shard, error=str(gone))


@shared_task(expires=10)
def drain(shards: list[int]) -> None:
    """Takes what waits in the shards' streams through history and rules."""
    _drain(shards)


@shared_task(expires=2)
def ring() -> None:
    """Drains every shard that no task is under way to: the clock's pace, and the net under a lost task."""
    layout = Revision.objects.filter(name="shards").values_list("number", flat=True).first()
    stream.agree(stream.connect(), layout or 0)
    _drain(stream.silent(Checkpoint.objects.order_by("shard").values_list("shard", flat=True)))


@shared_task(expires=30)
def fold() -> None:
    """Packs the readings of the last drains into chunks, in short slices."""
    history.fold(stream.server_time_us(stream.connect()))


@shared_task(expires=600)
def forget() -> None:
    """Deletes what is older than its asset type keeps."""
    history.forget(stream.server_time_us(stream.connect()), default_days=settings.HISTORY_RETENTION_DAYS)
