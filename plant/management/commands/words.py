"""Brings the message files up to date."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Collects every text that is to be translated, keeps its translation, and compiles what Django reads."""

    help = "Brings locale/ up to date with the sources; prints what is not translated yet. Needs requirements-dev.txt."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes the .po and .mo of every language but the sources' own."""
        try:
            from plant import catalogues
        except ImportError as error:
            raise CommandError(f"{error}. Install what the tests need: pip install -r requirements-dev.txt") from error
        for language, _name in settings.LANGUAGES:
            if language == "en":
                continue
            for domain in catalogues.DOMAINS:
                catalogue = catalogues.renewed(language, domain)
                catalogues.write(language, domain, catalogue)
                for message in catalogue:
                    if message.id and not (message.string and all(message.string)):
                        self.stdout.write(f"{language} {domain}: {message.id!r}")
