"""Messages in the browser: encrypted for it, signed by us, gone when it is gone."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from django.contrib.auth.models import User

from alerts.models import Attempt, Contact, PushEndpoint
from alerts.notify import browsers, outbox, push

from .cast import NOW, alarm, machine, person, row, send, subscribe, told
from .test_email import WORDS, compressor
from .wire import Browser, PushService

pytestmark = pytest.mark.django_db

PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"
)


def taking(user: User, browser: Browser, agent: str = PHONE) -> PushEndpoint:
    """Switches messages on in a browser."""
    return browsers.add(user=user, endpoint=browser.endpoint, **browser.keys, agent=agent, now=NOW)


def raw(text: str) -> bytes:
    """Gives the bytes of base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_only_the_browser_can_read_it(makers: PushService) -> None:
    user = person()
    browser = Browser(makers)
    taking(user, browser)
    subscribe(user, "push")
    made = alarm(compressor(), **WORDS)
    told(row(made))
    (sent,) = send()
    ((shown, headers),) = browser.shown()
    assert shown == {
        "title": "[1 Critical] K-301 stage 2 discharge temperature high-high, 187.4 °C",
        "body": "187.4 °C (limit 185.0) · Utilities/Compressed air · 06:00",
        "url": f"https://andon.works.example/alarms/{made.pk}/",
        "tag": f"alarm-{made.pk}",
        "stays": True,
    }
    assert b"K-301" not in makers.taken[0][2] and headers["content-encoding"] == "aes128gcm"
    assert (sent.outcome, sent.address) == ("sent", "1 browser")
    assert sent.answer == f"accepted by {makers.address.removeprefix('http://')} (201)"


def test_the_maker_can_check_who_sends(makers: PushService) -> None:
    user = person()
    taking(user, Browser(makers))
    subscribe(user, "push")
    told(row(alarm(machine())))
    send()
    scheme, _, fields = makers.taken[0][1]["authorization"].partition(" ")
    token, key = (part.strip().partition("=")[2] for part in fields.split(","))
    head, claims, signature = token.split(".")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(key))
    r, s = (int.from_bytes(raw(signature)[part], "big") for part in (slice(32), slice(32, 64)))
    public.verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    said = json.loads(raw(claims))
    assert (scheme, said["aud"], said["sub"]) == ("vapid", makers.address, "mailto:andon@works.example")
    assert key == push.public_key()


@pytest.mark.parametrize(
    ("priority", "urgency", "lives"),
    [(1, "high", "14400"), (2, "high", "7200"), (3, "normal", "3600"), (4, "low", "1800")],
)
def test_a_phone_is_woken_by_priority(makers: PushService, priority: int, urgency: str, lives: str) -> None:
    user = person()
    taking(user, Browser(makers))
    subscribe(user, "push")
    made = alarm(machine(), priority=priority)
    told(row(made))
    send()
    headers = makers.taken[0][1]
    assert (headers["urgency"], headers["ttl"], headers["topic"]) == (urgency, lives, f"alarm-{made.pk}")


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten_and_the_others_are_told(makers: PushService, status: int) -> None:
    user = person()
    gone, here = Browser(makers, "gone"), Browser(makers, "here")
    taking(user, gone)
    taking(user, here)
    gone.refuse(status)
    subscribe(user, "push")
    told(row(alarm(machine())))
    (sent,) = send()
    assert sent.outcome == "sent" and sent.answer.startswith("1 of 2: ")
    assert [one.endpoint for one in PushEndpoint.objects.all()] == [here.endpoint]
    assert Contact.objects.get(user=user).browsers == 1


def test_when_the_last_browser_is_gone_the_message_is_given_up(makers: PushService) -> None:
    user = person()
    browser = Browser(makers)
    taking(user, browser)
    browser.refuse(410)
    subscribe(user, "push")
    told(row(alarm(machine())))
    (dead,) = send()
    assert (dead.outcome, PushEndpoint.objects.count()) == ("dead", 0)
    told(row(alarm(machine_again())))
    assert send()[-1].reason == push.Push.missing


def machine_again() -> Any:
    """Gives the machine that is there."""
    from devices.models import Asset

    return Asset.objects.get(code="press-1-1")


