"""The operators' socket: authorise, subscribe, relay. A snapshot first, then events; what is missed is fetched."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
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
from django.db.models import Q
from redis import RedisError

from alerts import queries as alarms
from alerts.events import ALL_ALARMS, comment_frame, frame, of_asset, suppression_frames
from alerts.flood import queries as flood_queries
from alerts.lifecycle import Event
from alerts.models import JournalEntry, JournalHead, Suppression
from devices import metrics, moment
from devices.telemetry import latest
from devices.telemetry.batch import Quality
from devices.topology import Topology, topology
from plant.outgoing import Outgoing
from plant.relay import relay
from plant.tokens import user_of
from plant.version import version

log = structlog.get_logger(__name__)

PACE = 0.25  # seconds between two frames of values to one browser
BEAT = 1.0
ASK_AGAIN = 30.0  # seconds between two looks whether the person may still look
MOST_MISSED = 500  # journal rows fetched at once; a browser that missed more is closed and takes a snapshot
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
    """

    assets: list[str] | None = None
    alarms: bool | Literal["all"] = True
    values: bool = True
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
    suppressions: bool = False

    def concerns(self, asset: int | None) -> bool:
        """Tells whether an asset's alarms are looked at here; an alarm of no asset concerns everybody."""
        return self.whole or asset is None or asset in self.assets


class JournalTail:
    """The newest journal number, read once a second for all sockets of the process."""

    def __init__(self) -> None:
        self._read_at = 0.0
        self._head = 0
        self._floods: list[list[Any]] = []
        self._lock = asyncio.Lock()
        self._rows: deque[tuple[int, int | None, str]] = deque(maxlen=4 * MOST_MISSED)

    async def head(self) -> int:
        """Gives the newest journal number, at most half a beat old."""
        async with self._lock:
            if time.monotonic() - self._read_at > BEAT / 2:
                self._head = await database_sync_to_async(_journal_head)()
                self._floods = await database_sync_to_async(_floods)()
                self._read_at = time.monotonic()
            return self._head

    @property
    def floods(self) -> list[list[Any]]:
        """Gives the floods that lasted when the head was read."""
        return self._floods

    async def many(self, after: int, upto: int, *, suppressions: bool) -> bool:
        """Tells whether (after, upto] holds more rows for a socket than are fetched at once."""
        if upto - after <= MOST_MISSED:
            return False
        # What one parent alarm suppresses may be thousands of rows, of which most sockets are shown none.
        return suppressions or await database_sync_to_async(_alarm_rows)(after, upto) > MOST_MISSED

    async def rows(self, after: int, upto: int) -> list[tuple[int, int | None, str]]:
        """Gives (journal id, asset id, frame) of the rows in (after, upto], read once for all sockets."""
        async with self._lock:
            have = self._rows[-1][0] if self._rows else None
            start = after if have is None or have < after or self._rows[0][0] > after + 1 else have
            if start == after:
                self._rows.clear()
            if start < upto:
                self._rows.extend(await database_sync_to_async(_journal_frames)(start, upto))
            return [row for row in self._rows if after < row[0] <= upto]


_tails: dict[int, JournalTail] = {}


def _tail() -> JournalTail:
    """Gives the running loop's tail."""
    return _tails.setdefault(id(asyncio.get_running_loop()), JournalTail())


def _journal_head() -> int:
    return JournalHead.objects.values_list("last", flat=True).first() or 0


def _floods() -> list[list[Any]]:
    """Gives the floods that last, as the beat tells them: position, name, since, how many alarms. Cost: one query."""
    return [
        [flood.position, flood.name, int(flood.since.timestamp() * 1000), flood.total]
        for flood in flood_queries.floods(moment.now())
    ]


def _alarm_rows(after: int, upto: int) -> int:
    return JournalEntry.objects.filter(id__gt=after, id__lte=upto, alarm__isnull=False).count()


def _suppression_rows(after: int, upto: int) -> list[tuple[int, int, str]]:
    """Gives (journal id, asset id, frame) of the rules whose suppression changed. Cost: at most five queries."""
    entries = JournalEntry.objects.filter(id__gt=after, id__lte=upto, rule_id__isnull=False).order_by("id")
    return suppression_frames(entries)


def _may_look(user_id: int) -> bool:
    return User.objects.filter(pk=user_id, is_active=True).exists()


# Of alarms, and what is said of an asset.
_TOLD = Q(alarm__isnull=False) | Q(alarm=None, rule_id=None, event=Event.COMMENT)


def _journal_frames(after: int, upto: int) -> list[tuple[int, int | None, str]]:
    """Gives the frames of journal rows, in order. Cost: three queries."""
    entries = (
        JournalEntry.objects.filter(_TOLD, id__gt=after, id__lte=upto)
        .select_related("alarm", "alarm__sensor", "alarm__asset", "alarm__acked_by")
        .order_by("id")[: MOST_MISSED + 1]
    )
    alarms.with_shelving([entry.alarm for entry in entries if entry.alarm])
    plant = topology()
    found: list[tuple[int, int | None, str]] = []
    for entry in entries:
        if entry.alarm is not None:
            found.append((entry.pk, entry.alarm.asset_id, frame(entry.pk, alarms.as_json(entry.alarm))))
        elif (place := of_asset(plant, entry)) is not None:
            found.append((entry.pk, place, comment_frame(entry)))
    return found


def resolve(wanted: Subscribe, plant: Topology) -> View:
    """Gives the machines and groups behind a subscription. Cost: none; what `left_out` names is left out."""
    view = View(
        alarms=bool(wanted.alarms),
        whole=wanted.alarms == "all",
        values=wanted.values,
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
    journal = _journal_head()
    values: list[list[Any]] = []
    if view.values:
        plant = topology()
        sensors = [pk for pk, place in plant.places.items() if place.asset in view.assets]
        by_shard: dict[int, list[int]] = {}
        for sensor in sensors:
            by_shard.setdefault(plant.places[sensor].shard, []).append(sensor)
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
        with contextlib.suppress(RedisError, OSError):
            await relay().leave(self)
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
            await relay().join(self, view.machines)
        else:
            await relay().leave(self)
        self.view = view
        self.waiting.clear()
        first = await database_sync_to_async(snapshot)(view)
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
                    head = await _tail().head()
                    if head > self.seen and (self.view.alarms or self.view.suppressions):
                        await self._catch_up(head)
                except Exception as error:
                    log.warning("journal not read for a socket", error=str(error))
                    head = self.seen
                said = {"type": "beat", "journal": head, "time": int(time.time() * 1000), "floods": _tail().floods}
                self._tell(said)

    async def _catch_up(self, head: int) -> None:
        """Relays the rows up to `head` that did not come by the channel layer."""
        if await _tail().many(self.seen, head, suppressions=self.view.suppressions):
            await self.close(code=MISSED_TOO_MUCH)
            return
        if self.view.alarms:
            for number, asset, text in await _tail().rows(self.seen, head):
                if number not in self.relayed and self.view.concerns(asset):
                    self.outgoing.put(text)
        if self.view.suppressions:
            for number, asset, text in await database_sync_to_async(_suppression_rows)(self.seen, head):
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
