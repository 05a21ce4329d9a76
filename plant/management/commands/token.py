"""`manage.py token USERNAME`: a personal API token, shown once."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from plant.tokens import make_token


class Command(BaseCommand):
    """Makes a personal token."""

    help = "Makes a personal API token for a person and prints it once. Send it as: Authorization: Bearer TOKEN"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Names the arguments."""
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        """Prints the token."""
        self.stdout.write(make_token(user=person(username)))


def person(username: str) -> User:
    """Gives an active person by user name. Raises: CommandError."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise CommandError(f"Nobody active has the user name {username}. People are made in the admin.")
    return user
