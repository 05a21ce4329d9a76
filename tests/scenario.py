"""Scenarios in relative seconds on a clock of their own: at 0 send 92, at 35 expect an unacknowledged alarm."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from alerts.models import Alarm, JournalEntry
from alerts.silence import services as silence
from devices.models import Checkpoint, Sensor
from devices.telemetry import codec, hearing, stream
from devices.telemetry.batch import Batch, Quality
from devices.telemetry.pipeline import Report, process_shard

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


class Scenario:
    """Sends readings into the real stream as if they had arrived at a given second, and drains them.

    Times are seconds after START; a reading arrives at its own time unless `arrives` says otherwise.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self._count = 0
        client.set("andon:epoch", "scenario", nx=True)

    @staticmethod
    def at(seconds: float) -> datetime:
        """Gives a scenario's second as a datetime."""
        return START + timedelta(seconds=seconds)

    @staticmethod
    def us(seconds: float) -> int:
        """Gives a scenario's second in µs since the epoch."""
        return int(START.timestamp()) * 1_000_000 + round(seconds * 1_000_000)

    def send(
        self, sensor: Sensor, at: float, value: float, quality: Quality = Quality.GOOD, *, arrives: float | None = None
    ) -> None:
        """Puts one reading into its sensor's shards."""
        self.send_many([(sensor, at, value, quality)], arrives=at if arrives is None else arrives)

    def send_many(self, readings: Iterable[tuple[Sensor, float, float, Quality]], *, arrives: float) -> None:
        """Puts readings into their shards as one request would."""
        by_shard: dict[tuple[int, bool], list[tuple[int, int, float, int]]] = {}
        for sensor, at, value, quality in readings:
            row = (sensor.pk, self.us(at), value, int(quality))
            by_shard.setdefault((sensor.asset.shard, False), []).append(row)
            for route in sensor.routes.all():
                by_shard.setdefault((route.shard, True), []).append(row)
        for (shard, copy), rows in by_shard.items():
            ids, times, values, qualities = zip(*rows, strict=True)
            batch = Batch(
                np.array(ids, np.int32), np.array(times, np.int64), np.array(values), np.array(qualities, np.uint8)
            )
            number = self.client.hincrby(stream.TOTALS, f"n{shard}", 1) - 1
            fields: dict[bytes, bytes] = {b"b": codec.pack(batch), b"n": b"%d" % number}
            if copy:
                fields[b"c"] = b"1"
            self._count += 1
            self.client.xadd(stream.stream_key(shard), fields, id=f"{self.us(arrives) // 1000}-{self._count}")

    def drain(self, at: float) -> list[Report]:
        """Drains every shard with the clock at a second."""
        shards = Checkpoint.objects.order_by("shard").values_list("shard", flat=True)
        return [process_shard(shard, clock=self.us(at)) for shard in shards]

    def listens(self, since: float = -3600.0, until: float = 1e6) -> None:
        """Lets an intake listen from one second to another."""
        self.client.hset(hearing.LISTENING, mapping={"since": self.us(since), "last": self.us(until)})

    def tick(self, at: float) -> None:
        """Drains every shard and does what time alone brings about, as each second does."""
        self.drain(at)
        silence.judge(self.at(at), clock=self.us(at))

    @staticmethod
    def states() -> list[tuple[str, str]]:
        """Gives the open alarms as (message, state), the oldest first."""
        return [(alarm.message, str(alarm.state)) for alarm in Alarm.objects.filter(closed=None).order_by("pk")]

    @staticmethod
    def journal() -> list[tuple[str, str, str, float]]:
        """Gives the journal as (event, from, to, second at which it was due)."""
        return [
            (entry.event, entry.from_state, entry.to_state, (entry.time - START).total_seconds())
            for entry in JournalEntry.objects.order_by("pk")
        ]
