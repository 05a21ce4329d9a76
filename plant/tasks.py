"""Tasks of the project itself: each worker shows that it takes work."""

import os
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.utils import timezone

from devices import metrics
from devices.telemetry import stream
from plant import pulses


@shared_task(name="plant.tasks.pulse")
def pulse(worker: str) -> None:
    """Says that beat, broker and the worker of this queue are at work; the one that calls also asks the auditor.

    Cost: a round trip to Redis; for the one that calls, one more and a query.
    """
    pulses.show(stream.connect(), worker)
    if worker == "work":
        from alerts.notify import auditor  # the telemetry workers have no use for it

        if auditor.is_well(timezone.now()):
            pulses.show(stream.connect(), pulses.CALLS)


@shared_task(name="plant.tasks.heartbeat")
def heartbeat() -> None:
    """Lets the outside watcher know that all is well, if it is."""
    from plant.heartbeat import beat  # it needs this module's names

    beat(timezone.now())


@shared_task(name="plant.tasks.load_demo")
def load_demo() -> None:
    """Brings the demo plant into an empty database, as `manage.py prepare` does."""
    from devices.models import Asset
    from plant import demo
    from plant.demo import loading

    try:
        if not Asset.objects.exists():
            demo.load()
            loading.feed_by_worker()
    except Exception as error:
        loading.say(stream.connect(), f"failed: {error}")
        raise
    loading.say(stream.connect(), "")
    feed_demo()


@shared_task(name="plant.tasks.feed_demo")
def feed_demo() -> None:
    """Keeps the demo plant sending where no supervisor does it. Cost: as `loading.is_fed_by_worker`."""
    from django.conf import settings

    from plant.demo import keeping, loading

    port = os.environ.get("ANDON_PORT")
    url = f"http://127.0.0.1:{port}" if port else settings.PUBLIC_URL
    keeping.keep(settings.VAR_DIR, url, wanted=loading.is_fed_by_worker())


@worker_ready.connect
def _count(**_: Any) -> None:
    """Lets a worker's figures reach /metrics."""
    metrics.publish_in_background()


@worker_ready.connect
def _first_pulse(sender: Any, **_: Any) -> None:
    """Makes a new worker known at once instead of at beat's next round."""
    for queue in sender.app.amqp.queues.consume_from:
        if queue in pulses.WORKERS:
            pulses.show(stream.connect(), queue)
