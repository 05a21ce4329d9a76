"""Measures the figures of a month of 50,000 rows of the journal, beside reading those rows as objects.

    python -m tests.bench.figures [--rows 50000] [--runs 7]

An alarm has three rows, one of a hundred rules, and stands for minutes: raised, acknowledged, returned.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = timedelta(days=31)
RULES = 100
LIFE = (("raise", "AB"), ("ack", "BC"), ("clear", "CA"))
AT_ONCE = 2_000


def main() -> None:
    """Fills a database of its own and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder:
        os.environ["ANDON_VAR"] = folder
        os.environ.pop("DATABASE_URL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plant.settings")
        import django

        django.setup()
        from tests import migrated

        migrated.copy_to(Path(folder) / "andon.sqlite3")
        fill(options.rows)
        run(options.runs)


def fill(rows: int) -> None:
    """Writes the month as the pipeline does: chained rows, their alarms beside them."""
    from django.db import transaction

    from alerts import journal
    from alerts.models import Alarm, JournalEntry

    chance = random.Random(1)
    steps: list[tuple[datetime, Alarm, str, str]] = []
    alarms = []
    for number in range(-(-rows // len(LIFE))):
        rule = min(RULES, int(chance.paretovariate(0.8)))  # a few are most of it, as everywhere
        at = START + MONTH * chance.random() * 0.98
        ends = at + timedelta(seconds=chance.lognormvariate(5, 1.2))
        alarms.append(
            Alarm(
                pk=number + 1, rule_name=f"Rule {rule}", tag=f"press-{rule}/temp", asset_code=f"press-{rule}",
                priority=1 + min(3, int(chance.expovariate(0.8))), state="A", raised=at, closed=ends,
                message="Temperature high", frozen={"time_to_respond": 300.0},
            )
        )  # fmt: skip
        moments = (at, at + (ends - at) * chance.random(), ends)
        steps += [(moment, alarms[-1], *step) for moment, step in zip(moments, LIFE, strict=True)]
    steps.sort(key=lambda step: step[0])
    Alarm.objects.bulk_create(alarms, batch_size=AT_ONCE)
    for first in range(0, rows, AT_ONCE):
        with transaction.atomic():
            journal.write(
                [
                    JournalEntry(
                        time=at, event=event, from_state=letters[0], to_state=letters[1], alarm=alarm,
                        rule_id=int(alarm.rule_name.split()[1]), rule_name=alarm.rule_name, tag=alarm.tag,
                    )
                    for at, alarm, event, letters in steps[first : min(rows, first + AT_ONCE)]
                ],
                START + MONTH,
            )  # fmt: skip


def run(runs: int) -> None:
    """Measures both, and prints the least, the middle and the most of the runs."""
    from alerts.figures.query import report
    from alerts.models import JournalEntry

    end = START + MONTH

    def figures() -> int:
        return report(position=None, start=START, end=end, now=end + timedelta(days=1)).figures.annunciations

    def objects() -> int:
        rows = JournalEntry.objects.filter(time__gte=START, time__lt=end).select_related("alarm")
        return sum(row.event == "raise" for row in rows)

    rows = JournalEntry.objects.filter(time__gte=START, time__lt=end).count()
    print(f"figures of a month, {rows:,} rows of the journal, {runs} runs; s: least / middle / most")
    ours, found = timed(figures, runs)
    theirs, counted = timed(objects, runs)
    assert found == counted, (found, counted)
    for name, (cpu, wall) in (("all figures", ours), ("the rows read as objects", theirs)):
        print(f"  {name:26} CPU {spread(cpu)}   wall {spread(wall)}")
    print(f"  ratio, middle CPU          {statistics.median(theirs[0]) / statistics.median(ours[0]):.1f}x")


def timed(measured: Callable[[], Any], runs: int) -> tuple[tuple[list[float], list[float]], Any]:
    """Gives CPU and wall seconds of some runs after a first one that is not counted, and what the last one gave."""
    measured()
    cpu, wall, found = [], [], None
    for _ in range(runs):
        worked, begun = time.process_time(), time.perf_counter()
        found = measured()
        cpu.append(time.process_time() - worked)
        wall.append(time.perf_counter() - begun)
    return (cpu, wall), found


def spread(seconds: list[float]) -> str:
    """Gives the least, the middle and the most."""
    return f"{min(seconds):.2f} / {statistics.median(seconds):.2f} / {max(seconds):.2f}"


if __name__ == "__main__":
    main()
