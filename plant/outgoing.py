"""What waits for one browser: sent in order, as fast as it takes it, and not more than so much for so long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

MOST_BYTES = 4 * 1024 * 1024  # behind the frame that is being sent; a frame itself may be larger, as a snapshot is
MOST_SECONDS = 10.0  # that one frame may take; a page gives its connection up after three without any


class Outgoing:
    """The frames on their way to one browser, sent by a task of its own: nobody who adds one waits.

    Takes: what sends a frame, and comes back when the transport has room for another; what ends a connection that is
    too slow, called once with the reason. Made in the running event loop.
    """

    def __init__(
        self, send: Callable[[str], Awaitable[None]], too_slow: Callable[[str], Coroutine[Any, Any, None]]
    ) -> None:
        self._send = send
        self._too_slow = too_slow
        self._texts: deque[str] = deque()
        self._bytes = 0  # characters, to be exact; nearly all are of one byte
        self._some = asyncio.Event()
        self._writer = asyncio.create_task(self._write())
        self._ending: asyncio.Task[None] | None = None

    def put(self, text: str) -> None:
        """Adds a frame; drops it where the connection is about to end."""
        if self._ending is not None:
            return
        if self._bytes > MOST_BYTES:
            self._end(f"{self._bytes} bytes wait")
            return
        self._texts.append(text)
        self._bytes += len(text)
        self._some.set()

    def stop(self) -> None:
        """Lets go of everything."""
        self._writer.cancel()
        self._texts.clear()

    async def _write(self) -> None:
        while True:
            while not self._texts:
                self._some.clear()
                await self._some.wait()
            text = self._texts.popleft()
            self._bytes -= len(text)
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    await self._send(text)
            except TimeoutError:
                self._end(f"a frame of {len(text)} bytes not taken in {MOST_SECONDS:g} s")
                return
            except Exception as error:
                # Nothing that follows would be what the browser believes it to be.
                self._end(f"a frame of {len(text)} bytes not sent: {error!r}")
                return

    def _end(self, reason: str) -> None:
        if self._ending is None:
            self._texts.clear()
            # A task, since `put` does not wait; kept, since the loop itself would forget it.
            self._ending = asyncio.create_task(self._too_slow(reason))
