"""The way of a reading from its stream to the history and the rules: one drain of one shard, one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec
import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from devices import events, metrics
from devices.models import Checkpoint, Revision
from devices.telemetry import failing, hearing, history, latest, stream
from devices.telemetry.admission import DUPLICATE, FRESH, LATE, Cursors, admit
from devices.telemetry.batch import Batch, Int64
from devices.telemetry.gap import Gap, find_gap
from devices.topology import Topology, topology
from devices.topology import forget as forget_topology

log = structlog.get_logger(__name__)

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


class Overtaken(Exception):
    """Another worker has moved the shard's checkpoint since this drain read it."""


@dataclass(slots=True)
class Drain:
    """What one drain gives to the stages.

    Takes: the readings to judge, strictly increasing in time per sensor, in stream order; their arrivals in µs; the
    cursors before and after them; the clock in µs, or None where the stream has not been read to its end; the
    revisions of the plant model and of the rules; the epoch of the streams, where they have replaced others; what is
    missing between the readings done before and these.
    """

    shard: int
    batch: Batch
    arrival: Int64
    before: Cursors
    cursors: Cursors
    clock: int | None
    revisions: dict[str, int]
    replaced: str
    gap: Gap | None


class Work(Protocol):
    """What a stage made of one drain, outside the transaction."""

    @property
    def visible(self) -> bool:
        """Tells whether there is something to write besides the state."""

    def save(self) -> bytes:
        """Gives the stage's state after this drain, for the checkpoint."""

    def commit(self) -> None:
        """Writes what was found; inside the transaction."""

    def announce(self) -> None:
        """Tells screens and workers; after the commit."""


@runtime_checkable
class Stage(Protocol):
    """Looks at every drain; named in settings.TELEMETRY_STAGES like a middleware."""

    def prepare(self, drain: Drain, before: Work | None, saved: bytes) -> Work:
        """Does the thinking, outside the transaction.

        Takes: the work of the drain before where this worker did that itself, else the saved state (empty at first).
        """

    def regroup(self, saved: dict[int, bytes], count: int) -> dict[int, bytes]:
        """Moves what is saved to other shards, in the transaction in which the assets have got theirs.

        Takes: the saved states by shard, none of them empty; the new number of shards.
        Gives: the states by new shard; those without one begin anew.
        """


class SavedState(msgspec.Struct, array_like=True):
    """A checkpoint's state: the cursors, each stage's own, and how many entries of the stream are done.

    That number is None where an older Andon wrote the state, which did not count.
    """

    cursors: bytes = b""
    stages: dict[str, bytes] = {}
    done: int | None = None


@dataclass(slots=True)
class _Warm:
    """What a worker remembers of a shard between two drains; good for exactly one checkpoint."""

    mark: tuple[str, str, int]
    cursors: Cursors
    works: dict[str, Work | None]
    saved: dict[str, bytes]
    done: int | None


@dataclass(slots=True)
class Report:
    """What one drain did."""

    shard: int
    readings: int = 0
    late: int = 0
    duplicates: int = 0
    more: bool = False
    changed: bool = False
    sensors: set[int] = field(default_factory=set)


class Heard(NamedTuple):
    """What a worker asks Redis before it drains a shard.

    Takes: Redis's clock in µs since the epoch; the streams' epoch; the position that the newest values stand for; how
    many entries the shard's stream was given; whether the drain before failed.
    """

    clock: int
    epoch: str
    shown: bytes | None
    given: int
    failing: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """What a worker asks the database once for all shards that it is about to drain: these drains begin together."""

    revisions: dict[str, int]
    marks: dict[int, tuple[str, str, int]]  # each shard's checkpoint: epoch, position, turn
    plant: Topology

    @classmethod
    def at(cls, shards: Sequence[int]) -> Glance:
        """Looks. Cost: two queries, and those of the topology where the plant has changed."""
        revisions = dict(Revision.objects.values_list("name", "number"))
        rows = Checkpoint.objects.filter(shard__in=shards).order_by()
        marks = {
            shard: (epoch, position, turn)
            for shard, epoch, position, turn in rows.values_list("shard", "epoch", "position", "turn")
        }
        return cls(revisions, marks, topology(revisions.get("plant", 0)))


_warm: dict[int, _Warm] = {}


@cache
def stages() -> dict[str, Stage]:
    """Gives the stages of the settings by their dotted path."""
    found: dict[str, Stage] = {}
    for path in settings.TELEMETRY_STAGES:
        module, _, name = path.rpartition(".")
        found[path] = getattr(import_module(module), name)()
    return found


def forget_shards() -> None:
    """Drops what this worker remembers, as a new process would start."""
    _warm.clear()
    events.forget()
    forget_topology()


