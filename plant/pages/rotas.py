"""On call: who has which duty now, and in the weeks to come? Shown as a calendar, changed by overrides and swaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from alerts.calling import rota as core
from alerts.calling import services, wall
from alerts.calling.directory import load_rotas
from alerts.calling.ical import Duty, calendar
from alerts.models import Contact, Rota, RotaOverride
from alerts.subscriptions import Refused
from alerts.writing import stamp
from plant.pages import moments
from plant.pages.deliveries import person
from plant.pages.tree import tree

VIEWS = {"week": 7, "month": 35}
AHEAD = timedelta(days=60)  # in calendar files, and in what can be swapped
BEHIND = timedelta(days=14)
SHADES = 4  # fills that tell neighbours apart; the names say who it is
REFRESH = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """One person's part of a day."""

    start: int  # in thousandths of the day
    length: int
    shade: int
    begins: str  # on the wall; empty where it goes on from the day before
    name: str
    gap: bool
    override: bool
    source: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the calendar."""

    day: date
    today: bool
    parts: list[Part]
    now: int | None  # in thousandths of the day


@dataclass(frozen=True, slots=True)
class Card:
    """A rota with who is on call."""

    rota: Rota
    zone: str
    name: str  # empty: nobody
    until: str  # by the rota's clock; empty: nothing changes in the coming days
    after: str
    gap_from: str  # when nobody is on call next


def _names(ids: set[int | None]) -> dict[int, str]:
    users = User.objects.filter(pk__in={pk for pk in ids if pk is not None})
    return {user.pk: user.get_full_name() or user.get_username() for user in users}


def cards(now: datetime) -> list[Card]:
    """Gives all rotas with who is on call. Cost: seven queries for any number of them."""
    rows = list(Rota.objects.order_by("name", "pk"))
    loaded = load_rotas(None, since=now)
    coming = {row.pk: list(core.segments(loaded[row.pk], now, now + timedelta(days=14))) for row in rows}
    names = _names({segment.person for found in coming.values() for segment in found})
    made = []
    for row in rows:
        found, zone = coming[row.pk], loaded[row.pk].zone
        first, after = found[0], found[1] if len(found) > 1 else None
        made.append(
            Card(
                row,
                str(zone),
                names.get(first.person or 0, ""),
                _clock(first.end, zone) if after is not None else "",
                names.get(after.person or 0, "") if after is not None else "",
                next((_clock(one.start, zone) for one in found if one.person is None), ""),
            )
        )
    return made


@require_GET
def rotas(request: HttpRequest) -> HttpResponse:
    """Shows who is on call now."""
    plant = tree()
    return render(
        request,
        "plant/rotas.html",
        {
            "title": _("On call"),
            "crumbs": [(plant.name, reverse("overview")), (_("On call"), "")],
            "current_page": "rotas",
            "cards": cards(timezone.now()),
        },
    )


def _rota(code: str) -> Rota:
    found = Rota.objects.filter(code=code).first()
    if found is None:
        raise Http404(_("There is no rota %(code)s.") % {"code": code})
    return found


def days(
    rota: core.Rota, first: date, count: int, now: datetime, names: Mapping[int, str], found: Sequence[core.Segment]
) -> list[Day]:
    """Gives days of the calendar, each cut by who has the duty; a day of 23 or 25 hours is drawn as wide as others."""
    order = {pk: place % SHADES for place, pk in enumerate(sorted(names))}
    made = []
    for number in range(count):
        day = first + number * DAY
        start, end = wall.midnight(day, rota.zone), wall.midnight(day + DAY, rota.zone)
        length = (end - start).total_seconds()
        parts = []
        for one in found:
            begins, ends = max(one.start, start), min(one.end, end)
            if begins >= ends:
                continue
            at = round((begins - start).total_seconds() / length * 1000)
            parts.append(
                Part(
                    at,
                    round((ends - start).total_seconds() / length * 1000) - at,
                    order.get(one.person or 0, 0),
                    f"{begins.astimezone(rota.zone):%H:%M}" if begins == one.start else "",
                    names.get(one.person or 0, _("nobody")),
                    one.person is None,
                    one.override,
                    one.source,
                )
            )
        inside = start <= now < end
        made.append(Day(day, inside, parts, round((now - start).total_seconds() / length * 1000) if inside else None))
    return made


def _shown(
    request: HttpRequest, row: Rota, *, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> HttpResponse:
    """Shows a rota's calendar with its forms; where one was refused, with what was typed and what is wrong."""
    now, plant = timezone.now(), tree()
    view = request.GET.get("view", "week")
    count = VIEWS.get(view, VIEWS["week"])
    loaded = load_rotas([row.pk], since=now - 2 * AHEAD)[row.pk]
    today = wall.day_of(now, loaded.zone)
    first = _day(request.GET.get("from", ""), today)
    first -= first.weekday() * DAY
    start, end = wall.midnight(first, loaded.zone), wall.midnight(first + count * DAY, loaded.zone)
    found = list(core.segments(loaded, start, end))
    coming = [one for one in core.segments(loaded, now, now + AHEAD) if one.person is not None]
    names = _names({one.person for one in [*found, *coming]})
    week = days(loaded, first, count, now, names, found)
    current = next(iter(core.segments(loaded, now, now + AHEAD)))
    overrides = RotaOverride.objects.filter(rota=row, end__gt=now).select_related("user", "made_by")
    context: dict[str, Any] = {
        "title": row.name,
        "crumbs": [(plant.name, reverse("overview")), (_("On call"), reverse("rotas")), (row.name, "")],
        "current_page": "rotas",
        "rota": row,
        "zone": loaded.zone.key,
        "weeks": [week[at : at + 7] for at in range(0, count, 7)],
        "view": "month" if count > 7 else "week",
        "first": first,
        "before": first - count * DAY,
        "after": first + count * DAY,
        "on_call": names.get(current.person or 0, ""),
        "until": _clock(current.end, loaded.zone),
        "gaps": sum(one.person is None for one in found),
        "coming": [
            (one.start.isoformat(), f"{_clock(one.start, loaded.zone)}, {names[one.person or 0]}")
            for one in coming[:40]
        ],
        "people": [
            (user.pk, user.get_full_name() or user.get_username())
            for user in User.objects.filter(is_active=True).order_by("last_name", "first_name", "username")
        ],
        "overrides": [
            (over, _clock(over.start, loaded.zone), _clock(over.end, loaded.zone))
            for over in overrides.order_by("start")
        ],
        "may": request.user.has_perm("alerts.add_rotaoverride"),
        "calendar": settings.PUBLIC_URL + reverse("rota-calendar", args=[row.calendar_key]),
        "typed": typed or {"start": moments.write(now, loaded.zone), "end": moments.write(current.end, loaded.zone)},
        "errors": errors or {},
    }
    return render(request, "plant/rota.html", context, status=400 if errors else 200)


