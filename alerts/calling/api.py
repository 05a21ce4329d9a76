"""Who is called, over HTTP: rotas, teams, plans, routes, maintenance, who would be told, and what is amiss."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.errors import AuthorizationError, HttpError
from pydantic import Field

from alerts import queries
from alerts.calling import rota as core
from alerts.calling import services
from alerts.calling.directory import Directory, load_rotas, zone_of
from alerts.calling.foresight import Facts, foresee
from alerts.calling.lint import lint
from alerts.models import Alarm, CallPlan, MaintenanceWindow, Rota, Rule, Team
from alerts.subscriptions import Refused
from devices.models import Asset

router = Router()

LONGEST = timedelta(days=370)  # of a rota in one answer
_PRIORITY: int = Query(1, ge=1, le=4)  # type: ignore[type-arg]  # an alias for the type checker


class Takeover(Schema):
    """Somebody who takes a duty for a while."""

    user: str
    start: datetime
    end: datetime
    reason: str = Field("", max_length=services.LONGEST_REASON)


class Window(Schema):
    """A time in which nobody is told of an asset's alarms."""

    asset: str
    start: datetime
    end: datetime
    reason: str = Field(min_length=1, max_length=services.LONGEST_REASON)


def _moment(sent: datetime) -> datetime:
    if sent.tzinfo is None:
        raise HttpError(422, "Times need an offset, for example 2026-03-01T06:00:00Z.")
    return sent.astimezone(UTC)


def _names(ids: set[int | None]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in={pk for pk in ids if pk is not None}).values_list("pk", "username"))


def _allowed(request: HttpRequest, permission: str) -> User:
    if not isinstance(request.user, User) or not request.user.has_perm(permission):
        raise AuthorizationError
    return request.user


def _refused(refusal: Refused) -> HttpError:
    return HttpError(422, "; ".join(f"{field}: {words}" for field, words in refusal.errors.items()))


def _rota(code: str) -> Rota:
    found = Rota.objects.filter(code=code).first()
    if found is None:
        raise Http404(f"There is no rota {code}.")
    return found


@router.get("/rotas", summary="Rotas and who is on call now")
def list_rotas(request: HttpRequest, at: datetime | None = None) -> dict[str, Any]:
    """Every rota with who has the duty at a moment, now unless `at` says otherwise."""
    moment = _moment(at) if at is not None else timezone.now()
    rows = {row.pk: row for row in Rota.objects.order_by("code")}
    loaded = load_rotas(None, since=moment)
    found = {pk: core.on_call(loaded[pk], moment) for pk in rows}
    names = _names(set(found.values()))
    return {
        "items": [
            {"code": row.code, "name": row.name, "time_zone": loaded[pk].zone.key, "on_call": names.get(found[pk] or 0)}
            for pk, row in rows.items()
        ],
        "next": None,
    }


@router.get("/rotas/{code}/duties", summary="A rota's calendar")
def list_duties(request: HttpRequest, code: str, start: datetime, end: datetime) -> dict[str, Any]:
    """The range cut by who has the duty, without gap or overlap; `user` is null where nobody has it."""
    row, first, last = _rota(code), _moment(start), _moment(end)
    if not first < last <= first + LONGEST:
        raise HttpError(422, f"Give a range of at most {LONGEST.days} days that ends after it starts.")
    found = list(core.segments(load_rotas([row.pk], since=first)[row.pk], first, last))
    names = _names({one.person for one in found})
    return {
        "items": [
            {
                "start": queries.iso(one.start),
                "end": queries.iso(one.end),
                "user": names.get(one.person or 0),
                "override": one.override,
                "source": one.source,
            }
            for one in found
        ],
        "next": None,
    }


@router.post("/rotas/{code}/overrides", summary="Take a duty for a while")
def take_duty(request: HttpRequest, code: str, body: Takeover) -> dict[str, Any]:
    """Has somebody take a rota's duty for a while, whoever else had it."""
    by = _allowed(request, "alerts.add_rotaoverride")
    user = User.objects.filter(username=body.user).first()
    try:
        made = services.take_duty(
            rota_id=_rota(code).pk,
            user_id=user.pk if user is not None else 0,
            start=_moment(body.start),
            end=_moment(body.end),
            reason=body.reason,
            by=by,
            now=timezone.now(),
        )
    except Refused as refusal:
        raise _refused(refusal) from refusal
    return {"id": made.pk, "user": body.user, "start": queries.iso(made.start), "end": queries.iso(made.end)}


@router.get("/teams", summary="Teams")
def list_teams(request: HttpRequest) -> dict[str, Any]:
    """Teams with their members."""
    rows = Team.objects.prefetch_related("members").order_by("code")
    return {
        "items": [
            {"code": row.code, "name": row.name, "members": sorted(user.username for user in row.members.all())}
            for row in rows
        ],
        "next": None,
    }


