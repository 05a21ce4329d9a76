"""`manage.py calling lint`: what is wrong with who is called."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from alerts.calling.lint import lint

TITLES = {
    "nobody": "Alarms that reach nobody",
    "gap": "Rotas with gaps",
    "address": "People without a working address",
    "route": "Routes that no alarm takes",
    "plan": "Plans that call nobody",
    "team": "Teams that nobody can reach",
}


class Command(BaseCommand):
    """Looks through routes, plans, rotas and people."""

    help = "Check who is called: lint lists alarms that reach nobody, rotas with gaps, dead addresses, idle routes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describes the verbs."""
        parser.add_subparsers(dest="verb", required=True).add_parser("lint", help="list what is wrong; fails if any is")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        """Prints the findings."""
        found = lint(timezone.now())
        for kind, title in TITLES.items():
            mine = [finding for finding in found if finding.kind == kind]
            if mine:
                self.stdout.write(f"{title}:")
                for finding in mine:
                    self.stdout.write(f"  {finding.about}: {finding.words}")
        if found:
            raise CommandError(f"{len(found)} findings.")
        self.stdout.write("Nothing is wrong with who is called.")
