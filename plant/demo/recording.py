"""The recorded machine: a real series, repeated faster than it was recorded.

Source: machine_temperature_system_failure of the Numenta Anomaly Benchmark, MIT licence, data/NAB_MIT.txt.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from plant.demo.layout import Floats

DATA = Path(__file__).with_name("data")
SERIES = DATA / "machine_temperature_system_failure.csv.gz"
TAG = "recorded-machine/temperature"
SOURCE = "recorder"
SPEED = 300  # one reading a second for one in five minutes: the whole series takes 6 h 18 min


def rows() -> Iterator[tuple[datetime, float]]:
    """Gives the series as it was recorded: time in UTC (nominal) and value."""
    with gzip.open(SERIES, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield datetime.fromisoformat(row["timestamp_utc"]), float(row["value"])


class Recording:
    """The series on the clock: its first reading stands at `start`, and after its last the first comes again."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.values: Floats = np.round([value for _, value in rows()], 2)

    def at(self, time: int) -> float:
        """Gives the value of a second since the epoch."""
        return float(self.values[(time - self.start) % len(self.values)])