@router.get("/call-plans", summary="Call plans")
def list_plans(request: HttpRequest) -> dict[str, Any]:
    """Plans with their steps."""
    rows = CallPlan.objects.select_related("fallback").prefetch_related("steps__person", "steps__rota", "steps__team")
    return {
        "items": [
            {
                "code": row.code,
                "name": row.name,
                "repeat": row.repeat,
                "repeat_after": row.repeat_after,
                "stops_on_return": row.stops_on_return,
                "fallback": row.fallback.code if row.fallback is not None else None,
                "steps": [
                    {
                        "wait": step.wait,
                        "calls": step.whom,
                        "person": step.person.username if step.person is not None else None,
                        "rota": step.rota.code if step.rota is not None else None,
                        "team": step.team.code if step.team is not None else None,
                        "lowest_priority": step.lowest_priority,
                    }
                    for step in row.steps.all()
                ],
            }
            for row in rows.order_by("code")
        ],
        "next": None,
    }


@router.get("/call-routes", summary="Call routes, in the order in which they are tried")
def list_routes(request: HttpRequest) -> dict[str, Any]:
    """The routes in force; the first that takes an alarm leads it to its plan."""
    directory = Directory(timezone.now())
    plans = dict(CallPlan.objects.values_list("pk", "code"))
    codes = dict(Asset.objects.filter(pk__in=[route.asset for route in directory.routes]).values_list("pk", "code"))
    return {
        "items": [
            {
                "asset": codes.get(route.asset) if route.asset is not None else None,
                "priorities": [route.highest, route.lowest],
                "class": route.alarm_class,
                "hours": route.hours,
                "plan": plans[route.plan],
            }
            for route in directory.routes
        ],
        "next": None,
    }


def _window_json(row: MaintenanceWindow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "asset": row.asset.code,
        "start": queries.iso(row.start),
        "end": queries.iso(row.end),
        "reason": row.reason,
    }


@router.get("/maintenance", summary="Maintenance under way and to come")
def list_maintenance(request: HttpRequest) -> dict[str, Any]:
    """Times in which nobody is told of an asset's alarms."""
    rows = MaintenanceWindow.objects.filter(end__gt=timezone.now()).select_related("asset").order_by("start", "pk")
    return {"items": [_window_json(row) for row in rows], "next": None}


@router.post("/maintenance", summary="Plan maintenance")
def plan_maintenance(request: HttpRequest, body: Window) -> dict[str, Any]:
    """Withholds the messages of an asset and all below it for a while."""
    by = _allowed(request, "alerts.add_maintenancewindow")
    try:
        made = services.plan_maintenance(
            asset=body.asset,
            start=_moment(body.start),
            end=_moment(body.end),
            reason=body.reason,
            by=by,
            now=timezone.now(),
        )
    except Refused as refusal:
        raise _refused(refusal) from refusal
    return _window_json(made)


@router.get("/told", summary="Who would be told?")
def told(
    request: HttpRequest,
    alarm: int | None = None,
    rule: int | None = None,
    asset: str | None = None,
    priority: int = _PRIORITY,
    alarm_class: str = Query("", alias="class"),  # type: ignore[type-arg]
    at: datetime | None = None,
) -> dict[str, Any]:
    """Who would be told of an alarm (as one is, as a rule would raise it, or of an asset, a priority and a class)
    raised at a moment, if nobody answered it; and why the others would not."""
    moment = _moment(at) if at is not None else timezone.now()
    foreseen = foresee(_facts(alarm, rule, asset, priority, alarm_class), moment, lately=at is None)
    names = _names({one.person for one in foreseen.told if one.person is not None})
    return {
        "plan": foreseen.plan.name if foreseen.plan is not None else None,
        "items": [
            {
                "user": names[one.person] if one.person is not None else None,
                "team": one.name if one.person is None else None,
                "name": one.name,
                "channel": one.channel,
                "decided": queries.iso(one.decided),
                "at": queries.iso(one.at) if one.goes_out else None,
                "outcome": str(one.fate),
                "reason": one.reason,
            }
            for one in foreseen.told
        ],
        "others": [{"name": name, "reason": why} for name, why in foreseen.others],
        "next": None,
    }


def _facts(alarm: int | None, rule: int | None, asset: str | None, priority: int, alarm_class: str) -> Facts:
    if alarm is not None:
        if (found := Alarm.objects.filter(pk=alarm).first()) is None:
            raise Http404(f"There is no alarm {alarm}.")
        return Facts.of_alarm(found)
    if rule is not None:
        if (judged := Rule.objects.filter(pk=rule).first()) is None:
            raise Http404(f"There is no rule {rule}.")
        return Facts.of_rule(judged)
    place = Asset.objects.filter(code=asset).first() if asset is not None else None
    if asset is not None and place is None:
        raise Http404(f"There is no asset {asset}.")
    return Facts.of_place(place.pk if place is not None else None, priority, alarm_class)


@router.get("/calls/lint", summary="What is amiss with who is called")
def findings(request: HttpRequest) -> dict[str, Any]:
    """Alarms that reach nobody, rotas with gaps, people without a working address, idle routes, empty plans."""
    found = lint(timezone.now())
    return {
        "items": [{"kind": one.kind, "about": one.about, "words": one.words} for one in found],
        "time_zone": zone_of("").key,
        "next": None,
    }
