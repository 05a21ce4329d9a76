"""A machine's last 24 hours: in which state it was when, as a line and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.instants import to_us
from devices.labels import label_key
from devices.models import Sensor
from devices.telemetry import history
from devices.telemetry.batch import Quality
from devices.telemetry.codec import Columns
from plant.machines import KIND_WORDS, NO_DATA, Kind, judging

SPAN = timedelta(hours=24)
TICKS = 8  # stretches between two labels


class Stretch(NamedTuple):
    """A time in one state, in µs since the epoch."""

    kind: Kind
    start: int
    end: int


class Lasting(NamedTuple):
    """How long a state has lasted."""

    since: int | None  # s since the epoch; None: for longer than the day
    longer: bool  # perhaps: no more than that it was so already is known of then


@dataclass(frozen=True, slots=True)
class Day:
    """A machine's last 24 hours."""

    stretches: Sequence[Stretch]
    start: int
    end: int
    due: int = 0  # µs after its beginning within which a first reading leaves nothing open

    def lasting(self, kind: Kind) -> Lasting | None:
        """Gives since when the state has lasted; None where the day does not end in it, or has nothing else."""
        if not self.stretches or self.stretches[-1].kind != kind:
            return None
        start, before = self.stretches[-1].start, self.stretches[-2] if len(self.stretches) > 1 else None
        if before is not None and before.kind != Kind.OFFLINE:
            return Lasting(start // 1_000_000, longer=False)
        if kind == Kind.OFFLINE:
            return None  # nothing was ever heard, for all that is known
        return Lasting(None if start - self.start <= self.due else start // 1_000_000, longer=True)

    @property
    def words(self) -> str:
        """Gives the same in words: running 20 h 46, idle 1 h 33."""
        return words(self.stretches)

    @property
    def seconds(self) -> list[tuple[str, float, float]]:
        """Gives the stretches for the page's script: state, from and to in seconds since the epoch."""
        return [(str(kind), start / 1e6, end / 1e6) for kind, start, end in self.stretches]

    @property
    def start_seconds(self) -> float:
        """Gives its beginning in seconds since the epoch."""
        return self.start / 1e6

    @property
    def end_seconds(self) -> float:
        """Gives its end in seconds since the epoch."""
        return self.end / 1e6

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Gives where which time of day stands under the line, in per cent; the last is now."""
        wide = (self.end - self.start) / TICKS
        moments = [datetime.fromtimestamp((self.start + wide * place) / 1e6, UTC) for place in range(TICKS)]
        shown = [f"{timezone.localtime(moment):%H:%M}" for moment in moments]
        return [(place * 100 / TICKS, text) for place, text in enumerate([*shown, _("now")])]


def of_machine(teller: Sensor, labels: Mapping[str, tuple[str, str]], now: datetime) -> Day:
    """Gives the day of a machine. Takes: the sensor that tells its state, and what its values mean.

    Cost: two queries; about 5 ms for a reading every two seconds.
    """
    end = to_us(now)
    start = end - int(SPAN.total_seconds() * 1e6)
    columns = history.read(teller.pk, start, end)
    silent = judging([teller.interval]).offline
    due = 0 if silent is None else int(silent * 1e6)
    return Day(stretches(columns, labels, start, end, silent=silent), start, end, due)


def stretches(
    columns: Columns, labels: Mapping[str, tuple[str, str]], start: int, end: int, *, silent: float | None
) -> list[Stretch]:
    """Gives the states one after the other, without a hole; a silence of `silent` seconds is a time without data.

    None is never.
    """
    good = columns.quality < Quality.BAD
    times, values = columns.time[good], columns.value[good]
    if not len(times):
        return [Stretch(Kind.OFFLINE, start, end)]
    most = end - start if silent is None else int(min(silent * 1e6, end - start))
    # A state stands until the next reading, but no longer than a silence takes to count as one.
    ends = np.append(times[1:], end)
    known = np.minimum(ends, times + most)
    kinds = {value: Kind(labels.get(label_key(value), (Kind.REPORTING, ""))[0]) for value in np.unique(values).tolist()}
    turns = np.flatnonzero((np.diff(values) != 0) | (ends[:-1] > known[:-1])) + 1
    found: list[Stretch] = []
    _add(found, Kind.OFFLINE, start, int(times[0]))
    for first, last in zip([0, *turns.tolist()], [*turns.tolist(), len(times)], strict=True):
        _add(found, kinds[float(values[first])], int(times[first]), int(known[last - 1]))
        _add(found, Kind.OFFLINE, int(known[last - 1]), int(ends[last - 1]))
    return found


def _add(found: list[Stretch], kind: Kind, start: int, end: int) -> None:
    if end <= start:
        return
    if found and found[-1].kind == kind and found[-1].end >= start:
        found[-1] = Stretch(kind, found[-1].start, end)
    else:
        found.append(Stretch(kind, start, end))


def words(parts: Sequence[Stretch]) -> str:
    """Gives how long each state lasted, the longest first."""
    lasted: dict[Kind, int] = {}
    for kind, start, end in parts:
        lasted[kind] = lasted.get(kind, 0) + end - start
    ranked = sorted(lasted.items(), key=lambda item: -item[1])
    shown = [(NO_DATA if kind == Kind.OFFLINE else KIND_WORDS[kind], lasting(took / 1e6)) for kind, took in ranked]
    return ", ".join(f"{word} {text}" for word, text in shown)


def lasting(seconds: float) -> str:
    """Gives 20 h 46, 48 min, or under 1 min."""
    minutes = int(seconds // 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d}"
    return f"{minutes} min" if minutes else _("under 1 min")