def process_shards(shards: Sequence[int], failed: Callable[[int, Exception], None]) -> list[Report]:
    """Drains shards one after the other, asking and telling Redis for all of them together.

    Each append to Redis's file is synced: one for all shards, not one each, is most of an alarm's way to the screen.
    Takes: what is told of a shard that could not be drained; the others are.
    Gives: a report of each shard that was.
    """
    if not shards:
        return []
    reports = []
    client = stream.connect()
    try:
        glance = Glance.at(shards)
    except Exception as error:
        for shard in shards:
            failed(shard, error)
        return []
    with client.pipeline(transaction=True) as later:
        for shard, heard in listen(client, shards).items():
            try:
                reports.append(_process(shard, glance, heard, client, later))
            except Exception as error:
                failed(shard, error)
        later.execute()
    return reports


def listen(client: Any, shards: Sequence[int]) -> dict[int, Heard]:
    """Silences the shards' bells, then asks for clock, epoch, marks and numbers. Cost: one round trip.

    They are read before the streams: what those took up to then is in what is read after.
    """
    with client.pipeline(transaction=True) as pipe:
        stream.silence(pipe, shards)
        pipe.time()
        pipe.get(stream.EPOCH)
        for shard in shards:
            latest.mark(pipe, shard)
        stream.ask_numbers(pipe, shards)
        failing.ask(pipe, shards)
        _, (seconds, micros), epoch, *marks, numbers, failed = pipe.execute()
    clock = int(seconds) * 1_000_000 + int(micros)
    name = epoch.decode() if epoch else ""
    return {
        shard: Heard(clock, name, shown, int(given or 0), words is not None)
        for shard, shown, given, words in zip(shards, marks, numbers, failed, strict=True)
    }


def process_shard(shard: int, *, clock: int | None = None) -> Report:
    """Drains one shard; see `_process`. Takes: the clock in µs since the epoch where it is not to be Redis's own."""
    client = stream.connect()
    with client.pipeline(transaction=True) as later:
        report = _process(shard, Glance.at([shard]), listen(client, [shard])[shard], client, later, clock)
        later.execute()
    return report


def _process(shard: int, glance: Glance, heard: Heard, client: Any, later: Any, clock: int | None = None) -> Report:
    """Takes what waits in a shard's stream through history and stages, in one transaction.

    Takes: what was seen and heard before; a pipeline for what Redis is to be told after the commit; another clock than
    Redis's.
    Gives: what was done; `more` where the stream holds more than one drain takes.
    Raises: Overtaken where another worker was there first; nothing has been written then.
    Cost: two queries for a drain with readings, none for an idle one.
    """
    started = time.perf_counter()
    redis_clock, epoch, shown, given, failed_before = heard
    clock = redis_clock if clock is None else clock
    warm = _recall(shard, glance.marks)
    old_epoch, old_position, turn = warm.mark
    replaced = epoch if old_epoch and epoch != old_epoch else ""
    position = "0-0" if replaced else old_position
    entries, more = stream.read(client, shard, position, settings.TELEMETRY_DRAIN_READINGS)
    gap, done = find_gap(entries, old_position, 0 if replaced else warm.done, None if more else given, redis_clock)
    if gap is not None:
        log.error("entries of a stream are gone", shard=shard, since=gap.since, until=gap.until)

    batch, arrival, own = _columns(entries)
    before = _acquainted(warm.cursors, batch, own)
    verdict, cursors = admit(before, batch, arrival)
    report = Report(shard, more=more)
    if entries:
        _drop_late_duplicates(batch, verdict, own)
    fresh = verdict == FRESH
    late = verdict == LATE
    kept = own & (fresh | late)
    report.readings = int(kept.sum())
    report.late = int((late & own).sum())
    report.duplicates = int((own & (verdict == DUPLICATE)).sum())

    drain = Drain(
        shard=shard,
        batch=batch if fresh.all() else batch.take(fresh),
        arrival=arrival if fresh.all() else arrival[fresh],
        before=before,
        cursors=cursors,
        clock=None if more else clock,
        revisions=glance.revisions,
        replaced=replaced,
        gap=gap,
    )
    works: dict[str, Work] = {
        name: stage.prepare(drain, warm.works.get(name), warm.saved.get(name, b"")) for name, stage in stages().items()
    }
    if entries or replaced or gap or any(work.visible for work in works.values()):
        segment = history.prepare(shard, batch.take(kept), late[kept]) if report.readings else None
        new_position = entries[-1].id if entries else position
        mark = (epoch or old_epoch, new_position, turn + 1)
        saved = {name: work.save() for name, work in works.items()}
        state = msgspec.msgpack.encode(SavedState(cursors.dumps(), saved, done))
        with transaction.atomic():
            moved = Checkpoint.objects.filter(shard=shard, epoch=old_epoch, position=old_position, turn=turn).update(
                epoch=mark[0],
                position=mark[1],
                turn=mark[2],
                state=state,
                readings=F("readings") + report.readings,
                updated=timezone.now(),
            )
            if not moved:
                _warm.pop(shard, None)
                raise Overtaken(f"Shard {shard} is no longer at {old_position}.")
            if segment is not None:
                segment.save(force_insert=True)
            for work in works.values():
                work.commit()
        report.changed = True
        _warm[shard] = warm = _Warm(mark, cursors, dict(works), saved, done)
        for work in works.values():
            work.announce()
    else:
        # Nothing that anybody could see: who starts from the checkpoint thinks it again and comes to the same.
        warm.works.update(works)
        _warm[shard] = warm
    if failed_before:
        failing.clear(later, shard)
    _show(later, glance.plant, shard, warm, shown, batch.sensor[fresh & own] if entries else None)
    if not more:
        hearing.note(later, shard, clock)
    if entries:
        stream.trim(client, shard, warm.mark[1], redis_clock)
        metrics.drained(shard, report.readings, report.late, report.duplicates, time.perf_counter() - started)
    return report


