"""My browsers: switched on where somebody sits, off from anywhere; the service worker stands at the root."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.models import User
from django.test import Client

from alerts.models import PushEndpoint
from alerts.notify import push

pytestmark = pytest.mark.django_db


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def subscription() -> dict[str, str]:
    """Gives what a browser sends."""
    point = (
        ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    )
    return {
        "endpoint": "https://fcm.googleapis.com/fcm/send/abc",
        "key": base64url(point),
        "secret": base64url(secrets.token_bytes(16)),
    }


def test_a_browser_is_switched_on_and_off(browser: Client, subscription: dict[str, str]) -> None:
    agent = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64) Gecko/20100101 Firefox/130.0"}
    answer = browser.post("/subscriptions/browsers/add", subscription, headers=agent)
    assert (answer.status_code, answer.json()["browser"]) == (201, "Firefox on Windows")
    page = browser.get("/subscriptions/").content.decode()
    assert "Firefox on Windows" in page and push.public_key() in page
    assert "fcm.googleapis.com" not in page and subscription["secret"] not in page
    made = PushEndpoint.objects.get()
    page = browser.post(f"/subscriptions/browsers/{made.pk}/remove", follow=True).content.decode()
    assert "Messages are off in Firefox on Windows." in page and not PushEndpoint.objects.exists()


def test_an_address_that_is_no_browsers_is_refused_in_words(browser: Client, subscription: dict[str, str]) -> None:
    answer = browser.post("/subscriptions/browsers/add", {**subscription, "endpoint": "https://intranet.example/"})
    assert answer.status_code == 422 and "PUSH_HOSTS" in answer.json()["error"]


def test_anothers_browser_is_not_there(browser: Client, subscription: dict[str, str]) -> None:
    browser.post("/subscriptions/browsers/add", subscription)
    PushEndpoint.objects.update(user=User.objects.create_user("emil"))
    assert browser.post(f"/subscriptions/browsers/{PushEndpoint.objects.get().pk}/remove").status_code == 404
    assert PushEndpoint.objects.exists()


def test_switching_on_needs_a_person_and_a_form_of_ours(
    browser: Client, client: Client, subscription: dict[str, str]
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="operator"))
    assert strict.post("/subscriptions/browsers/add", subscription).status_code == 403
    assert Client().post("/subscriptions/browsers/add", subscription).status_code == 302
    assert not PushEndpoint.objects.exists()


def test_the_service_worker_stands_at_the_root_and_is_never_old(client: Client, clean_redis: Any) -> None:
    answer = client.get("/worker.js")
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/javascript")
    assert "no-store" in answer["Cache-Control"] and b"showNotification" in answer.content
