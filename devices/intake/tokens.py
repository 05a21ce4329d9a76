"""Tokens of data sources: shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets

HINT = 8  # characters of a token that the admin shows, to tell one from another


def new_token() -> str:
    """Gives a random token of 256 bits, as 64 hexadecimal digits."""
    return secrets.token_hex(32)


def hash_token(token: str | bytes) -> str:
    """Gives what is kept of a token.

    A plain SHA-256 is enough, because nobody can guess at 256 random bits; and looking a hash up tells nothing by its
    duration, because a caller cannot choose the hash.
    """
    return hashlib.sha256(token.encode() if isinstance(token, str) else token).hexdigest()


def hint(token: str) -> str:
    """Gives the beginning of a token."""
    return token[:HINT]
