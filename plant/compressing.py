"""Pages go compressed, by Django's own middleware, which pads each at random against guessing by size (BREACH)."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# What is text and made at once; documents and exports are packed already, or streamed as they are read.
_TYPES = frozenset({"text/html", "text/javascript", "application/json", "application/geo+json", "image/svg+xml"})


class Compressing(GZipMiddleware):
    """Compresses what a browser reads as text."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Gives the response, compressed where the browser takes that."""
        kind = response.get("Content-Type", "").partition(";")[0].strip()
        if response.streaming or kind not in _TYPES:
            return response
        return super().process_response(request, response)
