"""What a way of reaching people offers, and how it says that it could not."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from django.contrib.auth.models import User

from alerts.models import Contact, Delivery
from alerts.notify.message import Notice


class Transient(Exception):
    """Not now; a later try may succeed."""

    def __init__(self, words: str, *, perhaps_sent: bool = False) -> None:
        """Takes: whether the message was on its way when the answer failed to come, and so may have arrived."""
        super().__init__(words)
        self.perhaps_sent = perhaps_sent


class Down(Transient):
    """The channel itself does not work; the other messages need not try it in this round."""


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
