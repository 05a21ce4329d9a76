"""Text messages through any provider that Apprise knows; without one, into files that can be read."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.models import Contact, Delivery, Priority
from alerts.notify import provider
from alerts.notify.channel import Permanent, Send
from alerts.notify.codes import code_for
from alerts.notify.gsm import Piece, fit, segments
from alerts.notify.message import Notice

_PHONE = re.compile(r"\+?[0-9]{6,15}\Z")
MOST_PARTS = 8  # that gateways join to one message; 1,600 characters is a usual limit
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


def compose(notice: Notice, code: str = "") -> str:
    """Gives the text, in one part where that can be: what, how much, when and the link stay, the place goes first.

    Takes: what the person may answer to acknowledge it, if anything.
    """
    if notice.event == "digest" and notice.critical:
        return _digest(notice)
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
            Piece(f"Ack: reply {code}." if code else ""),
            Piece(notice.link),
        ]
    )


def _digest(notice: Notice) -> str:
    """Gives a digest that names what is critical, as much as gateways take in one message, and how much more there is.

    Who is told by text message alone hears of each in nearly every flood. A message that is longer is refused for good,
    and then nobody hears of any.
    """

    def text(names: Sequence[str]) -> str:
        left = len(notice.critical) - len(names)
        more = [_("%(count)s further alarms") % {"count": left}] if left else []
        named = ", ".join([*names, *more])
        return fit([Piece("Andon:"), Piece(f"{notice.words}."), Piece(f"{named}."), Piece(notice.link)])

    found = text([])
    for count in range(1, len(notice.critical) + 1):
        longer = text(notice.critical[:count])
        if segments(longer).parts > MOST_PARTS:
            break
        found = longer
    return found


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
    text = compose(notice, _code(delivery))
    return provider.post(target(settings.SMS_URL, delivery.address), text, setting="SMS_URL")


def _code(delivery: Delivery) -> str:
    """Gives what can be answered, where answers are taken at all."""
    return code_for(delivery, timezone.now()) if settings.SMS_INBOUND_SECRET else ""


def _keep(notice: Notice, delivery: Delivery) -> str:
    """Writes the message to a file of its own; a second try overwrites the first."""
    folder = Path(settings.OUTBOX_DIR) / "sms"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{delivery.created:%Y%m%d-%H%M%S}-{delivery.pk}.txt"
    path.write_text(f"To: {delivery.address}\n\n{compose(notice, _code(delivery))}\n", encoding="utf-8")
    return f"written to {path}"
