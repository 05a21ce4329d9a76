"""`manage.py source add NAME --scope ASSET`: data sources and their tokens."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from devices import services
from devices.command_line import add_whose, changing
from devices.models import Asset, Source


class Command(BaseCommand):
    """Admits a data source, or gives one a new token."""

    help = "Add a data source, or give one a new token; the token is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describes the verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="make a source that may write below an asset; prints its token once")
        add.add_argument("name")
        add.add_argument("--scope", required=True, help="the code of an asset: it may send for it and all below it")
        token = verbs.add_parser("token", help="give a source a new token; the old one ends at once")
        token.add_argument("name")
        for verb in (add, token):
            add_whose(verb)
        verbs.add_parser("list", help="list the sources")

    def handle(
        self, *args: Any, verb: str, name: str = "", scope: str = "", username: str = "", **options: Any
    ) -> None:
        """Runs one of them."""
        if verb == "list":
            for source in Source.objects.select_related("scope"):
                state = "" if source.enabled else "  (may not send)"
                hint = f"{source.token_hint}…" if source.token_hash else "no token"
                self.stdout.write(f"{source.name}  {source.scope.code}  {hint}{state}")
            return
        try:
            with changing(username=username, reason=f"source {verb}"):
                token = _added(name, scope) if verb == "add" else _renewed(name)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        # The token alone on standard output, so that a script can take it.
        self.stderr.write(f"The token of {name}; it is not shown again:")
        self.stdout.write(token)


def _added(name: str, scope: str) -> str:
    asset = Asset.objects.filter(code=scope).first()
    if asset is None:
        raise CommandError(f"There is no asset {scope!r}.")
    found = Source.objects.filter(name=name).select_related("scope").first()
    if found is None:
        return services.create_source(name=name, scope=asset)[1]
    if not found.token_hash and found.scope == asset:  # plant.yaml brought it, without a token
        return services.rotate_token(source=found)
    given = "it has a token" if found.token_hash else "it has no token yet"
    raise CommandError(
        f"There is a source {name} already, for {found.scope.code}; {given}. "
        f"manage.py source token {name} gives it a new one."
    )


def _renewed(name: str) -> str:
    found = Source.objects.filter(name=name).first()
    if found is None:
        raise CommandError(f"There is no source {name!r}; manage.py source add makes one.")
    return services.rotate_token(source=found)
