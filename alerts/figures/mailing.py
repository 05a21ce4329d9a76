"""The monthly report by mail: who gets it, what it says, and that each month goes out once."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from alerts.calling.directory import in_the_words_of
from alerts.figures import words
from alerts.figures.query import Report, month, report
from alerts.models import Position, ReportSubscription
from alerts.notify.channel import contact_of
from alerts.notify.email import Email
from alerts.notify.message import one_line

log = structlog.get_logger(__name__)

SENT_FROM = timedelta(hours=6)  # of the first day of the month, by the plant's clock


class NotSent(Exception):
    """Some reports could not be mailed; a later try sends those that are missing."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A report as mail and terminal write it."""

    title: str
    level: str
    lines: Sequence[words.Line]
    top: Sequence[tuple[str, str, int]]  # asset and message, sensor, count
    floods: int
    annunciations: int
    link: str


def last_month(now: datetime) -> str:
    """Gives the month before this one by the plant's clock, as 2026-10."""
    local = timezone.localtime(now, timezone.get_default_timezone())
    return (local.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


def paper(made: Report, text: str) -> Paper:
    """Gives a month's report in words. Takes: the month as 2026-10."""
    where = made.position.name if made.position is not None else _("whole plant")
    when = date_format(timezone.localtime(made.start, timezone.get_default_timezone()), "F Y")
    top = []
    for actor in made.figures.top:
        source = made.sources.get(actor.source)
        name = f"{source.asset} {source.name}".strip() if source is not None else _("unknown")
        top.append((name, source.tag if source is not None else "", actor.count))
    return Paper(
        title=_("Alarm report %(month)s, %(where)s") % {"month": when, "where": where},
        level=words.level(made.figures),
        lines=words.lines(made.figures),
        top=top,
        floods=len(made.figures.floods),
        annunciations=made.figures.annunciations,
        link=_link(text, made.position),
    )


def in_text(written: Paper) -> str:
    """Gives a report as plain text."""
    return render_to_string("alerts/mail/report.txt", {"paper": written})


def compose(written: Paper, address: str) -> EmailMultiAlternatives:
    """Gives the mail. Source: RFC 3834 (automatic mail)."""
    message = EmailMultiAlternatives(
        subject=one_line(written.title),
        body=in_text(written),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.attach_alternative(render_to_string("alerts/mail/report.html", {"paper": written}), "text/html")
    return message


def subscribe(*, user: User, position: Position | None, now: datetime) -> ReportSubscription:
    """Lets a person have a position's report, or the whole plant's, from this month's on."""
    found, _made = ReportSubscription.objects.get_or_create(
        user=user, position=position, defaults={"sent_for": last_month(now)}
    )
    return found


def unsubscribe(*, user: User, position: Position | None) -> None:
    """Ends it."""
    ReportSubscription.objects.filter(user=user, position=position).delete()


def send_due(now: datetime) -> int:
    """Mails last month's report to everybody who has not had it, from six o'clock on the first.

    Gives: how many went out. Several workers may ask at once: each report is claimed before it is sent.
    Raises: NotSent when a report could not be written or a mail was not taken: that one is not claimed any more.
    Each has it in the language and by the clock that they wish; its month is the plant's.
    Cost: one query when there is nothing to do; else the figures of each position once, even where they fail.
    """
    text = last_month(now)
    start, end = month(text)
    if now < end + SENT_FROM:
        return 0
    due = ReportSubscription.objects.filter(sent_for__lt=text, user__is_active=True).order_by("position_id", "id")
    made: dict[int | None, Report | Exception] = {}
    papers: dict[tuple[int | None, str, str], Paper] = {}
    sent, failed = 0, []
    for one in due.select_related("user__contact", "position"):
        address = Email().address(one.user, contact_of(one.user))
        if not address:
            continue
        # Made and written before it is claimed: what fails here is tried again, and keeps nobody else waiting.
        if one.position_id not in made:
            try:
                made[one.position_id] = report(position=one.position, start=start, end=end, now=now)
            except Exception as error:
                log.exception("report not made", month=text, position=one.position_id)
                made[one.position_id] = error
        figures = made[one.position_id]
        if isinstance(figures, Exception):
            failed.append(str(figures))
            continue
        try:
            with in_the_words_of(one.user):
                key = (one.position_id, get_language() or "", timezone.get_current_timezone_name())
                if key not in papers:
                    papers[key] = paper(figures, text)
                mail = compose(papers[key], address)
        except Exception as error:
            log.exception("report not written", month=text, subscription=one.pk)
            failed.append(str(error))
            continue
        mine = ReportSubscription.objects.filter(pk=one.pk, sent_for=one.sent_for)
        if not mine.update(sent_for=text):
            continue
        try:
            mail.send()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            ReportSubscription.objects.filter(pk=one.pk, sent_for=text).update(sent_for=one.sent_for)
            failed.append(str(error))
        else:
            sent += 1
    if sent or failed:
        log.info("reports mailed", month=text, sent=sent, failed=len(failed))
    if failed:
        raise NotSent(f"{len(failed)} reports of {text} were not taken: {failed[0]}")
    return sent


def _link(text: str, position: Position | None) -> str:
    """Gives the report's address; the pages are another app's, which may not be installed."""
    try:
        plain = reverse("report")
    except NoReverseMatch:
        plain = "/performance/report/"
    query = {"month": text, **({"position": position.code} if position is not None else {})}
    return f"{settings.PUBLIC_URL}{plain}?{urlencode(query)}"
