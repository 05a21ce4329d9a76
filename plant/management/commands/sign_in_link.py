"""`manage.py sign_in_link USERNAME`: a one-time sign-in link, for a person without a password or who forgot it."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from plant.management.commands.token import person
from plant.tokens import make_link


class Command(BaseCommand):
    """Makes a one-time link."""

    help = "Prints a link that signs a person in once within 24 hours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Names the arguments."""
        parser.add_argument("username")
        parser.add_argument(
            "--forgot",
            action="store_true",
            help="the password is forgotten: it no longer works, a new one is asked for",
        )

    def handle(self, *args: Any, username: str, forgot: bool, **options: Any) -> None:
        """Prints the link."""
        user = person(username)
        if forgot:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        self.stdout.write(settings.PUBLIC_URL + make_link(user=user, now=timezone.now()))
