"""Messages over HTTP: the door for answered text messages, and the log with every try."""

from __future__ import annotations

import hmac
import json
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Query, Router
from ninja.errors import AuthorizationError, HttpError

from alerts.models import Delivery
from alerts.notify import answers, outbox, records
from alerts.notify.limits import Limit

log = structlog.get_logger(__name__)
router = Router()

SECRET_HEADER = "X-Andon-Secret"  # noqa: S105  # its name
LONGEST_BODY = 8_192
_OF_ONE_ADDRESS = Limit("sms-secret", most=60)  # wrong secrets
_OF_ONE_NUMBER = Limit("sms-number", most=20)
_PAGE: int = Query(100, ge=1, le=500)  # type: ignore[type-arg]  # an alias for the type checker

Outcome = Delivery.Outcome


@router.post("/sms/inbound", auth=None, summary="A text message that came back")
def sms_inbound(request: HttpRequest) -> HttpResponse:
    """Takes `from` and `text`, as JSON or as a form, from a gateway that sends the shared secret.

    Answers `{"answer": …}`: what to send back to the number; empty where nothing is to be said.
    """
    secret = settings.SMS_INBOUND_SECRET
    if not secret:
        raise Http404("Text messages are not taken: SMS_INBOUND_SECRET is not set.")
    address = request.META.get("REMOTE_ADDR", "")
    given = request.headers.get(SECRET_HEADER, "")
    if not hmac.compare_digest(given.encode(), secret.encode()):
        log.warning("text message refused", address=address, problem="wrong secret" if given else "no secret")
        if not _OF_ONE_ADDRESS.allows(address):
            raise HttpError(429, "Too many attempts. Ask again in a minute.")
        raise HttpError(401, f"Send the shared secret as {SECRET_HEADER}.")
    sender, text = _message(request)
    if not _OF_ONE_NUMBER.allows(answers.number_of(sender)):
        raise HttpError(429, "Too many messages from this number. Ask again in a minute.")
    return JsonResponse({"answer": answers.by_text(sender=sender, text=text, now=timezone.now())})


def _message(request: HttpRequest) -> tuple[str, str]:
    """Gives number and text. Raises: HttpError 413, 422."""
    if request.content_type == "application/json":
        if len(request.body) > LONGEST_BODY:
            raise HttpError(413, f"A text message has at most {LONGEST_BODY} bytes.")
        try:
            fields = json.loads(request.body)
        except (ValueError, RecursionError):
            raise HttpError(422, "The body is not JSON.") from None
    else:
        fields = request.POST.dict()
    sender, text = (fields.get("from"), fields.get("text")) if isinstance(fields, dict) else (None, None)
    if not isinstance(sender, str) or not isinstance(text, str) or not sender:
        raise HttpError(422, 'Expected "from" and "text", as JSON or as a form.')
    return sender, text


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise AuthorizationError
    return request.user


def _mine(request: HttpRequest, pk: int) -> Delivery:
    """Gives a message that the person may act on: their own, or anybody's for staff."""
    found = records.visible(_person(request), everybody=True).filter(pk=pk).first()
    if found is None:
        raise Http404(f"There is no message {pk}.")
    return found


@router.get("/deliveries", summary="Messages and what became of them")
def list_deliveries(
    request: HttpRequest,
    outcome: str = "",
    alarm: int | None = None,
    everybody: bool = False,
    cursor: int | None = None,
    limit: int = _PAGE,
) -> dict[str, Any]:
    """One's own messages, the newest first; everybody's for staff. By outcome (due, sent, dead, …) and by alarm."""
    found = records.visible(_person(request), everybody=everybody)
    if outcome:
        if outcome not in Outcome.values:
            raise HttpError(422, f"There is no outcome {outcome}; expected one of {', '.join(Outcome.values)}.")
        found = found.filter(outcome=outcome)
    if alarm is not None:
        found = found.filter(alarm=alarm)
    if cursor is not None:
        found = found.filter(pk__lt=cursor)
    rows = list(found[: limit + 1])
    return {
        "items": [records.as_json(delivery) for delivery in rows[:limit]],
        "next": rows[limit - 1].pk if len(rows) > limit else None,
    }


@router.get("/deliveries/{int:pk}", summary="One message with every try")
def get_delivery(request: HttpRequest, pk: int) -> dict[str, Any]:
    """The message with each try and the provider's answer."""
    delivery = _mine(request, pk)
    return {**records.as_json(delivery), "tries": [records.try_as_json(one) for one in delivery.tries.order_by("pk")]}


@router.post("/deliveries/{int:pk}/resend", summary="Send again what was given up")
def resend(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Puts a message that was given up back into the outbox."""
    _mine(request, pk)
    try:
        outbox.resend(delivery_id=pk, user=_person(request), now=timezone.now())
    except outbox.NotDead as error:
        raise HttpError(409, str(error)) from error
    return get_delivery(request, pk)


@router.post("/deliveries/{int:pk}/dismiss", summary="Let be what was given up")
def dismiss(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Leaves a message that was given up as it is; it calls for nobody's attention any more."""
    _mine(request, pk)
    try:
        outbox.dismiss(delivery_id=pk, user=_person(request), now=timezone.now())
    except outbox.NotDead as error:
        raise HttpError(409, str(error)) from error
    return get_delivery(request, pk)
