"""The outside watcher hears from Andon each minute, but only while all is well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import redis
from django.core.checks import run_checks
from django.utils import timezone

from alerts.models import Audit
from alerts.notify import auditor
from devices.services import ensure_shards
from devices.telemetry import stream
from plant import heartbeat
from plant.pulses import WORKERS, key
from plant.tasks import pulse

pytestmark = pytest.mark.django_db


class Watcher:
    """Counts what it hears over HTTP. `status` is its answer."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 200
        watcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                watcher.heard.append(self.path)
                self.send_response(watcher.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def watcher(settings: Any, clean_redis: redis.Redis) -> Iterator[Watcher]:
    """Gives a watcher that is to be told, and an Andon that is well."""
    made = Watcher()
    settings.HEARTBEAT_URL = f"http://127.0.0.1:{made.server.server_port}/secret-of-the-watcher"
    ensure_shards()
    for worker in WORKERS:
        pulse(worker)
    auditor.audit(timezone.now())
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_while_all_is_well_it_is_heard(watcher: Watcher) -> None:
    assert heartbeat.beat(timezone.now())
    assert watcher.heard == ["/secret-of-the-watcher"]


@pytest.mark.parametrize("worker", WORKERS)
def test_without_a_worker_there_is_silence(watcher: Watcher, worker: str) -> None:
    stream.connect().delete(key(worker))
    assert not heartbeat.beat(timezone.now()) and watcher.heard == []
    assert heartbeat.what_is_ill(timezone.now()) == [f"worker {worker}"]


def test_without_an_auditor_there_is_silence(watcher: Watcher) -> None:
    assert not heartbeat.beat(timezone.now() + auditor.WELL) and watcher.heard == []


def test_while_calls_are_late_there_is_silence(watcher: Watcher) -> None:
    Audit.objects.update(late=["message 1"])
    assert not heartbeat.beat(timezone.now()) and watcher.heard == []


def test_without_redis_there_is_silence(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = redis.Redis(unix_socket_path="/nowhere/redis.sock", retry=None)
    monkeypatch.setattr(stream, "connect", lambda: gone)
    assert not heartbeat.beat(timezone.now()) and watcher.heard == []


def test_without_an_address_nothing_is_asked(watcher: Watcher, settings: Any) -> None:
    settings.HEARTBEAT_URL = ""
    assert not heartbeat.beat(timezone.now()) and watcher.heard == []


def test_an_answer_that_leads_elsewhere_is_not_followed_and_a_failure_is_logged_without_the_address(
    watcher: Watcher, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    watcher.status = 302
    heartbeat.beat(timezone.now())
    watcher.status = 500
    assert not heartbeat.beat(timezone.now())
    watcher.server.server_close()
    assert not heartbeat.beat(timezone.now())
    assert watcher.heard == ["/secret-of-the-watcher"] * 2
    shown = capsys.readouterr()
    assert "secret-of-the-watcher" not in caplog.text + shown.out + shown.err


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [("HEARTBEAT_URL", "file:///etc/passwd", "andon.E004"), ("SMS_INBOUND_SECRET", "short", "andon.E005")],
)
def test_settings_that_cannot_be_meant_are_refused(settings: Any, name: str, value: str, number: str) -> None:
    setattr(settings, name, value)
    assert number in [message.id for message in run_checks()]
