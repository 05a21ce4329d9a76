"""What people decide about calls: who takes a duty, when a machine is in maintenance, how they wish to be told."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from alerts.calling import rota as rotas
from alerts.calling.calls import settle
from alerts.calling.directory import load_rotas
from alerts.calling.plan import Plan, Progress
from alerts.models import PERSONAL, Call, Contact, MaintenanceWindow, Priority, Rota, RotaOverride
from alerts.notify.hours import WEEK as ALL_DAYS
from alerts.notify.hours import NoClock, Span, hours_of, is_always, minute_of
from alerts.subscriptions import Refused
from devices.models import Asset

LONGEST_REASON = 200
FURTHEST_DUTY = timedelta(days=400)  # of a swap, from now
LONGEST = timedelta(days=92)  # of an override or a maintenance window: beyond that a rota or a rule is to be changed


@transaction.atomic
def take_duty(
    *, rota_id: int, user_id: int, start: datetime, end: datetime, reason: str = "", by: User, now: datetime
) -> RotaOverride:
    """Has somebody take a rota's duty for a while, whoever else had it.

    Raises: Rota.DoesNotExist; Refused, with every field that is wrong.
    """
    rota = Rota.objects.get(pk=rota_id)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    errors = _span_errors(start, end, now)
    if user is None:
        errors["user"] = _("Choose somebody whose account is on.")
    reason = _reason(reason, errors)
    if errors or user is None:
        raise Refused(**errors)
    return RotaOverride.objects.create(rota=rota, user=user, start=start, end=end, reason=reason, made_by=by)


@transaction.atomic
def swap_duties(
    *, rota_id: int, first: datetime, second: datetime, reason: str = "", by: User, now: datetime
) -> list[RotaOverride]:
    """Has two people swap the duties that they have at two moments, each whole.

    Raises: Rota.DoesNotExist; Refused where nobody has the duty then, both are the same person's, or one is over.
    """
    rota = Rota.objects.get(pk=rota_id)
    errors: dict[str, str] = {}
    reason = _reason(reason, errors)
    for name, moment in (("first", first), ("second", second)):
        if abs(moment - now) > FURTHEST_DUTY:
            errors[name] = _("Choose a duty from the list.")
    if errors:
        raise Refused(**errors)
    known = load_rotas([rota_id], since=min(first, second) - timedelta(days=40))[rota_id]
    one, other = _duty(known, first), _duty(known, second)
    if one is None or one.end <= now:
        errors["first"] = _("Nobody has the duty at that time, or it is over.")
    if other is None or other.end <= now:
        errors["second"] = _("Nobody has the duty at that time, or it is over.")
    if one is not None and other is not None and one.person == other.person:
        errors["second"] = _("Both duties are the same person's.")
    if errors or one is None or other is None or one.person is None or other.person is None:
        raise Refused(**errors)
    reason = reason or _("swapped")
    pairs = ((one, other.person), (other, one.person))
    return [
        RotaOverride.objects.create(
            rota=rota, user_id=person, start=max(duty.start, now), end=duty.end, reason=reason, made_by=by
        )
        for duty, person in pairs
    ]


def _duty(rota: rotas.Rota, moment: datetime) -> rotas.Segment | None:
    """Gives the whole duty that somebody has at a moment."""
    around = rotas.segments(rota, moment - timedelta(days=35), moment + timedelta(days=35))
    return next((one for one in around if one.start <= moment < one.end and one.person is not None), None)


@transaction.atomic
def drop_override(*, override_id: int, now: datetime) -> RotaOverride:
    """Takes back an override: one that has begun ends now, one to come is deleted.

    Raises: RotaOverride.DoesNotExist, also where it is over.
    """
    found = RotaOverride.objects.select_for_update().get(pk=override_id, end__gt=now)
    if found.start < now:
        found.end = now
        found.save(update_fields=["end"])
    else:
        found.delete()
    return found


@transaction.atomic
def plan_maintenance(
    *, asset: str, start: datetime, end: datetime, reason: str, by: User, now: datetime
) -> MaintenanceWindow:
    """Withholds the messages of an asset and all below it for a while.

    Raises: Refused, with every field that is wrong.
    """
    errors = _span_errors(start, end, now)
    place = Asset.objects.filter(code=asset).first()
    if place is None:
        errors["asset"] = _("There is no “%(code)s” in the plant. Choose from the list.") % {"code": asset}
    reason = _reason(reason, errors)
    if not reason and "reason" not in errors:
        errors["reason"] = _("Say what is done: it stands with every message that is not sent.")
    if errors or place is None:
        raise Refused(**errors)
    return MaintenanceWindow.objects.create(asset=place, start=start, end=end, reason=reason, made_by=by)


@transaction.atomic
def end_maintenance(*, window_id: int, now: datetime) -> MaintenanceWindow:
    """Ends a maintenance window now; one to come is deleted. Calls that wait for its end are taken at once.

    Raises: MaintenanceWindow.DoesNotExist, also where it is over.
    """
    found = MaintenanceWindow.objects.select_related("asset").get(pk=window_id, end__gt=now)
    for call in Call.objects.filter(due=found.end).select_for_update():
        plan = Plan.of(call.plan)
        settle(call, plan, Progress(call.started, call.place).paused(plan, now), "")
        call.save(update_fields=["started", "due"])
    if found.start < now:
        found.end = now
        found.save(update_fields=["end"])
    else:
        found.delete()
    return found


@transaction.atomic
def save_preferences(
    *,
    user: User,
    quiet: bool,
    quiet_from: str,
    quiet_to: str,
    quiet_lets: int | str,
    channels: Mapping[int, Sequence[str]],
    digest_from: int | str,
    hourly_limit: int | str,
    language: str,
    calls_also_clear: bool = False,
) -> Contact:
    """Stores how a person wishes to be told.

    Takes: quiet hours as times of day, the same on all days; the channels of calls for each priority, none: as usual.
    Raises: Refused, with every field that is wrong.
    """
    errors: dict[str, str] = {}
    hours = None
    if quiet:
        try:
            start, end = minute_of(quiet_from), minute_of(quiet_to, ends=True)
            hours = hours_of([Span(ALL_DAYS, start, end)])
            if start == end or is_always(hours):
                errors["quiet"] = _("That is the whole day: nothing would reach you. Choose fewer hours.")
        except NoClock as wrong:
            errors["quiet"] = str(wrong)
    levels = {"0", *map(str, Priority.values)}
    if str(quiet_lets) not in levels:
        errors["quiet_lets"] = _("Choose what still comes through.")
    if str(digest_from) not in levels:
        errors["digest_from"] = _("Choose what goes into the digest.")
    if not str(hourly_limit).isdecimal() or not 1 <= int(hourly_limit) <= settings.MESSAGES_PER_HOUR:
        errors["hourly_limit"] = _("Write a number from 1 to %(most)s.") % {"most": settings.MESSAGES_PER_HOUR}
    if language and language not in dict(settings.LANGUAGES):
        errors["language"] = _("Choose a language from the list.")
    wished = {}
    for priority, ways in channels.items():
        if priority not in Priority.values or not set(ways) <= set(PERSONAL):
            errors["channels"] = _("Choose from the ways that are shown.")
        elif ways:
            wished[str(priority)] = list(ways)
    if errors:
        raise Refused(**errors)
    values = {
        "quiet_hours": hours,
        "quiet_lets": int(quiet_lets),
        "channels": wished,
        "digest_from": int(digest_from),
        "hourly_limit": int(hourly_limit),
        "language": language,
        "calls_also_clear": calls_also_clear,
    }
    return Contact.objects.update_or_create(user=user, defaults=values)[0]


def new_calendar_key(*, user: User) -> str:
    """Gives a person's duties a new secret address; the one before ends."""
    key = secrets.token_urlsafe(24)
    Contact.objects.update_or_create(user=user, defaults={"calendar_key": key})
    return key


def _span_errors(start: datetime, end: datetime, now: datetime) -> dict[str, str]:
    if end <= start:
        return {"end": _("The end is not after the beginning.")}
    if end <= now:
        return {"end": _("That is over already.")}
    if end - start > LONGEST:
        return {"end": _("That is longer than %(days)s days.") % {"days": LONGEST.days}}
    return {}


def _reason(text: str, errors: dict[str, str]) -> str:
    text = text.strip()
    if len(text) > LONGEST_REASON:
        errors["reason"] = _("At most %(most)s characters fit. Shorten it.") % {"most": LONGEST_REASON}
    return text
