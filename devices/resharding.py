"""Another number of shards for a plant that runs: readings, alarms and all that is remembered go along.

The gate of the streams is closed, what they hold is judged to its end, and one transaction gives assets, rules and
checkpoints their new shards. Before its commit nothing has changed, after it everything has: whoever dies in between
leaves a gate that opens by itself, and what is then still old in Redis is noticed and mended by the drains. Senders are
answered 503 with Retry-After meanwhile; an intake that has not read the new shards yet is refused by the streams.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import structlog
from django.conf import settings
from django.db import transaction

from devices.changes import Change, change, shard_of
from devices.models import Asset, Checkpoint, Level, Revision, Route, Sensor
from devices.telemetry import failing, latest, stream
from devices.telemetry.admission import Cursors
from devices.telemetry.pipeline import Overtaken, SavedState, forget_shards, process_shards, stages

log = structlog.get_logger(__name__)

MOST_SHARDS = 1024
PATIENCE_SECONDS = 120.0  # for what waits in the streams to be judged
_LOOK_SECONDS = 0.05


class Refused(Exception):
    """The number of shards cannot be changed now; nothing has been. The text says why, and what to do."""


@dataclass(slots=True)
class Resharded:
    """What was done: shards before and after, assets that moved, seconds for which nothing was taken in."""

    before: int
    after: int
    assets: int = 0
    seconds: float = 0.0


def reshard(*, count: int, patience_seconds: float = PATIENCE_SECONDS) -> Resharded:
    """Changes the number of shards; asked again for the same number, it sees to what an end midway has left.

    Nobody should edit the plant meanwhile.
    Raises: Refused; RedisError and DatabaseError, after which it should be run again.
    """
    if not 1 <= count <= MOST_SHARDS:
        raise Refused(f"A plant has 1 to {MOST_SHARDS} shards, not {count}.")
    client = stream.connect()
    who = secrets.token_hex(8)
    if not stream.close_gate(client, who):
        raise Refused(
            "The number of shards is being changed already. If whoever did it has died, the streams open by themselves "
            f"within {stream.GATE_MS // 1000} s; try again then."
        )
    begun = time.monotonic()
    try:
        _drain_all(client, who, begun + patience_seconds)
        with transaction.atomic():
            done, states = _Move(count), {}
            with change() as edit:
                done.assets(edit)
                states = done.states()
            done.checkpoints(client, states)
            if not stream.hold_gate(client, who):
                raise Refused("It took too long, and readings may have come in again; nothing has changed, try again.")
        forget_shards()
        _tidy(client, count)
    finally:
        stream.open_gate(client, who)
    done.report.seconds = time.monotonic() - begun
    log.info("resharded", before=done.report.before, after=count, assets=done.report.assets)
    return done.report


def _drain_all(client: Any, who: str, until: float) -> None:
    """Judges what the streams hold, beside the workers. Raises: Refused where that does not come to an end."""
    while True:
        errors: dict[int, Exception] = {}
        process_shards(_behind(client), errors.__setitem__)
        behind = _behind(client)
        if not behind:
            return
        told = {shard: error for shard, error in errors.items() if not isinstance(error, Overtaken)}
        if time.monotonic() > until:
            why = "".join(f" Shard {shard}: {error!r}." for shard, error in sorted(told.items()))
            raise Refused(f"What waits for shards {behind} is not judged; nothing has changed.{why}")
        if not stream.hold_gate(client, who):
            raise Refused("The streams were opened in between; nothing has changed, try again.")
        if len(errors) == len(behind):
            time.sleep(_LOOK_SECONDS)


def _behind(client: Any) -> list[int]:
    """Gives the shards that have not come to the end of their stream, or not yet to these streams."""
    epoch = stream.epoch(client)
    rows = list(Checkpoint.objects.order_by("shard").values_list("shard", "epoch", "position"))
    ends, _ = stream.ends(client, [shard for shard, _, _ in rows])
    return [
        shard
        for shard, known, position in rows
        if _place(ends[shard]) > _place(position) or (known and epoch and known != epoch)
    ]


def _place(position: str) -> tuple[int, int]:
    first, _, second = position.partition("-")
    return int(first), int(second)


@dataclass
class _Move:
    """The move to another number of shards, within a transaction."""

    count: int
    report: Resharded = field(init=False)
    rows: dict[int, Checkpoint] = field(init=False)
    saved: dict[int, SavedState] = field(init=False)

    def __post_init__(self) -> None:
        # Under lock: a drain that is under way commits before, or finds that it was overtaken.
        self.rows = {row.shard: row for row in Checkpoint.objects.select_for_update().order_by("shard")}
        self.saved = {
            shard: msgspec.msgpack.decode(bytes(row.state), type=SavedState) if row.state else SavedState(done=0)
            for shard, row in self.rows.items()
        }
        self.report = Resharded(len(self.rows), self.count)

    def assets(self, edit: Change) -> None:
        """Gives every asset the shard of its machine, else its own."""
        found = {pk: row for pk, *row in Asset.objects.order_by().values_list("pk", "parent", "level", "code", "shard")}
        moved: dict[int, list[int]] = defaultdict(list)
        for pk, (_, _, code, shard) in found.items():
            at: int | None = pk
            while at is not None:
                above, level, name, _ = found[at]
                if level == Level.MACHINE:
                    code = name
                    break
                at = above
            wanted = shard_of(code, self.count)
            if wanted != shard:
                moved[wanted].append(pk)
        for shard, numbers in moved.items():
            Asset.objects.filter(pk__in=numbers).update(shard=shard)
            edit.assets.update(numbers)
        self.report.assets = sum(map(len, moved.values()))
        edit.revisions.update(("plant", "rules", "shards"))

    def states(self) -> dict[str, dict[int, bytes]]:
        """Gives each stage's states by new shard."""
        return {
            name: stage.regroup(
                {shard: saved.stages[name] for shard, saved in self.saved.items() if saved.stages.get(name)}, self.count
            )
            for name, stage in stages().items()
        }

    def checkpoints(self, client: Any, states: dict[str, dict[int, bytes]]) -> None:
        """Writes the new checkpoints: each at the end of its stream, with the sensors that it keeps or judges."""
        ends, given = stream.ends(client, range(max(self.count, len(self.rows))))
        if any(_place(ends[shard]) > _place(row.position) for shard, row in self.rows.items()):
            raise Refused("Readings came in between; nothing has changed, try again.")
        cursors = Cursors.together([Cursors.loads(saved.cursors) for saved in self.saved.values()])
        sensors: dict[int, list[int]] = defaultdict(list)
        for sensor, shard in Sensor.objects.order_by().values_list("pk", "asset__shard"):
            sensors[shard].append(sensor)
        for sensor, shard in Route.objects.order_by().values_list("sensor_id", "shard"):
            sensors[shard].append(sensor)
        for shard in range(self.count):
            client.persist(stream.stream_key(shard))  # left by an earlier number of shards, it was to go
        epoch = stream.epoch(client)
        # Above all before: what a worker remembers of a shard of this number is of the past.
        turn = 1 + max((row.turn for row in self.rows.values()), default=0)
        gone = [row for shard, row in self.rows.items() if shard >= self.count]
        Checkpoint.objects.filter(shard__in=[row.shard for row in gone]).delete()
        for shard in range(self.count):
            row = self.rows.get(shard)
            state = SavedState(
                cursors.only(np.array(sensors[shard], np.int32)).dumps(),
                {name: found[shard] for name, found in states.items() if shard in found},
                # A stream that an earlier number of shards has left goes on being numbered where it was.
                given[shard] if row is None else self.saved[shard].done,
            )
            row = row or Checkpoint(shard=shard, position=ends[shard])
            row.epoch, row.turn, row.state = epoch or row.epoch, turn, msgspec.msgpack.encode(state)
            if shard == 0:
                row.readings += sum(other.readings for other in gone)
            row.save()


