"""`manage.py replay FILE.csv --sensor TAG`: sends recorded readings through the ordinary HTTP intake."""

from __future__ import annotations

import os
import secrets
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError

from devices import services
from devices.models import Sensor
from plant import replay
from plant.demo.sender import Client

SOME_REJECTED = 2  # exit code
BAR = 30  # characters


class Command(BaseCommand):
    """Reads the whole file first, so that a wrong line is told before anything is sent."""

    help = (
        "Sends the readings of a CSV file (columns time, value and, if there is one, quality) to the intake. "
        "Exit code 0: all accepted, 1: could not be sent, 2: some rejected."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Names the arguments."""
        parser.add_argument("file", type=Path, help="the recording; .csv or .csv.gz")
        parser.add_argument("--sensor", required=True, metavar="TAG", help="the sensor, for example press-01/flow")
        parser.add_argument(
            "--speed", type=_speed, help="times as fast as it was recorded; without it as fast as the intake takes it"
        )
        parser.add_argument(
            "--shift-to-now",
            action="store_true",
            help="moves the times to now: with --speed the first reading, and the others at that pace; else the last",
        )
        parser.add_argument("--zone", type=_zone, help="of times without an offset, for example UTC or Europe/Berlin")
        port = os.environ.get("ANDON_PORT") or "8000"
        parser.add_argument("--url", default=f"http://127.0.0.1:{port}", help="the server (default: %(default)s)")
        parser.add_argument(
            "--token", help="of a source; else ANDON_TOKEN, else a source is made for the time of the replay"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Does it."""
        try:
            recorded = replay.read(options["file"], zone=options["zone"])
            speed = options["speed"]
            rows = recorded
            if options["shift_to_now"]:
                rows = replay.shifted(recorded, time.time_ns() // 1000, speed)
            given = options["token"] or os.environ.get("ANDON_TOKEN")
            with _token(given, options["sensor"]) as token:
                client = Client(options["url"], token)
                bar = Bar(self.stderr)
                try:
                    done = replay.send(
                        client,
                        options["sensor"],
                        rows,
                        replay.Pace(recorded, speed),
                        tell=bar.show,
                        token_may_be_new=not given,
                    )
                finally:
                    bar.end()
                    client.close()
        except (replay.ReplayError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("stopped.")
            raise SystemExit(130) from None
        self.stdout.write(f"{done.accepted} of {done.total} readings accepted.")
        if done.rejected:
            words = f"{done.rejected} rejected; the first: {done.first_error}"
            raise CommandError(words, returncode=SOME_REJECTED)


@contextmanager
def _token(given: str | None, tag: str) -> Iterator[str]:
    """Gives the token to send with: the given one, or that of a source that lives as long as this."""
    if given:
        yield given
        return
    code, _, key = tag.partition("/")
    sensor = Sensor.objects.select_related("asset").filter(asset__code=code, key=key).first()
    if sensor is None:
        raise replay.ReplayError(f"there is no sensor {tag} in this database; for another server name a --token.")
    source, token = services.create_source(name=f"replay-{secrets.token_hex(4)}", scope=sensor.asset)
    try:
        yield token
    finally:
        services.delete_source(source=source)


class Bar:
    """Progress on a terminal as a bar, elsewhere a line for each tenth."""

    def __init__(self, out: Any) -> None:
        self.out = out
        self.live = bool(getattr(out, "isatty", lambda: False)())
        self.begun = time.monotonic()
        self.tenth = 0
        self.drawn = False

    def show(self, at: replay.Progress) -> None:
        """Draws how far it is."""
        part = at.sent / at.total
        rate = at.sent / max(time.monotonic() - self.begun, 1e-3)
        words = f"{at.sent:,} of {at.total:,} readings, {rate:,.0f}/s".replace(",", "\u2009")
        if at.rejected:
            words += f", {at.rejected} rejected"
        if self.live:
            full = round(part * BAR)
            self.out.write(f"\r[{'#' * full}{'.' * (BAR - full)}] {part:4.0%} {words} ", ending="")
            self.out.flush()
            self.drawn = True
        elif int(part * 10) > self.tenth:
            self.tenth = int(part * 10)
            self.out.write(f"{part:4.0%} {words}")

    def end(self) -> None:
        """Leaves the bar's line."""
        if self.drawn:
            self.out.write("")


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 < value < float("inf"):
        raise ArgumentTypeError("the speed is above 0, for example 60 for a minute in a second")
    return value


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ArgumentTypeError(f"unknown time zone {text!r}; for example UTC or Europe/Berlin") from None