def _day(text: str, otherwise: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if 2000 <= found.year <= 2200 else otherwise


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return stamp(local)


@require_GET
def rota(request: HttpRequest, code: str) -> HttpResponse:
    """Shows a rota's calendar, by week or month."""
    return _shown(request, _rota(code))


def _allowed(request: HttpRequest) -> User:
    if not request.user.has_perm("alerts.add_rotaoverride"):
        raise PermissionDenied
    return person(request)


@require_POST
def override(request: HttpRequest, code: str) -> HttpResponseBase:
    """Has somebody take a duty for a while."""
    user, row, post = _allowed(request), _rota(code), request.POST
    zone = load_rotas([row.pk], since=timezone.now())[row.pk].zone
    typed = {name: post.get(name, "")[:200] for name in ("user", "start", "end", "reason")}
    start, end = moments.read(typed["start"], zone), moments.read(typed["end"], zone)
    if start is None or end is None:
        wrong = "start" if start is None else "end"
        return _shown(request, row, typed=typed, errors={wrong: _("Write a date and a time.")})
    number = int(typed["user"]) if typed["user"].isdecimal() and len(typed["user"]) < 19 else 0
    try:
        made = services.take_duty(
            rota_id=row.pk, user_id=number, start=start, end=end, reason=typed["reason"], by=user, now=timezone.now()
        )
    except Refused as refusal:
        return _shown(request, row, typed=typed, errors=refusal.errors)
    name = made.user.get_full_name() or made.user.get_username()
    messages.success(
        request,
        _("%(name)s has the duty from %(start)s to %(end)s.")
        % {"name": name, "start": _clock(start, zone), "end": _clock(end, zone)},
    )
    return redirect("rota", code)


@require_POST
def swap(request: HttpRequest, code: str) -> HttpResponseBase:
    """Has two people swap a duty each."""
    user, row = _allowed(request), _rota(code)
    chosen = {}
    for name in ("first", "second"):
        try:
            chosen[name] = datetime.fromisoformat(request.POST.get(name, ""))
        except ValueError:
            return _shown(request, row, errors={name: _("Choose a duty from the list.")})
        if chosen[name].tzinfo is None:
            return _shown(request, row, errors={name: _("Choose a duty from the list.")})
    try:
        services.swap_duties(
            rota_id=row.pk, by=user, now=timezone.now(), reason=request.POST.get("reason", "")[:200], **chosen
        )
    except Refused as refusal:
        return _shown(request, row, errors=refusal.errors)
    messages.success(request, _("The two duties are swapped."))
    return redirect("rota", code)


@require_POST
def drop(request: HttpRequest, code: str, pk: int) -> HttpResponseBase:
    """Takes back an override."""
    if not request.user.has_perm("alerts.delete_rotaoverride"):
        raise PermissionDenied
    row = _rota(code)
    if not RotaOverride.objects.filter(pk=pk, rota=row).exists():
        raise Http404(_("There is no such override."))
    try:
        services.drop_override(override_id=pk, now=timezone.now())
    except RotaOverride.DoesNotExist:
        messages.warning(request, _("That override is over already."))
    else:
        messages.success(request, _("Taken back. The rota has the duty as before."))
    return redirect("rota", code)


# --- Calendar files: the address is the secret ---------------------------------------------------------------------


@login_not_required
@require_GET
def rota_calendar(request: HttpRequest, key: str) -> HttpResponse:
    """Gives a rota as a calendar file."""
    row = Rota.objects.filter(calendar_key=key).first()
    if row is None:
        raise Http404(_("There is no such calendar."))
    return _file(row.name, duties_of(timezone.now(), rota_id=row.pk))


@login_not_required
@require_GET
def person_calendar(request: HttpRequest, key: str) -> HttpResponse:
    """Gives somebody's duties as a calendar file."""
    contact = Contact.objects.filter(calendar_key=key, user__is_active=True).select_related("user").first()
    if contact is None:
        raise Http404(_("There is no such calendar."))
    name = contact.user.get_full_name() or contact.user.get_username()
    return _file(_("On call: %(name)s") % {"name": name}, duties_of(timezone.now(), user_id=contact.user_id))


def duties_of(now: datetime, *, rota_id: int | None = None, user_id: int | None = None) -> list[Duty]:
    """Gives the duties of a rota, or of a person in all rotas, in the weeks around now, in order."""
    rows = dict(Rota.objects.filter(**({} if rota_id is None else {"pk": rota_id})).values_list("pk", "name"))
    # From the beginning of a day: a duty that is under way keeps its beginning, and so its identity.
    loaded = load_rotas(rows, since=now - 2 * BEHIND)
    found = [
        (pk, one)
        for pk, rota in loaded.items()
        for one in core.segments(rota, _midnight(now - BEHIND), _midnight(now + AHEAD))
        if one.person is not None and user_id in (None, one.person)
    ]
    names = _names({one.person for _, one in found})
    return [
        Duty(
            f"rota-{pk}-{one.start:%Y%m%dT%H%M%SZ}@andon",
            one.start,
            one.end,
            rows[pk] if user_id is not None else f"{rows[pk]}: {names.get(one.person or 0, '?')}",
            one.source,
        )
        for pk, one in sorted(found, key=lambda item: (item[1].start, item[0]))
    ]


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time(), moment.tzinfo)


def _file(name: str, duties: list[Duty]) -> HttpResponse:
    answer = HttpResponse(
        calendar(name, duties, now=timezone.now(), refresh=REFRESH), content_type="text/calendar; charset=utf-8"
    )
    answer["Cache-Control"] = "private, max-age=300"
    answer["Content-Disposition"] = 'inline; filename="rota.ics"'
    answer["Referrer-Policy"] = "no-referrer"
    return answer
