"""Settings of the naive path; ANDON_BENCH_DIR names the folder of its database."""

import os
from pathlib import Path

_DIR = Path(os.environ["ANDON_BENCH_DIR"])
_REDIS = os.environ["REDIS_URL"]
SECRET_KEY = "naive"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["daphne", "django.contrib.contenttypes", "channels", "tests.bench.naive"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "tests.bench.naive.urls"
ASGI_APPLICATION = "tests.bench.naive.asgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _DIR / "naive.sqlite3",
        "OPTIONS": {"timeout": 60, "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": _REDIS, "socket_timeout": None}], "prefix": "naive"},
    }
}
CELERY_BROKER_URL = _REDIS.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": "naive-celery:"}
