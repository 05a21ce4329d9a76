"""Sends one source's readings over HTTP: in order, again after a failure, never more held than fits."""

from __future__ import annotations

import http.client
import logging
import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

log = logging.getLogger(__name__)

PATH = "/api/v1/telemetry"
TIMEOUT = 15.0  # seconds for one answer
BACK_OFF = (0.5, 30.0)  # seconds before the first repetition, and at most
BAD_TOKEN_WAIT = 10.0  # seconds


class Unreachable(Exception):
    """No answer, or one that asks to come again."""

    def __init__(self, words: str, wait: float | None = None) -> None:
        super().__init__(words)
        self.wait = wait


class Refused(Exception):
    """An answer that repeating does not change; `status` is HTTP's."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status}: {words}")
        self.status = status


class Client:
    """One kept-alive connection to the intake."""

    def __init__(self, url: str, token: str) -> None:
        self.address: SplitResult = urlsplit(url)
        if self.address.scheme not in ("http", "https") or not self.address.hostname:
            raise ValueError(f"{url!r} is no address; write it as http://127.0.0.1:8000")
        self.token = token
        self._connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes) -> dict[str, Any]:
        """Sends one request. Gives: the answer. Raises: Unreachable, Refused."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection = self._connection or self._connect()
            connection.request("POST", self.address.path.rstrip("/") + PATH, body, headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(str(error) or type(error).__name__) from error
        if response.status in (429, 408) or response.status >= 500:
            raise Unreachable(f"{response.status} {response.reason}", _seconds(response.getheader("Retry-After")))
        answer = _decode(text)
        if response.status != 202:
            rejected = answer.get("rejected") or [{}]
            words = answer.get("error") or rejected[0].get("error") or response.reason
            raise Refused(response.status, str(words))
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(self.address.hostname or "", self.address.port, timeout=TIMEOUT)
        return self._connection

    def close(self) -> None:
        """Ends the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _decode(text: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def encode(time: int, tags: list[str], values: list[float]) -> bytes:
    """Gives the body for the readings of one moment; `time` in seconds since the epoch."""
    return msgspec.json.encode({"time": time * 1000, "values": dict(zip(tags, values, strict=True))})


def joined(bodies: list[bytes]) -> bytes:
    """Gives one body for several moments."""
    return b"[" + b",".join(bodies) + b"]"


@dataclass
class Sender:
    """A source with a thread of its own: what is put is sent in order.

    Takes: how many readings it may hold; beyond that the oldest go, as a gateway's buffer does it. `token` is asked
    anew when one is not taken.
    """

    name: str
    url: str
    token: Callable[[], str]
    held_at_most: int = 200_000
    sent: int = 0
    dropped: int = 0
    _held: int = 0
    _queue: deque[tuple[bytes, int]] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to send."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def put(self, body: bytes, readings: int) -> None:
        """Hands over one request's body."""
        with self._changed:
            self._queue.append((body, readings))
            self._held += readings
            while self._held > self.held_at_most and len(self._queue) > 1:
                _, lost = self._queue.popleft()
                self._held -= lost
                self.dropped += lost
            self._changed.notify_all()

    def wait(self, held: int, timeout: float) -> bool:
        """Waits until at most `held` readings are left. Gives: whether that came true."""
        with self._changed:
            return self._changed.wait_for(lambda: self._held <= held, timeout)

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the thread; what could not be sent by then is lost."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        client = Client(self.url, self.token())
        failures = 0
        while not self._stopping.is_set():
            with self._changed:
                if not self._queue:
                    self._changed.wait(0.5)
                    continue
                entry = self._queue[0]
            try:
                answer = client.post(entry[0])
            except Unreachable as error:
                failures += 1
                if failures == 1:
                    log.warning(
                        "%s: the intake does not answer (%s); readings are kept and sent later", self.name, error
                    )
                wait = min(BACK_OFF[0] * 2 ** min(failures - 1, 10), BACK_OFF[1])
                self._stopping.wait(error.wait or wait * random.uniform(0.8, 1.2))  # noqa: S311  spreads senders
                continue
            except Refused as error:
                failures += 1
                if error.status == 401:
                    if failures == 1:
                        log.error("%s: the token is not taken (%s)", self.name, error)
                    self._stopping.wait(BAD_TOKEN_WAIT)
                    client.token = self.token()
                    continue
                if failures == 1:
                    log.error("%s: readings refused (%s)", self.name, error)
                self._done(entry, 0)
                continue
            if failures:
                log.warning("%s: the intake takes readings again; %d were lost", self.name, self.dropped)
                failures = 0
            self._done(entry, int(answer.get("accepted", 0)))
        client.close()

    def _done(self, entry: tuple[bytes, int], accepted: int) -> None:
        with self._changed:
            # put() may have dropped it meanwhile.
            if self._queue and self._queue[0] is entry:
                self._queue.popleft()
                self._held -= entry[1]
            self.sent += accepted
            self._changed.notify_all()
