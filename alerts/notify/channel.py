"""What a way of reaching people offers, and how it says that it could not."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from django.contrib.auth.models import User

from alerts.models import Contact, Delivery
from alerts.notify.message import Notice

_LONGEST = timedelta(days=365)
_DIGITS = 9  # of seconds; more than that is more than a year


class Transient(Exception):
    """Not now; a later try may succeed."""

    def __init__(self, words: str, *, perhaps_sent: bool = False, after: timedelta | None = None) -> None:
        """Takes: whether the message was on its way when the answer failed to come, and so may have arrived; for how
        long the far end asks to be left alone, where it says so.
        """
        super().__init__(words)
        self.perhaps_sent = perhaps_sent
        self.after = after


class Down(Transient):
    """The channel itself does not work; the other messages need not try it in this round."""


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Gives how long a far end asks to be left alone: seconds, or a date. Source: RFC 9110, 10.2.3.

    Gives: at most a year, which is as good as never; None where it says nothing that can be understood.
    """
    said = "" if text is None else text.strip()
    if said.isdecimal():
        return min(timedelta(seconds=int(said)), _LONGEST) if len(said) <= _DIGITS else _LONGEST
    try:
        until = parsedate_to_datetime(said)
        until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
        return min(max(timedelta(0), until - now), _LONGEST)
    except (ValueError, OverflowError):
        return None


class Permanent(Exception):
    """Never: the far end refused this message or this address."""


# Sends one message and gives the provider's answer.
Send = Callable[[Notice, Delivery], str]


class Notifier(Protocol):
    """A channel. A new one is a module with one of these, and a line in `channels.NOTIFIERS`."""

    missing: str  # why somebody cannot be reached: "no mobile number"

    def address(self, user: User, contact: Contact | None) -> str:
        """Gives where the person is reached, or nothing."""

    def reference(self, stem: str, user_id: int) -> str:
        """Gives the message's lasting identity at the far end, or nothing where the channel knows none."""

    def open(self) -> AbstractContextManager[Send]:
        """Opens what a round of messages shares.

        Raises: while sending, Transient, Down or Permanent with the provider's words.
        """


def contact_of(user: User) -> Contact | None:
    """Gives a person's contact; costs no query where it was loaded with the person."""
    return getattr(user, "contact", None)
