"""Messages sent: what went out to whom, when, and why or why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from kombu.exceptions import OperationalError

from alerts.models import Attempt, Channel, Delivery, JournalEntry
from alerts.notify import outbox
from alerts.notify.records import visible
from alerts.sayings import said, said_of_another
from plant.pages.tree import tree

ROWS = 50
DEAD_ON_TOP = 5
Outcome = Delivery.Outcome
MOVING = (Outcome.DUE, Outcome.SENDING)
OUTCOMES: dict[str, tuple[Any, tuple[Delivery.Outcome, ...]]] = {
    "waiting": (gettext_lazy("Waiting"), (*MOVING, Outcome.HELD)),
    "sent": (gettext_lazy("Sent"), (Outcome.SENT, Outcome.GATHERED)),
    "withheld": (gettext_lazy("Not sent"), (Outcome.WITHHELD,)),
    "dead": (gettext_lazy("Given up"), (Outcome.DEAD,)),
}
PERHAPS_TWICE = "twice"  # a filter too: sent, and perhaps once more by a try whose outcome was never learned


@dataclass(frozen=True, slots=True)
class Line:
    """A message with what the log says of it."""

    delivery: Delivery
    happened: str  # where it was not the alarm itself
    why: str
    answer: str  # the provider's, where the reason does not hold it already
    seconds: float | None  # from the alarm, or its return, to sent
    moving: bool
    tries: list[Attempt]
    doubt: str  # what was never learned of it


@dataclass(frozen=True, slots=True)
class Filters:
    """What the log is narrowed to; it stands in the address."""

    outcome: str
    channel: str
    everybody: bool
    before: int | None

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """Reads them from the address; what makes no sense, or is not for this person, is left out."""
        get = request.GET
        outcome, channel, before = get.get("outcome", ""), get.get("channel", ""), get.get("before", "")
        return cls(
            outcome if outcome in OUTCOMES or outcome == PERHAPS_TWICE else "",
            channel if channel in Channel.values else "",
            get.get("who") == "all" and person(request).is_staff,
            int(before) if before.isdecimal() and len(before) < 19 else None,
        )

    def address(self, **changes: Any) -> str:
        """Gives the log's address with some of the filters changed."""
        values = {"outcome": self.outcome, "channel": self.channel, "who": "all" if self.everybody else "", **changes}
        given = {key: value for key, value in values.items() if value}
        return f"{reverse('deliveries')}?{urlencode(given)}" if given else reverse("deliveries")

    @property
    def narrowed(self) -> bool:
        """Tells whether messages are left out."""
        return bool(self.outcome or self.channel)


def person(request: HttpRequest) -> User:
    """Gives who is signed in; the middleware lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


def lines_of(deliveries: Iterable[Delivery], reader: int) -> list[Line]:
    """Gives the log's lines. Takes: who reads them. Cost: two queries."""
    rows = list(deliveries)
    numbers = {delivery.journal_id for delivery in rows if delivery.journal_id is not None}
    times = dict(JournalEntry.objects.filter(pk__in=numbers).order_by().values_list("pk", "time"))
    tries: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(delivery__in=[delivery.pk for delivery in rows]).order_by("pk"):
        tries[attempt.delivery_id].append(attempt)
    happened = {"raise": "", "test": "", "clear": _("returned to normal"), "call": _("not acknowledged yet")}
    found = []
    for delivery in rows:
        due = times.get(delivery.journal_id or 0) or delivery.created
        found.append(
            Line(
                delivery,
                happened.get(delivery.event, _("still active")),
                _why(delivery, reader),
                delivery.answer if delivery.answer not in delivery.reason else "",
                (delivery.sent - due).total_seconds() if delivery.sent else None,
                delivery.outcome in MOVING,
                tries[delivery.pk],
                _doubt(delivery),
            )
        )
    return found


def _doubt(delivery: Delivery) -> str:
    """Gives what may have happened besides, where a try's outcome was never learned."""
    if not delivery.unlearned:
        return ""
    return _("perhaps sent twice") if delivery.outcome == Outcome.SENT else _("perhaps sent")


def _why(delivery: Delivery, reader: int) -> str:
    """Gives why a message is sent or not; of one that failed before, when it is tried again."""
    if delivery.outcome == Outcome.DUE and delivery.attempts:
        return _("Next try at %(time)s") % {"time": f"{timezone.localtime(delivery.due):%H:%M:%S}"}
    reason = capfirst((said if delivery.user_id == reader else said_of_another)(delivery.reason))
    if delivery.dismissed is not None:
        let_be = f"{timezone.localtime(delivery.dismissed):%H:%M}"
        return _("%(reason)s. Let be at %(time)s") % {"reason": reason, "time": let_be}
    return reason


