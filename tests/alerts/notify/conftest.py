"""Wires of these tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.notify.channels import NOTIFIERS

from .stand_in import Wire
from .wire import MailServer, Provider, PushService


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    """Gives a real SMTP server, to which Django's mail goes."""
    server = MailServer()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEFAULT_FROM_EMAIL = "Andon <andon@works.example>"
    settings.PUBLIC_URL = "https://andon.works.example"
    yield server
    server.stop()


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """Gives a real HTTP endpoint, to which Apprise sends text messages."""
    server = Provider()
    settings.SMS_URL = f"json://{server.address}/sms/{{phone}}"
    settings.PUBLIC_URL = "https://andon.works.example"
    yield server
    server.stop()


@pytest.fixture
def makers(settings: Any, tmp_path: Path) -> Iterator[PushService]:
    """Gives a real push service, to which messages for browsers go."""
    server = PushService()
    settings.PUSH_HOSTS, settings.VAR_DIR, settings.VAPID_PRIVATE_KEY = ["127.0.0.1"], tmp_path, ""
    settings.DEFAULT_FROM_EMAIL = "Andon <andon@works.example>"
    settings.PUBLIC_URL = "https://andon.works.example"
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def plant_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets the tree of the test before, which a rolled back database may number alike."""
    monkeypatch.setattr("devices.topology._current", None)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Gives a channel in the place of email, whose far end does as it is told."""
    made = Wire()
    monkeypatch.setitem(NOTIFIERS, "email", made)
    yield made
