"""Links in mails that act without signing in: acknowledge one occurrence once, switch one subscription off.

What a link may do is written in it and signed with SECRET_KEY; comparing takes the same time for any signature.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.core import signing

from alerts.lifecycle import WAITING, Event
from alerts.models import Alarm, Delivery

LIFE = timedelta(hours=24)
ACKNOWLEDGE = "ack"
_LINK, _SUBSCRIPTION = "alerts.notify.links.act", "alerts.notify.links.subscription"  # what a signature is for
_LONGEST = 400  # characters of a token; longer ones are not looked at


class Link(NamedTuple):
    """What a link says: which occurrence, who, what, until when, and the nonce that makes it usable once."""

    alarm: int
    user: int
    action: str
    expires: datetime
    nonce: str


class Unsubscription(NamedTuple):
    """What a link for leaving a list says."""

    subscription: int
    user: int


def acknowledge(delivery: Delivery, now: datetime) -> str:
    """Gives the address with which this person may acknowledge this occurrence; nothing where that has no point.

    Cost: two queries for the person's permissions.
    """
    if delivery.user is None or not can_be_answered(delivery) or not delivery.user.has_perm("alerts.acknowledge_alarm"):
        return ""
    expires = int((now + LIFE).timestamp())
    content = [delivery.alarm_id, delivery.user_id, ACKNOWLEDGE, expires, secrets.token_urlsafe(12)]
    return f"{settings.PUBLIC_URL}/answer/{signing.dumps(content, salt=_LINK)}"


def read(token: str) -> Link | None:
    """Gives what a link says, whether or not it is over; none where it is not ours."""
    if len(token) > _LONGEST:
        return None
    try:
        alarm, user, action, expires, nonce = signing.loads(token, salt=_LINK)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Link(alarm, user, action, datetime.fromtimestamp(expires, UTC), nonce)


def unsubscribe(delivery: Delivery) -> str:
    """Gives the address that switches off the subscription behind a message; nothing where it is a duty, not a wish."""
    if delivery.subscription_id is None:
        return ""
    content = [delivery.subscription_id, delivery.user_id]
    return f"{settings.PUBLIC_URL}/unsubscribe/{signing.dumps(content, salt=_SUBSCRIPTION)}"


def read_unsubscription(token: str) -> Unsubscription | None:
    """Gives what a link for leaving a list says; none where it is not ours."""
    if len(token) > _LONGEST:
        return None
    try:
        subscription, user = signing.loads(token, salt=_SUBSCRIPTION)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Unsubscription(subscription, user)


def can_be_answered(delivery: Delivery) -> bool:
    """Tells whether a message is about an alarm that waits for an acknowledgement."""
    alarm: Alarm | None = delivery.alarm
    return alarm is not None and alarm.closed is None and alarm.state in WAITING and delivery.event != Event.CLEAR
