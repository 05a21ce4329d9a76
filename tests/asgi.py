"""A sender that calls an ASGI application as a server does, without a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Gives the decoded body."""
        return json.loads(self.body)


async def call(
    application: Application,
    path: str,
    body: bytes | Sequence[bytes] = b"",
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    disconnect: bool = False,
) -> Answer | None:
    """Sends one request; several bodies arrive as chunks. Gives None where nothing is answered."""
    chunks = [body] if isinstance(body, bytes) else list(body)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    sent: list[Message] = []
    arriving = _messages(chunks, disconnect)

    async def receive() -> Message:
        return await anext(arriving)

    async def send(message: Message) -> None:
        sent.append(message)

    await application(scope, receive, send)
    if not sent:
        return None
    start, *rest = sent
    return Answer(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in rest),
    )


async def _messages(chunks: Sequence[bytes], disconnect: bool) -> AsyncIterator[Message]:
    for place, chunk in enumerate(chunks):
        more = disconnect or place + 1 < len(chunks)
        yield {"type": "http.request", "body": chunk, "more_body": more}
    yield {"type": "http.disconnect"}
