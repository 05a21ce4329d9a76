"""`manage.py rules export FILE` and `rules import FILE`: the master alarm list as CSV or XLSX."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from import_export.results import RowResult

from alerts import master_list
from devices.command_line import add_whose, changing, why_imported


class Command(BaseCommand):
    """Takes the list in, or gives it out."""

    help = "Export or import the master alarm list: every rule of every asset, one on each row."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describes the two verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        give = verbs.add_parser("export", help="write the list")
        take = verbs.add_parser("import", help="take a list in: all of it, or every error with its row")
        for verb in (give, take):
            verb.add_argument("file", type=Path, help="its ending says the form: .csv or .xlsx")
        take.add_argument("--reason", default="", help="why; needed where limits, priorities or suppression change")
        add_whose(take)
        take.add_argument("--preview", action="store_true", help="show what would change, and change nothing")

    def handle(
        self,
        *args: Any,
        verb: str,
        file: Path,
        reason: str = "",
        preview: bool = False,
        username: str = "",
        **options: Any,
    ) -> None:
        """Runs one of them."""
        if file.suffix[1:].lower() not in master_list.FORMATS:
            raise CommandError(f"{file}: the ending is .csv or .xlsx.")
        try:
            if verb == "export":
                self.stdout.write(f"{master_list.write(file)} rules")
                return
            # What needs a reason needs it from a person; what does not says at least where it came from.
            with changing(username=username, reason=why_imported(reason, file.name)) as kept:
                result = master_list.read(file, reason=kept if reason.strip() else "", preview=preview)
        except CommandError:
            raise
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from None
        except Exception as error:  # tablib and openpyxl name what they cannot read in many ways
            raise CommandError(f"{file} cannot be read: {error}.") from None
        if wrong := master_list.problems(result):
            lines = "\n".join(f"{file}, {words}" for words in wrong)
            raise CommandError(f"{lines}\n{len(wrong)} error{'s' if len(wrong) > 1 else ''}; nothing was changed.")
        for line in master_list.changes(result):
            self.stdout.write(line)
        new, changed, same = (
            result.totals[kind]
            for kind in (RowResult.IMPORT_TYPE_NEW, RowResult.IMPORT_TYPE_UPDATE, RowResult.IMPORT_TYPE_SKIP)
        )
        self.stdout.write(f"{'would be ' if preview else ''}new: {new}, changed: {changed}, unchanged: {same}")
