"""Static files, whose address holds the version of all: what belongs under it browsers keep for good."""

from __future__ import annotations

import os
import re

from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from plant.version import LENGTH, STARTED

_VERSION = re.compile(rf"[0-9a-f]{{{LENGTH}}}/")


class Files(WhiteNoiseMiddleware):  # type: ignore[misc]  # it has no types
    """Gives the files of this version, to be kept for good.

    A page of another version gets the files of now, to be kept by nobody: it was open when Andon was upgraded, or is
    of a process that was upgraded before this one. So does one that asks for a file that was changed since the start.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Gives a file, or what the rest of Andon answers."""
        prefix = str(self.static_prefix)
        above = prefix[: -LENGTH - 1]
        path = request.path_info
        if path.startswith(prefix) or not path.startswith(above) or not _VERSION.match(path, len(above)):
            response: HttpResponseBase = super().__call__(request)
            return response
        request.path_info = prefix + path[len(prefix) :]
        response = super().__call__(request)
        response["Cache-Control"] = "no-cache"
        return response

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponseBase:
        """Gives a file."""
        response: HttpResponseBase = WhiteNoiseMiddleware.serve(static_file, request)
        content = getattr(response, "file_to_stream", None)
        if content is not None and os.fstat(content.fileno()).st_ctime > STARTED:
            response["Cache-Control"] = "no-cache"
        return response

    def immutable_file_test(self, path: str, url: str) -> bool:
        """Tells whether a file's address holds its version."""
        return url.startswith(str(self.static_prefix))
