"""The operators' socket: authorise, subscribe, relay. A snapshot first, then events; what is missed is fetched."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import structlog
from channels.auth import AuthMiddlewareStack
from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import AllowedHostsOriginValidator
from django.contrib.auth.models import AnonymousUser, User
from redis import RedisError

from alerts import queries as alarms
from alerts.events import ALL_ALARMS
from alerts.models import Suppression
from devices import metrics
from devices.telemetry import latest
from devices.telemetry.batch import Quality
from devices.topology import Topology, topology
from plant.freshness import freshness
from plant.journal_tail import journal_head, suppression_rows, tail
from plant.outgoing import Outgoing
from plant.relay import relay
from plant.tokens import user_of
from plant.version import version

log = structlog.get_logger(__name__)

PACE = 0.25  # seconds between two frames of values to one browser
BEAT = 1.0
ASK_AGAIN = 30.0  # seconds between two looks whether the person may still look
MOST_ASSETS = 200
_NAMED = 5  # unknown assets in one error
# Why a socket is closed; what a browser comes back from by itself, with a snapshot, is any but the first.
NOT_ALLOWED = 4401
MISSED_TOO_MUCH = 4408
TOO_SLOW = 4413

Scope = MutableMapping[str, Any]


class Signed:
    """Finds the person behind a socket: a personal token in the header, else the session.

    A browser sends its cookie from any page, so a session counts only from our own pages; it never sends a token.
    """

    def __init__(self, inner: Any) -> None:
        self._token = inner
        self._session = AllowedHostsOriginValidator(AuthMiddlewareStack(inner))

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Awaitable[None]]) -> None:
        """Passes the socket on with `user` set."""
        if any(name == b"authorization" for name, _ in scope["headers"]):
            user = await database_sync_to_async(user_of)(scope["headers"])
            await self._token(dict(scope, user=user or AnonymousUser()), receive, send)
        else:
            await self._session(scope, receive, send)


class Subscribe(msgspec.Struct, tag="subscribe", forbid_unknown_fields=True):
    """What a browser asks for: assets by code, with all below them; the whole plant if `assets` is null.

    `alarms` may say "all": the whole plant's, whatever assets the values are of. The banner of every page needs them.
    `values` may say "states": only of the sensors that tell a machine's state. `freshness` asks how fresh the whole
    plant's data is, once a second: by machine, by source, and of how many sensors.
    """

    assets: list[str] | None = None
    alarms: bool | Literal["all"] = True
    values: bool | Literal["states"] = True
    freshness: bool = False
    suppressions: bool = False  # also the rules whose alarms are not presented


@dataclass(slots=True)
class View:
    """What one browser looks at."""

    machines: set[str] = field(default_factory=set)  # ids as text, as the frames name them
    assets: set[int] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)  # of the channel layer, for alarms
    whole: bool = False  # alarms of the whole plant
    alarms: bool = True
    values: bool = True
    states_only: bool = False  # of the values
    freshness: bool = False
    suppressions: bool = False

    def concerns(self, asset: int | None) -> bool:
        """Tells whether an asset's alarms are looked at here; an alarm of no asset concerns everybody."""
        return self.whole or asset is None or asset in self.assets


def _may_look(user_id: int) -> bool:
    return User.objects.filter(pk=user_id, is_active=True).exists()


def resolve(wanted: Subscribe, plant: Topology) -> View:
    """Gives the machines and groups behind a subscription. Cost: none; what `left_out` names is left out."""
    view = View(
        alarms=bool(wanted.alarms),
        whole=wanted.alarms == "all",
        values=bool(wanted.values),
        states_only=wanted.values == "states",
        freshness=wanted.freshness,
        suppressions=wanted.suppressions,
    )
    if wanted.assets is None:
        roots = [asset for asset, parent in plant.parent.items() if parent is None]
        view.whole = True
    else:
        by_code = {code: asset for asset, code in plant.code.items()}
        roots = [by_code[code] for code in wanted.assets[:MOST_ASSETS] if code in by_code]
    below: dict[int, list[int]] = {}
    for asset, parent in plant.parent.items():
        if parent is not None:
            below.setdefault(parent, []).append(asset)
    stack = list(roots)
    while stack:
        asset = stack.pop()
        if asset not in view.assets:
            view.assets.add(asset)
            stack.extend(below.get(asset, ()))
    view.machines = {str(plant.machine[asset]) for asset in view.assets}
    view.groups = {ALL_ALARMS} if view.whole else {f"area.{plant.area[asset]}" for asset in view.assets}
    return view


