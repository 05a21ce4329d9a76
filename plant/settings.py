"""Andon's settings: every default suits one machine and `./run`; docs/operating.md names what a server sets."""

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from plant import env
from plant.version import digest_of

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("ANDON_VAR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

# --- Who is served -------------------------------------------------------------------------------------------------
PRODUCTION = env.flag("ANDON_PRODUCTION")
DEBUG = env.flag("DJANGO_DEBUG")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# The address that stands in mails and text messages.
PUBLIC_URL = env.text("PUBLIC_URL", "http://localhost:8000").rstrip("/")


def _secret_key() -> str:
    """Gives SECRET_KEY, or the one that the first start wrote under var/."""
    key = env.text("SECRET_KEY")
    if key:
        return key
    if PRODUCTION:
        raise ImproperlyConfigured("SECRET_KEY or SECRET_KEY_FILE is needed when ANDON_PRODUCTION is on.")
    from django.core.management.utils import get_random_secret_key

    path = VAR_DIR / "secret-key"
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(get_random_secret_key())
    except FileExistsError:
        pass
    return path.read_text().strip()


SECRET_KEY = _secret_key()

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin.apps.SimpleAdminConfig",  # plant.urls loads what is in it: workers have no pages
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "import_export",
    "simple_history",
    "tree_queries",
    "ninja",
    "devices.apps.DevicesConfig",
    "alerts.apps.AlertsConfig",
    "plant.apps.PlantConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "plant.policy.name_what_may_run",
    "plant.refusing.refuse_nul",
    "plant.files.Files",
    "plant.compressing.Compressing",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "plant.session.end_what_lost_its_reason",
    "plant.readers.write_for_the_reader",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "plant.playback.LookingBack",
]

ROOT_URLCONF = "plant.urls"
ASGI_APPLICATION = "plant.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "plant.pages.shell.context",
            ],
            "builtins": ["plant.templatetags.andon"],
        },
    },
]

# --- Where things are kept -----------------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'andon.sqlite3'}")
DATABASES: dict[str, dict[str, Any]] = {"default": environ.Env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A drain reads, then writes: it must hold the write lock from its first statement (decision 0003).
    # synchronous=NORMAL may lose the last commits with the power; the stream's margin heals that (decision 0004).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
            "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA mmap_size=134217728;"
        ),
    }
elif DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # Daphne gives every request a thread of its own, and a connection kept for a thread goes with it: a pool keeps them
    # instead, and bounds them. Nobody waits for a lock for ever, and who holds one and stands still loses it.
    DATABASES["default"].update(CONN_MAX_AGE=0, CONN_HEALTH_CHECKS=True)
    DATABASES["default"]["OPTIONS"] = {
        "pool": {
            "min_size": 0,
            "max_size": env.count("DATABASE_CONNECTIONS", 10, least=2),
            "timeout": 10,
            "num_workers": 1,
        },
        "connect_timeout": 5,
        "tcp_user_timeout": 20_000,
        "options": "-c lock_timeout=20s -c idle_in_transaction_session_timeout=60s",
        **DATABASES["default"].get("OPTIONS", {}),
    }
else:
    raise ImproperlyConfigured(
        f"DATABASE_URL begins with {DATABASE_URL.partition(':')[0]}:; expected sqlite: or postgres:."
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A Unix socket under var/ is what ./run provides; a server names its own.
REDIS_URL = env.text("REDIS_URL", f"unix://{VAR_DIR / 'redis.sock'}")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "andon-live"},
    },
}