def _recall(shard: int, marks: dict[int, tuple[str, str, int]]) -> _Warm:
    """Gives what belongs to the shard's checkpoint: remembered if nobody moved it, else read."""
    found = marks.get(shard)
    if found is None:
        raise Overtaken(f"Shard {shard} is no more: the number of shards has changed.")
    warm = _warm.get(shard)
    if warm is not None and warm.mark == found:
        return warm
    row = Checkpoint.objects.get(shard=shard)
    state = msgspec.msgpack.decode(bytes(row.state), type=SavedState) if row.state else SavedState(done=0)
    return _Warm((row.epoch, row.position, row.turn), Cursors.loads(state.cursors), {}, state.stages, state.done)


def _columns(entries: list[stream.Entry]) -> tuple[Batch, Int64, Mask]:
    """Gives the entries' readings as one batch, with their arrivals and which of them are the shard's own."""
    batch = Batch.concat([entry.batch for entry in entries])
    sizes = [len(entry.batch) for entry in entries]
    arrival = np.repeat(np.array([entry.arrival for entry in entries], np.int64), sizes)
    own = np.repeat(np.array([not entry.copy for entry in entries], np.bool_), sizes)
    return batch, arrival, own


def _acquainted(cursors: Cursors, batch: Batch, own: Mask) -> Cursors:
    """Gives cursors that know of every sensor of the batch what the history does: one may come from another shard.

    Cost: nothing but for a sensor that the shard has never seen; then a few queries for all of them, and some for each
    that has come as a copy.
    """
    unseen = cursors.rows(batch.sensor) < 0
    strangers = np.unique(batch.sensor[unseen])
    if not len(strangers):
        return cursors
    known = history.last_readings(strangers.tolist())
    for sensor in np.unique(batch.sensor[unseen & ~own]).tolist():
        if sensor in known:
            known |= _before_copies(sensor, batch.time[batch.sensor == sensor], known.pop(sensor).time)
    return cursors.introduced(known) if known else cursors


def _before_copies(sensor: int, times: Int64, last: int) -> dict[int, history.Reading]:
    """Gives a sensor's newest reading before the first of its copies that was not late at home, where there is one.

    Its own shard may be further than this one: what the history holds beyond that copy is yet to come here. Late at
    home was what the history passed and did not keep as a reading of its time.
    Takes: the copies' times in order of arrival; the newest that the history holds.
    """
    kept = history.read(sensor, int(times.min()), int(times.max()), late=False).time
    counted = times[np.isin(times, kept) | (times > last)]
    return history.readings_at([sensor], int(counted[0]) - 1 if len(counted) else last)


def _drop_late_duplicates(batch: Batch, verdict: npt.NDArray[np.uint8], own: Mask) -> None:
    """Marks late readings of a kept instant as duplicates: of this batch or of the history."""
    rows: Rows = np.flatnonzero((verdict == LATE) & own)
    if not len(rows):
        return
    # Within the batch the first one taken is kept. Stable: equal keys stay in stream order.
    among: Rows = np.flatnonzero((verdict != DUPLICATE) & own & np.isin(batch.sensor, batch.sensor[rows]))
    order = among[np.lexsort((batch.time[among], batch.sensor[among]))]
    same = (batch.sensor[order][1:] == batch.sensor[order][:-1]) & (batch.time[order][1:] == batch.time[order][:-1])
    verdict[order[1:][same]] = DUPLICATE
    rows = rows[verdict[rows] == LATE]
    kept = history.known(batch.sensor[rows], batch.time[rows])
    verdict[rows[kept]] = DUPLICATE


def _show(
    later: Any, plant: Topology, shard: int, warm: _Warm, shown: bytes | None, sensors: npt.NDArray[np.int32] | None
) -> None:
    """Brings the newest values to Redis and to the screens."""
    position = "{}:{}:{}".format(*warm.mark)
    if shown is not None and shown.decode() == position:
        events.flush_values(plant, shard, warm.cursors)
        return
    known = _warm.get(shard) is warm and shown is not None and sensors is not None
    anew = not known or shown is None or shown.decode().rpartition(":")[2] != str(warm.mark[2] - 1)
    if anew:
        rows = [row for row, sensor in enumerate(warm.cursors.sensor.tolist()) if plant.shard_of(sensor) == shard]
    else:
        assert sensors is not None
        rows = warm.cursors.rows(np.unique(sensors)).tolist()
    latest.write(later, shard, warm.cursors, rows, position, anew=anew)
    events.values(plant, shard, warm.cursors, rows)
