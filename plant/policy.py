"""What a page of ours may load and run: its own files, and nothing that somebody managed to write into it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

POLICY = "; ".join((
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",  # the socket too, which has the page's own host
    "manifest-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
))  # fmt: skip
# Pages that are not ours: the plant setup's and the interface's description bring scripts of their own.
_OTHERS = ("/admin/", "/api/")


def name_what_may_run(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Sets the policy of each page that has none of its own."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = get_response(request)
        if not request.path_info.startswith(_OTHERS):
            answer.headers.setdefault("Content-Security-Policy", POLICY)
        return answer

    return middleware
