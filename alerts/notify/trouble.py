"""What keeps messages from people, told as alarms of Andon itself."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils.translation import gettext as _

from alerts.book import OWN, Book
from alerts.models import Alarm, Channel, Delivery, Priority

Outcome = Delivery.Outcome


def settle(now: datetime) -> None:
    """Raises an alarm for each channel that gave messages up, and ends it when they have gone out or been let be.

    A channel has recovered when each person who missed a message has been reached by it since: that others are reached
    says nothing of a wrong number. Owns its transaction.
    Cost: two queries while nothing is given up.
    """
    ill = _given_up()
    standing = {str(frozen["occasion"]) for frozen in _standing()}
    if not ill and not standing:
        return
    with transaction.atomic():
        book = Book(now)
        for channel in Channel:
            if channel in ill:
                _raise(book, channel, *ill[channel])
            elif _occasion(channel) in standing:
                book.system_over(_occasion(channel), "delivered, sent again or let be")
        book.write()


def _given_up() -> Mapping[str, tuple[int, int]]:
    """Gives how many messages each channel owes, and the newest of them. Cost: one query over those given up."""
    same = Q(user=OuterRef("user")) | Q(team=OuterRef("team"))
    reached = Delivery.objects.filter(same, channel=OuterRef("channel"), outcome=Outcome.SENT)
    owed = Delivery.objects.filter(outcome=Outcome.DEAD, dismissed=None, given_up__isnull=False).exclude(
        Exists(reached.filter(sent__gt=OuterRef("given_up")))
    )
    rows = owed.order_by().values_list("channel").annotate(Count("pk"), Max("pk"))
    return {channel: (count, newest) for channel, count, newest in rows}


def _raise(book: Book, channel: Channel, count: int, newest: int) -> None:
    answer = Delivery.objects.filter(pk=newest).values_list("answer", flat=True).first() or ""
    book.system(
        _occasion(channel),
        _("Messages given up: %(channel)s") % {"channel": channel.label},
        priority=Priority.HIGH,
        reason=f"{count} not delivered; {answer}" if answer else f"{count} not delivered",
        details={
            "cause": _("The last answer was: %(answer)s") % {"answer": answer} if answer else "",
            "consequence": _("Somebody who should have been told has not been."),
            "action": _(
                "Open Messages sent, Given up.\nPut the address or the provider right.\nSend again, or let be."
            ),
        },
    )


def _occasion(channel: Channel) -> str:
    return f"messages given up: {channel.value}"


def _standing() -> list[dict[str, object]]:
    """Gives what stands of these alarms. Cost: one query over open alarms."""
    mine = [_occasion(channel) for channel in Channel]
    found = Alarm.objects.filter(OWN, closed=None, active=True, frozen__occasion__in=mine)
    return list(found.order_by().values_list("frozen", flat=True))