_redis_scheme = "redis+socket://" if REDIS_URL.startswith("unix://") else "redis://"
CELERY_BROKER_URL = REDIS_URL.replace("unix://", _redis_scheme, 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": "andon-celery:", "visibility_timeout": 3600}
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_TASK_ROUTES = {"devices.tasks.drain": {"queue": "telemetry"}, "devices.tasks.ring": {"queue": "telemetry"}}
CELERY_TIMEZONE = "UTC"

# --- The way of a reading ------------------------------------------------------------------------------------------
TELEMETRY_SHARDS = env.count("TELEMETRY_SHARDS", 16, least=1)  # taken up at the first start only
TELEMETRY_STAGES = ["alerts.evaluation.Evaluation"]
CONFIGURATION_SECTIONS = ["alerts.configuration.RulesSection"]
CONFIGURATION_LISTS = [
    "alerts.configuration.AlarmClasses",
    "alerts.configuration.Positions",
    "plant.synoptic.configuration.Synoptics",
]
TELEMETRY_MAX_BODY = 8 * 1024 * 1024
TELEMETRY_MAX_READINGS = 100_000
TELEMETRY_MAX_AHEAD = env.number("TELEMETRY_MAX_AHEAD", 60.0)  # seconds a reading may lie in the future
TELEMETRY_BACKLOG_MAX = env.count("TELEMETRY_BACKLOG_MAX", 20_000_000)  # readings not yet judged, then 429
TELEMETRY_MARGIN_SECONDS = env.number("TELEMETRY_MARGIN_SECONDS", 600.0)
TELEMETRY_MARGIN_BYTES = env.count("TELEMETRY_MARGIN_BYTES", 128 * 1024 * 1024)
TELEMETRY_DRAIN_READINGS = env.count(
    "TELEMETRY_DRAIN_READINGS", 200_000, least=1
)  # a drain takes at most about so many
RULE_GRACE = env.number("RULE_GRACE", 2.0)  # seconds that a sensor's clock must have passed a timer before it fires
# Seconds that an alarm may be shelved at most, by priority; a rule or its class may say otherwise.
LONGEST_SHELVING = {
    1: env.number("LONGEST_SHELVING_CRITICAL", 3_600.0, least=60.0),
    2: env.number("LONGEST_SHELVING_HIGH", 8 * 3_600.0, least=60.0),
    3: env.number("LONGEST_SHELVING_MEDIUM", 12 * 3_600.0, least=60.0),
    4: env.number("LONGEST_SHELVING_LOW", 24 * 3_600.0, least=60.0),
}
RESET_BEFORE_ACK = env.flag("RESET_BEFORE_ACK")  # a latch may be reset before anybody acknowledged it
# Seconds that senders have to come back after Andon itself was away, before their silence counts.
SILENCE_SETTLE = env.number("SILENCE_SETTLE", 60.0)
HISTORY_RETENTION_DAYS = env.count("HISTORY_RETENTION_DAYS", 400, least=1)  # an asset type may say otherwise

# --- Mail and text messages ----------------------------------------------------------------------------------------
EMAIL_URL = env.text("EMAIL_URL")
SMS_URL = env.text("SMS_URL")
OUTBOX_DIR = VAR_DIR / "outbox"
MESSAGES_PER_HOUR = env.count("MESSAGES_PER_HOUR", 60, least=1)  # to one person, critical alarms too
# Seconds after which a message is taken from a worker that does not come back; longer than it may take to send a round.
OUTBOX_CLAIM = env.number("OUTBOX_CLAIM", 300.0, least=5.0)
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(OUTBOX_DIR / "mail")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Andon <andon@localhost>")
SMS_INBOUND_SECRET = env.text("SMS_INBOUND_SECRET")  # empty: nobody can answer by text message
# Messages in browsers: our key (empty: one is kept under var/), and the browsers' makers that may carry them.
VAPID_PRIVATE_KEY = env.text("VAPID_PRIVATE_KEY")
PUSH_HOSTS = env.words(
    "PUSH_HOSTS", "fcm.googleapis.com,.push.services.mozilla.com,.notify.windows.com,.push.apple.com"
)
HEARTBEAT_URL = env.text("HEARTBEAT_URL")  # asked each minute while all is well; its silence tells an outside watcher

# --- Signing in ----------------------------------------------------------------------------------------------------
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
if PUBLIC_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Language, files, logs -----------------------------------------------------------------------------------------
LANGUAGE_CODE = env.text("LANGUAGE_CODE", "en")  # the plant's: of its own alarms, and where a person has not chosen
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
if LANGUAGE_CODE not in dict(LANGUAGES):
    raise ImproperlyConfigured(f"LANGUAGE_CODE is {LANGUAGE_CODE!r}; expected one of {', '.join(dict(LANGUAGES))}.")
LANGUAGE_COOKIE_NAME = "language"  # of a browser where nobody is signed in
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "UTC")
# The shifts of a day, by the plant's clock: Early 06:00-14:00, Late 14:00-22:00, Night 22:00-06:00. Empty: none.
SHIFTS = env.words("SHIFTS")
USE_TZ = True
# What comes from npm is served below vendor/: for example {% static "vendor/uplot/uPlot.min.css" %}.
_NODE_MODULES = BASE_DIR / "node_modules"
_VENDORED = {
    "vendor/uplot": _NODE_MODULES / "uplot" / "dist",
    "vendor/inter/files": _NODE_MODULES / "@fontsource-variable" / "inter" / "files",
}
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [BASE_DIR / "static", *_VENDORED.items()]
# The address of a file holds the version of all: browsers keep it for good, and ask for none of them again.
_VERSION = digest_of(BASE_DIR, _VENDORED.values())
STATIC_URL = f"/static/{_VERSION}/"
STATIC_ROOT = VAR_DIR / "static" / _VERSION
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

