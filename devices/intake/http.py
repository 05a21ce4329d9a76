"""Readings by HTTP: POST /api/v1/telemetry as an ASGI callable of its own, before Django and any middleware."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from django.conf import settings

from devices import metrics
from devices.intake import forms
from devices.intake.commit import Busy, GroupCommit, NotKept
from devices.intake.metrics import REJECTED
from devices.intake.readings import OUTSIDE, UNKNOWN, Taken, take
from devices.intake.tokens import hash_token
from devices.intake.watch import NotReady, Watch
from devices.telemetry.directory import Directory, Grant

log = structlog.get_logger(__name__)

PATH = "/api/v1/telemetry"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

READ_SECONDS = 30.0  # for a whole body to arrive
SWEEP_SECONDS = 5.0  # between two looks for bodies that did not
_IN_THREAD = 256 * 1024  # a body so large is decoded in a thread, so that small senders need not wait for it
_INFLATED_IN_THREAD = 16 * 1024  # gzip turns little into much
_RETRY_SOON = [(b"retry-after", b"1")]
_RETRY_LATER = [(b"retry-after", b"5")]
_JSON = (b"content-type", b"application/json")
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may be; read once, because Django's settings are slow to ask."""

    body: int
    readings: int
    backlog: int
    ahead_us: int

    @classmethod
    def from_settings(cls) -> Limits:
        """Gives the limits of the settings."""
        return cls(
            settings.TELEMETRY_MAX_BODY,
            settings.TELEMETRY_MAX_READINGS,
            settings.TELEMETRY_BACKLOG_MAX,
            round(settings.TELEMETRY_MAX_AHEAD * 1e6),
        )


class Refusal(Exception):
    """An answer other than 202 to a whole request."""

    def __init__(self, status: int, error: str, headers: Headers = (), **more: Any) -> None:
        super().__init__(error)
        self.status = status
        self.body = _encode({"error": error, **more})
        self.headers = headers


class Gone(Exception):
    """The sender has closed the connection before its request was whole."""


