"""What people do from where a message reached them: acknowledge by a link in a mail or by answering a text message."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts import services, subscriptions
from alerts.lifecycle import WAITING
from alerts.models import Alarm, Contact, ReplyCode, Subscription, UsedLink
from alerts.notify import codes, links
from alerts.notify.gsm import Piece, fit

log = structlog.get_logger(__name__)

BY_LINK = "by mail link"
BY_TEXT = "by text message"
LONGEST_TEXT = 1_000  # characters of an answer that are looked at


class Status(IntEnum):
    """How an answer was taken, as HTTP says it."""

    DONE = 200
    FORBIDDEN = 403
    UNKNOWN = 404
    OVER = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What a link leads to, or what became of it."""

    status: Status
    words: str
    alarm: Alarm | None = None
    user: User | None = None
    asks: bool = False  # it can be acknowledged now
    done: bool = False  # it was, by this


# --- Links in mails ------------------------------------------------------------------------------------------------


def look(token: str, now: datetime) -> Answer:
    """Gives what a link would do, and does nothing. Cost: three queries and the person's permissions."""
    link = links.read(token)
    if link is None or link.action != links.ACKNOWLEDGE:
        return Answer(Status.UNKNOWN, _("This link is incomplete or not Andon's."))
    alarm = Alarm.objects.select_related("acked_by", "asset").filter(pk=link.alarm).first()
    user = User.objects.filter(pk=link.user).first()
    if alarm is None or user is None:
        return Answer(Status.UNKNOWN, _("What this link was for is gone."))
    if link.expires <= now or link.expires > now + links.LIFE:
        return Answer(Status.OVER, _("This link is older than 24 hours."), alarm, user)
    if not _may(user):
        return Answer(Status.FORBIDDEN, _("Your account may not acknowledge alarms any more."), alarm, user)
    if words := _settled(alarm):
        return Answer(Status.DONE, words, alarm, user)
    if UsedLink.objects.filter(pk=link.nonce).exists():
        return Answer(Status.OVER, _("This link has been used; the alarm has come again since."), alarm, user)
    return Answer(Status.DONE, "", alarm, user, asks=True)


def acknowledge_by_link(token: str, *, address: str, now: datetime) -> Answer:
    """Acknowledges the link's occurrence, and no other, in the name of whom it was sent to; works once.

    Takes: where the request came from, for the log.
    """
    seen, link = look(token, now), links.read(token)
    if not seen.asks or link is None or seen.alarm is None or seen.user is None:
        return seen
    with transaction.atomic():
        if not _use_up(link):
            return look(token, now)
        words, done = _acknowledge(seen.alarm, seen.user, BY_LINK, now)
    log.info("answered by link", alarm=link.alarm, user=link.user, address=address, done=done)
    seen.alarm.refresh_from_db(fields=["state", "active", "suppressed", "closed"])  # its symbol, as it is now
    return Answer(Status.DONE, words, seen.alarm, seen.user, done=done)


def _use_up(link: links.Link) -> bool:
    """Marks a link as used; of two that try at once, one does."""
    return UsedLink.objects.get_or_create(nonce=link.nonce, defaults={"expires": link.expires})[1]


# --- Leaving a list ------------------------------------------------------------------------------------------------


def subscription_of(token: str) -> Subscription | None:
    """Gives the subscription that a link would switch off; none where there is none. Cost: one query."""
    link = links.read_unsubscription(token)
    if link is None:
        return None
    return Subscription.objects.select_related("asset").filter(pk=link.subscription, user=link.user).first()


def is_unsubscription(token: str) -> bool:
    """Tells whether a link for leaving a list is ours, whatever has become of the subscription."""
    return links.read_unsubscription(token) is not None


def unsubscribe(token: str) -> Subscription | None:
    """Switches off the one subscription that a link names; twice is as good as once. Source: RFC 8058."""
    found = subscription_of(token)
    if found is None:
        return None
    log.info("subscription left by link", subscription=found.pk, user=found.user_id)
    return subscriptions.switch_subscription(user=found.user, subscription_id=found.pk, on=False)


# --- Text messages -------------------------------------------------------------------------------------------------


