"""Filters of the list of alarms that a person keeps under a name: plain links to addresses."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from plant.models import SavedFilter
from plant.pages.alarms.filters import Filters

MOST = 20  # of one person: more than can be read in a row


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


@require_POST
def save(request: HttpRequest) -> HttpResponseBase:
    """Keeps a filter under a name; one of the same name gives way."""
    user, filters = _person(request), Filters.of(QueryDict(request.POST.get("query", "")))
    name = " ".join(request.POST.get("name", "").split())
    kept = SavedFilter.objects.filter(user=user)
    if not name or len(name) > 40 or "\0" in name:
        messages.warning(request, _("Give the filter a name of at most 40 characters."))
    elif not filters.query():
        messages.warning(request, _("Nothing is narrowed: there is nothing to keep."))
    elif kept.count() >= MOST and not kept.filter(name=name).exists():
        messages.warning(request, _("You keep %(most)s filters already. Remove one first.") % {"most": MOST})
    else:
        SavedFilter.objects.update_or_create(user=user, name=name, defaults={"query": filters.query()})
        messages.success(request, _("Filter kept: %(name)s.") % {"name": name})
    return redirect(filters.address())


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Forgets one's own filter; the list stays as it is."""
    found = SavedFilter.objects.filter(user=_person(request), pk=pk).first()
    if found is None:
        raise Http404(_("You have no such filter."))
    found.delete()
    messages.success(request, _("Filter removed: %(name)s.") % {"name": found.name})
    return redirect(found.address)
