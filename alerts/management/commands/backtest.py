"""`manage.py backtest PLANT.yaml READINGS.csv`: what the rules of a file make of the readings of another."""

import csv
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alerts.backtest import BadFile, bench_of, over_file
from alerts.instants import from_us
from devices.configuration import ConfigurationError, read_plant


class Command(BaseCommand):
    """Needs no server and no database."""

    help = "Put recorded readings to a plant's rules and print the transitions as CSV."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Names the two files."""
        parser.add_argument("plant", type=Path, help="plant.yaml with assets, sensors and rules")
        parser.add_argument("readings", help="CSV with time,sensor,value[,quality]; - for standard input")

    def handle(self, *args: Any, plant: Path, readings: str, **options: Any) -> None:
        """Prints time,rule,sensor,transition,value."""
        try:
            bench = bench_of(read_plant(plant.read_text(encoding="utf-8-sig")))
        except OSError as error:
            raise CommandError(f"{plant} cannot be read: {error.strerror}.") from None
        except ConfigurationError as error:
            raise CommandError("\n".join(f"{plant}, {problem}" for problem in error.errors)) from None
        try:
            if readings == "-":
                found, unknown = over_file(bench, sys.stdin)
            else:
                with Path(readings).open(encoding="utf-8-sig", newline="") as file:
                    found, unknown = over_file(bench, file)
        except OSError as error:
            raise CommandError(f"{readings} cannot be read: {error.strerror}.") from None
        except BadFile as error:
            raise CommandError(f"{readings}, {error}") from None
        table = csv.writer(self.stdout, lineterminator="\n")
        table.writerow(["time", "rule", "sensor", "transition", "value"])
        for row in found:
            name, tag = bench.names[row.rule]
            value = "" if row.value != row.value else repr(row.value)  # no value: NaN
            time = from_us(row.time).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            table.writerow([time, name, tag, "active" if row.active else "return", value])
        for tag, count in sorted(unknown.items()):
            self.stderr.write(f"{tag}: not in {plant}; {count} readings passed over")
