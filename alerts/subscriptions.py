"""What a person decides about their own messages: where they are reached, and what reaches them."""

import re
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts.models import PERSONAL, Channel, Contact, Delivery, Priority, Subscription
from alerts.notify import outbox
from alerts.notify.hours import Hours, in_words, is_always, listed
from devices.models import Asset

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}\Z")  # Source: ITU-T E.164
_BY = {Channel.EMAIL: gettext_lazy("email"), Channel.SMS: gettext_lazy("SMS"), Channel.PUSH: gettext_lazy("browser")}
TESTS, TEST_WINDOW = 6, timedelta(hours=1)  # so many a channel


class Refused(Exception):
    """What was asked for cannot be; `errors` says why, by field, in words for the person."""

    def __init__(self, **errors: str) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


def save_contact(*, user: User, email: str, phone: str, time_zone: str) -> Contact:
    """Stores where a person is reached, and their time zone.

    Takes: an empty email for the account's, an empty zone for the plant's.
    Raises: Refused, with every field that is wrong.
    """
    email, phone, time_zone = email.strip(), re.sub(r"[\s()/.-]", "", phone), time_zone.strip().replace(" ", "_")
    errors = {}
    if email:
        try:
            validate_email(email)
        except ValidationError:
            errors["email"] = _("“%(text)s” is no email address. Expected a form like name@works.example.") % {
                "text": email
            }
    if phone and not _PHONE.match(phone):
        errors["phone"] = _(
            "“%(text)s” is no mobile number in international form. Write + and the country code first: +4915112345678."
        ) % {"text": phone}
    if time_zone and time_zone not in time_zones():
        errors["time_zone"] = _("“%(text)s” is no time zone. Expected a name such as Europe/Berlin.") % {
            "text": time_zone
        }
    if errors:
        raise Refused(**errors)
    values = {"email": email, "phone": phone, "time_zone": time_zone}
    return Contact.objects.update_or_create(user=user, defaults=values)[0]


@cache
def time_zones() -> tuple[str, ...]:
    """Gives the names of time zones: those of places, and UTC."""
    places = {name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))}
    return tuple(sorted(places | {"UTC"}))


def draft(
    *,
    user: User,
    asset: str,
    lowest_priority: int | str,
    channel: str,
    hours: Hours | None,
    also_clear: bool,
    subscription: Subscription | None = None,
) -> Subscription:
    """Gives a subscription as it would be stored, without storing it.

    Takes: an asset's code, empty for the whole plant; a stored subscription that is to become so.
    Raises: Refused, with every field that is wrong.
    Cost: two queries at most.
    """
    errors, place = {}, None
    if asset:
        place = Asset.objects.filter(code=asset).first()
        if place is None:
            errors["asset"] = _("There is no “%(code)s” in the plant. Choose from the list.") % {"code": asset}
    if str(lowest_priority) not in map(str, Priority.values):
        errors["lowest_priority"] = _("Choose how important an alarm must be at least.")
    if channel not in PERSONAL:
        errors["channel"] = _("Choose email, SMS or browser.")
    if hours is not None:
        if not any(hours):
            errors["hours"] = _("No hours are chosen: nothing would reach you. Choose some, or switch it off.")
        elif is_always(hours):
            hours = None
    if errors:
        raise Refused(**errors)
    made = subscription or Subscription(user=user)
    made.asset, made.lowest_priority, made.channel = place, int(lowest_priority), channel
    made.hours, made.also_clear = hours, also_clear
    same = Subscription.objects.filter(
        user=user, asset=place, lowest_priority=made.lowest_priority, channel=channel, also_clear=also_clear
    )
    if any(other.hours == hours for other in same.exclude(pk=made.pk)):
        raise Refused(asset=_("You have this subscription already."))
    return made


@transaction.atomic
def subscribe(
    *, user: User, asset: str, lowest_priority: int | str, channel: str, hours: Hours | None, also_clear: bool
) -> Subscription:
    """Stores a new subscription; see `draft`."""
    made = draft(
        user=user,
        asset=asset,
        lowest_priority=lowest_priority,
        channel=channel,
        hours=hours,
        also_clear=also_clear,
    )
    made.save()
    return made


@transaction.atomic
def change_subscription(
    *,
    user: User,
    subscription_id: int,
    asset: str,
    lowest_priority: int | str,
    channel: str,
    hours: Hours | None,
    also_clear: bool,
) -> Subscription:
    """Gives a person's subscription another content; whether it is on stays.

    Raises: Subscription.DoesNotExist, also where it is another person's; Refused.
    """
    made = draft(
        user=user,
        subscription=Subscription.objects.get(pk=subscription_id, user=user),
        asset=asset,
        lowest_priority=lowest_priority,
        channel=channel,
        hours=hours,
        also_clear=also_clear,
    )
    made.save()
    return made


@transaction.atomic
def switch_subscription(*, user: User, subscription_id: int, on: bool) -> Subscription:
    """Switches a person's subscription on or off. Raises: Subscription.DoesNotExist."""
    found = Subscription.objects.select_related("asset").get(pk=subscription_id, user=user)
    found.enabled = on
    found.save(update_fields=["enabled"])
    return found


@transaction.atomic
def remove_subscription(*, user: User, subscription_id: int) -> Subscription:
    """Deletes a person's subscription; what it has sent stays. Raises: Subscription.DoesNotExist."""
    found = Subscription.objects.select_related("asset").get(pk=subscription_id, user=user)
    Subscription.objects.filter(pk=found.pk).delete()
    return found


def send_test(*, user: User, channel: str, now: datetime) -> Delivery:
    """Puts a test message to oneself into the outbox; see `outbox.send_test`.

    Raises: Refused where there were many just now: text messages cost money, and the number may be another's.
    """
    lately = Delivery.objects.filter(user=user, event="test", channel=channel, created__gt=now - TEST_WINDOW)
    if lately.exclude(outcome=Delivery.Outcome.WITHHELD).count() >= TESTS:
        raise Refused(
            channel=_("You have sent %(count)s tests this way within the hour. Try again later.") % {"count": TESTS}
        )
    return outbox.send_test(user=user, channel=channel, now=now)


def scope_in_words(subscription: Subscription) -> str:
    """Gives "Critical and high alarms of Press hall by SMS"."""
    levels = [str(Priority(level).label) for level in range(1, subscription.lowest_priority + 1)]
    if len(levels) == len(Priority.values):
        which = _("All alarms")
    else:
        which = _("%(levels)s alarms") % {"levels": listed([levels[0], *(word.lower() for word in levels[1:])])}
    return _("%(which)s of %(place)s by %(channel)s") % {
        "which": which,
        "place": subscription.asset.name if subscription.asset is not None else _("the whole plant"),
        "channel": _BY[Channel(subscription.channel)],
    }


def in_plain_words(subscription: Subscription) -> str:
    """Gives what a subscription means: "Critical alarms of Hall by SMS, at any time, also when they are over."."""
    sentence = f"{scope_in_words(subscription)}, {in_words(subscription.hours)}"
    if subscription.also_clear:
        sentence = _("%(sentence)s; also when they return to normal") % {"sentence": sentence}
    return sentence + "."
