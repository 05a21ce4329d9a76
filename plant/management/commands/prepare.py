"""`manage.py prepare`: brings the database to where the processes can start."""

import io
import json
import os
import re
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from devices.models import Asset
from devices.services import ensure_shards
from plant import demo
from plant.roles import ensure_first_person, ensure_roles
from plant.supervisor import kept_code
from plant.tokens import make_link


class Command(BaseCommand):
    """Migrates, sees that shards, roles and the first person exist, and fills an empty plant with the demo."""

    help = "Prepares the database; every start calls it. Its last line is JSON for the program that called."
    requires_system_checks = ["__all__"]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Names the arguments."""
        parser.add_argument("--no-demo", action="store_true", help="leave an empty plant empty")
        parser.add_argument(
            "--no-link", action="store_true", help="make no sign-in link; a service's log would keep it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Does it all in one process, because starting one costs more than any of it."""
        if kept := os.environ.get("NUMBA_CACHE_DIR"):
            kept_code.renew(Path(kept), settings.BASE_DIR)
        executor = MigrationExecutor(connection)
        if steps := executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._say("migrating the database …")
            progress = Progress(len(steps), self._say)
            call_command("migrate", verbosity=1, interactive=False, no_color=True, stdout=progress)
        ensure_shards()
        ensure_roles()
        person = ensure_first_person()
        if not options["no_demo"] and not Asset.objects.exists():
            self._say("the database is empty: loading the demo plant …")
            demo.load()
        found = {
            "link": None if options["no_link"] else make_link(user=person, now=timezone.now()),
            "demo": not options["no_demo"] and demo.is_loaded(),
        }
        self.stdout.write(json.dumps(found))

    def _say(self, text: str) -> None:
        """Tells a person, beside the answer for the program."""
        self.stderr.write(f"andon: {text}", style_func=str)
        self.stderr.flush()


class Progress(io.StringIO):
    """What `migrate` writes, told again in a line now and then: an empty database takes it half a minute."""

    PAUSE = 3.0  # seconds from line to line

    def __init__(self, steps: int, say: Callable[[str], None]) -> None:
        super().__init__()
        self.steps, self.say = steps, say
        self.begun = 0
        self.said_at = monotonic()

    def write(self, text: str) -> int:
        """Takes a piece of the command's output; it says each step before it takes it."""
        for app in re.findall(r"Applying (\w+)\.", text):
            self.begun += 1
            if monotonic() - self.said_at >= self.PAUSE:
                self.said_at = monotonic()
                self.say(f"migrating the database: step {self.begun} of {self.steps}, {app} …")
        return len(text)
