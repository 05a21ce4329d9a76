"""Signing in and out: by password, or by a one-time link that lets a person set one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from plant import session
from plant.attempts import attempt
from plant.tokens import link_owner, use_link

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_BY_LINK = "signed_in_by_link"  # in the session: a new password may be set without the old one


def _next(request: HttpRequest) -> str:
    """Gives where the person wanted to go, if that is here."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else "/"


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Shows the form, and signs in whoever gives the right password."""
    if request.user.is_authenticated:
        return redirect(_next(request))
    if request.method != "POST":
        return _form(request)
    name = request.POST.get("username", "")
    tried = attempt(account=name, address=request.META.get("REMOTE_ADDR", ""))
    if tried.wait_seconds:
        minutes = -(-tried.wait_seconds // 60)
        answer = _form(request, _("Too many attempts. Try again in %(minutes)d min.") % {"minutes": minutes}, 429)
        answer["Retry-After"] = str(tried.wait_seconds)
        return answer
    user = authenticate(request, username=name, password=request.POST.get("password", ""))
    if user is None:
        wrong = _("User name or password is wrong. %(left)d tries left before a 15 min pause.")
        return _form(request, wrong % {"left": tried.left}, 403)
    tried.succeeded()
    login(request, user)
    session.begin(request)
    return redirect(_next(request))


def _form(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    """Shows the form, with what was wrong."""
    context = {"problem": problem, "next": _next(request), "username": request.POST.get("username", "")}
    return render(request, "plant/sign_in.html", context, status=status)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Shows a button, which uses the link up: a mail scanner that follows the link does not."""
    user = use_link(token, now=timezone.now()) if request.method == "POST" else link_owner(token, now=timezone.now())
    if user is None:
        return render(request, "plant/sign_in_link_over.html", status=410)
    if request.method != "POST":
        return render(request, "plant/sign_in_link.html", {"person": user})
    login(request, user, backend=_BACKEND)
    session.begin(request)
    if user.has_usable_password():
        return redirect("/")
    request.session[_BY_LINK] = True
    return redirect("set-password")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest) -> HttpResponse:
    """Lets a person set a password: a first one after a one-time link, else a new one against the old."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    first = not user.has_usable_password() and request.session.get(_BY_LINK, False)
    form = (SetPasswordForm if first else PasswordChangeForm)(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        request.session.pop(_BY_LINK, None)
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password is set."))
        return redirect("/")
    return render(request, "plant/sign_in_password.html", {"form": form, "first": first})


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Signs out."""
    logout(request)
    return redirect("sign-in")


@login_not_required
@never_cache
def for_admin(request: HttpRequest) -> HttpResponse:
    """Stands in for the admin's own sign-in page, so that there is one door with one lock."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect(f"{reverse('sign-in')}?{urlencode({'next': _next(request)})}")
