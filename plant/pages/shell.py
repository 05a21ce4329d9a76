"""What every operators' page carries: navigation, the alarm banner, counts."""

from typing import Any

from django.http import HttpRequest


def context(request: HttpRequest) -> dict[str, Any]:
    """Gives the shell's template context."""
    return {}
