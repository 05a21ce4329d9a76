"""`manage.py reshard COUNT`: another number of shards, while everything runs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Changes what bounds the useful number of telemetry workers."""

    help = "Change the number of shards; senders are asked to come again for the seconds that it takes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Names the number."""
        parser.add_argument("count", type=int, help="how many shards there are to be")

    def handle(self, *args: Any, count: int, **options: Any) -> None:
        """Does it, and says what was done."""
        # Loads the compiled engine, which no other command needs.
        from devices.resharding import Refused, reshard

        try:
            done = reshard(count=count)
        except Refused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{done.before} shards before, {done.after} now; {done.assets} assets moved. "
            f"Nothing was taken in for {done.seconds:.1f} s."
        )
