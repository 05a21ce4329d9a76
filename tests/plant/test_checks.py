"""Unsafe mixes of settings are refused by name."""

from typing import Any

import pytest

from plant.checks import safe_together

SAFE = {
    "PRODUCTION": True,
    "DEBUG": False,
    "ALLOWED_HOSTS": ["andon.works.example"],
    "PUBLIC_URL": "https://andon.works.example",
    "SECRET_KEY": "k" * 50,
    "EMAIL_URL": "smtp://mail.works.example",
}


def found(settings: Any, **changed: Any) -> set[str]:
    for name, value in {**SAFE, **changed}.items():
        setattr(settings, name, value)
    return {str(message.id) for message in safe_together(None)}


def test_safe_production_passes(settings: Any) -> None:
    assert found(settings) == set()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"DEBUG": True}, {"andon.E010"}),
        ({"ALLOWED_HOSTS": ["localhost", "[::1]"], "PUBLIC_URL": "https://localhost"}, {"andon.E011"}),
        ({"PUBLIC_URL": "http://andon.works.example"}, {"andon.E012"}),
        ({"SECRET_KEY": "short"}, {"andon.E013"}),
        ({"SECRET_KEY": "django-insecure-" + "k" * 50}, {"andon.E013"}),
        ({"EMAIL_URL": "", "SMS_URL": ""}, {"andon.W014"}),
        ({"ALLOWED_HOSTS": ["*"]}, {"andon.E002"}),
        ({"ALLOWED_HOSTS": ["elsewhere.example"]}, {"andon.W003"}),
        ({"ALLOWED_HOSTS": [".works.example"]}, set()),
        ({"PUBLIC_URL": "andon.works.example"}, {"andon.E001", "andon.E012"}),
    ],
)
def test_each_unsafe_mix_has_its_number(settings: Any, changed: dict[str, Any], expected: set[str]) -> None:
    assert found(settings, **changed) == expected


def test_what_run_uses_by_default_is_no_finding(settings: Any) -> None:
    default = {"PRODUCTION": False, "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"]}
    assert found(settings, **default, PUBLIC_URL="http://localhost:8000", SECRET_KEY="any", EMAIL_URL="") == set()
