"""The benchmark, one command: python -m tests.bench [--quick] [--postgres] [PART ...]. Prints tables; judges nothing.

Parts: naive, way, sensors, single, latency, rooms, overview, tiles, history, trend, figures; and soak, ten minutes
that are only run when they are named (--minutes for another time).
Andon, the load generator and the naive path share this machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tests.bench import overview, rooms, soak, tiles, way
from tests.postgres_server import Postgres
from tests.stack import ROOT

PARTS = ("naive", "way", "sensors", "single", "latency", "rooms", "overview", "tiles", "history", "trend", "figures")


@contextmanager
def ready(sensors: int, *, intake: bool = False, postgres: bool = False) -> Iterator[way.Ready]:
    """Gives a running stack on an empty folder; on a PostgreSQL that waits for the disk where that is asked for."""
    folder = Path(tempfile.mkdtemp(prefix="andon-bench-"))
    try:
        with Postgres(durable=True) if postgres else nullcontext() as server:
            database = server.url() if server is not None else ""
            stand = way.Ready.of(folder / "var", sensors, intake=intake, database=database)
            try:
                yield stand
            finally:
                stand.stack.__exit__()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def row(name: str, found: dict[str, Any], naive: float | None) -> None:
    """Prints one line of the throughput table."""
    ratio = f"{found['rate'] / naive:8.0f} x" if naive else ""
    lag = f"{found['lag_first_half']:.2f} / {found['lag_second_half']:.2f} s"
    statuses = " ".join(f"{status}:{count}" for status, count in sorted(found["statuses"].items()))
    memory = sum(found["memory"].values())
    print(
        f"{name:44} {found['rate']:10,.0f}/s {ratio:>10}  {found['requests']:8,.0f} req/s  lag {lag:>15}"
        f"  {found['cpu'] * 1e6:5.2f} µs CPU  {memory:5,.0f} MB  {statuses}",
        flush=True,
    )


def main() -> None:
    """Runs the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"any of {', '.join(PARTS)}, soak")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time, for a look")
    parser.add_argument("--postgres", action="store_true", help="way, sensors, single, latency and soak on PostgreSQL")
    parser.add_argument(
        "--minutes", type=float, default=0, help="how long tiles are watched, instead of one; or a soak, instead of ten"
    )
    options = parser.parse_args()
    parts = options.parts or PARTS
    seconds = 12.0 if options.quick else 60.0
    short = seconds / 3
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    naive = None
    if "naive" in parts:
        folder = Path(tempfile.mkdtemp(prefix="andon-naive-"))
        yardstick = way.naive(folder / "var", readings=1000 if options.quick else 3000)
        shutil.rmtree(folder, ignore_errors=True)
        naive = yardstick["rate"]
        print(
            f"{'naive: a row and a task per reading':44} {naive:10,.0f}/s  {yardstick['bytes']:.0f} bytes a reading\n"
        )
    best = 0.0
    if "way" in parts:
        with ready(1000, postgres=options.postgres) as stand:
            for batch, connections, length in ((1000, 4, seconds), (100, 8, short), (10, 16, short)):
                found = way.throughput(stand, seconds=length, batch=batch, connections=connections)
                best = max(best, found["rate"])
                row(f"1,000 sensors, batches of {batch:,}", found, naive)
            print("  MB by process:", {name: round(size) for name, size in found["memory"].items()})
    if "sensors" in parts:
        costs = []
        for sensors in (1_000, 10_000, 50_000):
            with ready(sensors, postgres=options.postgres) as stand:
                # The first seconds compile the engine and make each sensor's first chunk; they are not counted.
                way.throughput(stand, seconds=short / 4, batch=1000, connections=4)
                found = way.throughput(stand, seconds=short, batch=1000, connections=4)
                costs.append(found["cpu"])
                row(f"{sensors:,} sensors, batches of 1,000", found, naive)
        print(f"  a reading's CPU against 1,000 sensors: {', '.join(f'{cost / costs[0]:.2f} x' for cost in costs)}")
    if "single" in parts:
        for intake, word in ((False, "inside Daphne"), (True, "separate intake")):
            with ready(1000, intake=intake, postgres=options.postgres) as stand:
                found = way.throughput(stand, seconds=short, batch=1, connections=64)
                row(f"single readings, 64 connections, {word}", found, naive)
    if "latency" in parts:
        with ready(1000, postgres=options.postgres) as stand:
            crossings = 100 if options.quick else 500
            for rate in (1000.0, (best or 200_000.0) / 2):
                waits = way.latency(stand, crossings=crossings, rate=rate)
                figures = ", ".join(f"{name} {value:.0f} ms" for name, value in waits.items())
                print(f"{f'reading to alarm at the socket, {rate:,.0f}/s':44} {figures}", flush=True)
    if "rooms" in parts:
        folder = Path(tempfile.mkdtemp(prefix="andon-bench-"))
        stand = rooms.prepare(folder, 50_000)
        try:
            found = rooms.rooms(stand, crossings=20 if options.quick else 100)
        finally:
            stand.stack.__exit__()
            shutil.rmtree(folder, ignore_errors=True)
        waits = found["waits"]
        shares = {share: waits[min(len(waits) - 1, len(waits) * share // 100)] * 1000 for share in (50, 95, 99, 100)}
        figures = ", ".join(f"p{share} {value:.0f} ms" for share, value in shares.items())
        print(f"{'50,000 sensors at 1 Hz, alarm at 200 sockets':44} {figures}")
        print(
            f"  one more socket reads nothing; {found['rows']:,.0f} rows/s at the others, {len(found['ended'])} ended; "
            f"lag {found['lag']:.2f} s, {found['cpu']:.2f} cores, {found['memory']:,.0f} MB",
            flush=True,
        )
    if "overview" in parts:
        with ready(50_000, intake=True) as stand:
            for name, told in overview.overview(stand, seconds=short):
                print(
                    f"{f'50,000 sensors at 1 Hz, a page told {name}':60} {told['bytes'] / 1e6:6.3f} MB/s, "
                    f"{told['snapshot'] / 1e6:.2f} MB at first, web {told['cpu']:.2f} cores",
                    flush=True,
                )
    if "tiles" in parts:
        folder = Path(tempfile.mkdtemp(prefix="andon-bench-"))
        try:
            print(tiles.table(tiles.look(folder / "var", seconds=options.minutes * 60 or seconds)), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if "history" in parts:
        words = ["--days", "4"] if options.quick else ["--days", "30"]
        subprocess.run([sys.executable, "-m", "tests.bench.history", *words], cwd=ROOT, check=True)
    if "trend" in parts:
        words = ["--days", "4"] if options.quick else ["--days", "30"]
        subprocess.run([sys.executable, "-m", "tests.bench.trend", *words], cwd=ROOT, check=True)
    if "figures" in parts:
        words = ["--runs", "3"] if options.quick else []
        subprocess.run([sys.executable, "-m", "tests.bench.figures", *words], cwd=ROOT, check=True)
    if "soak" in parts:
        with ready(1000, postgres=options.postgres) as stand:
            print(soak.soak(stand, minutes=options.minutes or 10.0).table(), flush=True)


if __name__ == "__main__":
    main()
