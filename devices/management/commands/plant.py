"""`manage.py plant import FILE` and `plant export [FILE]`: the whole configuration as one file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from devices.command_line import add_whose, changing, why_imported
from devices.configuration import ConfigurationError, dump, load


class Command(BaseCommand):
    """Takes plant.yaml in, or gives it out."""

    help = "Import or export the whole configuration: asset types, assets, sensors, rules, sources."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describes the two verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        take = verbs.add_parser("import", help="take a file in: one transaction, or every error with its line")
        take.add_argument("file", help="plant.yaml, or - for standard input")
        take.add_argument("--prune", action="store_true", help="delete what the file does not mention")
        take.add_argument("--reason", default="", help="why, for the history of what changes; else the file's name")
        add_whose(take)
        give = verbs.add_parser("export", help="write the configuration")
        give.add_argument("file", nargs="?", default="-", help="where to; standard output if left out")

    def handle(
        self,
        *args: Any,
        verb: str,
        file: str,
        prune: bool = False,
        reason: str = "",
        username: str = "",
        **options: Any,
    ) -> None:
        """Runs one of them."""
        if verb == "export":
            text = dump()
            if file == "-":
                self.stdout.write(text, ending="")
            else:
                Path(file).write_text(text, encoding="utf-8", newline="\n")
            return
        name = "standard input" if file == "-" else Path(file).name
        with changing(username=username, reason=why_imported(reason, name)) as kept:
            self._import(file, prune=prune, reason=kept)

    def _import(self, file: str, *, prune: bool, reason: str) -> None:
        try:
            data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            report = load(data.decode("utf-8-sig"), prune=prune, reason=reason)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise CommandError(f"{file}, line {line}: the file is not UTF-8 text.") from None
        except ConfigurationError as error:
            lines = "\n".join(f"{file}, {problem}" for problem in error.errors)
            number = len(error.errors)
            summary = f"{number} error{'s' if number > 1 else ''}; nothing was changed."
            raise CommandError(f"{lines}\n{summary}") from None
        for word, counts in (
            ("created", report.created),
            ("changed", report.changed),
            ("deleted", report.deleted),
        ):
            if counts:
                self.stdout.write(f"{word}: {', '.join(f'{count} {name}' for name, count in counts.items())}")
        if report.nothing:
            self.stdout.write("nothing to change")
        for name in report.without_token:
            self.stdout.write(f"source {name} has no token yet: manage.py source token {name}")
