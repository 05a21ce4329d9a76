"""Pages that say what went wrong: not allowed, not there, broken. They keep the frame: the banner stays live."""

from __future__ import annotations

import secrets
import sys
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils import timezone
from django.utils.translation import gettext as _

from plant import roles

log = structlog.get_logger(__name__)


def denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Says what the person can do, what not, and who can grant it."""
    user = getattr(request, "user", None)
    signed_in = isinstance(user, User)
    context: dict[str, Any] = {
        "title": _("Not allowed"),
        "crumbs": [(_("Not allowed"), "")],
        "words": str(exception) if exception is not None else "",
        "roles": list(user.groups.order_by("name").values_list("name", flat=True)) if isinstance(user, User) else [],
        "granters": roles.granters() if signed_in else [],
    }
    return render(request, "403.html", context, status=403)


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Says that there is no such page."""
    words = str(exception) if exception is not None and exception.args and isinstance(exception.args[0], str) else ""
    context = {"title": _("Not found"), "crumbs": [(_("Not found"), "")], "words": words}
    return render(request, "404.html", context, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Says that the page could not be made, with a code that stands in the log; in the frame if that can be made."""
    text = secrets.token_hex(4).upper()
    code = f"{text[:4]}-{text[4:]}"
    log.error("page failed", code=code, path=request.path, error=repr(sys.exc_info()[1]))
    context = {"title": _("Broken page"), "crumbs": [(_("Broken page"), "")], "code": code, "now": timezone.now()}
    try:
        return HttpResponse(loader.render_to_string("plant/broken.html", context, request), status=500)
    except Exception as error:  # what failed may be what every page needs, the database for one
        log.warning("page failed without its frame", code=code, error=repr(error))
        return HttpResponse(loader.render_to_string("500.html", {"code": code}), status=500)
