"""Any of the providers that Apprise knows, asked once and overheard: its answer is only in what it logs."""

import functools
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import apprise
import requests
from django.utils import timezone

from alerts.notify.channel import Down, Permanent, Transient, retry_after
from alerts.notify.message import one_line

_STATUS = re.compile(r"error=([0-9]{3})\b")
# Of the provider's refusals, those that speak of our account or of the moment: a later try may succeed.
_PASSING = frozenset({401, 402, 403, 408, 425, 429})
# The request had left when this happened: the provider may have taken it.
_UNANSWERED = ("Read timed out", "Connection aborted", "RemoteDisconnected", "IncompleteRead")
_SHORTEST_SECRET = 4


def knows(url: str) -> bool:
    """Tells whether an address is of a kind that Apprise knows; asks nobody."""
    return apprise.Apprise.instantiate(url, suppress_exceptions=True) is not None


def post(url: str, body: str, *, title: str = "", setting: str) -> str:
    """Sends one message. Nothing of the address is in what it gives, raises or logs.

    Takes: the name of what holds the address, for the person who wrote it.
    Gives: the answer. Raises: Permanent, Transient, Down.
    """
    known = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if known is None:
        raise Down(f"{setting} is not an address that Apprise knows.")
    with _overheard() as heard:
        try:
            accepted = known.notify(body=body, title=title)
        except Exception as error:  # one of a hundred providers' modules: whatever it is, the alarm must not be lost
            words = masked(one_line(f"{type(error).__name__}: {error}"), url)
            raise Transient(words, perhaps_sent=True) from None
    if not accepted:
        words = masked(one_line(" ".join(heard.warnings)), url) or "The provider did not take it."
        raise _failure(words, perhaps_sent=heard.unanswered, after=heard.longest(timezone.now()))
    return f"accepted by {known.service_name or 'the provider'}"


def masked(words: str, url: str) -> str:
    """Gives words without the parts of an address that may be a password."""
    split = urlsplit(url)
    place, _, host = split.netloc.rpartition("@")
    rest = (split.path, split.query, split.fragment)
    secrets = [part for text in (place, *rest) for part in re.split(r"[/:&=?]", text) if len(part) >= _SHORTEST_SECRET]
    if not place:
        secrets += [host, host.partition(":")[0]]  # many providers take a token there
    for secret in sorted({form for part in secrets for form in (part, unquote(part))}, key=len, reverse=True):
        words = words.replace(secret, "…") if len(secret) >= _SHORTEST_SECRET else words
    return words


def _failure(words: str, *, perhaps_sent: bool, after: timedelta | None = None) -> Transient | Permanent:
    """Gives what a failure means; the provider's status is only in what Apprise logs."""
    found = _STATUS.search(words)
    if found is None:
        return Down(words, perhaps_sent=perhaps_sent)
    status = int(found[1])
    if 400 <= status < 500 and status not in _PASSING:
        return Permanent(words)
    if after is not None:
        # It asks to be left alone, by all messages and not by this one.
        return Down(words, after=after)
    return Down(words) if status in (401, 402, 403) or status >= 500 else Transient(words)


class _Heard:
    """What Apprise said of one message."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.unanswered = False
        self.after: list[str] = []  # Retry-After of each answer, as it was written

    def longest(self, now: datetime) -> timedelta | None:
        """Gives how long the far ends ask to be left alone: of several targets, what the most patient one asks."""
        return max((after for said in self.after if (after := retry_after(said, now)) is not None), default=None)

    def take(self, record: logging.LogRecord) -> None:
        """Keeps a warning, and from the finer words only whether the request had left."""
        words = record.getMessage()
        if record.levelno >= logging.WARNING:
            self.warnings.append(words)
        elif any(mark in words for mark in _UNANSWERED):
            self.unanswered = True


class _Ear(logging.Filter):
    """Gives each thread what Apprise says in it; passes nothing on: it may name addresses, numbers and tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.here = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        heard: _Heard | None = getattr(self.here, "heard", None)
        if heard is not None:
            heard.take(record)
        return False


def _listening(send: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    """Gives what sends HTTP requests, and keeps what an answer says of when to come again while somebody listens.

    Apprise hands no answer on; every one of its providers sends through here.
    """

    @functools.wraps(send)
    def listened(*args: Any, **given: Any) -> requests.Response:
        answer = send(*args, **given)
        heard: _Heard | None = getattr(_ear.here, "heard", None)
        if heard is not None:
            heard.after += [said] if (said := answer.headers.get("Retry-After")) else []
        return answer

    return listened


_ear = _Ear()
requests.Session.send = _listening(requests.Session.send)  # type: ignore[method-assign]  # the same, overheard
_logger = logging.getLogger("apprise")
_logger.setLevel(logging.DEBUG)
_logger.addFilter(_ear)


@contextmanager
def _overheard() -> Iterator[_Heard]:
    """Collects what Apprise logs in this thread."""
    heard = _ear.here.heard = _Heard()
    try:
        yield heard
    finally:
        _ear.here.heard = None