class Intake:
    """The ASGI callable, with all that it holds for its event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: Watch
        self._commit: GroupCommit
        self._parser: ThreadPoolExecutor
        self._limits: Limits
        self._reading: dict[asyncio.Task[Any], float] = {}  # whose body is not whole, since when
        self._overdue: set[asyncio.Task[Any]] = set()
        self._last_arrival = 0
        self._statuses: dict[int, Any] = {}

    async def start(self) -> None:
        """Begins to watch the plant; the first request does it where the server does not."""
        if self._loop is asyncio.get_running_loop():
            return
        self._loop = asyncio.get_running_loop()
        self._watch = watch = Watch()
        self._commit = GroupCommit(lambda: _known(watch))
        self._parser = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._limits = Limits.from_settings()
        self._reading.clear()
        self._overdue.clear()
        self._loop.call_later(SWEEP_SECONDS, self._sweep, self._loop)
        metrics.publish_in_background()

    async def close(self) -> None:
        """Answers what is under way and lets go of everything."""
        if self._loop is not None:
            self._loop = None
            await self._commit.close()
            await self._watch.close()
            self._parser.shutdown(wait=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if self._loop is not asyncio.get_running_loop():
            await self.start()
        headers: Headers = ()
        try:
            status, body = await self._answer(scope, receive)
        except Refusal as refusal:
            status, body, headers = refusal.status, refusal.body, refusal.headers
        except Gone:
            return
        except Exception:
            log.exception("request to the intake failed")
            status, body = 500, b'{"error":"the server failed; nothing is known to have been kept"}'
        counter = self._statuses.get(status)
        if counter is None:
            counter = self._statuses[status] = metrics.REQUESTS.labels(str(status))
        counter.inc()
        start = {
            "type": "http.response.start",
            "status": status,
            "headers": [_JSON, (b"content-length", b"%d" % len(body)), *headers],
        }
        try:
            await send(start)
            await send({"type": "http.response.body", "body": body})
        except (OSError, RuntimeError) as error:
            log.debug("sender gone before its answer", error=str(error))  # uvloop refuses to write then

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        """Gives status and body. Raises: Refusal, Gone."""
        if scope["method"] != "POST":
            raise Refusal(405, "only POST is answered here", [(b"allow", b"POST")])
        authorization = content_type = encoding = length = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"content-type":
                content_type = value
            elif name == b"content-encoding":
                encoding = value
            elif name == b"content-length":
                length = value
        watch = self._watch
        try:
            directory = watch.directory or await watch.plant()
        except NotReady:
            raise Refusal(503, "the plant model cannot be read at the moment", _RETRY_SOON) from None
        grant = await self._authenticate(directory, authorization)
        if content_type != b"application/json" and _media_type(content_type) != b"application/json":
            raise Refusal(415, "send Content-Type: application/json")
        limits = self._limits
        if watch.backlog >= limits.backlog:
            raise Refusal(429, "too many readings wait to be judged; send these again later", _RETRY_LATER)
        if length.isdigit() and int(length[:20]) > limits.body:
            raise _too_large(limits.body)
        columns = await self._decode(await self._read(receive), encoding)
        now = time.time_ns() // 1000
        # Two requests without times must not claim one instant: the later would be dropped as a duplicate.
        self._last_arrival = now = max(now, self._last_arrival + 1)
        taken = await self._take(columns, grant, authorization, now)
        if not len(taken):
            return _nothing(taken, grant)
        if taken.rejected:
            _count(taken)
        try:
            await self._commit.add(taken)
        except Busy:
            raise Refusal(429, "more readings arrive than the stream takes; send these again", _RETRY_SOON) from None
        except NotKept:
            raise Refusal(503, "the stream cannot take readings at the moment; send these again", _RETRY_SOON) from None
        if taken.rejected:
            return 202, _verdict(taken)
        return 202, b'{"accepted":%d,"rejected":[]}' % len(taken)

    async def _authenticate(self, directory: Directory, authorization: bytes) -> Grant:
        """Gives what the sender may write. Raises: Refusal."""
        if authorization[:7].lower() != b"bearer ":
            raise _unauthorized("send Authorization: Bearer and the token of a data source")
        token = hash_token(authorization[7:].strip())
        grant = directory.grants.get(token)
        if grant is None and self._watch.is_news(token):
            await self._watch.look()
            grant = (await self._watch.plant()).grants.get(token)
            if grant is None:
                self._watch.refute(token)
        if grant is None:
            raise _unauthorized("no data source has this token")
        if not grant.enabled:
            raise _unauthorized(f"source {grant.source} is switched off")
        return grant

    async def _read(self, receive: Receive) -> bytes:
        """Gives the whole body. Raises: Refusal where it is too large or too slow, Gone."""
        task = asyncio.current_task()
        assert task is not None
        # A timer for each request would cost more than the rest of the reading.
        self._reading[task] = time.monotonic()
        try:
            return await _whole(receive, self._limits.body)
        except asyncio.CancelledError:
            if task not in self._overdue:
                raise
            task.uncancel()
            raise Refusal(
                408, f"the body was not whole after {READ_SECONDS:g} s", [(b"connection", b"close")]
            ) from None
        finally:
            del self._reading[task]
            self._overdue.discard(task)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends requests whose body does not come."""
        if loop is not self._loop:
            return
        limit = time.monotonic() - READ_SECONDS
        for task in [task for task, since in self._reading.items() if since < limit]:
            self._overdue.add(task)
            task.cancel()
        loop.call_later(SWEEP_SECONDS, self._sweep, loop)

    async def _decode(self, body: bytes, encoding: bytes) -> forms.Columns:
        """Gives a body's readings. Raises: Refusal."""
        packed = encoding.lower() == b"gzip"
        if encoding and not packed and encoding.lower() != b"identity":
            raise Refusal(415, "Content-Encoding may be gzip or nothing")
        if len(body) <= (_INFLATED_IN_THREAD if packed else _IN_THREAD):
            return _decode(body, packed, self._limits)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._parser, _decode, body, packed, self._limits)

    async def _take(self, columns: forms.Columns, grant: Grant, authorization: bytes, now: int) -> Taken:
        """Gives the readings that may go in; looks at the plant again where a tag is unknown for the first time."""
        watch = self._watch
        ahead = self._limits.ahead_us
        directory = _known(watch)
        taken = take(columns, directory, grant, now, ahead)
        if taken.rejected and any(bad.reason == UNKNOWN and watch.is_news(bad.sensor) for bad in taken.rejected):
            await watch.look()
            if _known(watch) is not directory:
                directory = _known(watch)
                # The tree may have moved under the source's scope, or the source may be gone.
                grant = await self._authenticate(directory, authorization)
                taken = take(columns, directory, grant, now, ahead)
            for bad in taken.rejected:
                if bad.reason == UNKNOWN:
                    watch.refute(bad.sensor)
        return taken


