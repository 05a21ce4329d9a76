"""Measures the history beside a plain table of rows, in one run, on one machine.

    python -m tests.bench.history [--days 30]

Both are filled with the same signal, 1 Hz with two decimals, asked for the same picture and put to the same rule. The
table of rows is what a Django tutorial would write: one row a reading, indexed by sensor and time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

START = 1_767_225_600_000_000  # 2026-01-01
SECOND = 1_000_000
DAY = 86_400
SENSOR = 1


def best(measured: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Gives the shortest of some runs in seconds, and what the last one gave."""
    shortest, found = float("inf"), None
    for _ in range(times):
        begun = time.perf_counter()
        found = measured()
        shortest = min(shortest, time.perf_counter() - begun)
    return shortest, found


def cpu_seconds(measured: Callable[[], Any], times: int = 1) -> tuple[list[float], Any]:
    """Gives what some runs took of the processor, and what the last one gave: others on the machine count little."""
    spent, found = [], None
    for _ in range(times):
        begun = time.process_time()
        found = measured()
        spent.append(time.process_time() - begun)
    return spent, found


def signal(count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Gives a bearing temperature: load cycles of ten minutes, a daily wave, a slow walk, noise of 0.05."""
    second = np.arange(count)
    rng = np.random.default_rng(1)
    walk = np.cumsum(rng.normal(0, 0.006, count))
    wave = 5 * np.sin(second / 600) + 2 * np.sin(second / DAY * 2 * np.pi)
    heat: np.ndarray[Any, np.dtype[np.float64]] = np.round(
        60 + wave + walk - np.linspace(0, walk[-1], count) + rng.normal(0, 0.05, count), 2
    )
    return heat


def main() -> None:
    """Fills both, measures both, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    days = parser.parse_args().days
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        os.environ["ANDON_VAR"] = folder
        os.environ.pop("DATABASE_URL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plant.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", "alerts", verbosity=0)
        run(days, Path(folder))


def run(days: int, folder: Path) -> None:
    """Measures on the fresh database under `folder`."""
    from django.db import connection, models, transaction
    from tsdownsample import MinMaxDownsampler

    from devices.models import Asset, Chunk, Level, Segment, Sensor
    from devices.telemetry import history
    from devices.telemetry.batch import Batch
    from devices.telemetry.codec import pack, pack_chunk, unpack, unpack_chunk

    class Row(models.Model):
        sensor = models.IntegerField()
        time = models.DateTimeField()
        value = models.FloatField()

        class Meta:
            app_label = "bench"
            indexes = [models.Index(fields=["sensor", "time"], name="row_by_time")]

    def size() -> int:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA page_count")
            pages = cursor.fetchone()[0]
            cursor.execute("PRAGMA page_size")
            return int(pages * cursor.fetchone()[0])

    asset = Asset.objects.create(code="press", name="Press", level=Level.MACHINE)
    Sensor.objects.create(pk=SENSOR, asset=asset, key="temp", name="Temperature", interval=1.0)
    count = days * DAY
    values = signal(count)
    times = START + np.arange(count) * SECOND
    end = int(times[-1])
    print(f"{count:,} readings: {days} days of 1 Hz, two decimals, one sensor\n")

    empty = size()
    begun = time.perf_counter()
    longest = 0.0
    for first in range(0, count, 600):  # a drain each ten minutes, a fold each hour
        rows = slice(first, first + 600)
        n = len(times[rows])
        batch = Batch(np.full(n, SENSOR, np.int32), times[rows], values[rows], np.zeros(n, np.uint8))
        history.append(0, batch, np.zeros(n, np.bool_))
        if first % 3600 == 3000:
            longest = max(longest, history.fold(int(times[rows][-1])).longest_ms)
    history.fold(end, everything=True)
    filled = time.perf_counter() - begun
    packed = size()
    chunks = list(Chunk.objects.values_list("level", flat=True))
    per_reading = (packed - empty) / count

    with connection.schema_editor() as editor:
        editor.create_model(Row)
    begun = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        stamps = np.datetime_as_string(times.astype("M8[us]"), unit="s")
        for first in range(0, count, 100_000):
            some = zip(stamps[first : first + 100_000].tolist(), values[first : first + 100_000].tolist(), strict=True)
            cursor.executemany(
                "INSERT INTO bench_row (sensor, time, value) VALUES (1, %s, %s)",
                [(stamp.replace("T", " "), value) for stamp, value in some],
            )
    row_filled = time.perf_counter() - begun
    per_row = (size() - packed) / count

    def from_rows() -> Any:
        found = list(
            Row._default_manager.filter(sensor=SENSOR, time__range=(stamp(START), stamp(end)))
            .order_by("time")
            .values_list("time", "value")
        )
        x = np.array([moment.timestamp() * 1e6 for moment, _ in found]).astype(np.int64)
        y = np.array([value for _, value in found])
        chosen = MinMaxDownsampler().downsample(x, y, n_out=2000)  # type: ignore[no-untyped-call]
        return x[chosen], y[chosen]

    drawn, line = best(lambda: history.read_points(SENSOR, START, end, 2000), 5)
    row_drawn, (_, y) = best(from_rows, 1)
    assert line.value.min() == y.min()
    assert line.value.max() == y.max()
    read, _ = best(lambda: history.read(SENSOR, START, end))
    scanned, _ = best(lambda: sum(len(columns) for _, columns in history.scan([SENSOR], START, end)))
    one_day = pack_chunk(history.read(SENSOR, START, START + DAY * SECOND - 1))
    decoded, _ = best(lambda: unpack_chunk(one_day), 20)

    table = [
        ("", "Andon", "table of rows", "ratio", ""),
        (
            "bytes a reading in the file",
            f"{per_reading:.2f}",
            f"{per_row:.1f}",
            f"{per_row / per_reading:.0f}x",
            "2.5 B",
        ),
        (
            "drawn in 2,000 points, ms",
            f"{drawn * 1e3:.1f}",
            f"{row_drawn * 1e3:.0f}",
            f"{row_drawn / drawn:.0f}x",
            "20x",
        ),
        ("filled and folded, s", f"{filled:.2f}", f"{row_filled:.2f}", "", ""),
    ]
    for name, ours, theirs, ratio, goal in table:
        print(f"{name:30}{ours:>12}{theirs:>16}{ratio:>8}" + (f"   goal {goal}" if goal else ""))
    print(f"\nread whole        {count / read / 1e6:8.1f} M readings/s")
    print(f"scan              {count / scanned / 1e6:8.1f} M readings/s")
    print(f"decode one day    {DAY / decoded / 1e6:8.1f} M readings/s, {len(one_day) / DAY:.2f} B a reading")
    print(f"chunks            {', '.join(f'{chunks.count(level)} of level {level}' for level in range(3))}")
    print(f"longest write lock of a fold {longest:.1f} ms\n")
    backtest(count, values, end, Row._default_manager.filter(sensor=SENSOR))

    print(f"{'readings in a batch':>22}{'pack':>10}{'unpack':>10}{'prepare':>10}{'save':>10}   µs")
    for n in (1, 60, 1_000, 20_000, 200_000):
        sensors = (np.arange(n) % 1_000).astype(np.int32) + 1
        batch = Batch(sensors, START + np.arange(n) // 1_000 * SECOND, values[:n].copy(), np.zeros(n, np.uint8))
        late = np.zeros(n, np.bool_)
        wire = pack(batch)
        costs = [
            best(lambda b=batch: pack(b), 10)[0],  # type: ignore[misc]
            best(lambda w=wire: unpack(w), 10)[0],  # type: ignore[misc]
            best(lambda b=batch, m=late: history.prepare(1, b, m), 10)[0],  # type: ignore[misc]
            best(lambda b=batch, m=late: history.prepare(1, b, m).save(force_insert=True), 5)[0],  # type: ignore[misc]
        ]
        costs[3] -= costs[2]
        print(f"{n:>22,}" + "".join(f"{cost * 1e6:>10.0f}" for cost in costs))
    Segment.objects.all().delete()


def backtest(count: int, values: np.ndarray[Any, Any], end: int, rows: Any) -> None:
    """Puts rules to the whole history by what the API calls, decoding included, and one to a loop over the rows."""
    from alerts.backtest import stored
    from alerts.engine.rules import Kind, RuleSpec

    limit, on_delay = float(np.percentile(values, 90)), 5
    high = RuleSpec(
        id=1, version=1, kind=Kind.HIGH, inputs=(SENSOR,), limit=limit, deadband=0.5, on_delay=on_delay * SECOND
    )
    rate = RuleSpec(id=2, version=1, kind=Kind.RATE_HIGH, inputs=(SENSOR,), limit=2.0, window=60 * SECOND)
    flat = RuleSpec(id=3, version=1, kind=Kind.FLATLINE, inputs=(SENSOR,), tolerance=0.05, duration=10 * SECOND)

    def from_rows() -> int:
        found, active, since = 0, False, None
        for moment, value in rows.order_by("time").values_list("time", "value").iterator():
            if since is not None and (moment - since).total_seconds() >= on_delay:
                active, since, found = True, None, found + 1
            if active:
                if value < limit - 0.5:
                    active, found = False, found + 1
            elif value < limit:
                since = None
            elif since is None:
                since = moment
        return found

    (naive,), crossings = cpu_seconds(from_rows)
    print(f"{'backtest, M readings per CPU second':40}{'best':>8}{'median':>8}{'ratio':>8}{'transitions':>13}")
    for name, specs in (("a high rule", [high]), ("high, rate and flatline on one sensor", [high, rate, flat])):
        stored(specs, START, end, as_judged=False)
        spent, found = cpu_seconds(lambda chosen=specs: stored(chosen, START, end, as_judged=False), 9)  # type: ignore[misc]
        fastest, usual = (count / seconds / 1e6 for seconds in (min(spent), statistics.median(spent)))
        print(f"{name:40}{fastest:8.1f}{usual:8.1f}{naive / min(spent):7.0f}x{len(found):13,}   goal 20")
        assert sum(row.rule == high.id for row in found) == crossings
    print(f"{'a high rule in a loop over rows':40}{count / naive / 1e6:8.2f}{'':8}{'':8}{crossings:13,}\n")


def stamp(us: int) -> Any:
    """Gives µs since the epoch as a datetime."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(us / 1e6, UTC)


if __name__ == "__main__":
    main()
