"""The Celery application: workers drain shards, send messages and keep the history tidy; beat rings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plant.settings")

app = Celery("andon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "ring": {"task": "devices.tasks.ring", "schedule": 1.0, "options": {"expires": 2}},
    "send-due": {"task": "alerts.tasks.send_due", "schedule": 5.0, "options": {"expires": 5}},
    "fold": {"task": "devices.tasks.fold", "schedule": 10.0, "options": {"expires": 30}},
    "forget": {"task": "devices.tasks.forget", "schedule": 3600.0, "options": {"expires": 600}},
    **{
        f"pulse-{queue}": {
            "task": "plant.tasks.pulse",
            "schedule": 5.0,
            "args": [queue],
            "options": {"queue": queue, "expires": 10},
        }
        for queue in ("telemetry", "work")
    },
}
