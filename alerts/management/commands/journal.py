"""`manage.py journal verify`, `journal anchor`, `journal export`: is it as it was written, and a copy of it."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alerts import audit


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time, for example 2026-03-01T06:00:00Z.") from None
    if moment.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no offset, for example 2026-03-01T06:00:00Z.")
    return moment.astimezone(UTC)


def _anchor(text: str) -> audit.Anchor:
    try:
        return audit.Anchor.read(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


class Command(BaseCommand):
    """Reads the journal only."""

    help = "Check the journal's chain of hashes, print its newest link, or give the journal out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describes the verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("verify", help="work the chain out anew; names the first bad row and fails")
        check.add_argument("--from", dest="start", type=int, default=1, metavar="ID", help="begin at this row")
        check.add_argument(
            "--anchor",
            dest="anchors",
            type=_anchor,
            action="append",
            default=[],
            metavar="ID:HASH",
            help="what `journal anchor` printed once; may be given several times",
        )
        verbs.add_parser("anchor", help="print the newest row as ID:HASH, to be kept elsewhere")
        give = verbs.add_parser("export", help="write the journal, with its hashes")
        give.add_argument("file", nargs="?", default="-", help="where to; standard output if left out")
        give.add_argument("--start", type=_moment, help="recorded at or after, for example 2026-03-01T06:00:00Z")
        give.add_argument("--end", type=_moment, help="recorded before")
        give.add_argument("--format", dest="form", choices=audit.FORMATS, default="csv")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        """Runs one of them."""
        if verb == "verify":
            self._verify(options["start"], options["anchors"])
        elif verb == "anchor":
            self.stdout.write(str(audit.anchor()))
        else:
            self._export(options["file"], options["form"], options["start"], options["end"])

    def _verify(self, start: int, anchors: list[audit.Anchor]) -> None:
        if start < 1:
            raise CommandError("Rows are numbered from 1.")
        verdict = audit.verify(start=start, anchors=anchors)
        if verdict.finding is not None:
            raise CommandError(
                f"The journal is not as it was written. First bad row: {verdict.finding.number}. "
                f"{verdict.finding.words[:1].upper()}{verdict.finding.words[1:]}"
            )
        kept = f" Anchors kept: {len(anchors)}." if anchors else ""
        self.stdout.write(f"{verdict.rows} rows, {start} to {verdict.last}: as they were written.{kept}")

    def _export(self, file: str, form: str, start: datetime | None, end: datetime | None) -> None:
        parts = audit.export(form=form, start=start, end=end)
        if file == "-":
            for part in parts:
                self.stdout.write(part, ending="")
            return
        try:
            with Path(file).open("w", encoding="utf-8", newline="") as out:
                out.writelines(parts)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
