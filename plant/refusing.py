"""Requests that mean nothing to any part of Andon are refused before the first of them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

NUL = "\0"


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answers 400 to an address, form or JSON with a NUL character: no text has one, and PostgreSQL takes none."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if NUL in request.path_info or _in_json(request) or _in_form(request):
            return HttpResponse("A NUL character is not part of any text.\n", status=400, content_type="text/plain")
        return get_response(request)

    return middleware


def _in_json(request: HttpRequest) -> bool:
    return request.content_type == "application/json" and b"\\u0000" in request.body


def _in_form(request: HttpRequest) -> bool:
    return any(
        NUL in key or any(NUL in value for value in values)
        for form in (request.GET, request.POST)
        for key, values in form.lists()
    )
