"""The log of messages: what a person may see of it, and how it is written in JSON."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from alerts.models import Attempt, Delivery
from alerts.queries import iso


def visible(user: User, *, everybody: bool = False) -> QuerySet[Delivery]:
    """Gives the messages that a person may see, the newest first: their own; of all people only for staff."""
    found = Delivery.objects.select_related("alarm", "user", "team__team").order_by("-pk")
    return found if everybody and user.is_staff else found.filter(user=user)


def as_json(delivery: Delivery) -> dict[str, Any]:
    """Gives a message as the API writes it. Cost: none where it comes from `visible`."""
    return {
        "id": delivery.pk,
        "alarm": delivery.alarm_id,
        "event": delivery.event,
        "user": delivery.user.get_username() if delivery.user is not None else None,
        "team": delivery.team.belongs_to if delivery.team is not None else None,
        "channel": delivery.channel,
        "address": delivery.address,
        "outcome": delivery.outcome,
        "reason": delivery.reason,
        "answer": delivery.answer,
        "attempts": delivery.attempts,
        "perhaps_sent_besides": delivery.unlearned,
        "created": iso(delivery.created),
        "due": iso(delivery.due),
        "sent": iso(delivery.sent),
        "given_up": iso(delivery.given_up),
        "dismissed": iso(delivery.dismissed),
    }


def try_as_json(attempt: Attempt) -> dict[str, Any]:
    """Gives a try as the API writes it."""
    return {
        "number": attempt.number,
        "began": iso(attempt.began),
        "ended": iso(attempt.ended),
        "outcome": attempt.outcome,
        "answer": attempt.answer,
    }