def by_text(*, sender: str, text: str, now: datetime) -> str:
    """Takes a text message that came back: acknowledges the occurrences whose codes it names.

    A code counts from the number that it was sent to and once, so that a message that comes twice does nothing twice.
    Takes: the sender's number in any form with its country code.
    Gives: what to answer; nothing to a number that is nobody's.
    """
    number = number_of(sender)
    found = codes.in_text(text[:LONGEST_TEXT])
    people = _people_at(number)
    if not people:
        log.warning("text message from nobody known", number=_hint(number), codes=len(found))
        return ""
    mine = {
        row.code: row
        for row in ReplyCode.objects.filter(code__in=found, user__in=people).select_related("alarm__acked_by", "user")
    }
    said = [_by_code(row, now) for row in mine.values()]
    if not said:
        log.warning("text message without a code of this person", number=_hint(number), codes=len(found))
        return _("Andon knows no such code. Answer with the four letters of the message, for example: K7PM")
    return fit([Piece(words, least=20) for words in said])


def number_of(text: str) -> str:
    """Gives a number as E.164 writes it: 0049 151 123 and 49151123 are +49151123."""
    digits = re.sub(r"[^0-9+]", "", text[:40])
    bare = digits.lstrip("+")
    if not digits.startswith("+"):
        bare = bare.removeprefix("00")
    return f"+{bare}" if bare else ""


def _people_at(number: str) -> list[User]:
    """Gives who is reached at a number. Cost: one query over those who have any."""
    if not number:
        return []
    rows = Contact.objects.exclude(phone="").filter(user__is_active=True).select_related("user")
    return [contact.user for contact in rows if number_of(contact.phone) == number]


def _by_code(row: ReplyCode, now: datetime) -> str:
    alarm, user = row.alarm, row.user
    name = " ".join(part for part in (alarm.asset_code, alarm.message) if part)
    if not _may(user):
        return _("%(alarm)s: your account may not acknowledge alarms.") % {"alarm": name}
    if words := _settled(alarm):
        ReplyCode.objects.filter(pk=row.pk, used=None).update(used=now)
        return f"{name}: {words}"
    with transaction.atomic():
        if not ReplyCode.objects.filter(pk=row.pk, used=None).update(used=now):
            return _("%(alarm)s: this code has been used; the alarm has come again since.") % {"alarm": name}
        words, done = _acknowledge(alarm, user, BY_TEXT, now)
    log.info("answered by text message", alarm=alarm.pk, user=user.pk, done=done)
    return f"{name}: {words}"


def _hint(number: str) -> str:
    """Gives the end of a number, enough to find it again and too little to call it."""
    return f"…{number[-3:]}"


# --- Both ----------------------------------------------------------------------------------------------------------


def _may(user: User) -> bool:
    return user.is_active and user.has_perm("alerts.acknowledge_alarm")


def _settled(alarm: Alarm) -> str:
    """Gives in words why there is nothing to acknowledge; nothing where there is."""
    if alarm.closed is None and alarm.state in WAITING:
        return ""
    if alarm.acked is not None and alarm.acked_by is not None:
        who = alarm.acked_by.get_full_name() or alarm.acked_by.get_username()
        return _("Already acknowledged by %(who)s at %(time)s.") % {"who": who, "time": _clock(alarm.acked)}
    if alarm.closed is not None:
        return _("This alarm is over since %(time)s: nothing is left to acknowledge.") % {"time": _clock(alarm.closed)}
    return _("This alarm asks for no acknowledgement.")


def _acknowledge(alarm: Alarm, user: User, way: str, now: datetime) -> tuple[str, bool]:
    """Acknowledges under the alarm's lock; whoever was quicker meanwhile stands. The way stands in the journal."""
    try:
        done = services.acknowledge(alarm_id=alarm.pk, user=user, comment=way, now=now)
    except services.Refused as refusal:
        return str(refusal), False
    return done.message, done.done


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M:%S}"


def forget_used_links(now: datetime) -> int:
    """Deletes the marks of links that have run out by themselves. Gives: how many."""
    return UsedLink.objects.filter(expires__lt=now).delete()[0]
