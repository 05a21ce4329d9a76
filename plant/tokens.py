"""What proves who somebody is besides a password: personal tokens for the API, one-time links for the browser."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from devices.intake.tokens import hash_token, hint, new_token
from plant.models import PersonalToken, SignInLink

LINK_LIFE = timedelta(hours=24)


def make_token(*, user: User) -> str:
    """Makes a personal token. Gives: its text, which cannot be had again."""
    token = new_token()
    PersonalToken.objects.create(user=user, token_hash=hash_token(token), token_hint=hint(token))
    return token


def user_of_token(token: str) -> User | None:
    """Gives the person whose personal token this is. Cost: one query."""
    found = (
        PersonalToken.objects.select_related("user").filter(token_hash=hash_token(token), user__is_active=True).first()
    )
    return found.user if found is not None else None


def user_of(headers: Mapping[str, str] | Iterable[tuple[bytes, bytes]]) -> User | None:
    """Gives the person whose personal token a request carries.

    Takes: headers as Django's request has them, or as an ASGI scope has them.
    Cost: one query where there is a bearer token, else none.
    """
    if isinstance(headers, Mapping):
        value = headers.get("authorization") or ""
    else:
        value = next((value.decode("latin-1") for name, value in headers if name == b"authorization"), "")
    scheme, _, token = value.partition(" ")
    return user_of_token(token.strip()) if scheme.lower() == "bearer" and token.strip() else None


def make_link(*, user: User, now: datetime) -> str:
    """Makes a one-time sign-in link, and takes back the person's earlier ones. Gives: its path."""
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        SignInLink.objects.filter(user=user).delete()
        SignInLink.objects.create(user=user, token_hash=hash_token(token), expires=now + LINK_LIFE)
    return f"/sign-in/link/{token}"


def link_owner(token: str, *, now: datetime) -> User | None:
    """Gives the person whom a link would sign in, and leaves it as it is."""
    link = (
        SignInLink.objects.select_related("user")
        .filter(token_hash=hash_token(token), used=None, expires__gt=now, user__is_active=True)
        .first()
    )
    return link.user if link is not None else None


def use_link(token: str, *, now: datetime) -> User | None:
    """Uses a link up. Gives: the person to sign in; None where it is unknown, over or used."""
    user = link_owner(token, now=now)
    # Of two who press at once only one changes the row.
    if user is None or not SignInLink.objects.filter(token_hash=hash_token(token), used=None).update(used=now):
        return None
    return user
