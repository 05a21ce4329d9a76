"""A load generator: keep-alive connections that send ready bodies one after the other and count the answers.

Run as a process of its own, so that its work is not counted as Andon's: python -m tests.bench.load OPTIONS.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import uvloop

# An answer that comes whole, as nearly all do.
_ACCEPTED, _WHOLE = b"HTTP/1.1 202", b',"rejected":[]}'


class Connection(asyncio.Protocol):
    """One keep-alive connection: sends the next request when the answer to the last one is whole."""

    def __init__(self, run: Run, place: int) -> None:
        self.run = run
        self.place = place  # which share of the sensors it sends for, as a gateway does
        self.buffer = b""
        self.sent_at = 0.0
        self.transport: Any = None  # uvloop's are no asyncio.Transport by type

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts sending."""
        self.transport = transport
        self.send()

    def send(self) -> None:
        """Sends the next request, or ends."""
        request = self.run.next_request(self.place)
        if request is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Takes an answer."""
        if not self.buffer and data.startswith(_ACCEPTED) and data.endswith(_WHOLE):
            self._next("202")
            return
        self.buffer += data
        head, mark, body = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self.buffer = body[length:]
        self._next(head[9:12].decode())

    def _next(self, status: str) -> None:
        self.run.answered(status, time.perf_counter() - self.sent_at)
        pause = self.run.pause()
        if pause > 0:
            asyncio.get_running_loop().call_later(pause, self.send)
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the run."""
        self.run.lost(exc)


class Run:
    """One run: `batch` readings a request over `sensors` tags, for some seconds, at full speed or at a rate."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.deadline = 0.0
        self.statuses: Counter[str] = Counter()
        self.waits: list[float] = []
        self.open = options.connections
        self.done = asyncio.Event()
        self.sent = [0] * options.connections
        self.bodies = [self._bodies(place) for place in range(options.connections)]
        self.started = 0.0
        self.head = (
            "POST /api/v1/telemetry HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {options.token}\r\nContent-Length: "
        ).encode()

    def _bodies(self, place: int) -> list[list[bytes]]:
        """Prepares a connection's bodies: each a list of moments, the part of each behind its time.

        A connection has sensors of its own. A batch larger than their number carries several moments, as a gateway
        sends that collected for a while; a smaller one goes round.
        """
        options = self.options
        chance = random.Random(place)
        own = range(
            place * options.sensors // options.connections, (place + 1) * options.sensors // options.connections
        )
        tags = [f"{options.prefix}{one // options.per_asset:05d}/s{one % options.per_asset}" for one in own]
        size = min(options.batch, len(tags))

        def moment(start: int) -> bytes:
            chosen = [tags[(start + at) % len(tags)] for at in range(size)]
            return ",".join(f'"{tag}":{50 + chance.random() * 30:.2f}' for tag in chosen).encode()

        rounds = max(1, len(tags) // size)
        return [
            [moment(turn * size) for _ in range(max(1, options.batch // size))]
            for turn in range(rounds * max(1, 16 // rounds))
        ]

    def next_request(self, place: int) -> bytes | None:
        """Gives a connection's next request, or None when the time is over."""
        if time.monotonic() >= self.deadline:
            return None
        bodies = self.bodies[place]
        moments = bodies[self.sent[place] % len(bodies)]
        self.sent[place] += 1
        # The newest moment is now, those before it 10 µs apart each; no two of a sensor are the same.
        now = time.time_ns() // 1000 / 1000
        parts = [
            b'{"time":%.3f,"values":{%s}}' % (now - (len(moments) - 1 - at) * 0.01, values)
            for at, values in enumerate(moments)
        ]
        body = parts[0] if len(parts) == 1 else b"[" + b",".join(parts) + b"]"
        return b"%s%d\r\n\r\n%s" % (self.head, len(body), body)

    def answered(self, status: str, wait: float) -> None:
        """Counts an answer."""
        self.statuses[status] += 1
        if len(self.waits) < 200_000:
            self.waits.append(wait)

    def pause(self) -> float:
        """Gives the seconds until this connection's next turn at the asked rate."""
        if not self.options.rate:
            return 0.0
        due = self.started + sum(self.statuses.values()) * self.options.batch / self.options.rate
        return float(due - time.monotonic())

    def lost(self, error: Exception | None) -> None:
        """Counts a connection that ended."""
        if error is not None:
            self.statuses[type(error).__name__] += 1
        self.open -= 1
        if not self.open:
            self.done.set()

    async def go(self) -> dict[str, object]:
        """Runs and gives the figures."""
        parts = urlsplit(self.options.url)
        loop = asyncio.get_running_loop()
        self.started = time.monotonic()
        self.deadline = self.started + self.options.seconds
        for place in range(self.options.connections):
            await loop.create_connection(partial(Connection, self, place), parts.hostname, parts.port)
        await self.done.wait()
        took = time.monotonic() - self.started
        waits = sorted(self.waits)
        return {
            "seconds": took,
            "statuses": dict(self.statuses),
            "readings": self.statuses["202"] * self.options.batch,
            "requests_per_second": sum(self.statuses.values()) / took,
            "cpu": time.process_time(),
            "answer_ms": {share: waits[int(len(waits) * share / 100)] * 1000 for share in (50, 99)} if waits else {},
        }


def main() -> None:
    """Reads the options, runs, prints the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--per-asset", type=int, default=10)
    parser.add_argument("--prefix", default="m")
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=0, help="readings a second; 0: as fast as the answers come")
    print(json.dumps(uvloop.run(Run(parser.parse_args()).go())))


if __name__ == "__main__":
    main()
