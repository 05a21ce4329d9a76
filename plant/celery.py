"""The Celery application: workers drain shards, send messages and keep the history tidy; beat rings."""

import os
from importlib import import_module
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_failure, worker_ready

from plant import pulses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plant.settings")
# `migrate` has checked, and Celery drops what a worker finds: it would load every page for nothing.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("andon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# A worker keeps its database connection from task to task: opening one costs SQLite more than a small drain does.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000


@setup_logging.connect
def log_as_the_web_process_does(**_: object) -> None:
    """Lets workers and beat log what the settings say. Without it Celery sets formats and a level of its own."""
    from plant.logs import configure

    configure({})


@task_failure.connect
def drop_broken_connections(**_: object) -> None:
    """Lets go of a connection that may have failed with its task; the next task opens another."""
    from django.db import close_old_connections

    close_old_connections()


@worker_ready.connect
def know_the_addresses(sender: Any, **_: object) -> None:
    """Has a worker that sends messages load the pages whose addresses they name: the first message waits for nothing.

    Takes: what has begun to consume. Cost: a second.
    """
    if "work" in sender.app.amqp.queues.consume_from:
        import_module("plant.urls")


app.conf.beat_schedule = {
    "ring": {"task": "devices.tasks.ring", "schedule": 1.0, "options": {"expires": 2}},
    "tick": {"task": "alerts.tasks.tick", "schedule": 1.0, "options": {"expires": 2}},
    "send-due": {"task": "alerts.tasks.send_due", "schedule": 5.0, "options": {"expires": 5}},
    "watch-drains": {"task": "alerts.tasks.watch_drains", "schedule": 5.0, "options": {"expires": 5}},
    "audit": {"task": "alerts.tasks.audit", "schedule": 60.0, "options": {"expires": 50}},
    "watch-reviews": {"task": "alerts.tasks.watch_reviews", "schedule": 60.0, "options": {"expires": 50}},
    "heartbeat": {"task": "plant.tasks.heartbeat", "schedule": 60.0, "options": {"expires": 30}},
    "fold": {"task": "devices.tasks.fold", "schedule": 10.0, "options": {"expires": 30}},
    "forget": {"task": "devices.tasks.forget", "schedule": 3600.0, "options": {"expires": 600}},
    "forget-left-out": {"task": "alerts.tasks.forget_left_out", "schedule": 3600.0, "options": {"expires": 600}},
    "mail-reports": {"task": "alerts.tasks.mail_reports", "schedule": 3600.0, "options": {"expires": 3600}},
    "forget-used-links": {"task": "alerts.tasks.forget_used_links", "schedule": 3600.0, "options": {"expires": 600}},
    "feed-demo": {"task": "plant.tasks.feed_demo", "schedule": 10.0, "options": {"expires": 8}},
    **{
        f"pulse-{queue}": {
            "task": "plant.tasks.pulse",
            "schedule": pulses.EVERY,
            "args": [queue],
            "options": {"queue": queue, "expires": 10},
        }
        for queue in pulses.WORKERS
    },
}
