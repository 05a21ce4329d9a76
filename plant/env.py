"""Reads the environment, typed, from a variable or from the file that VARIABLE_FILE names; refuses what is unclear."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """Gives a variable's text; NAME_FILE, where set, names a file that holds it (for secrets).

    Raises: ImproperlyConfigured where both are set or the file cannot be read.
    """
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and path is not None:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one of them.")
    if path is not None:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error}.") from error
    return default if value is None else value.strip()


def flag(name: str, default: bool = False) -> bool:
    """Gives a yes-or-no variable.

    Raises: ImproperlyConfigured for any other word.
    """
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; expected one of {', '.join(sorted(_TRUE | _FALSE))}.")


def number(name: str, default: float, *, least: float = 0.0) -> float:
    """Gives a numeric variable that is at least `least`.

    Raises: ImproperlyConfigured where it is no number or too small.
    """
    value = text(name)
    if not value:
        return default
    try:
        result = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; expected a number.") from None
    if not result >= least:
        raise ImproperlyConfigured(f"{name} is {value}; expected at least {least:g}.")
    return result


def count(name: str, default: int, *, least: int = 0) -> int:
    """Gives a whole number that is at least `least`.

    Raises: ImproperlyConfigured where it is none.
    """
    result = number(name, default, least=least)
    if result != int(result):
        raise ImproperlyConfigured(f"{name} is {result}; expected a whole number.")
    return int(result)


def words(name: str, default: str = "") -> list[str]:
    """Gives a comma-separated list without empty entries."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]