def _known(watch: Watch) -> Directory:
    assert watch.directory is not None
    return watch.directory


async def _whole(receive: Receive, most: int) -> bytes:
    """Gives the whole body. Raises: Refusal where it is too large, Gone."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise _too_large(most)
        if not message.get("more_body"):
            return part if not parts else b"".join([*parts, part])
        parts.append(part)


def _decode(body: bytes, packed: bool, limits: Limits) -> forms.Columns:
    """Unpacks and decodes. Raises: Refusal."""
    try:
        return forms.columns(_inflate(body, limits.body) if packed else body, limits.readings)
    except forms.Malformed as error:
        raise Refusal(400, error.error, where=error.where) from None
    except forms.TooMany:
        raise Refusal(
            413, f"a request may carry {limits.readings} readings; send them in parts", limit=limits.readings
        ) from None


def _inflate(body: bytes, most: int) -> bytes:
    """Unpacks gzip, several members too, never to more than `most` bytes. Raises: Refusal."""
    parts: list[bytes] = []
    room = most
    while body:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(body, room + 1)
        except zlib.error as error:
            raise Refusal(400, f"broken gzip: {str(error).rpartition(': ')[2]}", where="gzip") from None
        room -= len(part)
        if room < 0:
            raise _too_large(most)
        if not unpacker.eof:
            raise Refusal(400, "broken gzip: it ends too early", where="gzip")
        parts.append(part)
        body = unpacker.unused_data
    return b"".join(parts)


def _media_type(content_type: bytes) -> bytes:
    """Gives a content type without its parameters."""
    return content_type.partition(b";")[0].strip().lower()


def _too_large(most: int) -> Refusal:
    return Refusal(413, f"a body may have {most} bytes, unpacked too; send the readings in parts", limit=most)


def _unauthorized(error: str) -> Refusal:
    return Refusal(401, error, [(b"www-authenticate", b"Bearer")])


def _nothing(taken: Taken, grant: Grant) -> tuple[int, bytes]:
    """Gives the answer to a request of which nothing is taken."""
    _count(taken)
    if taken.rejected and all(bad.reason == OUTSIDE for bad in taken.rejected):
        error = f"source {grant.source} may write below {grant.scope} only"
        return 403, _verdict(taken, error=error)
    return 422, _verdict(taken, error="no reading was accepted")


def _verdict(taken: Taken, **more: str) -> bytes:
    rejected = [{"index": bad.number, "sensor": bad.sensor, "error": bad.error} for bad in taken.rejected]
    return _encode({**more, "accepted": len(taken), "rejected": rejected})


def _count(taken: Taken) -> None:
    """Counts what is turned away."""
    metrics.rejected(len(taken.rejected))
    for bad in taken.rejected:
        REJECTED.labels(bad.reason).inc()


application = Intake()
