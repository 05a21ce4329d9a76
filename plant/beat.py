"""The Celery application as beat alone needs it: the schedule, and none of the code that it schedules.

Beat sends names. With the tasks and Django loaded it took 190 MB to do so, like this it takes a quarter of that.
"""

import os

from celery import Celery

from plant.celery import app as full

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plant.settings")

app = Celery("andon", fixups=())  # type: ignore[arg-type]  # none wanted: an empty list is taken for the default
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = full.conf.beat_schedule