@require_GET
def deliveries(request: HttpRequest) -> HttpResponse:
    """Shows the log; `?fragment` gives its rows alone. Cost: the same number of queries for any number of messages."""
    filters, user = Filters.of(request), person(request)
    found = visible(user, everybody=filters.everybody)
    doubtful = found.filter(outcome=Outcome.SENT, unlearned__gt=0)
    if filters.outcome == PERHAPS_TWICE:
        found = doubtful
    elif filters.outcome:
        found = found.filter(outcome__in=OUTCOMES[filters.outcome][1])
    if filters.channel:
        found = found.filter(channel=filters.channel)
    if filters.before is not None:
        found = found.filter(pk__lt=filters.before)
    rows = list(found[: ROWS + 1])
    context: dict[str, Any] = {
        "lines": lines_of(rows[:ROWS], user.pk),
        "filters": filters,
        "older": filters.address(before=rows[ROWS - 1].pk) if len(rows) > ROWS else "",
        "newest": filters.address() if filters.before is not None else "",
    }
    if "fragment" in request.GET:
        return render(request, "plant/deliveries_rows.html", context)
    dead = []
    if filters.outcome != "dead" and filters.before is None:
        dead = list(
            visible(user, everybody=filters.everybody).filter(outcome=Outcome.DEAD, dismissed=None)[: DEAD_ON_TOP + 1]
        )
    plant = tree()
    outcomes = [("", _("All"), filters.address(outcome=""))]
    outcomes += [(key, word, filters.address(outcome=key)) for key, (word, _outcomes) in OUTCOMES.items()]
    channels = [(value, label, filters.address(channel=value)) for value, label in Channel.choices]
    return render(
        request,
        "plant/deliveries.html",
        {
            **context,
            "title": _("Messages sent"),
            "crumbs": [(plant.name, reverse("overview")), (_("Messages sent"), "")],
            "current_page": "deliveries",
            "dead": lines_of(dead[:DEAD_ON_TOP], user.pk) if dead else [],
            "more_dead": filters.address(outcome="dead", channel="") if len(dead) > DEAD_ON_TOP else "",
            "outcomes": outcomes,
            "channels": [("", _("All ways"), filters.address(channel="")), *channels],
            "mine": filters.address(who=""),
            "everybody": filters.address(who="all"),
            "notice": notice(),
            "doubtful": doubtful.count(),
            "doubtful_url": filters.address(outcome=PERHAPS_TWICE),
        },
    )


@require_POST
def resend(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Puts a message that was given up back into the outbox: one's own, or anybody's for staff."""
    user = person(request)
    if not visible(user, everybody=True).filter(pk=pk).exists():
        raise Http404(_("There is no message %(number)s.") % {"number": pk})
    try:
        outbox.resend(delivery_id=pk, user=user, now=timezone.now())
    except outbox.NotDead as error:
        messages.warning(request, str(error))
    else:
        send_soon()
        messages.success(request, _("Message %(number)s waits to be sent again.") % {"number": pk})
    return _back(request)


@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Lets a message be that was given up: one's own, or anybody's for staff."""
    user = person(request)
    if not visible(user, everybody=True).filter(pk=pk).exists():
        raise Http404(_("There is no message %(number)s.") % {"number": pk})
    try:
        outbox.dismiss(delivery_id=pk, user=user, now=timezone.now())
    except outbox.NotDead as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, _("Message %(number)s stays as it is.") % {"number": pk})
    return _back(request)


def _back(request: HttpRequest) -> HttpResponseBase:
    """Goes back to where a form came from, if that is here."""
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if ours else reverse("deliveries"))


def send_soon() -> None:
    """Wakes the workers that send, once the transaction is committed; without them beat does so within seconds."""
    from alerts.tasks import send_due

    def ring() -> None:
        with suppress(OperationalError):
            send_due.apply_async(expires=5, retry=False)

    transaction.on_commit(partial(ring))


def notice() -> str:
    """Gives what a page must say where messages do not leave this machine, or nothing."""
    folder = Path(settings.OUTBOX_DIR)
    shown = folder.relative_to(settings.BASE_DIR) if folder.is_relative_to(settings.BASE_DIR) else folder
    if not settings.EMAIL_URL and not settings.SMS_URL:
        said = _("Nothing leaves this machine: messages are written to %(folder)s/. EMAIL_URL and SMS_URL are not set.")
    elif not settings.EMAIL_URL:
        said = _("No email leaves this machine: emails are written to %(folder)s/mail/. EMAIL_URL is not set.")
    elif not settings.SMS_URL:
        said = _("No SMS leaves this machine: text messages are written to %(folder)s/sms/. SMS_URL is not set.")
    else:
        return ""
    return said % {"folder": shown}
