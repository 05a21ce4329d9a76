"""The Celery application: workers drain shards, send messages and keep the history tidy; beat rings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plant.settings")

app = Celery("andon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
