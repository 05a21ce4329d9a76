"""Who changes the plant from a command line: the account that `--as` names, or else the machine's own user."""

import os
import pwd
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from devices.records import LONGEST_REASON, because, by

_LONGEST_DEFAULT = 200  # characters; who changes it has room beside it


def add_whose(parser: ArgumentParser) -> None:
    """Gives a command `--as USERNAME`."""
    parser.add_argument("--as", dest="username", default="", help="your user name in Andon: the history names you")


@contextmanager
def changing(*, username: str, reason: str) -> Iterator[str]:
    """Names who and why, for the history of what is changed inside.

    Takes: the user name of an account, or none; why.
    Gives: the reason as it is kept: the machine's own user stands before it where no account is named.
    Raises: CommandError where there is no such account, or the reason is too long. Cost: a query where one is named.
    """
    whose = "" if username else f"{machine_user()}: "
    if len(whose + reason) > LONGEST_REASON:
        raise CommandError(f"the reason has {LONGEST_REASON - len(whose)} characters at most.")
    if whose:
        with because(whose + reason):
            yield whose + reason
        return
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise CommandError(f"Nobody active has the user name {username}.")
    with by(user), because(reason):
        yield reason


def why_imported(reason: str, name: str) -> str:
    """Gives the reason of an import: what was given, else the name of what is imported."""
    return reason.strip() or f"imported from {name}"[:_LONGEST_DEFAULT]


def machine_user() -> str:
    """Gives the user of the operating system; who called `sudo` stands first: alice as andon."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user has a number only
        name = f"user {os.getuid()}"
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {name}" if before and before != name else name