def left_out(wanted: Subscribe, plant: Topology) -> list[dict[str, Any]]:
    """Gives the error frames of what a subscription asks for and does not get; the rest of it holds."""
    if wanted.assets is None:
        return []
    found = []
    known = set(plant.code.values())
    unknown = [code for code in dict.fromkeys(wanted.assets[:MOST_ASSETS]) if code not in known]
    if unknown:
        named = ", ".join(repr(code) for code in unknown[:_NAMED])
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        found.append(f"There is no asset {named}{more}. The others are subscribed to.")
    if len(wanted.assets) > MOST_ASSETS:
        found.append(
            f"{len(wanted.assets)} assets are named, {MOST_ASSETS} is the most; those from "
            f"{wanted.assets[MOST_ASSETS]!r} on are left out. What stands above them has them all."
        )
    return [{"type": "error", "error": words, "where": "$.assets"} for words in found]


def snapshot(view: View) -> dict[str, Any]:
    """Gives the snapshot frame of a view. Cost: four queries and one round trip to Redis.

    The journal number is read first: what is at or before it is in the alarms that are read after it.
    """
    journal = journal_head()
    values: list[list[Any]] = []
    if view.values:
        plant = topology()
        by_shard: dict[int, list[int]] = {}
        for sensor, place in plant.places.items():
            if place.asset in view.assets and (place.tells_state or not view.states_only):
                by_shard.setdefault(place.shard, []).append(sensor)
        for sensor, (at, value, quality) in latest.read_shards(by_shard).items():
            tag = json.loads(plant.places[sensor].tag_json)
            values.append([tag, at // 1000, value, Quality(quality).name.lower()])
    found: list[dict[str, Any]] = []
    if view.alarms:
        rows = alarms.open_alarms()
        found = [alarms.as_json(row) for row in rows if view.concerns(row.asset_id)]
    frame = {"type": "snapshot", "values": values, "alarms": found, "journal": journal, "version": version()}
    if view.suppressions:
        said = alarms.suppressions_as_json(Suppression.objects.exclude(switches=[]))
        frame["suppressions"] = [entry for _, asset, entry in said if view.concerns(asset)]
    return frame


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One browser."""

    async def connect(self) -> None:
        """Lets signed-in people in, nobody else."""
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            await self.close(code=NOT_ALLOWED)
            return
        self.view = View()
        self.seen = 0  # the newest journal number that this browser knows everything up to
        self.relayed: set[int] = set()
        self.relayed_suppressions: set[int] = set()
        self.waiting: list[str] = []
        self.pulse: asyncio.Task[None] | None = None
        self.flusher: asyncio.TimerHandle | None = None
        await self.accept()
        self.outgoing = Outgoing(self._pass_on, self._too_slow)
        metrics.SOCKETS.inc()
        self.counted = True

    async def disconnect(self, code: int) -> None:
        """Lets go of everything."""
        if not getattr(self, "counted", False):
            return
        metrics.SOCKETS.dec()
        self.outgoing.stop()
        if self.pulse is not None:
            self.pulse.cancel()
        if self.flusher is not None:
            self.flusher.cancel()
        for ear in (relay(), freshness()):
            with contextlib.suppress(RedisError, OSError):
                await ear.leave(self)
        for group in self.view.groups:
            with contextlib.suppress(RedisError, OSError):
                await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Takes a subscription."""
        try:
            wanted = msgspec.json.decode(text_data or b"", type=Subscribe)
        except msgspec.MsgspecError as error:
            self._tell({"type": "error", "error": f"Not understood: {error}."})
            return
        try:
            await self._subscribe(wanted)
        except Exception as error:
            # Closed, not left to break: only then does `disconnect` let go of groups and pulse. The browser comes back.
            log.warning("no snapshot for a socket", error=str(error))
            await self.close(code=1011)

    async def _subscribe(self, wanted: Subscribe) -> None:
        """Joins the groups, then reads the snapshot: what happens between the two waits and is relayed after it."""
        plant = await database_sync_to_async(topology)()
        view = resolve(wanted, plant)
        for group in view.groups - self.view.groups:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in self.view.groups - view.groups:
            await self.channel_layer.group_discard(group, self.channel_name)
        if view.values:
            await relay().join(self, view.machines, states_only=view.states_only)
        else:
            await relay().leave(self)
        if view.freshness:
            await freshness().join(self)
        else:
            await freshness().leave(self)
        self.view = view
        self.waiting.clear()
        first = await database_sync_to_async(snapshot)(view)
        if view.freshness:
            first["freshness"] = freshness().whole()
        self.seen = first["journal"]
        self._forget_relayed()
        self._tell(first)
        for error in left_out(wanted, plant):
            self._tell(error)
        if self.pulse is None:
            self.pulse = asyncio.create_task(self._beat())

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hands a message to its method. What reads the database here gives its connection back by itself.

        Channels would hop to a thread for that before each message: with 200 browsers, most of the process's work.
        """
        handler: Callable[[dict[str, Any]], Awaitable[None]] = getattr(self, get_handler_name(message))
        await handler(message)

    def hear(self, rows: str) -> None:
        """Keeps the rows of a machine in view for the next frame."""
        self.waiting.append(rows)
        if self.flusher is None:
            self.flusher = asyncio.get_running_loop().call_later(PACE, self._flush)

    def hear_freshness(self, frame: str) -> None:
        """Passes on how fresh the plant's data is."""
        self.outgoing.put(frame)

    def _flush(self) -> None:
        self.flusher = None
        if self.waiting:
            self.outgoing.put('{"type":"values","values":[' + ",".join(self.waiting) + "]}")
            self.waiting.clear()

    async def live_alarm(self, message: dict[str, Any]) -> None:
        """Relays a transition at once."""
        if not self.view.alarms or message["journal"] <= self.seen or message["journal"] in self.relayed:
            return
        if self.view.concerns(message["asset"]):
            self.relayed.add(message["journal"])
            self.outgoing.put(message["frame"])

    async def live_comment(self, message: dict[str, Any]) -> None:
        """Relays that somebody wrote about an asset."""
        await self.live_alarm(message)

    async def live_suppression(self, message: dict[str, Any]) -> None:
        """Relays how a rule's suppression stands, to those who asked."""
        number = message["journal"]
        if not self.view.suppressions or number <= self.seen or number in self.relayed_suppressions:
            return
        if self.view.concerns(message["asset"]):
            self.relayed_suppressions.add(number)
            self.outgoing.put(message["frame"])

    async def _beat(self) -> None:
        """Names the newest journal number each second and fetches what the channel layer lost."""
        with contextlib.suppress(asyncio.CancelledError):
            asked = time.monotonic()
            while True:
                await asyncio.sleep(BEAT)
                try:
                    if time.monotonic() - asked > ASK_AGAIN:
                        if not await database_sync_to_async(_may_look)(self.scope["user"].pk):
                            await self.close(code=NOT_ALLOWED)
                            return
                        asked = time.monotonic()
                    head = await tail().head()
                    if head > self.seen and (self.view.alarms or self.view.suppressions):
                        await self._catch_up(head)
                except Exception as error:
                    log.warning("journal not read for a socket", error=str(error))
                    head = self.seen
                said = {"type": "beat", "journal": head, "time": int(time.time() * 1000), **tail().load}
                self._tell(said)

    async def _catch_up(self, head: int) -> None:
        """Relays the rows up to `head` that did not come by the channel layer."""
        if await tail().many(self.seen, head, suppressions=self.view.suppressions):
            await self.close(code=MISSED_TOO_MUCH)
            return
        if self.view.alarms:
            for number, asset, text in await tail().rows(self.seen, head):
                if number not in self.relayed and self.view.concerns(asset):
                    self.outgoing.put(text)
        if self.view.suppressions:
            for number, asset, text in await database_sync_to_async(suppression_rows)(self.seen, head):
                if number not in self.relayed_suppressions and self.view.concerns(asset):
                    self.outgoing.put(text)
        self.seen = head
        self._forget_relayed()

    def _forget_relayed(self) -> None:
        """Forgets the numbers of frames up to what is known."""
        self.relayed = {number for number in self.relayed if number > self.seen}
        self.relayed_suppressions = {number for number in self.relayed_suppressions if number > self.seen}

    def _tell(self, content: dict[str, Any]) -> None:
        self.outgoing.put(json.dumps(content, separators=(",", ":")))

    async def _pass_on(self, text: str) -> None:
        await self.send(text_data=text)

    async def _too_slow(self, reason: str) -> None:
        """Ends a socket whose browser does not read what it asked for: it comes back by snapshot when it can."""
        log.warning("browser too slow", user=self.scope["user"].get_username(), reason=reason)
        await self.close(code=TOO_SLOW)
