"""What a person does to alarms and rules, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from django.contrib.auth.models import AbstractBaseUser
from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from ninja.errors import AuthorizationError, HttpError
from pydantic import Field

from alerts import queries, services
from alerts.api import get_alarm, get_alarm_events
from alerts.lifecycle import Event
from alerts.models import Rule, Suppression
from alerts.services import PERMISSIONS, Outcome, Refused, Request

router = Router()


class Comment(Schema):
    """What somebody says with an acknowledgement or a reset."""

    comment: str = Field("", max_length=services.LONGEST_COMMENT)


class Remark(Schema):
    """A comment on its own."""

    comment: str = Field(min_length=1, max_length=services.LONGEST_COMMENT)


class Reason(Schema):
    """Why something is presented again; it may be left out."""

    reason: str = Field("", max_length=services.LONGEST_COMMENT)


class Shelving(Schema):
    """Why and for how long: until a moment, or for so many minutes; a one-shot shelving may leave that out."""

    reason: str = Field(min_length=1, max_length=services.LONGEST_COMMENT)
    until: datetime | None = None
    minutes: float | None = Field(None, gt=0, le=527_040)
    one_shot: bool = False


class Service(Schema):
    """Why, by which work order, and the day on which somebody looks whether it is still needed."""

    reason: str = Field(min_length=1, max_length=services.LONGEST_COMMENT)
    work_order: str = Field("", max_length=services.LONGEST_WORK_ORDER)
    review: date


class RuleName(Schema):
    """A rule by its asset and name."""

    asset: str
    rule: str


class Bulk(Schema):
    """One thing done to several alarms and rules, with the words and terms that it takes for one."""

    action: Literal["ack", "comment", "reset", "silence", "shelve", "unshelve", "out_of_service", "return_to_service"]
    alarms: list[int] = Field([], max_length=services.MOST_AT_ONCE)
    rules: list[RuleName] = Field([], max_length=services.MOST_AT_ONCE)
    reason: str = Field("", max_length=services.LONGEST_COMMENT)
    until: datetime | None = None
    minutes: float | None = Field(None, gt=0, le=527_040)
    one_shot: bool = False
    work_order: str = Field("", max_length=services.LONGEST_WORK_ORDER)
    review: date | None = None
    also_critical: bool = False


def _person(request: HttpRequest, event: Event) -> AbstractBaseUser:
    """Gives the person, if they may do that."""
    if not request.user.is_authenticated or not request.user.has_perm(PERMISSIONS[event]):
        raise AuthorizationError
    return request.user


def _until(body: Shelving | Bulk, now: datetime) -> datetime | None:
    if body.until is None:
        return None if body.minutes is None else now + timedelta(minutes=body.minutes)
    if body.minutes is not None:
        raise HttpError(422, "Give until or minutes, not both.")
    if body.until.tzinfo is None:
        raise HttpError(422, "Times need an offset, for example 2026-03-01T06:00:00Z.")
    return body.until.astimezone(UTC)


def _terms(body: Shelving, now: datetime) -> dict[str, Any]:
    """Gives how long and why something is shelved, as the service takes it."""
    return {"reason": body.reason, "until": _until(body, now), "one_shot": body.one_shot, "now": now}


def _do(service: Callable[..., Any], **given: Any) -> None:
    try:
        service(**given)
    except Refused as error:
        raise HttpError(409, str(error)) from error


def _to_alarm(request: HttpRequest, event: Event, service: Callable[..., Any], pk: int, **given: Any) -> dict[str, Any]:
    """Does something to an alarm and gives how it stands then."""
    user = _person(request, event)
    get_alarm(request, pk)
    _do(service, alarm_id=pk, user=user, **{"now": timezone.now(), **given})
    return get_alarm(request, pk)


def _to_rule(
    request: HttpRequest, event: Event, service: Callable[..., Any], asset: str, name: str, **given: Any
) -> dict[str, Any]:
    """Does something to a rule and gives how its suppression stands then."""
    user, rule = _person(request, event), _rule(asset, name)
    _do(service, rule_id=rule.pk, user=user, **{"now": timezone.now(), **given})
    return _stands(rule)


# --- Alarms --------------------------------------------------------------------------------------------------------


@router.post("/alarms/{int:pk}/ack", summary="Acknowledge an alarm")
def acknowledge(request: HttpRequest, pk: int, body: Comment | None = None) -> dict[str, Any]:
    """Acknowledges this occurrence; asked twice, the first person's acknowledgement stands."""
    return _to_alarm(request, Event.ACK, services.acknowledge, pk, comment=body.comment if body else "")


@router.post("/alarms/{int:pk}/comment", summary="Comment an alarm")
def comment(request: HttpRequest, pk: int, body: Remark) -> dict[str, Any]:
    """Adds a comment to this occurrence's journal."""
    user = _person(request, Event.COMMENT)
    get_alarm(request, pk)
    try:
        services.comment(alarm_id=pk, user=user, text=body.comment, now=timezone.now())
    except services.Refused as error:
        raise HttpError(422, str(error)) from error
    return get_alarm_events(request, pk)


@router.post("/alarms/{int:pk}/reset", summary="Reset a latched alarm")
def reset(request: HttpRequest, pk: int, body: Comment | None = None) -> dict[str, Any]:
    """Resets this occurrence, whose condition is over."""
    return _to_alarm(request, Event.RESET, services.reset, pk, comment=body.comment if body else "")


