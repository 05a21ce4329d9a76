"""Text messages through any provider that Apprise knows; without one, into files that can be read."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apprise
from django.conf import settings
from django.contrib.auth.models import User

from alerts.models import Contact, Delivery, Priority
from alerts.notify.channel import Down, Permanent, Send, Transient
from alerts.notify.gsm import Piece, fit
from alerts.notify.message import Notice, one_line

_PHONE = re.compile(r"\+?[0-9]{6,15}\Z")
_STATUS = re.compile(r"error=([0-9]{3})\b")
# Of the provider's refusals, those that speak of our account or of the moment: a later try may succeed.
_PASSING = frozenset({401, 402, 403, 408, 425, 429})
_HAPPENED = {"raise": "", "clear": "CLEARED", "call": "NOT ACKED"}


class Sms:
    """The text message channel."""

    missing = "no mobile number"

    def address(self, user: User, contact: Contact | None) -> str:
        """Gives the number without blanks and strokes."""
        return re.sub(r"[\s()/.-]", "", contact.phone) if contact is not None else ""

    def reference(self, stem: str, user_id: int) -> str:
        """Gives nothing: providers know no identity of ours."""
        return ""

    @contextmanager
    def open(self) -> Iterator[Send]:
        """Gives a sender to the provider of SMS_URL, else one that writes files."""
        yield _send if settings.SMS_URL else _keep


def compose(notice: Notice) -> str:
    """Gives the text, in one part where that can be: what, how much, when and the link stay, the place goes first."""
    if notice.event in ("test", "digest"):
        return fit([Piece("Andon:"), Piece(notice.words, least=20), Piece(notice.link)])
    urgency = f"{notice.priority} {Priority(notice.priority).name}"
    happened = _HAPPENED.get(notice.event, "STILL ACTIVE")
    return fit(
        [
            Piece(" ".join(word for word in (urgency, happened, notice.thing) if word)),
            Piece(notice.words, least=20),
            Piece(notice.plain_figure),
            Piece(f"(limit {notice.limit})" if notice.limit else "", rank=1),
            Piece(f"{notice.at}."),
            Piece(f"{notice.where}." if notice.where else "", rank=2),
            Piece(notice.link),
        ]
    )


def target(url: str, phone: str) -> str:
    """Gives the provider's address for one number: at {phone}, else as the last part of the path."""
    number = quote(phone, safe="+")
    if "{phone}" in url:
        return url.replace("{phone}", number)
    path, mark, query = url.partition("?")
    return f"{path.rstrip('/')}/{number}{mark}{query}"


def _send(notice: Notice, delivery: Delivery) -> str:
    if not _PHONE.match(delivery.address):
        raise Permanent(f"{delivery.address} is no mobile number. Expected its international form: +4915112345678.")
    provider = apprise.Apprise.instantiate(target(settings.SMS_URL, delivery.address), suppress_exceptions=True)
    if provider is None:
        raise Down("SMS_URL is not an address that Apprise knows.")
    with _overheard() as said:
        try:
            accepted = provider.notify(body=compose(notice), title="")
        except Exception as error:  # one of a hundred providers' modules: whatever it is, the alarm must not be lost
            raise Transient(one_line(f"{type(error).__name__}: {error}")) from error
    if not accepted:
        raise _failure(one_line(" ".join(said)) or "The provider did not take it.")
    return f"accepted by {provider.service_name or 'the provider'}"


def _failure(words: str) -> Transient | Permanent:
    """Gives what a failure means; the provider's status is only in what Apprise logs."""
    found = _STATUS.search(words)
    if found is None:
        return Down(words)
    status = int(found[1])
    if 400 <= status < 500 and status not in _PASSING:
        return Permanent(words)
    return Down(words) if status in (401, 402, 403) or status >= 500 else Transient(words)


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Collects what Apprise logs in this thread."""
    said: list[str] = []
    thread = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                said.append(record.getMessage())

    ear = Ear(logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.addHandler(ear)
    try:
        yield said
    finally:
        logger.removeHandler(ear)


def _keep(notice: Notice, delivery: Delivery) -> str:
    """Writes the message to a file of its own; a second try overwrites the first."""
    folder = Path(settings.OUTBOX_DIR) / "sms"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{delivery.created:%Y%m%d-%H%M%S}-{delivery.pk}.txt"
    path.write_text(f"To: {delivery.address}\n\n{compose(notice)}\n", encoding="utf-8")
    return f"written to {path}"