def _tidy(client: Any, count: int) -> None:
    """Brings Redis in line with the committed shards, and the newest values back to it."""
    layout = Revision.objects.filter(name="shards").values_list("number", flat=True).get()
    client.set(stream.LAYOUT, layout)
    own: dict[int, list[int]] = defaultdict(list)
    for sensor, shard in Sensor.objects.order_by().values_list("pk", "asset__shard"):
        own[shard].append(sensor)
    for row in Checkpoint.objects.order_by("shard"):
        cursors = Cursors.loads(msgspec.msgpack.decode(bytes(row.state), type=SavedState).cursors)
        rows = cursors.rows(np.array(own[row.shard], np.int32))
        with client.pipeline(transaction=True) as pipe:
            position = f"{row.epoch}:{row.position}:{row.turn}"
            latest.write(pipe, row.shard, cursors, rows[rows >= 0].tolist(), position, anew=True)
            pipe.execute()
    for key in client.scan_iter("andon:latest:*"):
        shard = int(key.rpartition(b":")[2])
        if shard >= count:
            client.delete(key)
    for key in client.scan_iter("andon:stream:*"):
        if int(key.rpartition(b":")[2]) >= count:
            # As long as the margin: a database that fell back reads on from its own checkpoint.
            client.expire(key, max(1, round(settings.TELEMETRY_MARGIN_SECONDS)))
    for shard in failing.read(client):
        if shard >= count:
            failing.clear(client, shard)


__all__ = ["Refused", "Resharded", "reshard"]
