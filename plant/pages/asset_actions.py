"""What people leave at an asset: comments for the next shift, and documents."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from alerts import services
from devices import documents
from devices.models import Asset, Document, DocumentFile
from plant.pages.tree import tree_for

_ANY_KIND = "application/octet-stream"  # a browser saves it and runs nothing


def _asset(code: str) -> Asset:
    """Gives an asset that the person may see. Raises: Http404."""
    found: Asset | None = Asset.objects.filter(code=code).first()
    if found is None:
        raise Http404(_("There is no asset with this code."))
    return found


def _document(pk: int) -> Document:
    """Gives a document with its asset. Raises: Http404."""
    found = Document.objects.select_related("asset").filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such document; somebody may have removed it."))
    return found


def _person(request: HttpRequest, permission: str) -> User:
    """Gives the person, if they may do it. Raises: PermissionDenied."""
    if not isinstance(request.user, User) or not request.user.has_perm(permission):
        raise PermissionDenied
    return request.user


def _answer(request: HttpRequest, asset: Asset, words: str, *, status: int = 200) -> HttpResponseBase:
    """Tells a script in JSON, and a form by its page."""
    if request.headers.get("X-Requested-With") == "fetch":
        return JsonResponse({"message" if status < 400 else "error": words}, status=status)
    (messages.success if status < 400 else messages.warning)(request, words)
    return redirect(tree_for(request).by_code[asset.code].url)


@require_POST
def comment(request: HttpRequest, code: str) -> HttpResponseBase:
    """Writes a comment about an asset into the journal."""
    user, asset = _person(request, "alerts.acknowledge_alarm"), _asset(code)
    try:
        services.comment_asset(asset=asset, user=user, text=request.POST.get("comment", ""), now=timezone.now())
    except services.Refused as error:
        return _answer(request, asset, str(error), status=409)
    return _answer(request, asset, _("Comment written."))


@require_POST
def add_document(request: HttpRequest, code: str) -> HttpResponseBase:
    """Adds a link or a file to an asset."""
    _person(request, "devices.add_document")
    asset, title, url = _asset(code), request.POST.get("title", ""), request.POST.get("url", "").strip()
    file: Any = request.FILES.get("file")
    if bool(url) == (file is not None):
        return _answer(request, asset, _("Give a link or a file: one of the two."), status=400)
    try:
        if file is None:
            made = documents.add_link(asset=asset, title=title, url=url)
        else:
            # One byte more than is taken is enough to refuse it.
            data = file.read(documents.MOST_BYTES + 1)
            made = documents.add_file(asset=asset, title=title, name=file.name or "", data=data)
    except ValidationError as refusal:
        return _answer(request, asset, " ".join(refusal.messages), status=400)
    return _answer(request, asset, _("%(title)s is added.") % {"title": made.title})


@require_POST
def remove_document(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Takes a document away."""
    _person(request, "devices.delete_document")
    found = _document(pk)
    documents.remove(document=found)
    return _answer(request, found.asset, _("%(title)s is removed.") % {"title": found.title})


@require_GET
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives a file as a download; a browser is never let to show it as a page of ours."""
    found = _document(pk)
    try:
        data = documents.content(found)
    except DocumentFile.DoesNotExist:
        raise Http404(_("This document is a link, there is no file.")) from None
    answer = HttpResponse(data, content_type=_ANY_KIND)
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=found.file_name)
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
