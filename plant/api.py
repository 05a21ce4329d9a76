"""The HTTP API under /api/v1/: who may ask, and the parts put together."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.security import HttpBearer, SessionAuth

from alerts.api import router as alarms
from alerts.api_actions import router as actions
from alerts.api_rules import router as rules
from alerts.calling.api import router as calls
from alerts.figures.api import router as figures
from alerts.notify.api import router as messages
from devices.api import router as assets
from devices.api_annotations import router as notes
from plant.tokens import user_of, user_of_token

_WHO = "Sign in, or send a personal token as `Authorization: Bearer TOKEN`."


class PersonalTokenAuth(HttpBearer):
    """`Authorization: Bearer TOKEN` with a personal token."""

    def authenticate(self, request: HttpRequest, token: str) -> AbstractBaseUser | None:
        """Gives the person behind a token."""
        user = user_of_token(token)
        if user is not None:
            request.user = user
            # A browser never sends this header by itself, so there is nothing to forge.
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return user


_TELEMETRY: dict[str, Any] = {
    "post": {
        "operationId": "telemetry",
        "summary": "Send readings",
        "description": (
            "Takes readings in one of three forms: a list of readings, one time with values by tag (or a list of "
            "such), or series by sensor. `time` is ISO 8601 with an offset or milliseconds since the epoch; left out, "
            "it is the time of arrival. The answer comes once the readings are in durable hands. A source's token "
            "authorises; readings outside its scope are rejected one by one. The body may be gzip."
        ),
        "security": [{"SourceToken": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {
                                "type": "object",
                                "required": ["readings"],
                                "properties": {
                                    "readings": {
                                        "type": "array",
                                        "maxItems": settings.TELEMETRY_MAX_READINGS,
                                        "items": {
                                            "type": "object",
                                            "required": ["sensor", "value"],
                                            "properties": {
                                                "sensor": {"type": "string", "example": "press-01/bearing-temp"},
                                                "time": {"oneOf": [{"type": "string"}, {"type": "number"}]},
                                                "value": {"type": "number"},
                                                "quality": {"enum": ["good", "uncertain", "bad"]},
                                            },
                                        },
                                    }
                                },
                            },
                            {
                                "type": "object",
                                "required": ["values"],
                                "properties": {
                                    "time": {"oneOf": [{"type": "string"}, {"type": "number"}]},
                                    "values": {"type": "object", "additionalProperties": {"type": "number"}},
                                },
                            },
                            {
                                "type": "object",
                                "required": ["series"],
                                "properties": {
                                    "series": {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "required": ["sensor", "times", "values"],
                                            "properties": {
                                                "sensor": {"type": "string"},
                                                "times": {"type": "array", "items": {}},
                                                "values": {"type": "array", "items": {"type": "number"}},
                                            },
                                        },
                                    }
                                },
                            },
                        ]
                    }
                }
            },
        },
        "responses": {
            "202": {"description": "At least one reading accepted; rejected ones are named with their error."},
            "400": {"description": "Not JSON, broken gzip, or none of the forms."},
            "401": {"description": "No valid token."},
            "403": {"description": "Every sensor outside the source's scope."},
            "413": {"description": "Over 8 MiB or 100,000 readings."},
            "415": {"description": "Another content type."},
            "422": {"description": "Well formed, no reading accepted."},
            "429": {"description": "The backlog is full; see Retry-After."},
            "503": {"description": "The stream cannot take it, nothing was kept; see Retry-After."},
        },
    }
}


class AndonAPI(NinjaAPI):
    """The API; its document also describes the intake, which stands before Django."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Gives the OpenAPI document with POST /telemetry."""
        schema = super().get_openapi_schema(**options)
        schema["paths"] = {"/api/v1/telemetry": _TELEMETRY, **schema["paths"]}
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["SourceToken"] = {"type": "http", "scheme": "bearer"}
        return schema


def _for_known_people(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Shows the document and its page to people who are signed in or carry a personal token."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated or user_of(request.headers) is not None:
            return view(request, *args, **kwargs)
        if "text/html" in request.headers.get("Accept", ""):
            return redirect_to_login(request.get_full_path())
        return JsonResponse({"error": _WHO}, status=401, headers={"WWW-Authenticate": "Bearer"})

    return guarded


api = AndonAPI(
    title="Andon",
    version="1",
    description="Assets, sensors, history, alarms and the journal. A person asks with the session or a personal token.",
    auth=[PersonalTokenAuth(), SessionAuth()],
    urls_namespace="api",
    docs_decorator=_for_known_people,
)
api.add_router("", assets)
api.add_router("", notes)
api.add_router("", alarms)
api.add_router("", actions)
api.add_router("", rules)
api.add_router("", calls)
api.add_router("", figures)
api.add_router("", messages)


def _error(request: HttpRequest, status: int, text: str) -> HttpResponse:
    return api.create_response(request, {"error": text}, status=status)


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, _: AuthenticationError) -> HttpResponse:
    answer = _error(request, 401, _WHO)
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(AuthorizationError)
def _unauthorised(request: HttpRequest, _: AuthorizationError) -> HttpResponse:
    return _error(request, 403, "Your account may not do this.")


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _error(request, 404, str(error) or "There is nothing at this address.")


@api.exception_handler(HttpError)
def _refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _error(request, error.status_code, str(error))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    parts = [f"{'.'.join(str(step) for step in item['loc'])}: {item['msg']}" for item in error.errors]
    return _error(request, 422, "; ".join(parts))


# LoginRequiredMiddleware would answer with a redirect to the sign-in page; the API answers 401 by itself.
urls = api.urls
for _pattern in urls[0]:
    _pattern.callback = login_not_required(cast(Callable[..., Any], _pattern.callback))


@login_not_required
def nothing_here(request: HttpRequest, rest: str) -> JsonResponse:
    """Answers in JSON where the API has no address."""
    return JsonResponse({"error": f"There is nothing at /api/v1/{rest[:100]}; see /api/v1/docs."}, status=404)
