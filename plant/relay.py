"""Values on their way to this process's browsers: heard and unpacked once, handed to those who look at the machine."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import structlog
from channels.layers import get_channel_layer

from devices.events import VALUES

log = structlog.get_logger(__name__)

TRY_AGAIN = 1.0  # seconds after the channel layer failed


class Listener(Protocol):
    """One browser's end."""

    def hear(self, rows: str) -> None:
        """Takes rows of a machine's values, as JSON text; must not wait."""


class Counter(Protocol):
    """Who needs no values, only whose came and when."""

    def take(self, sensors: bytes, times: bytes) -> None:
        """Takes ids (int32) and times in µs (int64); must not wait."""


class Relay:
    """The process's one ear for values: 200 browsers cost one message to unpack, not 200. For one event loop."""

    def __init__(self) -> None:
        self._machines: dict[Listener, set[str]] = {}
        self._all: defaultdict[str, set[Listener]] = defaultdict(set)  # by machine: who hears all of its values
        self._states: defaultdict[str, set[Listener]] = defaultdict(set)  # and who hears its state
        self._counters: set[Counter] = set()
        self._lock = asyncio.Lock()
        self._channel = ""
        self._ear: asyncio.Task[None] | None = None

    async def join(self, listener: Listener, machines: set[str], *, states_only: bool = False) -> None:
        """Lets a listener hear these machines, by id as text, instead of those before: from when this returns."""
        self._forget(listener)
        self._machines[listener] = machines
        for machine in machines:
            self._states[machine].add(listener)
            if not states_only:
                self._all[machine].add(listener)
        await self._open()

    async def leave(self, listener: Listener) -> None:
        """Lets go of a listener; with the last one of the process's ear too."""
        self._forget(listener)
        await self._close()

    async def count(self, counter: Counter) -> None:
        """Lets a counter take what comes of the whole plant: from when this returns."""
        self._counters.add(counter)
        await self._open()

    async def uncount(self, counter: Counter) -> None:
        """Lets go of a counter."""
        self._counters.discard(counter)
        await self._close()

    async def _open(self) -> None:
        async with self._lock:
            if self._ear is None:
                layer = get_channel_layer()
                self._channel = await layer.new_channel("values.")
                await layer.group_add(VALUES, self._channel)
                self._ear = asyncio.create_task(self._listen(self._channel))

    async def _close(self) -> None:
        async with self._lock:
            if self._ear is not None and not self._machines and not self._counters:
                ear, self._ear = self._ear, None
                try:
                    await get_channel_layer().group_discard(VALUES, self._channel)
                finally:
                    ear.cancel()

    def _forget(self, listener: Listener) -> None:
        for machine in self._machines.pop(listener, ()):
            for listeners in (self._all, self._states):
                listeners[machine].discard(listener)
                if not listeners[machine]:
                    del listeners[machine]

    async def _listen(self, channel: str) -> None:
        layer = get_channel_layer()
        while True:
            try:
                self._hand_out(await layer.receive(channel))
            except Exception as error:
                # What is missed comes with a machine's next value.
                log.warning("values not heard", error=str(error))
                await asyncio.sleep(TRY_AGAIN)

    def _hand_out(self, message: dict[str, Any]) -> None:
        # Workers of the version before tell only `rows`.
        for part, listening in (("rows", self._all), ("states", self._states)):
            for machine, text in message.get(part, {}).items():
                for listener in listening.get(machine, ()):
                    listener.hear(text)
        if "sensors" in message:
            for counter in self._counters:
                counter.take(message["sensors"], message["times"])


_relays: WeakKeyDictionary[asyncio.AbstractEventLoop, Relay] = WeakKeyDictionary()


def relay() -> Relay:
    """Gives the running loop's relay."""
    return _relays.setdefault(asyncio.get_running_loop(), Relay())