def test_a_message_that_is_refused_costs_nobody_the_browser(makers: PushService) -> None:
    user = person()
    browser = Browser(makers)
    taking(user, browser)
    browser.refuse(413)
    subscribe(user, "push")
    told(row(alarm(machine())))
    (dead,) = send()
    assert (dead.outcome, dead.reason.endswith("answered 413"), PushEndpoint.objects.count()) == ("dead", True, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_maker_in_trouble_is_asked_again(makers: PushService, status: int) -> None:
    user = person()
    browser = Browser(makers)
    taking(user, browser)
    browser.refuse(status)
    subscribe(user, "push")
    told(row(alarm(machine())))
    (waiting,) = send()
    assert (waiting.outcome, PushEndpoint.objects.count()) == ("due", 1)
    assert Attempt.objects.get().answer.endswith(f"answered {status}")


def test_a_test_message_reaches_the_browser_too(makers: PushService) -> None:
    user = person()
    browser = Browser(makers)
    taking(user, browser)
    outbox.send_test(user=User.objects.get(), channel="push", now=NOW)
    send()
    ((shown, headers),) = browser.shown()
    assert (shown["title"], shown["tag"], shown["stays"]) == ("Andon: test message", "test", False)
    assert headers["urgency"] == "normal" and "topic" not in headers


def test_the_return_to_normal_takes_the_alarms_place_and_need_not_stay(makers: PushService) -> None:
    user = person()
    browser = Browser(makers)
    taking(user, browser)
    subscribe(user, "push", also_clear=True)
    made = alarm(machine())
    told(row(made))
    send()
    told(row(made, "clear", "B", "D"))
    send()
    assert [(shown["tag"], shown["stays"]) for shown, _ in browser.shown()] == [
        (f"alarm-{made.pk}", True), (f"alarm-{made.pk}", False),
    ]  # fmt: skip


def test_a_maker_that_does_not_answer_is_asked_once_in_a_round(makers: PushService) -> None:
    for name in ("olga", "emil"):
        user = person(name)
        for number in range(3):
            taking(user, Browser(makers, f"{name}-{number}"))
        subscribe(user, "push")
    told(row(alarm(machine())))
    makers.stop()
    assert [waiting.outcome for waiting in send()] == ["due", "due"]
    host = makers.address.removeprefix("http://")
    answers = [attempt.answer for attempt in Attempt.objects.order_by("pk")]
    assert answers == [f"{host}: ConnectionError; {host} did not answer just now", f"{host} did not answer just now"]
    assert PushEndpoint.objects.count() == 6


def test_a_message_follows_nobody_elsewhere(makers: PushService) -> None:
    user = person()
    browser = Browser(makers)
    taking(user, browser)
    browser.refuse(307)
    subscribe(user, "push")
    told(row(alarm(machine())))
    assert send()[0].outcome == "due" and makers.taken == []


def test_the_key_is_made_once_and_is_nobody_elses_to_read(makers: PushService, tmp_path: Path, settings: Any) -> None:
    first = push.public_key()
    path = tmp_path / "vapid-key.pem"
    assert path.stat().st_mode & 0o777 == 0o600 and len(list(tmp_path.iterdir())) == 1
    assert push.public_key() == first
    settings.VAPID_PRIVATE_KEY = path.read_text()
    path.unlink()
    assert push.public_key() == first and not path.exists()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x", "https://evil.example/x", "https://evilfcm.googleapis.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://fcm.googleapis.com@evil.example/x", "file:///etc/passwd", "https://169.254.169.254/latest", "",
        "https://push.services.mozilla.com.evil/x", "https://xpush.apple.com/x",
    ],
)  # fmt: skip
def test_an_address_that_is_no_browsers_is_refused(endpoint: str, makers: PushService, settings: Any) -> None:
    settings.PUSH_HOSTS = ["fcm.googleapis.com", ".push.services.mozilla.com", ".push.apple.com"]
    with pytest.raises(browsers.Refused):
        browsers.add(user=person(), endpoint=endpoint, **Browser(makers).keys, agent="", now=NOW)


def test_the_makers_own_addresses_are_taken(settings: Any) -> None:
    for host in (
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "wns2.notify.windows.com",
        "web.push.apple.com",
    ):
        assert browsers.is_allowed(f"https://{host}/send/abc")


def test_keys_that_cannot_be_keys_are_refused(makers: PushService) -> None:
    keys = Browser(makers).keys
    with pytest.raises(browsers.Refused):
        browsers.add(
            user=person(), endpoint=Browser(makers).endpoint, key="abc", secret=keys["secret"], agent="", now=NOW
        )


def test_a_browser_belongs_to_whoever_uses_it_last(makers: PushService) -> None:
    olga, emil = person(), person("emil")
    browser = Browser(makers)
    taking(olga, browser)
    taking(emil, browser)
    assert PushEndpoint.objects.get().user == emil
    assert [Contact.objects.get(user=user).browsers for user in (olga, emil)] == [0, 1]


def test_the_oldest_of_many_browsers_goes(makers: PushService) -> None:
    user = person()
    for number in range(browsers.MOST + 1):
        taking(user, Browser(makers, str(number)))
    assert PushEndpoint.objects.filter(endpoint__endswith="/0").count() == 0
    assert Contact.objects.get(user=user).browsers == browsers.MOST


def test_a_browser_is_called_by_its_program_and_system() -> None:
    assert browsers.name_of(PHONE) == "Chrome on Android"
    assert (
        browsers.name_of("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0") == "Firefox on Linux"
    )
    assert browsers.name_of("") == "Browser"
