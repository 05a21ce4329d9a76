"""The intake as a process of its own, for many small senders: python -m devices.intake.standalone --port 8001."""

from __future__ import annotations

import argparse
import os

import django
import uvicorn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plant.settings")
django.setup()

from devices.intake import protocol  # noqa: E402  # needs the apps
from devices.intake.http import PATH, Receive, Scope, Send  # noqa: E402
from devices.intake.http import application as intake  # noqa: E402

_HEADERS = [(b"content-type", b"application/json")]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers telemetry and /healthz, nothing else; reads the plant before the server says it is ready."""
    if scope["type"] == "http":
        if scope["path"] == PATH:
            await intake(scope, receive, send)
        elif scope["path"] == "/healthz":
            await _reply(send, 200, b'{"status":"ok"}')
        else:
            await _reply(send, 404, b'{"error":"only ' + PATH.encode() + b' is answered here"}')
    elif scope["type"] == "lifespan":
        await _live(receive, send)
    else:
        await send({"type": "websocket.close", "code": 4404})


async def _reply(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*_HEADERS, _length(body)]})
    await send({"type": "http.response.body", "body": body})


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)


async def _live(receive: Receive, send: Send) -> None:
    """Starts and ends with the server."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await intake.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await intake.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


def main() -> None:
    """Serves until it is told to end."""
    parser = argparse.ArgumentParser(prog="devices.intake.standalone", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    uvicorn.run(
        **protocol.options(application), host=options.host, port=options.port, log_level="warning", loop="uvloop"
    )


if __name__ == "__main__":
    main()
