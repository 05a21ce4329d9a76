"""Messages in the browser, also while Andon's pages are closed.

The browser's maker carries them and cannot read them: each is encrypted for one browser, and signed with our key.
Source: RFC 8030 (push), 8291 (encryption), 8292 (VAPID).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import ngettext

from alerts.models import Contact, Delivery, Priority, PushEndpoint
from alerts.notify import browsers
from alerts.notify.channel import Permanent, Send, Transient, retry_after
from alerts.notify.message import Notice

if TYPE_CHECKING:
    from py_vapid import Vapid02
    from requests import Session

TIMEOUT = (5, 10)  # seconds to connect, to answer
GONE = frozenset({404, 410})
_PASSING = frozenset({401, 403, 408, 425, 429})
# Seconds that a browser which is off may still be worth telling, and how eagerly a phone is woken.
_LIVES = {Priority.CRITICAL: 14_400, Priority.HIGH: 7_200, Priority.MEDIUM: 3_600, Priority.LOW: 1_800}
_URGENCY = {Priority.CRITICAL: "high", Priority.HIGH: "high", Priority.MEDIUM: "normal", Priority.LOW: "low"}
_TEST_LIVES = 300


class _Gone(Permanent):
    """The browser takes no messages any more."""


class Push:
    """The browser channel: one delivery reaches all browsers in which the person takes messages."""

    missing = "no browser takes messages: switch it on there, under My subscriptions"

    def address(self, user: User, contact: Contact | None) -> str:
        """Gives how many browsers there are."""
        count = contact.browsers if contact is not None else 0
        return ngettext("%(count)s browser", "%(count)s browsers", count) % {"count": count} if count else ""

    def reference(self, stem: str, user_id: int) -> str:
        """Gives nothing: a browser replaces a message by its tag."""
        return ""

    @contextmanager
    def open(self) -> Iterator[Send]:
        """Gives a sender whose messages share connections."""
        import requests

        with requests.Session() as session:
            session.max_redirects = 0  # an endpoint that leads elsewhere is none that a person was asked about
            silent: set[str] = set()  # hosts that did not answer in this round: it must not outlast its claims

            def send(notice: Notice, delivery: Delivery) -> str:
                return _send(notice, delivery, session, silent)

            yield send


def compose(notice: Notice, delivery: Delivery) -> str:
    """Gives what the service worker shows, as JSON."""
    figure = f"{notice.figure} (limit {notice.limit})" if notice.figure and notice.limit else notice.figure
    return json.dumps(
        {
            "title": notice.subject,
            "body": " · ".join(part for part in (figure, notice.where, notice.at) if part) or notice.words,
            "url": notice.link,
            # A later message of the occurrence takes the place of the one before.
            "tag": f"alarm-{delivery.alarm_id}" if delivery.alarm_id is not None else "test",
            "stays": notice.priority in (Priority.CRITICAL, Priority.HIGH) and notice.event != "clear",
        },
        separators=(",", ":"),
    )


def _send(notice: Notice, delivery: Delivery, session: Session, silent: set[str]) -> str:
    """Tells every browser of the person; one that takes it is enough.

    Raises: Transient where none took it and one may do so later, else Permanent.
    """
    found = list(PushEndpoint.objects.filter(user=delivery.user_id).order_by("pk"))
    text, taken, said = compose(notice, delivery), 0, []
    later = perhaps = False
    waits: list[timedelta] = []
    for endpoint in found:
        try:
            said.append(_tell(endpoint, text, notice, delivery, session, silent))
            taken += 1
        except _Gone as gone:
            said.append(str(gone))
            browsers.remove(endpoint=endpoint)
        except Permanent as refusal:
            said.append(str(refusal))
        except Transient as failure:
            said.append(str(failure))
            later, perhaps = True, perhaps or failure.perhaps_sent
            waits += [failure.after] if failure.after is not None else []
    words = "; ".join(dict.fromkeys(said))
    if taken:
        PushEndpoint.objects.filter(pk__in=[one.pk for one in found]).update(reached=timezone.now())
        return f"{taken} of {len(found)}: {words}" if len(found) > 1 else words
    if later:
        raise Transient(words, perhaps_sent=perhaps, after=max(waits) if waits else None)
    raise Permanent(words or "no browser is left that takes messages")


def _tell(
    endpoint: PushEndpoint, text: str, notice: Notice, delivery: Delivery, session: Session, silent: set[str]
) -> str:
    """Posts to one browser. Gives its answer. Raises: _Gone, Permanent, Transient."""
    # Loaded by the worker that sends, not by every web process.
    import requests
    from pywebpush import WebPushException, webpush

    priority = Priority(notice.priority) if notice.priority else None
    headers: dict[str, str | int | float] = {"Urgency": _URGENCY[priority] if priority else "normal"}
    if delivery.alarm_id is not None:
        headers["Topic"] = f"alarm-{delivery.alarm_id}"  # of several that wait for a phone, the newest is kept
    host = urlsplit(endpoint.endpoint).netloc
    if not browsers.is_allowed(endpoint.endpoint):
        raise Permanent(f"{host} is not among PUSH_HOSTS")
    if host in silent:
        raise Transient(f"{host} did not answer just now")
    try:
        answer = webpush(
            {"endpoint": endpoint.endpoint, "keys": {"p256dh": endpoint.key, "auth": endpoint.secret}},
            data=text,
            vapid_private_key=key(),
            vapid_claims={"sub": _subject()},
            timeout=TIMEOUT,
            ttl=_LIVES[priority] if priority else _TEST_LIVES,
            headers=headers,
            requests_session=session,
        )
    except WebPushException as refusal:
        status = refusal.response.status_code if refusal.response is not None else 0
        words = f"{host} answered {status}"
        if status in GONE:
            raise _Gone(f"{words}: the browser takes no messages any more, removed") from None
        if 400 <= status < 500 and status not in _PASSING:
            raise Permanent(words) from None
        asked = refusal.response.headers.get("Retry-After") if refusal.response is not None else None
        raise Transient(words, after=retry_after(asked, timezone.now())) from None
    except requests.RequestException as error:
        silent.add(host)
        connected = not isinstance(error, requests.ConnectTimeout) and "NewConnectionError" not in str(error)
        raise Transient(
            f"{host}: {type(error).__name__}",
            perhaps_sent=connected and isinstance(error, (requests.Timeout, requests.ConnectionError)),
        ) from None
    return f"accepted by {host} ({getattr(answer, 'status_code', 201)})"


def _subject() -> str:
    """Gives whom a browser's maker may write to about our messages."""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return f"mailto:{sender}" if "@" in sender else settings.PUBLIC_URL


# --- Our key -------------------------------------------------------------------------------------------------------


def public_key() -> str:
    """Gives what a browser needs to know of our key, as it wants it: base64url of the point."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point = key().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def key() -> Vapid02:
    """Gives our key: VAPID_PRIVATE_KEY, else the one that the first start wrote under var/."""
    return _read(settings.VAPID_PRIVATE_KEY or _kept(Path(settings.VAR_DIR) / "vapid-key.pem"))


@cache
def _read(text: str) -> Vapid02:
    from py_vapid import Vapid02

    return Vapid02.from_pem(text.encode()) if "-----BEGIN" in text else Vapid02.from_string(text)


def _kept(path: Path) -> str:
    """Gives the text of a key file, and makes it where there is none; of two that try, both read the same one."""
    if not path.exists():
        from py_vapid import Vapid02

        made = Vapid02()
        made.generate_keys()
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:  # 0600
            file.write(made.private_pem())
        with suppress(FileExistsError):
            os.link(file.name, path)
        Path(file.name).unlink()
    return path.read_text()