LOG_JSON = env.flag("LOG_JSON", PRODUCTION)
LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOGGING_CONFIG = "plant.logs.configure"
LOGGING: dict[str, Any] = {"version": 1}  # of an empty one Django would not tell plant.logs


def _list(title: Any, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


# What changed, who and when is kept; a row is put back by editing it, so that what follows from it follows.
SIMPLE_HISTORY_REVERT_DISABLED = True

UNFOLD = {
    "SITE_TITLE": "Andon",
    "SITE_HEADER": "Andon",
    "SITE_SUBHEADER": _("Plant model"),
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("img/andon.svg")}],
    "SITE_SYMBOL": "factory",
    "SITE_DROPDOWN": [{"icon": "monitoring", "title": _("Operators' screens"), "link": "/"}],
    "SHOW_VIEW_ON_SITE": False,
    # The screens' accent: focus, selection, links.
    "COLORS": {
        "primary": {
            "50": "#eff5fd", "100": "#d4e2f7", "200": "#b3cef2", "300": "#7db0ff", "400": "#5a96f0", "500": "#7db0ff",
            "600": "#0b57c2", "700": "#0a4ba7", "800": "#0a3f8a", "900": "#0d356f", "950": "#1d2b40",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": _("Plant"),
                "items": [
                    _list(_("Assets"), "account_tree", "devices_asset"),
                    _list(_("Types"), "category", "devices_assettype"),
                    _list(_("Sensors"), "sensors", "devices_sensor"),
                    _list(_("Documents"), "description", "devices_document"),
                    _list(_("Data sources"), "router", "devices_source"),
                ],
            },
            {
                "title": _("Alarms"),
                "items": [
                    _list(_("Rules"), "rule", "alerts_rule"),
                    _list(_("Classes"), "category_search", "alerts_alarmclass"),
                    _list(_("Operator positions"), "desktop_windows", "alerts_position"),
                    _list(_("Journal"), "history", "alerts_journalentry"),
                    _list(_("Deliveries"), "outbox", "alerts_delivery"),
                    _list(_("Team channels"), "forum", "alerts_teamchannel"),
                ],
            },
            {
                "title": _("Calls"),
                "items": [
                    _list(_("Routes"), "alt_route", "alerts_callroute"),
                    _list(_("Plans"), "format_list_numbered", "alerts_callplan"),
                    _list(_("Rotas"), "calendar_month", "alerts_rota"),
                    _list(_("Layers of rotas"), "layers", "alerts_rotalayer"),
                    _list(_("Holidays"), "event", "alerts_holiday"),
                    _list(_("Teams"), "groups", "alerts_team"),
                    _list(_("Maintenance"), "construction", "alerts_maintenancewindow"),
                ],
            },
            {
                "title": _("People"),
                "items": [
                    _list(_("Users"), "person", "auth_user"),
                    _list(_("Roles"), "badge", "auth_group"),
                ],
            },
        ],
    },
}  # fmt: skip
