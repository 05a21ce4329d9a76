"""`manage.py alarm_report --month 2026-10`: a month's figures of alarm management, printed or mailed."""

import smtplib
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from alerts.figures import mailing
from alerts.figures.query import month, report
from alerts.models import Position


class Command(BaseCommand):
    """Reads the journal; changes nothing."""

    help = "Print the monthly report of alarm management, or mail it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Names the month, the position and the reader."""
        parser.add_argument("--month", default="", help="as 2026-10; without it, last month")
        parser.add_argument("--position", default="", help="code of an operator position; without it, the whole plant")
        parser.add_argument("--mail", default="", metavar="ADDRESS", help="mail it there instead of printing it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints or mails the report."""
        now = timezone.now()
        text = options["month"] or mailing.last_month(now)
        try:
            start, end = month(text)
        except ValueError as error:
            raise CommandError(str(error)) from None
        if start >= now:
            raise CommandError(f"{text} has not begun.")
        position = None
        if options["position"]:
            position = Position.objects.filter(code=options["position"]).first()
            if position is None:
                known = ", ".join(Position.objects.values_list("code", flat=True)) or "none"
                raise CommandError(f"There is no operator position {options['position']}; there are: {known}.")
        paper = mailing.paper(report(position=position, start=start, end=end, now=now), text)
        if not options["mail"]:
            self.stdout.write(mailing.in_text(paper))
            return
        try:
            validate_email(options["mail"])
            mailing.compose(paper, options["mail"]).send()
        except ValidationError:
            raise CommandError(f"{options['mail']} is no mail address.") from None
        except (smtplib.SMTPException, OSError) as error:
            raise CommandError(f"The mail was not taken: {error}") from None
        self.stdout.write(f"Mailed to {options['mail']}.")