@router.post("/alarms/{int:pk}/silence", summary="Stop the horn for an alarm")
def silence(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Stops the horn for this occurrence on every screen; its next annunciation sounds again."""
    return _to_alarm(request, Event.SILENCE, services.silence, pk)


@router.post("/alarms/{int:pk}/shelve", summary="Shelve an alarm")
def shelve(request: HttpRequest, pk: int, body: Shelving) -> dict[str, Any]:
    """Keeps this alarm, and what its rule raises meanwhile, from being presented until then."""
    return _to_alarm(request, Event.SHELVE, services.shelve, pk, **_terms(body, timezone.now()))


@router.post("/alarms/{int:pk}/unshelve", summary="Unshelve an alarm")
def unshelve(request: HttpRequest, pk: int, body: Reason | None = None) -> dict[str, Any]:
    """Presents this alarm again."""
    return _to_alarm(request, Event.UNSHELVE, services.unshelve, pk, reason=body.reason if body else "")


@router.post("/alarms/{int:pk}/out-of-service", summary="Take an alarm out of service")
def take_out_of_service(request: HttpRequest, pk: int, body: Service) -> dict[str, Any]:
    """Keeps this alarm, and what its rule raises meanwhile, from being presented until somebody returns it."""
    return _to_alarm(request, Event.OUT_OF_SERVICE, services.take_out_of_service, pk, **body.dict())


@router.post("/alarms/{int:pk}/return", summary="Return an alarm to service")
def return_to_service(request: HttpRequest, pk: int, body: Reason | None = None) -> dict[str, Any]:
    """Presents this alarm again."""
    return _to_alarm(request, Event.RETURN, services.return_to_service, pk, reason=body.reason if body else "")


@router.post("/alarms/bulk", summary="Do one thing to several alarms")
def bulk(request: HttpRequest, body: Bulk) -> dict[str, Any]:
    """Does one thing to several alarms and rules at once; each has its own row in the journal, and its own answer.

    Alarms of the highest priority are not shelved in bulk unless `also_critical` says so.
    """
    event = Event(body.action)
    user, now = _person(request, event), timezone.now()
    asked = Request(event, user, now, body.reason, _until(body, now), body.one_shot, body.work_order, body.review)
    rules = [_rule(name.asset, name.rule).pk for name in body.rules]
    try:
        found = services.many(asked, alarm_ids=body.alarms, rule_ids=rules, also_critical=body.also_critical)
    except Refused as error:
        raise HttpError(422, str(error)) from error
    numbers = [*dict.fromkeys(body.alarms)]
    names = [(name.asset, name.rule) for name in body.rules]
    return {
        "items": [{"alarm": number, **_outcome(outcome)} for number, outcome in zip(numbers, found, strict=False)]
        + [
            {"asset": asset, "rule": rule, **_outcome(outcome)}
            for (asset, rule), outcome in zip(dict.fromkeys(names), found[len(numbers) :], strict=True)
        ],
        "done": sum(outcome.done for outcome in found),
        "next": None,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"done": outcome.done, "refused": outcome.refused, "message": outcome.message}


# --- Rules, where no alarm is open ---------------------------------------------------------------------------------


def _rule(asset: str, name: str) -> Rule:
    """Gives a rule by its asset and name. Raises: Http404."""
    found = Rule.objects.filter(asset__code=asset, name=name).first()
    if found is None:
        raise Http404(f"There is no rule {name} of {asset}.")
    return found


def _stands(rule: Rule) -> dict[str, Any]:
    """Gives how a rule's suppression stands."""
    row = Suppression.objects.filter(rule=rule).first() or Suppression(rule=rule)
    return queries.suppressions_as_json([row])[0][2]


@router.get("/rules/{asset}/{path:name}/suppression", summary="Whether a rule's alarms are presented")
def get_suppression(request: HttpRequest, asset: str, name: str) -> dict[str, Any]:
    """Why the alarms of this rule are not presented, by whom and until when; `suppressed` is empty where they are."""
    return _stands(_rule(asset, name))


@router.post("/rules/{asset}/{path:name}/shelve", summary="Shelve a rule")
def shelve_rule(request: HttpRequest, asset: str, name: str, body: Shelving) -> dict[str, Any]:
    """Keeps the alarms of this rule from being presented until then, whether one is open or not."""
    return _to_rule(request, Event.SHELVE, services.shelve, asset, name, **_terms(body, timezone.now()))


@router.post("/rules/{asset}/{path:name}/unshelve", summary="Unshelve a rule")
def unshelve_rule(request: HttpRequest, asset: str, name: str, body: Reason | None = None) -> dict[str, Any]:
    """Presents the alarms of this rule again."""
    return _to_rule(request, Event.UNSHELVE, services.unshelve, asset, name, reason=body.reason if body else "")


@router.post("/rules/{asset}/{path:name}/out-of-service", summary="Take a rule out of service")
def take_rule_out_of_service(request: HttpRequest, asset: str, name: str, body: Service) -> dict[str, Any]:
    """Keeps the alarms of this rule from being presented until somebody returns it."""
    return _to_rule(request, Event.OUT_OF_SERVICE, services.take_out_of_service, asset, name, **body.dict())


@router.post("/rules/{asset}/{path:name}/return", summary="Return a rule to service")
def return_rule_to_service(request: HttpRequest, asset: str, name: str, body: Reason | None = None) -> dict[str, Any]:
    """Presents the alarms of this rule again."""
    return _to_rule(request, Event.RETURN, services.return_to_service, asset, name, reason=body.reason if body else "")


@router.post("/rules/{asset}/{path:name}/comment", summary="Comment a rule")
def comment_rule(request: HttpRequest, asset: str, name: str, body: Remark) -> dict[str, Any]:
    """Adds a comment to the journal of this rule's open alarm, else to the rule's own."""
    return _to_rule(request, Event.COMMENT, services.comment_rule, asset, name, text=body.comment)
